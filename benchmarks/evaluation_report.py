"""The evaluations' figures beside the baseline's."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from matplotlib.figure import Figure
from pydantic import BaseModel

from benchmarks.evaluation_run import BASELINE, SYSTEMS, Run
from benchmarks.figures import number, ratio, table

_ROUGE = {"rouge1": "R-1", "rouge2": "R-2", "rougeLsum": "R-Lsum"}
_COLORS = {"writing": "#1f4e79", "scoring": "#e0a030"}


class Measured(NamedTuple):
    """One run of one system; the peak RSS of its process tree in MB."""

    system: str
    run: Run
    peak_rss: float


class Row(BaseModel):
    """Medians over a system's runs: seconds, MB; ROUGE F1 in percent.

    `speed`: articles a second by the baseline's; `same`: the share of its texts that are the
    baseline's, to the letter.
    """

    system: str
    runs: int
    writing: float
    scoring: float
    seconds: float
    articles_per_second: float
    speed: float
    peak_rss: float
    rouge: dict[str, float]
    same: float


class Report(BaseModel):
    """All that was measured, a row a system."""

    rows: list[Row]

    def text(self) -> str:
        """The table."""
        header = ["system", "runs", "writing s", "scoring s", "articles/s", "by baseline"]
        header += ["peak RSS MB", *_ROUGE.values(), "same texts"]
        cells = [
            [row.system, str(row.runs), number(row.writing, 1), number(row.scoring, 1)]
            + [number(row.articles_per_second), f"{number(row.speed)} x", number(row.peak_rss, 0)]
            + [number(row.rouge[name]) for name in _ROUGE]
            + [f"{100 * row.same:.0f}%"]
            for row in self.rows
        ]
        return table(header, cells)


def compare_evaluations(measured: Sequence[Measured]) -> Report:
    """A row for each system that was measured; the baseline's last texts are compared with."""
    by_system = {system: [each for each in measured if each.system == system] for system in SYSTEMS}
    baseline = by_system[BASELINE]
    base_seconds = median(each.run.writing + each.run.scoring for each in baseline)
    written = baseline[-1].run.summaries
    return Report(rows=[_row(runs, base_seconds, written) for runs in by_system.values() if runs])


def _row(runs: Sequence[Measured], base_seconds: float, written: Sequence[str]) -> Row:
    seconds = median(each.run.writing + each.run.scoring for each in runs)
    last = runs[-1].run
    same = sum(ours == theirs for ours, theirs in zip(last.summaries, written, strict=True))
    return Row(
        system=runs[0].system,
        runs=len(runs),
        writing=median(each.run.writing for each in runs),
        scoring=median(each.run.scoring for each in runs),
        seconds=seconds,
        articles_per_second=ratio(len(written), seconds),
        speed=ratio(base_seconds, seconds),
        peak_rss=median(each.peak_rss for each in runs),
        rouge=last.rouge,
        same=same / len(written),
    )


def plot_evaluations(rows: Sequence[Row]) -> Figure:
    """Seconds of each system, writing and scoring in one bar; nothing is saved here."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    axes = figure.subplots()
    systems = [row.system for row in rows]
    left = [0.0] * len(rows)
    for part, color in _COLORS.items():
        seconds = [float(getattr(row, part)) for row in rows]
        axes.barh(systems, seconds, left=left, color=color, label=part)
        left = [a + b for a, b in zip(left, seconds, strict=True)]
    for place, (end, row) in enumerate(zip(left, rows, strict=True)):
        axes.text(end, place, f" {number(row.speed, 1)} x", va="center")
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set(xlabel="seconds")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.suptitle("An evaluation beside the baseline")
    return figure
