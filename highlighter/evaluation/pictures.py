"""The pictures of an evaluation, by the name they are stored under."""

import datasets
from matplotlib.figure import Figure

from highlighter.evaluation.columns import column
from highlighter.evaluation.record import Evaluation
from highlighter.plots import (
    plot_learning_curves,
    plot_places,
    plot_rouge,
    plot_summary_lengths,
)
from highlighter.training_report import TrainingReport


def picture_evaluation(
    evaluation: Evaluation, rows: datasets.Dataset, training: TrainingReport
) -> dict[str, Figure]:
    """Learning curves, ROUGE with intervals, places of chosen sentences, lengths of summaries."""
    shown = ("served", "abstractive", "extractive", "lead3", "random3", "oracle")
    words = {
        name: rows[column(name, "words")][:] for name in ("abstractive", "extractive", "lead3")
    }
    words["reference"] = [float(len(text.split())) for text in rows["reference"]]
    return {
        "learning_curves": plot_learning_curves(training.curves, training.best_step),
        "rouge": plot_rouge({name: evaluation.systems[name].rouge for name in shown}),
        "places": plot_places({name: _places(rows, name) for name in ("extractive", "oracle")}),
        "summary_lengths": plot_summary_lengths(words),
    }


def _places(rows: datasets.Dataset, extractor: str) -> list[float]:
    """Each chosen sentence's place in its article, 0 for the first and 1 for the last."""
    return [
        index / max(1, len(scores) - 1)
        for chosen, scores in zip(rows[f"{extractor}_chosen"], rows["sentence_scores"], strict=True)
        for index in chosen
    ]
