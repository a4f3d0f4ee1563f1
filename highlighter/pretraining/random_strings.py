"""Random strings of tokens to copy: a model that can copy these can copy any name."""

import numpy as np
from numpy.typing import NDArray

from highlighter.pretraining.settings import StringStage

Pair = tuple[list[int], list[int]]  # source and target, without end tokens


def draw_string(
    stage: StringStage, tokens: NDArray[np.int64], end: int, random: np.random.Generator
) -> Pair:
    """One source and what is to be written.

    No two spans start alike, so a cue names one of them; further tokens may repeat. `tokens` are
    the ids to draw from; `end` closes every span, as a full stop does a sentence.
    """
    count = int(random.integers(stage.spans[0], stage.spans[1] + 1))
    starts = _draw_distinct(count, tokens, random)
    lengths = random.integers(stage.span_tokens[0], stage.span_tokens[1] + 1, count)
    spans = [
        [int(start), *_draw_others(length - 1, tokens, starts, random), end]
        for start, length in zip(starts, lengths, strict=True)
    ]
    if not stage.cues:
        return spans[0], spans[0]
    wanted = random.choice(count, stage.cues, replace=False)
    cues = [spans[number][0] for number in wanted]
    source = cues + [token for span in spans for token in span]
    return source, [token for number in wanted for token in spans[number]]


def _draw_distinct(
    count: int, tokens: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.int64]:
    while True:  # of thousands of tokens, few draws hold one twice
        drawn = random.choice(tokens, count)
        if len(np.unique(drawn)) == count:
            return drawn


def _draw_others(
    count: int, tokens: NDArray[np.int64], but: NDArray[np.int64], random: np.random.Generator
) -> list[int]:
    while True:
        drawn: list[int] = random.choice(tokens, count).tolist()
        if not set(drawn) & set(but.tolist()):
            return drawn
