"""A tiny run of the memory benchmark: one run that fits, one that is refused."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import memory
from benchmarks.inputs import SHAPES


def test_the_command_measures_what_fits_and_names_what_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SHAPES, "tiny", {"d_model": 16, "d_ff": 32, "layers": 1, "num_heads": 2})
    small = {"batch_size": 1, "evaluation_batch_size": 1}
    large = {"batch_size": 1, "evaluation_batch_size": 100_000}
    monkeypatch.setattr(memory, "VARIANTS", {"small": small, "large": large})
    words = ["--shape", "tiny", "--rows", "4", "--steps", "1", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["memory", *words])
    memory.main()
    fits, refused = json.loads((tmp_path / "memory.json").read_text())["rows"]
    assert fits["settings"] == "small"
    assert 0 < fits["added by training"] < fits["peak RSS"] < 8
    assert 0 < fits["estimate, mean batch"] <= fits["estimate, largest batch"]
    assert fits["s/step"] > 0
    assert refused["result"].startswith("refused: Fine-tuning needs at least")
    assert "training.evaluation_batch_size (100000)" in refused["result"]
