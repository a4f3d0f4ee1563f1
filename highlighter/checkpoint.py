"""A self-describing checkpoint folder: a hub-style T5 plus what it was trained to read."""

import shutil
from pathlib import Path

from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from highlighter.errors import CheckpointError
from highlighter.settings import GenerationSettings, TextSettings
from highlighter.tokenizer import load_tokenizer

TEXT_FILE = "text_settings.json"


def save_checkpoint(
    folder: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: TextSettings,
) -> None:
    """Write config, safetensors, tokenizer and text settings."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / TEXT_FILE).write_text(text.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_text_settings(folder: Path) -> TextSettings:
    """What the checkpoint in this folder was trained to read.

    Raises:
        CheckpointError: the folder does not hold a checkpoint of this project.
    """
    file = folder / TEXT_FILE
    if not file.is_file():
        raise CheckpointError(f"{folder}: no {TEXT_FILE}; is this a fine-tuned checkpoint?")
    return TextSettings.model_validate_json(file.read_text(encoding="utf-8"))


def with_generation(source: Path, settings: GenerationSettings, folder: Path) -> None:
    """Copy a checkpoint folder to `folder` with these generation settings as its default."""
    shutil.copytree(source, folder)
    generation_config(settings, load_tokenizer(str(source))).save_pretrained(folder)


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
