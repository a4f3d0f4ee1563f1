"""Measure the pipeline as a user meets it: a first run, runs with nothing changed, and start-up.

It runs in a copy of the checkout with stores of its own, so that nothing of the user's is touched.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.command import positive_int, run_command
from benchmarks.machine import describe_machine
from benchmarks.memory import MemoryWatch
from benchmarks.pipeline_report import FIRST, Timing, plot_pipeline, show
from benchmarks.processes import ROOT, ServerError, last_lines, start

# What a run does before its first step: imports, and the stack.
_START_UP = """
import os
from pathlib import Path
os.environ.setdefault("ZENML_ANALYTICS_OPT_IN", "false")
import pipelines.run
from pipelines.stack import ensure_stack
from pipelines.summarization import summarization
ensure_stack(Path.cwd(), summarization.name)
"""


class Checkout(NamedTuple):
    """A copy of the project's files, and the environment that keeps its stores apart."""

    folder: Path
    environment: dict[str, str]


def copy_checkout(folder: Path) -> Checkout:
    """The checkout as it is now, without anything git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
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


def steps_printed(output: str) -> dict[str, str]:
    """Each step's seconds, or "cached", in the last table of a run's output."""
    _, _, lines = output.rpartition("\nstep ")
    return dict(re.findall(r"^ ?(\w+) +(cached|\d+\.\d)\s*$", lines, re.MULTILINE))


def measure(name: str, command: Sequence[str], checkout: Checkout, log: Path) -> Timing:
    """Run a command in the checkout.

    Raises:
        ServerError: it failed; the message has its output.
    """
    began = time.perf_counter()
    with (
        start(command, log, checkout.folder, checkout.environment) as process,
        MemoryWatch(process.pid, interval=0.2) as memory,
    ):
        code = process.wait()
        seconds = time.perf_counter() - began
    if code:
        raise ServerError(f"{name} failed:\n{last_lines(log)}")
    steps = steps_printed(log.read_text(encoding="utf-8", errors="replace"))
    log.unlink()
    return Timing(name=name, seconds=seconds, peak_rss=memory.peak, steps=steps)


def main() -> None:
    """Measure, print the table, write pipeline.json and pipeline.png."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--rounds", type=positive_int, default=3, help="of all but the first run")
    parser.add_argument("--set", action="append", default=[], help="as for run_pipeline.py")
    parser.add_argument("--output", type=Path, default=Path("work/benchmarks"), help="folder")
    options = parser.parse_args()
    output = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    log = output / "pipeline.log"
    overrides = [word for value in options.set for word in ("--set", value)]
    run = [sys.executable, "run_pipeline.py", *overrides]
    with tempfile.TemporaryDirectory() as folder:
        checkout = copy_checkout(Path(folder))
        timings = [measure(FIRST, run, checkout, log)]
        for _ in range(options.rounds):
            timings.append(measure("nothing changed", run, checkout, log))
            command = [sys.executable, "-c", _START_UP]
            timings.append(measure("start-up alone", command, checkout, log))
    print(describe_machine())
    print(show(timings))
    record = {"machine": describe_machine(), "timings": [each.model_dump() for each in timings]}
    (output / "pipeline.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    plot_pipeline(timings).savefig(output / "pipeline.png", dpi=90)


if __name__ == "__main__":
    sys.exit(run_command(main))
