"""The decoder's memory during beam search."""

import torch
from transformers import DynamicCache, EncoderDecoderCache


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
