"""Pretraining tasks: copying, span corruption (T5) and principal sentences (PEGASUS)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from highlighter.data.collator import IGNORED, WindowRow
from highlighter.data.windows import plan_windows, window_budget
from highlighter.settings import TextSettings
from tools.pretraining.recipe import StringStage, TaskWeights
from tools.pretraining.texts import Article

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


def principal_segments(segments: Sequence[Sequence[int]], budget: int) -> list[int]:
    """Indices, ascending, of the segments most like the rest of the text that fit into `budget`.

    Each is scored by itself, by ROUGE-1 F1 of its tokens against all others: "Ind-Orig" of Zhang
    et al. 2020 (PEGASUS, section 3.1). At least one is chosen, however long.
    """
    whole: Counter[int] = Counter(token for segment in segments for token in segment)
    size = whole.total()
    scores = []
    for segment in segments:
        own = Counter(segment)
        shared = sum(min(count, whole[token] - count) for token, count in own.items())
        scores.append(2 * shared / max(1, size))  # sizes of both sides add up to the whole
    order = sorted(range(len(segments)), key=lambda index: (-scores[index], index))
    chosen, room = order[:1], budget - len(segments[order[0]]) if order else 0
    for index in order[1:]:
        if len(segments[index]) > room:
            break
        chosen.append(index)
        room -= len(segments[index])
    return sorted(chosen)


@dataclass(frozen=True)
class TaskMaker:
    """Builds rows; `sentinels` are the ids that stand for masked text."""

    text: TextSettings
    prefix: list[int]
    sentinels: list[int]
    end: int

    def make(
        self,
        article: Article,
        tasks: TaskWeights,
        window_tokens: int | None,
        random: np.random.Generator,
    ) -> WindowRow:
        """One row of a task drawn by weight, on one window of the article, drawn alike.

        Only a whole article can be summarized: a longer one is asked for its sentences instead.
        """
        lengths = [len(segment) for segment in article.segments]
        budget = window_budget(self.prefix, self.text)
        budget = max(min(budget, window_tokens or budget), *lengths)  # no segment is cut
        plan = plan_windows(lengths, budget, overlap=budget // 8)
        window = plan[int(random.integers(len(plan)))]
        shares = tasks.model_dump()
        task = random.choice(list(shares), p=np.array(list(shares.values())) / sum(shares.values()))
        if task == "summarize" and (not article.highlights or len(plan) > 1):
            task = "extract"
        segments = [article.segments[index] for index in window]
        match task:
            case "summarize":
                return self.read_window(article, window, article.highlights)
            case "extract":
                chosen = principal_segments(segments, self._room)
                return self.read_window(article, window, [t for i in chosen for t in segments[i]])
            case "gap_sentences":
                return self._gap_sentences(segments)
        tokens = [token for segment in segments for token in segment]
        source, target = corrupt_spans(tokens, self.sentinels, random)
        return self._plain(source, target)

    @property
    def _room(self) -> int:
        return self.text.max_target_tokens - 1

    def read_window(self, article: Article, window: Sequence[int], target: list[int]) -> WindowRow:
        """A window that is read for salience too."""
        ids, numbers = list(self.prefix), [-1] * len(self.prefix)
        for number, segment in enumerate(window):
            ids += article.segments[segment]
            numbers += [number] * len(article.segments[segment])
        return WindowRow(
            input_ids=[*ids, self.end],
            segment_of_token=[*numbers, -1],
            segment_indices=list(window),
            segment_features=article.features[list(window)],
            salience_labels=[article.salience[segment] for segment in window],
            labels=self._target(target),
        )

    def _gap_sentences(self, segments: Sequence[list[int]]) -> WindowRow:
        chosen = principal_segments(segments, self._room)
        source = list(self.prefix)
        for index, segment in enumerate(segments):
            source += [self.sentinels[chosen.index(index)]] if index in chosen else segment
        return self._plain(source, [token for index in chosen for token in segments[index]])

    def _plain(self, source: list[int], target: list[int]) -> WindowRow:
        return plain_row([*source, self.end], self._target(target))

    def _target(self, tokens: Sequence[int]) -> list[int]:
        return [*tokens[: self._room], self.end]


def plain_row(source: list[int], target: list[int]) -> WindowRow:
    """A row without segments: only the decoder learns from it."""
    nothing = np.zeros((0, 0), dtype=np.float32)
    return WindowRow(source, [-1] * len(source), [], nothing, [], target or [IGNORED])
