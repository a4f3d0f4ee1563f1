"""What the training benchmark measured, as a table with ratios, and as a picture."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from matplotlib.figure import Figure
from pydantic import BaseModel

from benchmarks.contenders import Outcome
from benchmarks.figures import number, ratio, table
from benchmarks.flops import Work


class Contender(NamedTuple):
    """A system of `benchmarks.contenders` and its batch size."""

    system: str
    batch_size: int

    @property
    def name(self) -> str:
        """Such as "summary, batch 8"."""
        return f"{self.system}, batch {self.batch_size}"


class Row(BaseModel):
    """A contender's medians; `ratios`: its examples/s by those of each baseline.

    `tokens_per_second` leaves padding out. On a GPU only: `of_peak`, the share of the measured rate
    of bf16 products that the counted FLOPs come to, and `peak_gpu`, MB of tensors.
    """

    name: str
    examples_per_second: float
    tokens_per_second: float
    of_peak: float | None
    peak_rss: float
    peak_gpu: float | None
    loss: float
    steps: int
    ratios: dict[str, float]


def summarize(
    outcomes: Mapping[Contender, Sequence[Outcome]],
    baselines: Sequence[Contender],
    work: Work,
    peak: float | None,
) -> list[Row]:
    """A row each, in order. A step's median time is over all steps of all rounds.

    `work` is an example's; `peak` is the GPU's rate in FLOP/s, None without a GPU.
    """
    speeds = {
        contender: contender.batch_size
        / median(second for outcome in rounds for second in outcome.step_seconds)
        for contender, rounds in outcomes.items()
    }
    return [
        Row(
            name=contender.name,
            examples_per_second=speeds[contender],
            tokens_per_second=speeds[contender] * work.tokens,
            of_peak=speeds[contender] * work.flops / peak if peak else None,
            peak_rss=median(outcome.peak_rss for outcome in rounds),
            peak_gpu=_median_known([outcome.peak_gpu for outcome in rounds]),
            loss=median(outcome.loss for outcome in rounds),
            steps=sum(len(outcome.step_seconds) for outcome in rounds),
            ratios={each.name: ratio(speeds[contender], speeds[each]) for each in baselines},
        )
        for contender, rounds in outcomes.items()
    ]


def show(rows: Sequence[Row]) -> str:
    """The table; a column of ratios for each baseline, and the GPU's where it was used."""
    columns = {
        "": [row.name for row in rows],
        "examples/s": [number(row.examples_per_second) for row in rows],
        "tokens/s": [number(row.tokens_per_second, 0) for row in rows],
        "% of measured bf16 peak": [_known(row.of_peak, 100, 1) for row in rows],
        "peak RSS MB": [number(row.peak_rss, 0) for row in rows],
        "peak GPU MB": [_known(row.peak_gpu, 1, 0) for row in rows],
        "loss": [number(row.loss, 3) for row in rows],
        **{f"x {name}": [number(row.ratios[name]) for row in rows] for name in rows[0].ratios},
        "steps": [str(row.steps) for row in rows],
    }
    shown = {name: cells for name, cells in columns.items() if any(cells)}
    return table(list(shown), list(zip(*shown.values(), strict=True)))


def plot_training(rows: Sequence[Row]) -> Figure:
    """Examples a second and peak memory, the GPU's if used, a bar each; nothing is saved here."""
    figure = Figure(figsize=(10, 0.8 + 0.45 * len(rows)), layout="constrained")
    names = [row.name for row in rows]
    colors = ["#888888" if row.name in row.ratios else "#1f4e79" for row in rows]
    on_gpu = all(row.peak_gpu is not None for row in rows)
    memory = {"peak_gpu": "peak GPU (MB)"} if on_gpu else {"peak_rss": "peak RSS (MB)"}
    panels = {"examples_per_second": "examples/s", **memory}
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


def _median_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _known(value: float | None, scale: float, digits: int) -> str:
    return "" if value is None else number(scale * value, digits)
