"""Attention for beam search: the beams of an article share its encoder states and cache."""

from typing import Any

import torch
from transformers import AttentionInterface, DynamicCache, EncoderDecoderCache, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask


class BeamCache(EncoderDecoderCache):
    """Keys and values whose cross-attention half stays where it is when beams change places.

    Beams only change places with beams of the same article, which read the same encoder states:
    reordering those would copy them at every step, the largest part of a step on a CPU.
    """

    def __init__(self) -> None:
        super().__init__(DynamicCache(), DynamicCache())

    def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
        """Reorder what the decoder has written, (beams of all articles,) new places."""
        self.self_attention_cache.reorder_cache(beam_idx)


_NAME = "sdpa_by_source"


def beam_cache(model: PreTrainedModel, states: torch.Tensor) -> EncoderDecoderCache:
    """The empty cache of a generation from these encoder states (rows, tokens, d_model).

    With SDPA, transformers' own choice, it holds the keys and values of each row once, whatever the
    number of beams, and the model is told to read them so; it is the same sum in another order.
    """
    cache = BeamCache()
    if not _reads_by_source(model):
        return cache
    for number, block in enumerate(model.get_decoder().block):
        attention = block.layer[1].EncDecAttention
        shape = (*states.shape[:2], attention.n_heads, attention.key_value_proj_dim)
        keys, values = (
            project(states).view(shape).transpose(1, 2).contiguous()
            for project in (attention.k, attention.v)
        )
        cache.cross_attention_cache.update(keys, values, number)
        cache.is_updated[number] = True
    return cache


def _reads_by_source(model: PreTrainedModel) -> bool:
    """Whether the model's attention is ours, or was SDPA and is ours from now on."""
    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register(_NAME, _attend)
        AttentionMaskInterface.register(_NAME, sdpa_mask)
        model.set_attn_implementation(_NAME)
    return bool(model.config._attn_implementation == _NAME)


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """SDPA, in which the next tokens of a row's beams are several queries of that row."""
    rows, heads, _, width = query.shape
    beams = rows // len(key)
    if beams > 1:
        query = query.view(len(key), beams, heads, width).transpose(1, 2)
        attention_mask = None if attention_mask is None else attention_mask[::beams]
    output, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    return (output.reshape(rows, 1, heads, width) if beams > 1 else output), None
