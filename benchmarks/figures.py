"""Numbers of a measurement and how they are shown."""

import math
from collections.abc import Mapping, Sequence

import numpy as np


def percentile(values: Sequence[float], percent: float) -> float:
    """The percentile, between neighbours interpolated linearly; NaN without values."""
    return float(np.percentile(values, percent)) if values else float("nan")


def ratio(ours: float, theirs: float) -> float:
    """Ours by theirs; NaN where that says nothing."""
    return ours / theirs if theirs > 0 else float("nan")


def number(value: float, digits: int = 2) -> str:
    """The value with so many decimals; "-" for NaN."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def counts(values: Mapping[str, int]) -> str:
    """Such as "503: 12, timeout: 1"; "0" for none."""
    return ", ".join(f"{name}: {count}" for name, count in values.items()) or "0"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell: the first and the last to the left, others right."""
    cells = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    last = len(header) - 1
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in {0, last} else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )
