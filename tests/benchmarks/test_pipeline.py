"""What is read from a run's output, and that runs leave the user's stores alone."""

import sys
from pathlib import Path

import pytest

from benchmarks.pipeline import (
    FIRST,
    UNCHANGED,
    Checkout,
    Timing,
    compare,
    copy_checkout,
    read_steps,
    time_command,
)
from benchmarks.processes import ROOT, ProcessError

OUTPUT = """\
step by step
ingest  99.0
 step       seconds
 ingest         2.6
 fine_tune   cached
Registered news-highlighter version 1
"""


def test_the_steps_of_the_last_table_are_read() -> None:
    assert read_steps(OUTPUT) == {"ingest": "2.6", "fine_tune": "cached"}


def test_a_command_runs_in_the_copy_with_its_own_stores(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path)
    copy = checkout.folder / "run_pipeline.py"
    assert copy.read_bytes() == (ROOT / "run_pipeline.py").read_bytes()
    assert not (checkout.folder / ".git").exists()
    script = (
        "import os; print(os.getcwd(), os.environ['BENTOML_HOME'], sep='\\nstep s\\n x 1.5\\n')"
    )
    log = tmp_path / "log"
    timing = time_command([sys.executable, "-c", script], checkout, log)
    assert timing.steps == {"x": "1.5"}
    assert timing.seconds > 0
    where = "import os; raise SystemExit(os.getcwd() + os.environ['BENTOML_HOME'])"
    with pytest.raises(ProcessError, match=f"{checkout.folder}{tmp_path / 'bentoml'}"):
        time_command([sys.executable, "-c", where], checkout, log)
    with pytest.raises(ProcessError, match="cannot start"):
        time_command(["no-such-program"], Checkout(tmp_path, {}), log)


def test_rows_have_medians_and_their_share_of_the_first_run() -> None:
    unchanged = [Timing(seconds, seconds, {"ingest": "cached"}) for seconds in (9, 12, 30)]
    first, again = compare({FIRST: [Timing(100, 900, {"ingest": "2.0"})], UNCHANGED: unchanged})
    assert first == {
        "command": FIRST, "runs": 1, "seconds": 100, "% of first": 100, "peak RSS MB": 900,
        "ingest": "2.0",
    }  # fmt: skip
    assert again == {
        "command": UNCHANGED, "runs": 3, "seconds": 12, "% of first": 12, "peak RSS MB": 30,
        "ingest": "cached",
    }  # fmt: skip
