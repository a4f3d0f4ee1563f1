"""Dropout, and attention with it, for training on a CPU: what torch computes, in less time.

torch draws a CPU's dropout one number at a time, in one thread. Here 16 random bits decide on an
element, drawn four at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import (
    AttentionInterface,
    AttentionMaskInterface,
    T5ForConditionalGeneration,
)
from transformers.masking_utils import eager_mask

_NAME = "cpu_training"
_LEVELS = 2**16


def keep_mask(shape: torch.Size, rate: float) -> torch.Tensor:
    """1 to keep an element and 0 to drop it, with probability `rate` to a 65,536th.

    torch's own generator seeds it: the same seed gives the same mask, also after a resumed run and
    in the second pass of gradient checkpointing.
    """
    seed = int(torch.randint(2**63 - 1, ()))
    count = shape.numel()
    words = np.random.Generator(np.random.SFC64(seed)).integers(
        2**64, size=-(-count // 4), dtype=np.uint64
    )
    drawn = torch.from_numpy(words.view(np.int16))[:count]
    kept = drawn >= round(rate * _LEVELS) - _LEVELS // 2
    return kept.view(torch.uint8).view(shape)  # floats are multiplied by bytes faster than by bools


class _Drop(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, rate: float) -> torch.Tensor:
        kept = keep_mask(values.shape, rate)
        ctx.save_for_backward(kept)
        ctx.scale = 1 / (1 - rate)
        return (values * kept).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (kept,) = ctx.saved_tensors
        return (gradients[0] * kept).mul_(ctx.scale), None


class QuickDropout(nn.Dropout):
    """nn.Dropout with `keep_mask`."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002
        """Drop elements while training."""
        if not self.training or self.p == 0:
            return input
        dropped: torch.Tensor = _Drop.apply(input, self.p)  # type: ignore[no-untyped-call]
        return dropped


class _Attend(torch.autograd.Function):
    """softmax(query key' + bias + mask), dropout, times value; keeps weights and a byte mask."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd passes them by position
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        bias: torch.Tensor | None,
        mask: torch.Tensor | None,
        rate: float,
    ) -> torch.Tensor:
        weights = query @ key.mT
        for term in (bias, mask):
            if term is not None:
                weights.add_(term)
        torch.softmax(weights, -1, out=weights)
        kept = keep_mask(weights.shape, rate) if rate else None
        scaled = value / (1 - rate)  # fewer elements than the weights
        output = (weights if kept is None else weights * kept) @ scaled
        ctx.save_for_backward(query, key, scaled, weights, kept, output)
        ctx.rate = rate
        ctx.bias_shape = None if bias is None else bias.shape
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = gradients
        query, key, scaled, weights, kept, output = ctx.saved_tensors
        dropped = weights if kept is None else weights * kept
        to_value = (dropped.mT @ gradient) / (1 - ctx.rate)
        scores = gradient @ scaled.mT
        if kept is not None:
            scores.mul_(kept)
        # The softmax's gradient. A row's inner product comes from its output, as in FlashAttention.
        scores.sub_((gradient * output).sum(-1, keepdim=True)).mul_(weights)
        to_bias = scores.sum_to_size(ctx.bias_shape) if ctx.needs_input_grad[3] else None
        return scores @ key, scores.mT @ query, to_value, to_bias, None, None


def attend(  # noqa: PLR0917 - so does transformers
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    position_bias: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """An attention function of transformers, as T5 calls them; it gives no weights back."""
    if scaling is None:
        scaling = query.shape[-1] ** -0.5
    if scaling != 1:  # T5 doesn't scale
        query = query * scaling
    output: torch.Tensor = _Attend.apply(  # type: ignore[no-untyped-call]
        query, key, value, position_bias, attention_mask, dropout
    )
    return output.transpose(1, 2).contiguous(), None


@contextmanager
def quick_dropout(model: T5ForConditionalGeneration) -> Iterator[None]:
    """Let a model that trains on a CPU draw its dropout quickly, as long as the block lasts."""
    AttentionInterface.register(_NAME, attend)
    AttentionMaskInterface.register(_NAME, eager_mask)
    before = model.config._attn_implementation  # noqa: SLF001
    parts = [*model.encoder.modules(), *model.decoder.modules()]
    dropouts = [part for part in parts if type(part) is nn.Dropout]
    for part in dropouts:
        part.__class__ = QuickDropout  # in place: it goes on following train() and eval()
    model.set_attn_implementation(_NAME)
    try:
        yield
    finally:
        model.set_attn_implementation(before)
        for part in dropouts:
            part.__class__ = nn.Dropout
