"""Figures of a run. Each function returns a figure and neither shows nor saves it."""

from collections.abc import Mapping, Sequence

import datasets
import numpy as np
from matplotlib.figure import Figure

from highlighter.evaluation.record import Evaluation, column, shown_systems
from highlighter.metrics.statistics import CalibrationBin, Interval, calibration_error
from highlighter.training.report import TrainingReport

Points = Sequence[tuple[int, float]]


def _figure(title: str, xlabel: str, ylabel: str, panels: int = 1) -> Figure:
    figure = Figure(figsize=(4 + 3 * panels, 4), layout="constrained")
    for axes in np.atleast_1d(figure.subplots(1, panels)):
        axes.set(xlabel=xlabel, ylabel=ylabel)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    return figure


def plot_lengths(lengths: Sequence[int], limit: int, what: str) -> Figure:
    """Return a histogram of token counts with the limit marked."""
    figure = _figure(f"Length of {what} (train)", "tokens", what)
    axes = figure.axes[0]
    axes.hist(lengths, bins=40, color="#4878a8")
    axes.axvline(limit, color="#b03a2e", linestyle="--", label=f"limit {limit}")
    axes.legend(frameon=False)
    return figure


def plot_learning_curves(curves: Mapping[str, Points], best_step: int) -> Figure:
    """Return the losses of summary and salience by optimizer step, with the kept step marked.

    Args:
        curves: (step, loss) by MLflow's name, such as "validation/salience_loss".
        best_step: the step whose weights were kept.
    """
    titles = {
        "summary_loss": "summary (nats per token)",
        "salience_loss": "salience (nats per segment)",
    }
    figure = _figure("Learning curves", "optimizer step", "loss", panels=len(titles))
    for axes, (name, title) in zip(figure.axes, titles.items(), strict=True):
        for split, color in (("train", "#9bb7d4"), ("validation", "#1f4e79")):
            points = curves.get(f"{split}/{name}", [])
            if points:
                marker = "." if len(points) < 30 else ""
                axes.plot(*zip(*points, strict=True), label=split, color=color, marker=marker)
        axes.axvline(best_step, color="#888888", linestyle=":", label=f"kept: {best_step}")
        axes.set_title(title)
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)
    return figure


def plot_rouge(systems: Mapping[str, Mapping[str, Interval]]) -> Figure:
    """Return ROUGE F1 in percent by type with 95 % intervals, one color per system."""
    figure = _figure("ROUGE F1 on the test split, 95 % intervals", "", "percent")
    axes = figure.axes[0]
    names = list(next(iter(systems.values())))
    width = 0.7 / len(systems)
    for index, (system, scores) in enumerate(systems.items()):
        means = np.array([scores[name].mean for name in names])
        spread = [
            means - [scores[name].low for name in names],
            [scores[name].high for name in names] - means,
        ]
        places = np.arange(len(names)) + index * width
        axes.errorbar(places, means, yerr=spread, fmt="o", capsize=3, label=system)
    axes.set_xticks(np.arange(len(names)) + 0.35 - width / 2, names)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def plot_places(places: Mapping[str, Sequence[float]]) -> Figure:
    """Return the share of chosen sentences per tenth of the article, one line per system.

    Args:
        places: by system, the place of each chosen sentence: 0 the first, 1 the last.
    """
    figure = _figure("Where in the article the sentences lie", "tenth of the article", "share")
    axes = figure.axes[0]
    for system, values in places.items():
        counts, _ = np.histogram(values, bins=10, range=(0, 1))
        axes.plot(range(1, 11), counts / max(1, counts.sum()), marker="o", label=system)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure


def plot_calibration(bins: Sequence[CalibrationBin]) -> Figure:
    """Return the share of sentences that the oracle chose, by their score."""
    error = 100 * calibration_error(list(bins))
    figure = _figure(
        f"Sentences' scores, calibration error {error:.1f} %", "score", "share chosen by the oracle"
    )
    axes = figure.axes[0]
    axes.plot((0, 1), (0, 1), color="#888888", linestyle=":", label="calibrated")
    largest = max((part.count for part in bins), default=1)
    axes.scatter(
        [part.probability for part in bins],
        [part.share for part in bins],
        s=[10 + 190 * part.count / largest for part in bins],
        color="#1f4e79",
        label="sentences (area: their number)",
    )
    axes.legend(frameon=False, loc="upper left")
    return figure


def plot_summary_lengths(words: Mapping[str, Sequence[float]]) -> Figure:
    """Return histograms of the summaries' words, one outline per system."""
    figure = _figure("Length of summaries (test)", "words", "summaries")
    axes = figure.axes[0]
    highest = max(max(values, default=1) for values in words.values())
    for system, values in words.items():
        axes.hist(values, bins=30, range=(0, highest), histtype="step", label=system, linewidth=1.5)
    axes.legend(frameon=False)
    return figure


def picture_evaluation(
    evaluation: Evaluation, rows: datasets.Dataset, training: TrainingReport
) -> dict[str, Figure]:
    """Return learning curves, ROUGE, calibration, places of sentences, and lengths of summaries."""
    shown = shown_systems(evaluation.systems)
    words = {
        name: rows[column(name, "words")][:] for name in ("abstractive", "extractive", "lead3")
    }
    words["reference"] = [float(len(text.split())) for text in rows["reference"]]
    return {
        "learning_curves": plot_learning_curves(training.curves, training.best_step),
        "rouge": plot_rouge({name: evaluation.systems[name].rouge for name in shown}),
        "calibration": plot_calibration(evaluation.calibration),
        "places": plot_places({name: _places(rows, name) for name in ("extractive", "oracle")}),
        "summary_lengths": plot_summary_lengths(words),
    }


def _places(rows: datasets.Dataset, extractor: str) -> list[float]:
    """Return each chosen sentence's relative place: 0 for the first sentence, 1 for the last."""
    return [
        index / max(1, len(scores) - 1)
        for chosen, scores in zip(rows[f"{extractor}_chosen"], rows["sentence_scores"], strict=True)
        for index in chosen
    ]
