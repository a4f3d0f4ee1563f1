"""Print the summary of a run."""

from typing import Any

from datasets import Dataset
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from zenml.models import PipelineRunResponse

from highlighter.data.sentences import split_sentences
from highlighter.evaluation.record import Evaluation, Tradeoff
from highlighter.evaluation.report import print_scores
from release.deploy import Deployment
from release.publish import Registration

_SAMPLES = 2


def print_summary(
    run: PipelineRunResponse,
    evaluation: Evaluation,
    rows: Dataset,
    registration: Registration,
    deployment: Deployment | None,
) -> None:
    """Print samples, test scores, the time of each step, what was registered and what is served.

    Args:
        run: the completed run.
        evaluation: evaluation of the model.
        rows: test rows with their summaries.
        registration: the registered version and the gate's decision.
        deployment: what is served now, or None if there is no champion.
    """
    console = Console()
    for row in rows.select(range(min(_SAMPLES, len(rows)))):
        _print_sample(console, row)
    console.print("\n[bold]Test split[/]")
    print_scores(evaluation)
    console.print(_times(run))
    if evaluation.tradeoff is not None:
        console.print(_tradeoff(evaluation.tradeoff), highlight=False)
    console.print(
        f"Registered {registration.model_name} version {registration.version} as "
        f"{registration.alias}:",
        markup=False,
    )
    for reason in registration.decision.reasons:
        console.print(f"  - {reason}", highlight=False, markup=False)
    console.print(
        str(deployment or "There is no champion, so nothing was deployed."),
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    console.print("Next: [bold]bentoml serve[/]   or look at the run: [bold]mlflow ui[/]")


def _print_sample(console: Console, row: dict[str, Any]) -> None:
    """Print a test article with its most salient sentences in bold, and its summary."""
    article, best = row["article"], set(row["extractive_chosen"])
    text = Text(article)
    for index, (start, end) in enumerate(split_sentences(article)):
        if index in best:
            text.stylize("bold", start, end)
    written = "extracted" if row["doubt"] else "written"
    title = Text.assemble(
        "\n", (f"Article {row['id']}", "bold"), ", its most salient sentences in bold"
    )
    console.print(title)
    console.print(Padding(text, (0, 0, 0, 2)))
    console.print(f"[bold]Summary[/], {written} (confidence {row['confidence']:.2f})")
    console.print(Padding(Text(row["served"]), (0, 0, 0, 2)))


def _tradeoff(tradeoff: Tradeoff) -> str:
    teacher, student, speed = tradeoff.teacher, tradeoff.student, tradeoff.speed
    difference = tradeoff.difference["abstractive"]["rougeLsum"]
    return (
        f"[bold]Student of {escape(tradeoff.name)}:[/] "
        f"{student.encoder_layers}+{student.decoder_layers} layers of "
        f"{teacher.encoder_layers}+{teacher.decoder_layers}, "
        f"{student.num_beams} beams of {teacher.num_beams}, "
        f"{student.parameters / teacher.parameters:.0%} of the parameters;\n"
        f"  {speed.ratio.mean:.2f} times as fast {speed.ratio.low:.2f}..{speed.ratio.high:.2f}"
        f", {speed.student:.2f} s per article instead of {speed.teacher:.2f} s; written Lsum "
        f"{difference.mean:+.1f} {difference.low:+.1f}..{difference.high:+.1f}"
    )


def _times(run: PipelineRunResponse) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("step", "seconds"):
        table.add_column(heading, justify="right" if heading == "seconds" else "left")
    for name, step in run.steps.items():
        seconds = (step.end_time - step.start_time).total_seconds()
        table.add_row(name, "cached" if step.status == "cached" else f"{seconds:.1f}")
    return table
