"""Measure the pipeline as a user runs it: a first run, and runs with nothing changed.

It runs in a copy of the checkout with its own stores; the user's are not touched.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.command import make_parser, parse, positive_int, run_command
from benchmarks.processes import ROOT, MemoryWatch, ProcessError, last_lines, start
from benchmarks.report import report

FIRST, UNCHANGED = "first run", "nothing changed"


class Checkout(NamedTuple):
    """A copy of the project's files, and the environment variables that name its stores."""

    folder: Path
    environment: dict[str, str]


class Timing(NamedTuple):
    """A command's seconds, peak RSS in MB, and the seconds of each step as it printed them."""

    seconds: float
    peak_rss: float
    steps: dict[str, str]


def main() -> None:
    """Measure, print the table, write pipeline.json."""
    parser = make_parser("pipeline", __doc__)
    parser.add_argument("--rounds", type=positive_int, default=3, help="of unchanged runs")
    parser.add_argument("--set", action="append", default=[], help="as for run_pipeline.py")
    options = parse(parser)
    log = options.output / "pipeline.log"
    run = [sys.executable, "run_pipeline.py", *(f"--set={value}" for value in options.set)]
    with tempfile.TemporaryDirectory() as folder:
        checkout = copy_checkout(Path(folder))
        first, *others = (time_command(run, checkout, log) for _ in range(1 + options.rounds))
    report("pipeline", compare({FIRST: [first], UNCHANGED: others}), options.output)


def compare(timings: dict[str, list[Timing]]) -> list[dict[str, Any]]:
    """Return a row for each command: median seconds, their share of the first run's, steps."""
    first = timings[FIRST][0].seconds
    rows = []
    for name, runs in timings.items():
        seconds = median(run.seconds for run in runs)
        row = {
            "command": name,
            "runs": len(runs),
            "seconds": seconds,
            "% of first": 100 * seconds / first,
            "peak RSS MB": max(run.peak_rss for run in runs),
        }
        rows.append(row | runs[0].steps)
    return rows


def copy_checkout(folder: Path) -> Checkout:
    """Copy the checkout as it is, without the files that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    project = folder / "project"
    for name in filter(lambda name: (ROOT / name).is_file(), listed.stdout.splitlines()):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, project / name)
    stores = {
        "ZENML_CONFIG_PATH": str(folder / "zenml"),
        "ZENML_LOCAL_STORES_PATH": str(folder / "zenml_stores"),
        "BENTOML_HOME": str(folder / "bentoml"),
        "HF_HOME": str(folder / "huggingface"),
        "BENTOML_DO_NOT_TRACK": "true",
    }
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"} | stores
    return Checkout(project, environment)


def time_command(command: Sequence[str], checkout: Checkout, log: Path) -> Timing:
    """Run a command in the checkout.

    Raises:
        ProcessError: the command failed; the message has the end of its output.
    """
    began = time.perf_counter()
    with (
        start(command, log, checkout.folder, checkout.environment) as process,
        MemoryWatch(process.pid) as memory,
    ):
        code = process.wait()
        seconds = time.perf_counter() - began
    if code:
        raise ProcessError(f"{command[1]} failed with code {code}:\n{last_lines(log)}")
    steps = read_steps(log.read_text(encoding="utf-8", errors="replace"))
    log.unlink()
    return Timing(seconds, memory.peak_rss, steps)


def read_steps(output: str) -> dict[str, str]:
    """Return each step's seconds, or "cached", from the last table of a run's output."""
    _, _, lines = output.rpartition("\nstep ")
    return dict(re.findall(r"^ ?(\w+) +(cached|\d+\.\d)\s*$", lines, re.MULTILINE))


if __name__ == "__main__":
    sys.exit(run_command(main))
