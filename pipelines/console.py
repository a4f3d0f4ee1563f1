"""What a person sees in the terminal: less library noise, and a summary at the end."""

import logging

from rich.console import Console
from rich.table import Table
from transformers.utils import logging as transformers_logging
from zenml.models import PipelineRunResponse

from highlighter.errors import HighlighterError
from highlighter.evaluation import Evaluation
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
    scores = Table(title=f"\nTest split, {evaluation.rows} articles", title_justify="left")
    for heading in ("", "ROUGE-1", "ROUGE-2", "ROUGE-L", "ROUGE-Lsum", "words"):
        scores.add_column(heading, justify="right" if heading else "left")
    for name, system in evaluation.systems.items():
        scores.add_row(name, *(f"{value:.1f}" for value in system.model_dump().values()))
    times = Table(title="Time per step", title_justify="left")
    for heading in ("step", "seconds"):
        times.add_column(heading, justify="right" if heading == "seconds" else "left")
    for name, step in run.steps.items():
        seconds = (step.end_time - step.start_time).total_seconds()
        times.add_row(name, "cached" if step.status == "cached" else f"{seconds:.1f}")
    console.print(scores, times)
    console.print(
        f"Registered {registration.model_name} version {registration.version} as "
        f"{registration.alias}: {registration.reason}."
    )
    console.print("Next: [bold]bentoml serve[/]   or look at the run: [bold]mlflow ui[/]")
