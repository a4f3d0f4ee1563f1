"""T5's span corruption: short spans of the text are masked, and written as the target."""

from collections.abc import Sequence

import numpy as np

MASKED_SHARE = 0.15
MEAN_SPAN = 3


def corrupt_spans(
    tokens: Sequence[int], sentinels: Sequence[int], random: np.random.Generator
) -> tuple[list[int], list[int]]:
    """Source and target, without end tokens (Raffel et al. 2020, section 3.1.4).

    15 % of the tokens, in spans of 3 on average, each replaced by a sentinel; the target is each
    sentinel with its span. Spans never touch.
    """
    masked = max(1, round(len(tokens) * MASKED_SHARE))
    spans = max(1, min(round(masked / MEAN_SPAN), len(sentinels), len(tokens) - masked))
    noise = _split(masked, spans, random)
    kept = _split(len(tokens) - masked, spans, random)
    source: list[int] = []
    target: list[int] = []
    place = 0
    for sentinel, before, hidden in zip(sentinels, kept, noise, strict=False):
        source += [*tokens[place : place + before], sentinel]
        target += [sentinel, *tokens[place + before : place + before + hidden]]
        place += before + hidden
    return source, target


def _split(total: int, parts: int, random: np.random.Generator) -> list[int]:
    """`total` as that many positive numbers, every way equally likely."""
    cuts = np.sort(random.choice(np.arange(1, total), parts - 1, replace=False))
    lengths: list[int] = np.diff([0, *cuts, total]).tolist()
    return lengths
