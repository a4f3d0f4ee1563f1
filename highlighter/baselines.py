"""Summaries to compare with: what any model has to beat, and what no extractor can."""

import random
from collections.abc import Sequence


def lead(sentences: Sequence[str], count: int = 3) -> list[int]:
    """Indices of the first sentences."""
    return list(range(min(count, len(sentences))))


def random_sentences(sentences: Sequence[str], seed: str, count: int = 3) -> list[int]:
    """Indices, ascending, of sentences drawn without replacement; the same for the same seed."""
    drawn = random.Random(seed).sample(range(len(sentences)), min(count, len(sentences)))
    return sorted(drawn)
