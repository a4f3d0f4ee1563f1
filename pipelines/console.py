"""What a person sees in the terminal: less library noise, and a summary at the end."""

import logging
from math import isnan

from rich.console import Console
from rich.table import Table
from transformers.utils import logging as transformers_logging
from zenml.models import PipelineRunResponse

from highlighter.errors import HighlighterError
from highlighter.evaluation.record import Evaluation
from highlighter.statistics import Interval
from release.publish import Registration


def quiet_libraries() -> None:
    """Silence progress bars of split seconds, and tracebacks of errors that explain themselves."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    for name in ("absl", "alembic", "mlflow.models.signature", "zenml.integrations.mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_without_traceback)


def _without_traceback(record: logging.LogRecord) -> bool:
    if record.exc_info and isinstance(record.exc_info[1], HighlighterError):
        record.exc_info = None
    return True


def print_summary(
    run: PipelineRunResponse, evaluation: Evaluation, registration: Registration
) -> None:
    """Print the test scores, the time of each step, what was registered, and what to do next."""
    console = Console()
    console.print(f"\n[bold]Test split, {evaluation.rows} articles.[/] ROUGE F1, 95 % intervals")
    scores = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "R-1", "R-2", "R-Lsum", "Lsum - LEAD-3", "facts right", "recalled", "words"):
        scores.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name in ("served", "abstractive", "extractive", "lead3", "random3", "oracle"):
        system = evaluation.systems[name]
        rouge, over = system.rouge, system.over_lead3["rougeLsum"]
        scores.add_row(
            name,
            f"{rouge['rouge1'].mean:.1f}",
            f"{rouge['rouge2'].mean:.1f}",
            _with_interval(rouge["rougeLsum"], ".1f"),
            "" if name == "lead3" else _with_interval(over, "+.1f"),
            _share(system.faithfulness),
            _share(system.fact_recall),
            f"{system.words:.0f}",
        )
    times = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("step", "seconds"):
        times.add_column(heading, justify="right" if heading == "seconds" else "left")
    for name, step in run.steps.items():
        seconds = (step.end_time - step.start_time).total_seconds()
        times.add_row(name, "cached" if step.status == "cached" else f"{seconds:.1f}")
    console.print(scores, times)
    console.print(
        f"Registered {registration.model_name} version {registration.version} as "
        f"{registration.alias}:"
    )
    for reason in registration.decision.reasons:
        console.print(f"  - {reason}", highlight=False)
    console.print("Next: [bold]bentoml serve[/]   or look at the run: [bold]mlflow ui[/]")


def _with_interval(interval: Interval, digits: str) -> str:
    return f"{interval.mean:{digits}} {interval.low:{digits}}..{interval.high:{digits}}"


def _share(interval: Interval) -> str:
    return "none" if isnan(interval.mean) else f"{100 * interval.mean:.0f}%"
