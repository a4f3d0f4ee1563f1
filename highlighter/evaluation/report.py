"""The evaluation as one HTML page that needs nothing else."""

import base64
import io
from collections.abc import Mapping
from typing import Any

import datasets
from matplotlib.figure import Figure

from highlighter.evaluation.columns import SYSTEMS
from highlighter.evaluation.record import Evaluation
from highlighter.render import render
from highlighter.segmentation import split_paragraphs, split_sentences


def render_report(
    evaluation: Evaluation, rows: datasets.Dataset, figures: Mapping[str, Figure], samples: int
) -> str:
    """The page, with figures embedded and the first `samples` rows shown in full."""
    return render(
        "report.html",
        evaluation=evaluation,
        systems=SYSTEMS,
        samples=[_sample(row) for row in rows.select(range(min(samples, len(rows))))],
        pictures={name: _png(figure) for name, figure in figures.items()},
    )


def _sample(row: dict[str, Any]) -> dict[str, Any]:
    """The row, with its article as paragraphs of sentences: text, score, chosen, in the oracle."""
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
