"""Files of a registered checkpoint, complete and damaged."""

import re
from pathlib import Path

import pytest

from highlighter.errors import CheckpointError
from highlighter.model.checkpoint import (
    EvaluationSummary,
    MeasuredModel,
    check_files,
    finish_checkpoint,
    write_card,
)
from highlighter.settings import GenerationSettings, HighlightSettings

SHIPPED = Path(__file__).resolve().parents[2] / "highlighter" / "embedded" / "model"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    finish_checkpoint(SHIPPED, GenerationSettings(), HighlightSettings(), folder)
    judgement = EvaluationSummary(rows=1, test_fingerprint="test", scores=[], faithfulness=[])
    write_card(folder, MeasuredModel(parameters=1, engine="torch", evaluation=judgement))
    return folder


def test_complete_checkpoint_passes(checkpoint: Path) -> None:
    check_files(checkpoint)


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "engine.json",
        "highlight_settings.json",
        "measured.json",
        "model.safetensors",
        "salience.json",
        "salience.safetensors",
        "text_settings.json",
    ],
)
def test_missing_file_is_named(checkpoint: Path, name: str) -> None:
    (checkpoint / name).unlink()
    with pytest.raises(CheckpointError, match=re.escape(f"{checkpoint}: no {name}")):
        check_files(checkpoint)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text_settings.json", "{", "text_settings.json: Invalid JSON"),
        ("measured.json", '{"parameters": 1}', "measured.json: engine: Field required"),
        ("engine.json", '{"kind": "other"}', "engine.json: kind: Input should be"),
        ("model.safetensors", "half of it", "model.safetensors cannot be read"),
        ("salience.json", "{", "Invalid JSON"),
        ("salience.json", '{"members": "many"}', "members: Input should be a valid integer"),
        ("salience.json", '{"features": ["length"]}', "uses the features length, this version"),
    ],
)
def test_incomplete_file_is_named(checkpoint: Path, name: str, content: str, message: str) -> None:
    (checkpoint / name).write_text(content)
    with pytest.raises(CheckpointError, match=re.escape(str(checkpoint / name))) as raised:
        check_files(checkpoint)
    assert message in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_salience_head_of_another_shape_is_named(checkpoint: Path) -> None:
    (checkpoint / "salience.json").write_text('{"hidden_size": 8}')
    with pytest.raises(CheckpointError, match=r"salience\.safetensors: .* of another shape"):
        check_files(checkpoint)
