"""A self-describing checkpoint folder: a hub-style T5 plus what it was trained to read."""

import shutil
from pathlib import Path

from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from highlighter.errors import CheckpointError
from highlighter.settings import GenerationSettings, HighlightSettings, Settings, TextSettings
from highlighter.tokenizer import load_tokenizer

TEXT_FILE = "text_settings.json"
HIGHLIGHTS_FILE = "highlight_settings.json"


def save_checkpoint(
    folder: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: TextSettings,
) -> None:
    """Write config, safetensors, tokenizer and text settings."""
    model.save_pretrained(folder)
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


def finish_checkpoint(
    source: Path, generation: GenerationSettings, highlights: HighlightSettings, folder: Path
) -> None:
    """Copy a trained checkpoint to `folder`, with the settings it was evaluated with."""
    shutil.copytree(source, folder)
    generation_config(generation, load_tokenizer(str(source))).save_pretrained(folder)
    _write(folder, HIGHLIGHTS_FILE, highlights)


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
