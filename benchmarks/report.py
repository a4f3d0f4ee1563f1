"""Print a benchmark's rows as a table and store them as JSON, with the machine they ran on."""

import json
import math
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

Row = Mapping[str, Any]


def report(name: str, rows: Sequence[Row], output: Path, **record: Any) -> None:
    """Print the machine and the rows; write them and `record` to `output`/`name`.json.

    Args:
        rows: one mapping from column to value for each line of the table; columns appear in the
            order in which they are first used.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(format_value(row.get(column)) for column in columns))
    # Redirected output has no width; rich would cut the columns at 80 characters.
    console = Console(width=None if sys.stdout.isatty() else 250)
    console.print(describe_machine(), highlight=False)
    console.print(table)
    document = {"machine": describe_machine(), **record, "rows": list(rows)}
    text = json.dumps(document, indent=2, default=str) + "\n"
    (output / f"{name}.json").write_text(text, encoding="utf-8")


def format_value(value: Any) -> str:
    """Return a table cell: about three significant digits, "-" for None and NaN, counts by name."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {count}" for key, count in value.items()) or "0"
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, float):
        size = abs(value)
        return f"{value:.{0 if size >= 100 else 1 if size >= 20 else 2 if size >= 0.1 else 3}f}"
    return str(value)


def ratio(value: float, base: float) -> float:
    """Return value / base; NaN unless base is above 0."""
    return value / base if base > 0 else float("nan")


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile, interpolated linearly; NaN without values."""
    return float(np.percentile(values, percent)) if values else float("nan")


def describe_machine() -> str:
    """Return cores, processor, vector instructions, threads, torch and GPU in one line."""
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return (
        f"{len(os.sched_getaffinity(0))} cores of {_processor()} "
        f"({torch.backends.cpu.get_cpu_capability()}), {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}{gpu}"
    )


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
