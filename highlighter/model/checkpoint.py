"""A checkpoint folder: model, tokenizer, settings and measurements."""

import math
import shutil
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError, safe_open
from transformers import GenerationConfig, PreTrainedTokenizerBase

from highlighter.data import familiarity
from highlighter.errors import CheckpointError, first_line
from highlighter.model.families import check_positions, fit_text, read_config
from highlighter.model.model import HighlightModel
from highlighter.model.salience import load_salience
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import (
    Division,
    Engine,
    GenerationSettings,
    HighlightSettings,
    Settings,
    TextSettings,
)

TEXT_FILE = "text_settings.json"
HIGHLIGHTS_FILE = "highlight_settings.json"
ENGINE_FILE = "engine.json"
_Model = TypeVar("_Model", bound=BaseModel)


class _Engine(Settings):
    kind: Engine


def save_checkpoint(
    folder: Path,
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    text: TextSettings,
) -> None:
    """Write a model, its tokenizer and its text settings to a folder.

    Raises:
        CheckpointError: the model has too few positions for these settings.
    """
    text = fit_text(text, model.config)
    model.save(folder)
    tokenizer.save_pretrained(folder)
    _write(folder, TEXT_FILE, text)


def read_text_settings(folder: Path) -> TextSettings:
    """Return the text settings that a checkpoint was trained with.

    Raises:
        CheckpointError: the folder is not a checkpoint of this project.
    """
    return _parse(TextSettings, folder / TEXT_FILE, _read(folder, TEXT_FILE))


def read_highlight_settings(folder: Path) -> HighlightSettings:
    """Return how a registered checkpoint selects sentences."""
    return _parse(HighlightSettings, folder / HIGHLIGHTS_FILE, _read(folder, HIGHLIGHTS_FILE))


def read_generation_settings(folder: Path) -> GenerationSettings:
    """Return the generation settings of a registered checkpoint."""
    config = GenerationConfig.from_pretrained(folder)
    # transformers' values for settings that the file leaves out; ours have other defaults.
    unset = {"num_beams": 1, "length_penalty": 1.0, "min_new_tokens": 0, "no_repeat_ngram_size": 0}
    stored = {name: getattr(config, name) for name in GenerationSettings.model_fields}
    return GenerationSettings(
        **{name: unset.get(name) if value is None else value for name, value in stored.items()}
    )


def finish_checkpoint(
    source: Path, generation: GenerationSettings, highlights: HighlightSettings, folder: Path
) -> None:
    """Copy a trained checkpoint to `folder` and add the settings of its evaluation.

    Its engine is torch. `write_engine` replaces it once a conversion has passed its check.

    Raises:
        CheckpointError: the model has too few positions for the longest summary.
    """
    config = read_config(str(source))
    check_positions(config, "generation.max_new_tokens", generation.max_new_tokens)
    shutil.copytree(source, folder)
    own = GenerationConfig.from_pretrained(source)
    generation_config(generation, load_tokenizer(str(source)), own).save_pretrained(folder)
    write_highlight_settings(folder, highlights)
    write_engine(folder, "torch")


def write_highlight_settings(folder: Path, settings: HighlightSettings) -> None:
    """Store how the checkpoint selects sentences."""
    _write(folder, HIGHLIGHTS_FILE, settings)


def write_engine(folder: Path, kind: Engine) -> None:
    """Store which engine writes the summaries in the service."""
    _write(folder, ENGINE_FILE, _Engine(kind=kind))


def read_engine(folder: Path) -> Engine:
    """Return which engine writes the summaries in the service."""
    return _parse(_Engine, folder / ENGINE_FILE, _read(folder, ENGINE_FILE)).kind


def count_parameters(folder: Path) -> int:
    """Return the number of weights of a checkpoint; tied weights count once.

    Raises:
        CheckpointError: a file of weights is incomplete.
    """
    count = 0
    for file in folder.glob("*.safetensors"):
        if file.name == familiarity.FILE:
            continue
        try:
            with safe_open(file, framework="numpy") as tensors:
                names = list(tensors.keys())
                count += sum(math.prod(tensors.get_slice(name).get_shape()) for name in names)
        except SafetensorError as error:
            raise CheckpointError(f"{file} cannot be read: {first_line(error)}.") from error
    return count


def check_files(folder: Path) -> None:
    """Check a registered checkpoint's files as far as that is possible without loading it.

    Raises:
        CheckpointError: a file is missing, incomplete or of another version.
    """
    read_card(folder)
    read_text_settings(folder)
    read_highlight_settings(folder)
    read_engine(folder)
    for name in ("config.json", "model.safetensors", "salience.json", "salience.safetensors"):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder}: no {name}.")
    count_parameters(folder)
    load_salience(folder)
    familiarity.read_familiarity(folder)


def generation_config(
    settings: GenerationSettings,
    tokenizer: PreTrainedTokenizerBase,
    own: GenerationConfig | None = None,
) -> GenerationConfig:
    """Return the generation parameters of transformers for these settings.

    Args:
        settings: beams and lengths.
        tokenizer: the model's tokenizer.
        own: the parameters that the model was published or saved with, of which the start token
            and the forced first and last tokens are kept; None: as in T5.
    """
    beam_search = settings.num_beams > 1
    start = tokenizer.pad_token_id
    forced: dict[str, int] = {}
    if own is not None:
        start = own.decoder_start_token_id
        names = ("forced_bos_token_id", "forced_eos_token_id")
        forced = {name: getattr(own, name) for name in names if getattr(own, name) is not None}
    return GenerationConfig(
        **settings.model_dump(exclude=set() if beam_search else {"length_penalty"}),
        **forced,
        do_sample=False,
        early_stopping=beam_search,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=start,
    )


def _write(folder: Path, name: str, settings: Settings) -> None:
    (folder / name).write_text(settings.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _read(folder: Path, name: str) -> str:
    file = folder / name
    if not file.is_file():
        raise CheckpointError(
            f"{folder}: no {name}. Give the folder of a checkpoint of this project."
        )
    return file.read_text(encoding="utf-8")


def _parse(model: type[_Model], file: Path, text: str) -> _Model:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise CheckpointError(f"{file}: {field}: {first['msg']}.".replace(": : ", ": ")) from error


CARD_FILE = "measured.json"


class Score(BaseModel):
    """A metric of a system on the test split, in percent, with its 95 % interval."""

    system: str
    metric: str
    value: float
    low: float
    high: float


class EvaluationSummary(BaseModel):
    """Scores of an evaluation, without its rows; `words`: how ROUGE divides texts into words."""

    rows: int
    words: Division = "rouge_score"
    test_fingerprint: str
    scores: list[Score]
    faithfulness: list[Score]


class MeasuredModel(BaseModel):
    """Size, engine and evaluation of a registered model."""

    parameters: int
    engine: Engine
    evaluation: EvaluationSummary


def write_card(folder: Path, card: MeasuredModel) -> None:
    """Write the card of a model into its checkpoint folder."""
    (folder / CARD_FILE).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_card(folder: Path) -> MeasuredModel:
    """Return the card that `write_card` wrote.

    Raises:
        CheckpointError: the folder has no card, or it cannot be read.
    """
    file = folder / CARD_FILE
    if not file.is_file():
        raise CheckpointError(
            f"{folder}: no {CARD_FILE}; it was registered by an earlier version of this project. "
            "Train and register it again: `python run_pipeline.py`."
        )
    return _parse(MeasuredModel, file, file.read_text(encoding="utf-8"))
