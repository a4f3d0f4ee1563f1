"""A self-describing checkpoint folder: model, tokenizer, settings and measurements."""

import math
import shutil
from pathlib import Path

from pydantic import BaseModel
from safetensors import safe_open
from transformers import GenerationConfig, PreTrainedTokenizerBase

from highlighter.errors import CheckpointError
from highlighter.model.model import HighlightModel
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import (
    Engine,
    GenerationSettings,
    HighlightSettings,
    Settings,
    TextSettings,
)

TEXT_FILE = "text_settings.json"
HIGHLIGHTS_FILE = "highlight_settings.json"
ENGINE_FILE = "engine.json"


class _Engine(Settings):
    kind: Engine


def save_checkpoint(
    folder: Path,
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    text: TextSettings,
) -> None:
    """Write config, safetensors, tokenizer and text settings."""
    model.save(folder)
    tokenizer.save_pretrained(folder)
    _write(folder, TEXT_FILE, text)


def read_text_settings(folder: Path) -> TextSettings:
    """What the checkpoint in this folder was trained to read.

    Raises:
        CheckpointError: the folder does not hold a checkpoint of this project.
    """
    return TextSettings.model_validate_json(_read(folder, TEXT_FILE))


def read_highlight_settings(folder: Path) -> HighlightSettings:
    """How a registered checkpoint chooses sentences."""
    return HighlightSettings.model_validate_json(_read(folder, HIGHLIGHTS_FILE))


def read_generation_settings(folder: Path) -> GenerationSettings:
    """How a registered checkpoint writes."""
    config = GenerationConfig.from_pretrained(folder)
    # What a file does not name is as good as off; our own defaults are something else.
    unset = {"num_beams": 1, "length_penalty": 1.0, "min_new_tokens": 0, "no_repeat_ngram_size": 0}
    stored = {name: getattr(config, name) for name in GenerationSettings.model_fields}
    return GenerationSettings(
        **{name: unset.get(name) if value is None else value for name, value in stored.items()}
    )


def finish_checkpoint(
    source: Path, generation: GenerationSettings, highlights: HighlightSettings, folder: Path
) -> None:
    """Copy a trained checkpoint to `folder`, with the settings it was evaluated with.

    Torch runs it in the service, until a conversion has passed its check.
    """
    shutil.copytree(source, folder)
    generation_config(generation, load_tokenizer(str(source))).save_pretrained(folder)
    _write(folder, HIGHLIGHTS_FILE, highlights)
    write_engine(folder, "torch")


def write_engine(folder: Path, kind: Engine) -> None:
    """Note what shall write the summaries in the service."""
    _write(folder, ENGINE_FILE, _Engine(kind=kind))


def read_engine(folder: Path) -> Engine:
    """What `write_engine` noted."""
    return _Engine.model_validate_json(_read(folder, ENGINE_FILE)).kind


def count_parameters(folder: Path) -> int:
    """Weights in a checkpoint's safetensors files; tied ones are stored once."""
    count = 0
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="numpy") as tensors:
            names = list(tensors.keys())
            count += sum(math.prod(tensors.get_slice(name).get_shape()) for name in names)
    return count


def generation_config(
    settings: GenerationSettings, tokenizer: PreTrainedTokenizerBase
) -> GenerationConfig:
    """Explicit generation parameters: nothing is left to a library's default length."""
    beam_search = settings.num_beams > 1
    return GenerationConfig(
        **settings.model_dump(exclude=set() if beam_search else {"length_penalty"}),
        do_sample=False,
        early_stopping=beam_search,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )


def _write(folder: Path, name: str, settings: Settings) -> None:
    (folder / name).write_text(settings.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _read(folder: Path, name: str) -> str:
    file = folder / name
    if not file.is_file():
        raise CheckpointError(f"{folder}: no {name}; is this a checkpoint of this project?")
    return file.read_text(encoding="utf-8")


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
