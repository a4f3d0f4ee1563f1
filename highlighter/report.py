"""The evaluation as one HTML page that needs nothing else."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import jinja2
from matplotlib.figure import Figure

from highlighter.evaluation import Evaluation
from highlighter.segmentation import split_paragraphs


def render_report(
    evaluation: Evaluation, samples: Sequence[dict[str, Any]], figures: dict[str, Figure]
) -> str:
    """The page, with figures embedded. `samples` are rows of the evaluation's table."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("highlighter"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    shown = [
        {**row, "paragraphs": [row["article"][s:e] for s, e in split_paragraphs(row["article"])]}
        for row in samples
    ]
    pictures = {title: _png(figure) for title, figure in figures.items()}
    template = environment.get_template("report.html")
    return template.render(evaluation=evaluation, samples=shown, pictures=pictures)


def _png(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
