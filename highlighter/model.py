"""The T5 to fine-tune: pretrained, or built from its shape."""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    PreTrainedTokenizerBase,
    T5Config,
    T5ForConditionalGeneration,
    set_seed,
)

from highlighter.errors import CheckpointError
from highlighter.settings import PretrainedModel, ScratchModel


def build_model(
    source: PretrainedModel | ScratchModel, tokenizer: PreTrainedTokenizerBase, seed: int
) -> T5ForConditionalGeneration:
    """A T5 in float32, ready to train with this tokenizer.

    Raises:
        CheckpointError: no T5 there, or its vocabulary is smaller than the tokenizer's.
    """
    if isinstance(source, ScratchModel):
        return _from_shape(source, tokenizer, seed)
    return load_model(source.name, source.revision, tokenizer)


def load_model(
    name: str, revision: str = "main", tokenizer: PreTrainedTokenizerBase | None = None
) -> T5ForConditionalGeneration:
    """A T5 of the hub or of a folder, in float32 whatever the checkpoint's precision."""
    try:
        model = T5ForConditionalGeneration.from_pretrained(
            name, revision=revision, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        where = "this folder" if Path(name).is_dir() else "the hub"
        raise CheckpointError(
            f"{name}: no T5 can be loaded from {where} ({first_line})."
        ) from error
    if tokenizer is not None and len(tokenizer) > model.config.vocab_size:
        raise CheckpointError(
            f"{name}: the tokenizer knows {len(tokenizer)} tokens, the model "
            f"{model.config.vocab_size}. Are they of one checkpoint?"
        )
    return model


def _from_shape(
    source: ScratchModel, tokenizer: PreTrainedTokenizerBase, seed: int
) -> T5ForConditionalGeneration:
    set_seed(seed)
    shape: dict[str, Any] = source.model_dump(exclude={"kind", "vocabulary"})
    # A multiple of 128, as T5's own 32128: matrix kernels like it, unused rows cost little.
    vocab_size = -(-len(tokenizer) // 128) * 128
    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=vocab_size,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            decoder_start_token_id=tokenizer.pad_token_id,
            **shape,
        )
    )
