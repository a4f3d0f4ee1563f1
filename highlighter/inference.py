"""Summarize articles with a checkpoint folder. All that serving needs."""

from collections.abc import Sequence
from pathlib import Path

import torch
from pydantic import BaseModel
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from highlighter.checkpoint import read_text_settings
from highlighter.encoding import cut, encode_sources
from highlighter.generation import generate_summaries
from highlighter.model import load_model
from highlighter.settings import TextSettings
from highlighter.tokenizer import load_tokenizer


class Summary(BaseModel):
    """A summary, and whether the model saw the whole article."""

    summary: str
    truncated: bool


class Summarizer:
    """A loaded checkpoint. Use `load`; `summarize` is safe to call from one thread at a time."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        text: TextSettings,
        generation: GenerationConfig,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._text = text
        self._generation = generation

    @classmethod
    def load(cls, folder: Path) -> "Summarizer":
        """Load a registered checkpoint folder onto the GPU if there is one.

        Raises:
            CheckpointError: the folder is not a checkpoint of this project.
        """
        text = read_text_settings(folder)
        tokenizer = load_tokenizer(str(folder))
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model = load_model(str(folder), tokenizer=tokenizer).to(device)
        return cls(model, tokenizer, text, GenerationConfig.from_pretrained(folder))

    def summarize(self, articles: Sequence[str], batch_size: int = 8) -> list[Summary]:
        """A summary for each article, in order."""
        sources = encode_sources(articles, self._tokenizer, self._text)
        limit = self._text.max_source_tokens
        outputs = generate_summaries(
            self._model,
            self._tokenizer,
            [cut(ids, limit) for ids in sources],
            self._generation,
            batch_size=batch_size,
        )
        texts = self._tokenizer.batch_decode(outputs, skip_special_tokens=True)
        return [
            Summary(summary=text, truncated=len(ids) > limit)
            for text, ids in zip(texts, sources, strict=True)
        ]
