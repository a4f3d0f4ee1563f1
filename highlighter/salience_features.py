"""What can be told about a sentence's importance from its place and its words."""

import json
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

FEATURES = (
    "log_index",
    "relative_index",
    "log_pieces",
    "log_length",
    "centrality",
    "repeated_share",
    "log_repeated",
    "log_mentions",
    "overlap_with_lead",
    "rarity",
)
_LEAD = 2


def piece_weights(tokenizer: PreTrainedTokenizerBase) -> NDArray[np.float32]:
    """How much each token id says: 0 for the most frequent, about 1 for rare ones.

    A unigram vocabulary stores each piece's log-probability, so it brings its own document
    frequencies. Special tokens weigh nothing.
    """
    vocabulary = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["vocab"]
    surprise = np.zeros(len(tokenizer), dtype=np.float32)
    surprise[: len(vocabulary)] = [-score for _, score in vocabulary]
    # 6 nats: the fifty or so most frequent pieces; 14 nats: the rarest of T5's 32,000.
    weights: NDArray[np.float32] = (np.maximum(surprise - 6, 0) / 8).astype(np.float32)
    weights[tokenizer.all_special_ids] = 0
    return weights


def describe_pieces(
    pieces: Sequence[Sequence[int]], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """FEATURES of each piece, shape (pieces, len(FEATURES)), each roughly in -1..3.

    Place: index, index over count, count. Words, each weighed by `weights`: how often the rest of
    the article says them (centrality), the share it says at all, and how many the lead has.
    """
    counts = [Counter(piece) for piece in pieces]
    article: Counter[int] = Counter()
    for count in counts:
        article.update(count)
    lead = set().union(*counts[:_LEAD]) if counts else set()
    rows = np.zeros((len(pieces), len(FEATURES)), dtype=np.float32)
    for index, count in enumerate(counts):
        tokens = list(count)
        weight = weights[tokens]
        elsewhere = np.array([article[token] - count[token] for token in tokens], dtype=np.float32)
        repeated = weight[elsewhere > 0].sum()
        total = weight.sum() + 1
        in_lead = weight[[token in lead for token in tokens]].sum() if index >= _LEAD else 0.0
        rows[index] = (
            np.log1p(index) / 3,
            index / len(pieces),
            np.log(len(pieces)) / 4,
            np.log1p(len(pieces[index])) / 4,
            (weight * np.log1p(elsewhere)).sum() / total,
            repeated / total,
            np.log1p(repeated),
            np.log1p((weight * elsewhere).sum()) / 2,
            in_lead / total,
            weight.sum() / (len(pieces[index]) + 1),
        )
    return rows
