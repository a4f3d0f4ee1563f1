"""What was measured about a registered checkpoint, kept beside its weights."""

from pathlib import Path

from pydantic import BaseModel

from highlighter.errors import CheckpointError
from highlighter.settings import Engine

CARD_FILE = "measured.json"


class Score(BaseModel):
    """One measure of one system on the test rows; ROUGE in percent, with its 95 % interval."""

    system: str
    metric: str
    value: float
    low: float
    high: float


class Judgement(BaseModel):
    """The evaluation in short."""

    rows: int
    test_fingerprint: str
    scores: list[Score]
    faithfulness: list[Score]


class MeasuredModel(BaseModel):
    """A model's size, what runs it, and its judgement."""

    parameters: int
    engine: Engine
    evaluation: Judgement


def write_card(folder: Path, card: MeasuredModel) -> None:
    """Store it in a checkpoint folder."""
    (folder / CARD_FILE).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_card(folder: Path) -> MeasuredModel:
    """What `write_card` stored.

    Raises:
        CheckpointError: nothing there.
    """
    file = folder / CARD_FILE
    if not file.is_file():
        raise CheckpointError(
            f"{folder}: no {CARD_FILE}; it was registered by an older version of this project. "
            "Register it again: `python run_pipeline.py`."
        )
    return MeasuredModel.model_validate_json(file.read_text(encoding="utf-8"))
