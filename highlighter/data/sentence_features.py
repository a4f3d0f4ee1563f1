"""Features of a segment's position and words that indicate its salience."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from highlighter.data.vocabulary import read_vocabulary

FEATURES = (
    "log_index",
    "relative_index",
    "log_segments",
    "log_length",
    "centrality",
    "repeated_share",
    "log_repeated",
    "log_mentions",
    "overlap_with_lead",
    "rarity",
)
_LEAD = 2


def token_weights(tokenizer: PreTrainedTokenizerBase) -> NDArray[np.float32]:
    """Return the rarity of each token id: 0 for the most frequent, about 1 for rare ones.

    Special tokens have 0.
    """
    surprise = np.array(
        [-token.log_probability for token in read_vocabulary(tokenizer)], dtype=np.float32
    )
    # 6 nats: about the fifty most frequent pieces; 14 nats: the rarest of T5's 32,000.
    weights: NDArray[np.float32] = (np.maximum(surprise - 6, 0) / 8).astype(np.float32)
    return weights


def describe_segments(
    segments: Sequence[Sequence[int]], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the FEATURES of each segment, (segments, len(FEATURES)), each roughly in -1..3.

    Position: index, index over count, count. Words, weighted by rarity: how often they occur in
    the rest of the article, the share that does, and the share that occurs in the lead.

    Args:
        segments: token ids of each segment.
        weights: rarity of each token id, from `token_weights`.
    """
    if not segments:
        return np.zeros((0, len(FEATURES)), dtype=np.float32)
    lengths = np.array([len(segment) for segment in segments])
    tokens = np.fromiter(chain.from_iterable(segments), np.int64, count=lengths.sum())
    segment = np.repeat(np.arange(len(segments)), lengths)
    known, token = np.unique(tokens, return_inverse=True)
    # Each token of each segment once, and its count there.
    places, here = np.unique(segment * max(1, len(known)) + token, return_counts=True)
    segment, token = np.divmod(places, max(1, len(known)))
    elsewhere = np.bincount(token, here, minlength=len(known))[token] - here
    in_lead = np.isin(token, token[segment < _LEAD]) & (segment >= _LEAD)
    weight = weights[known[token]]

    def summed(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(segment, values, minlength=len(segments)).astype(np.float64)

    total = summed(weight) + 1
    repeated = summed(weight * (elsewhere > 0))
    index = np.arange(len(segments))
    columns = (
        np.log1p(index) / 3,
        index / len(segments),
        np.full(len(segments), np.log(len(segments)) / 4),
        np.log1p(lengths) / 4,
        summed(weight * np.log1p(elsewhere)) / total,
        repeated / total,
        np.log1p(repeated),
        np.log1p(summed(weight * elsewhere)) / 2,
        summed(weight * in_lead) / total,
        (total - 1) / (lengths + 1),
    )
    return np.stack(columns, axis=1).astype(np.float32)
