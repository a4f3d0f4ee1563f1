"""Whether an article is of the kind that a model was fine-tuned on, by pairs of tokens."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from highlighter.errors import CheckpointError

FILE = "trained_on.safetensors"  # in a checkpoint's folder
_BITS = 20
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_FEW, _MARGIN = 0.01, 0.9


@dataclass(frozen=True)
class Familiarity:
    """What the training articles are like.

    Attributes:
        pairs: for each hash of two neighboring tokens, whether the training articles have it.
        lowest_share: an article is of their kind if it shares at least this part of its pairs.
    """

    pairs: NDArray[np.bool_]
    lowest_share: float

    def share_of(self, tokens: ArrayLike) -> float:
        """Return the part, in 0..1, of an article's pairs that the training articles have."""
        hashes = _hash_pairs(tokens)
        return float(self.pairs[hashes].mean()) if hashes.size else 0.0

    def knows(self, tokens: ArrayLike) -> bool:
        """Return whether the article with these tokens is of the kind of the training articles."""
        return self.share_of(tokens) >= self.lowest_share

    def save(self, folder: Path) -> None:
        """Write to a checkpoint's folder."""
        tensors: dict[str, NDArray[Any]] = {
            "pairs": np.packbits(self.pairs),
            "lowest_share": np.array([self.lowest_share], np.float32),
        }
        save_file(tensors, folder / FILE)


def learn_familiarity(train: Iterable[ArrayLike], validation: Iterable[ArrayLike]) -> Familiarity:
    """Return what articles of the kind of the training articles share with them.

    All but a few of the validation articles have `lowest_share`, with a margin: an article may have
    names and subjects that are new.

    Args:
        train: the token ids of each training article.
        validation: those of other articles of the same kind.
    """
    pairs = np.zeros(1 << _BITS, dtype=np.bool_)
    for tokens in train:
        pairs[_hash_pairs(tokens)] = True
    known = Familiarity(pairs, 0.0)
    shares = [known.share_of(tokens) for tokens in validation]
    return Familiarity(pairs, _MARGIN * float(np.quantile(shares, _FEW)))


def read_familiarity(folder: Path) -> Familiarity | None:
    """Return what `save` wrote; None for a checkpoint that was not fine-tuned.

    Raises:
        CheckpointError: the file is incomplete.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        tensors = load_file(file)
        return Familiarity(
            np.unpackbits(tensors["pairs"]).astype(np.bool_), float(tensors["lowest_share"][0])
        )
    except (SafetensorError, KeyError) as error:
        raise CheckpointError(f"{file} cannot be read. Train it again.") from error


def _hash_pairs(tokens: ArrayLike) -> NDArray[np.uint64]:
    ids = np.asarray(tokens, np.uint64)
    # Multiplication modulo 2**64 spreads the pairs over the upper bits.
    mixed = (ids[:-1] * _MULTIPLIER + ids[1:]) * _MULTIPLIER
    hashes: NDArray[np.uint64] = mixed >> np.uint64(64 - _BITS)
    return hashes
