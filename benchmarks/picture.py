"""The picture of a benchmark."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from benchmarks.comparison import BASELINE, SERVICE, Row

_COLORS = {BASELINE: "#888888", SERVICE: "#1f4e79"}
_PANELS = {"requests_per_second": "requests/s", "p95": "p95 latency (s)"}


def plot_serving(rows: Sequence[Row]) -> Figure:
    """Requests per second and p95 by clients, a line a system; nothing is saved here."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    clients = sorted({row.clients for row in rows})
    for axes, (name, label) in zip(figure.subplots(1, 2), _PANELS.items(), strict=True):
        for system, color in _COLORS.items():
            points = [(row.clients, getattr(row, name)) for row in rows if row.system == system]
            axes.plot(*zip(*points, strict=True), marker="o", label=system, color=color)
        axes.set_xscale("log", base=2)
        axes.set_xticks(clients, [str(number) for number in clients])
        axes.set_ylim(bottom=0)
        axes.set(xlabel="clients", ylabel=label)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.suptitle("The service beside the baseline")
    return figure
