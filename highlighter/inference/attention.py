"""Attention for beam search: the beams of an article share its encoder states and cache."""

from typing import Any

import torch
from transformers import AttentionInterface, DynamicCache, EncoderDecoderCache, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from highlighter.model.compat import attention_implementation
from highlighter.model.families import layers_of

_NAME = "sdpa_by_source"


class BeamCache(EncoderDecoderCache):
    """A cache that does not reorder its cross-attention keys and values between beams.

    Beams are only exchanged within an article, and all beams of an article read the same encoder
    states. Copying those at every step is the largest part of a step on a CPU.
    """

    def __init__(self) -> None:
        super().__init__(DynamicCache(), DynamicCache())

    def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
        """Reorder the self-attention cache only; `beam_idx` has one index per beam."""
        self.self_attention_cache.reorder_cache(beam_idx)


def beam_cache(model: PreTrainedModel, states: torch.Tensor) -> EncoderDecoderCache:
    """Return the cache to start a generation with.

    With SDPA, transformers' default, the cache holds the cross-attention keys and values of each
    row once, not once per beam, and the model is switched to an attention that reads them so. Its
    results differ from SDPA's by rounding only.

    Args:
        model: an encoder-decoder.
        states: its encoder states, shape (rows, tokens, width).
    """
    cache = BeamCache()
    if not _reads_by_source(model):
        return cache
    for number, layer in enumerate(layers_of(model.get_decoder())):
        heads, projections = _cross_attention(layer)
        shape = (*states.shape[:2], heads, -1)
        keys, values = (
            project(states).view(shape).transpose(1, 2).contiguous() for project in projections
        )
        cache.cross_attention_cache.update(keys, values, number)
        cache.is_updated[number] = True
    return cache


def _cross_attention(layer: Any) -> tuple[int, tuple[torch.nn.Module, torch.nn.Module]]:
    """Return the number of heads of a layer's cross-attention, and what gives keys and values."""
    if hasattr(layer, "encoder_attn"):  # BART, PEGASUS
        attention = layer.encoder_attn
        return attention.num_heads, (attention.k_proj, attention.v_proj)
    attention = layer.layer[1].EncDecAttention  # T5
    return attention.n_heads, (attention.k, attention.v)


def _reads_by_source(model: PreTrainedModel) -> bool:
    """Switch from SDPA to the attention below; return whether the model uses it."""
    if attention_implementation(model) == "sdpa":
        AttentionInterface.register(_NAME, _attend)
        AttentionMaskInterface.register(_NAME, sdpa_mask)
        model.set_attn_implementation(_NAME)
    return attention_implementation(model) == _NAME


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Compute SDPA; the next tokens of a row's beams become several queries of that row."""
    rows, heads, _, width = query.shape
    beams = rows // len(key)
    if beams > 1:
        query = query.view(len(key), beams, heads, width).transpose(1, 2)
        attention_mask = None if attention_mask is None else attention_mask[::beams]
    output, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    return (output.reshape(rows, 1, heads, width) if beams > 1 else output), None
