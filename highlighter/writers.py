"""Who writes summaries: torch, the reference, or CTranslate2, faster on a CPU."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from highlighter.article_words import WordList
from highlighter.checkpoint import read_engine
from highlighter.ctranslate2_writer import FOLDER, CTranslate2Writer
from highlighter.generation import Generated, generate_summaries


class Writer(Protocol):
    """Writes summaries of sources of token ids."""

    def write(
        self,
        sources: Sequence[list[int]],
        config: GenerationConfig,
        *,
        batch_size: int,
        words: Sequence[WordList] | None = None,
    ) -> list[Generated]:
        """As `generate_summaries`."""


class TorchWriter:
    """transformers' own generation."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self._model = model
        self._tokenizer = tokenizer

    def write(
        self,
        sources: Sequence[list[int]],
        config: GenerationConfig,
        *,
        batch_size: int,
        words: Sequence[WordList] | None = None,
    ) -> list[Generated]:
        """As `generate_summaries`."""
        return generate_summaries(
            self._model, self._tokenizer, sources, config, batch_size=batch_size, words=words
        )


def load_writer(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Writer:
    """The writer that the checkpoint was registered with; on a GPU always torch."""
    if read_engine(folder) == "ctranslate2" and model.device.type == "cpu":
        return CTranslate2Writer(folder / FOLDER, tokenizer, threads=torch.get_num_threads())
    return TorchWriter(model, tokenizer)
