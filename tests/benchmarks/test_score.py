"""A tiny run of the command."""

import json
import sys
from pathlib import Path

import mlflow
import pytest

from benchmarks import score


def test_the_command_measures_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", before := mlflow.get_tracking_uri())
    monkeypatch.setattr(sys, "argv", ["score", "--rows", "2", "--output", str(tmp_path)])
    score.main()
    mlflow.set_tracking_uri(before)
    rows = json.loads((tmp_path / "score.json").read_text())["rows"]
    assert [row["way"] for row in rows] == ["plain loop", "release score"]
    assert all(row["rows/s"] == pytest.approx(2 / row["seconds"]) for row in rows)
