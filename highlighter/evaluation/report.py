"""Show the evaluation as a table in the terminal and as a self-contained HTML page."""

import base64
import io
from collections.abc import Iterator, Mapping
from math import isnan
from pathlib import Path
from typing import Any

import datasets
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from highlighter.data.sentences import split_paragraphs, split_sentences
from highlighter.evaluation.record import SYSTEMS, Evaluation
from highlighter.metrics.statistics import Interval
from highlighter.system.templates import render

_PAGE = Path(__file__).parent / "report.html"
_SYSTEMS = ("served", "abstractive", "extractive", "lead3", "random3", "oracle")
_SCORES = ("", "R-1", "R-2", "R-Lsum", "Lsum - LEAD-3", "facts", "recalled", "words")


def print_scores(evaluation: Evaluation) -> None:
    """Print every system's scores, and the share of summaries that are replaced."""
    console = Console()
    console.print(f"[bold]{evaluation.rows} articles.[/] ROUGE F1, 95 % intervals")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in _SCORES:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for row in _scores(evaluation):
        table.add_row(*row)
    console.print(table)
    console.print(_notes(evaluation))


def scores_as_markdown(evaluation: Evaluation) -> str:
    """Return the table that `print_scores` prints, as Markdown."""
    heading = " | ".join(_SCORES)
    ruler = " | ".join("---:" if heading else "---" for heading in _SCORES)
    lines = [f"| {' | '.join(row)} |" for row in _scores(evaluation)]
    return "\n".join(
        [
            f"{evaluation.rows} test articles. ROUGE F1, 95 % intervals.",
            "",
            f"| {heading} |",
            f"| {ruler} |",
            *lines,
            "",
            "facts: share of a summary's names, numbers and dates that appear in its article; "
            "recalled: share of the reference's that the summary states. " + _notes(evaluation),
        ]
    )


def _notes(evaluation: Evaluation) -> str:
    note = (
        f"{evaluation.doubted:.0%} of the written summaries failed a check; extracted sentences "
        "replace them."
    )
    if evaluation.not_english:
        note += (
            f" {evaluation.not_english} articles are not in English: the names, numbers and dates "
            "of their summaries are not checked."
        )
    if evaluation.words == "all_scripts":
        note += " ROUGE counts the words of all scripts."
    if judged := evaluation.entailment:
        scores = ", ".join(f"{name} {_share(score)}" for name, score in judged.systems.items())
        note += (
            f" Entailment of {judged.rows} articles' summaries by {judged.model} "
            f"({judged.revision}): {scores}."
        )
    return note


def _scores(evaluation: Evaluation) -> Iterator[tuple[str, ...]]:
    for name in _SYSTEMS:
        system = evaluation.systems[name]
        rouge, over = system.rouge, system.over_lead3["rougeLsum"]
        yield (
            name,
            f"{rouge['rouge1'].mean:.1f}",
            f"{rouge['rouge2'].mean:.1f}",
            f"{rouge['rougeLsum'].mean:.1f}",
            "" if name == "lead3" else f"{over.mean:+.1f} {over.low:+.1f}..{over.high:+.1f}",
            _share(system.faithfulness),
            _share(system.fact_recall),
            f"{system.words:.0f}",
        )


def _share(interval: Interval) -> str:
    return "none" if isnan(interval.mean) else f"{100 * interval.mean:.0f}%"


def render_report(
    evaluation: Evaluation, rows: datasets.Dataset, figures: Mapping[str, Figure], samples: int
) -> str:
    """Return the page, with embedded figures and the first `samples` rows in full."""
    return render(
        _PAGE,
        evaluation=evaluation,
        systems=SYSTEMS,
        samples=[_sample(row) for row in rows.select(range(min(samples, len(rows))))],
        pictures={name: _png(figure) for name, figure in figures.items()},
    )


def _sample(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row with its `paragraphs`: lists of sentences with text, score and marks."""
    article = row["article"]
    chosen, oracle = set(row["extractive_chosen"]), set(row["oracle_chosen"])
    spans = iter(enumerate(split_sentences(article)))
    upcoming = next(spans, None)
    paragraphs = []
    for paragraph in split_paragraphs(article):
        sentences = []
        while upcoming and upcoming[1].start < paragraph.end:
            index, (start, end) = upcoming
            sentences.append(
                {
                    "text": article[start:end],
                    "score": row["sentence_scores"][index],
                    "chosen": index in chosen,
                    "oracle": index in oracle,
                }
            )
            upcoming = next(spans, None)
        paragraphs.append(sentences)
    return {**row, "paragraphs": paragraphs}


def _png(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
