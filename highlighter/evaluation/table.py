"""An evaluation's scores in the terminal."""

from math import isnan

from rich.console import Console
from rich.table import Table

from highlighter.evaluation.record import Evaluation
from highlighter.statistics import Interval

_SYSTEMS = ("served", "abstractive", "extractive", "lead3", "random3", "oracle")
_SCORES = ("", "R-1", "R-2", "R-Lsum", "Lsum - LEAD-3", "facts", "recalled", "words")


def print_scores(evaluation: Evaluation) -> None:
    """Print every system's scores, and the share of written summaries that a reader gets."""
    console = Console()
    console.print(f"[bold]{evaluation.rows} articles.[/] ROUGE F1, 95 % intervals")
    console.print(_scores(evaluation))
    console.print(f"{evaluation.doubted:.0%} of the written summaries are doubted, so extracted.")


def _scores(evaluation: Evaluation) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in _SCORES:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name in _SYSTEMS:
        system = evaluation.systems[name]
        rouge, over = system.rouge, system.over_lead3["rougeLsum"]
        table.add_row(
            name,
            f"{rouge['rouge1'].mean:.1f}",
            f"{rouge['rouge2'].mean:.1f}",
            f"{rouge['rougeLsum'].mean:.1f}",
            "" if name == "lead3" else f"{over.mean:+.1f} {over.low:+.1f}..{over.high:+.1f}",
            _share(system.faithfulness),
            _share(system.fact_recall),
            f"{system.words:.0f}",
        )
    return table


def _share(interval: Interval) -> str:
    return "none" if isnan(interval.mean) else f"{100 * interval.mean:.0f}%"
