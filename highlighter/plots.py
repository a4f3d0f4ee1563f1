"""Pictures of a run. Each function returns a figure; nothing is shown or saved here."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure


def _figure(title: str, xlabel: str, ylabel: str, width: float = 7) -> Figure:
    figure = Figure(figsize=(width, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def plot_lengths(lengths: Sequence[int], limit: int, what: str) -> Figure:
    """Histogram of token counts with the limit marked."""
    figure = _figure(f"Length of {what} (train)", "tokens", what)
    axes = figure.axes[0]
    axes.hist(lengths, bins=40, color="#4878a8")
    axes.axvline(limit, color="#b03a2e", linestyle="--", label=f"limit {limit}")
    axes.legend(frameon=False)
    return figure


def plot_learning_curve(
    curves: Mapping[str, Sequence[tuple[int, float]]], best_step: int
) -> Figure:
    """Each named curve's (optimizer step, loss) points, with the kept step marked."""
    figure = _figure("Learning curves", "optimizer step", "loss (nats)")
    axes = figure.axes[0]
    for name, points in curves.items():
        if points:
            axes.plot(
                *zip(*points, strict=True), label=name, marker="." if len(points) < 30 else ""
            )
    axes.axvline(best_step, color="#888888", linestyle=":", label=f"kept: step {best_step}")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure


def plot_rouge(systems: Mapping[str, Mapping[str, float]]) -> Figure:
    """Bars of ROUGE F1 (percent) by type, one colour a system."""
    figure = _figure("ROUGE F1 on the test split", "", "percent")
    axes = figure.axes[0]
    names = list(next(iter(systems.values())))
    width = 0.8 / len(systems)
    for index, (system, scores) in enumerate(systems.items()):
        positions = [i + index * width for i in range(len(names))]
        axes.bar(positions, [scores[name] for name in names], width, label=system)
    axes.set_xticks([i + 0.4 - width / 2 for i in range(len(names))], names)
    axes.legend(frameon=False)
    return figure
