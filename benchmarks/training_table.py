"""What the training benchmark measured, as a table with ratios, and as a picture."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from matplotlib.figure import Figure
from pydantic import BaseModel

from benchmarks.contenders import Outcome
from benchmarks.figures import number, ratio, table


class Contender(NamedTuple):
    """A system of `benchmarks.contenders` and its batch size."""

    system: str
    batch_size: int

    @property
    def name(self) -> str:
        """Such as "summary, batch 8"."""
        return f"{self.system}, batch {self.batch_size}"


class Row(BaseModel):
    """A contender's medians; `ratios`: its examples/s by those of each baseline."""

    name: str
    examples_per_second: float
    peak_rss: float
    loss: float
    steps: int
    ratios: dict[str, float]


def summarize(
    outcomes: Mapping[Contender, Sequence[Outcome]], baselines: Sequence[Contender]
) -> list[Row]:
    """A row each, in order. A step's median time is over all steps of all rounds."""
    speeds = {
        contender: contender.batch_size
        / median(second for outcome in rounds for second in outcome.step_seconds)
        for contender, rounds in outcomes.items()
    }
    return [
        Row(
            name=contender.name,
            examples_per_second=speeds[contender],
            peak_rss=median(outcome.peak_rss for outcome in rounds),
            loss=median(outcome.loss for outcome in rounds),
            steps=sum(len(outcome.step_seconds) for outcome in rounds),
            ratios={each.name: ratio(speeds[contender], speeds[each]) for each in baselines},
        )
        for contender, rounds in outcomes.items()
    ]


def show(rows: Sequence[Row]) -> str:
    """The table; a column of ratios for each baseline."""
    baselines = list(rows[0].ratios)
    header = ["", "examples/s", "peak RSS MB", "loss", *(f"x {name}" for name in baselines)]
    cells = [
        [row.name, number(row.examples_per_second), number(row.peak_rss, 0), number(row.loss, 3)]
        + [number(row.ratios[name]) for name in baselines]
        for row in rows
    ]
    return table([*header, "steps"], [[*c, str(r.steps)] for c, r in zip(cells, rows, strict=True)])


def plot_training(rows: Sequence[Row]) -> Figure:
    """Examples a second and peak memory, a bar each; nothing is saved here."""
    figure = Figure(figsize=(10, 0.8 + 0.45 * len(rows)), layout="constrained")
    names = [row.name for row in rows]
    colors = ["#888888" if row.name in row.ratios else "#1f4e79" for row in rows]
    panels = {"examples_per_second": "examples/s", "peak_rss": "peak RSS (MB)"}
    for axes, (field, label) in zip(
        figure.subplots(1, 2, sharey=True), panels.items(), strict=True
    ):
        bars = axes.barh(names, [getattr(row, field) for row in rows], color=colors)
        axes.bar_label(bars, fmt="%.2f" if field == "examples_per_second" else "%.0f", padding=3)
        axes.set(xlabel=label)
        axes.margins(x=0.15)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].invert_yaxis()
    return figure
