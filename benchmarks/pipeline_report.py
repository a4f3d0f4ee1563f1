"""What runs of the pipeline took, as a table and a picture."""

from collections.abc import Sequence
from statistics import median

from matplotlib.figure import Figure
from pydantic import BaseModel

from benchmarks.figures import number, ratio, table

FIRST = "first run"
_BLUES = ("#9ecae1", "#4292c6", "#08519c", "#6baed6", "#c6dbef")
_REST = "start-up and the rest"


class Timing(BaseModel):
    """Seconds and peak RSS in MB of a command; `steps`: the seconds of each, as it printed them."""

    name: str
    seconds: float
    peak_rss: float
    steps: dict[str, str]


def show(timings: Sequence[Timing]) -> str:
    """Medians of each kind of run, and their share of the first run's time."""
    first = next(timing.seconds for timing in timings if timing.name == FIRST)
    steps = list(dict.fromkeys(step for timing in timings for step in timing.steps))
    cells = []
    for name, runs in _by_name(timings).items():
        seconds = median(run.seconds for run in runs)
        cells.append(
            [name, number(seconds, 1), f"{100 * ratio(seconds, first):.0f} %"]
            + [number(max(run.peak_rss for run in runs), 0)]
            + [runs[0].steps.get(step, "-") for step in steps]
            + [str(len(runs))]
        )
    return table(["", "seconds", "of the first", "peak RSS MB", *steps, "runs"], cells)


def plot_pipeline(timings: Sequence[Timing]) -> Figure:
    """A bar for each kind of run, divided into its steps; nothing is saved here."""
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    axes = figure.subplots()
    kinds = _by_name(timings)
    ran = [
        (name, step, float(seconds))
        for name, runs in kinds.items()
        for step, seconds in runs[0].steps.items()
        if seconds != "cached"
    ]
    ends = dict.fromkeys(kinds, 0.0)
    colors = dict(zip(dict.fromkeys(step for _, step, _ in ran), _BLUES, strict=False))
    for name, step, seconds in ran:
        axes.barh(name, seconds, left=ends[name], color=colors.get(step), label=step)
        ends[name] += seconds
    for name, runs in kinds.items():
        rest = max(0.0, median(run.seconds for run in runs) - ends[name])
        axes.barh(name, rest, left=ends[name], color="#bbbbbb", label=_REST)
    handles, labels = axes.get_legend_handles_labels()
    known = dict(zip(labels, handles, strict=True))
    axes.legend(known.values(), known.keys(), frameon=False, ncols=3, loc="lower right")
    axes.invert_yaxis()
    axes.set(xlabel="seconds")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _by_name(timings: Sequence[Timing]) -> dict[str, list[Timing]]:
    names = dict.fromkeys(timing.name for timing in timings)
    return {name: [timing for timing in timings if timing.name == name] for name in names}
