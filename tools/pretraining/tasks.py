"""Pretraining tasks: copying, span corruption (T5) and principal sentences (PEGASUS)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from highlighter.data.collator import IGNORED, WindowRow
from highlighter.data.windows import plan_windows, window_budget
from highlighter.settings import TextSettings
from tools.pretraining.articles import Article
from tools.pretraining.recipe import StringStage, TaskWeights

Pair = tuple[list[int], list[int]]  # source and target, without end tokens


def draw_string(
    stage: StringStage, tokens: NDArray[np.int64], end: int, random: np.random.Generator
) -> Pair:
    """Return random spans as a source, and as target the spans that start with the stage's cues.

    No two spans start with the same token, so that a cue identifies a span.

    Args:
        stage: number and length of spans, number of cues.
        tokens: ids to draw from.
        end: id that ends every span, as a full stop ends a sentence.
        random: source of randomness.
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
    cued = random.choice(count, stage.cues, replace=False)
    cues = [spans[number][0] for number in cued]
    source = cues + [token for span in spans for token in span]
    return source, [token for number in cued for token in spans[number]]


def _draw_distinct(
    count: int, tokens: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.int64]:
    while True:  # with thousands of tokens, a draw rarely holds one twice
        drawn = random.choice(tokens, count)
        if len(np.unique(drawn)) == count:
            return drawn


def _draw_others(
    count: int, tokens: NDArray[np.int64], excluded: NDArray[np.int64], random: np.random.Generator
) -> list[int]:
    while True:
        drawn: list[int] = random.choice(tokens, count).tolist()
        if not set(drawn) & set(excluded.tolist()):
            return drawn


MASKED_SHARE = 0.15
MEAN_SPAN = 3


def corrupt_spans(
    tokens: Sequence[int], sentinels: Sequence[int], random: np.random.Generator
) -> tuple[list[int], list[int]]:
    """Return source and target of T5's span corruption (Raffel et al. 2020, section 3.1.4).

    15 % of the tokens, in spans of 3 on average, are masked. The source has a sentinel in place of
    each span, the target each sentinel followed by its span. Spans never touch; neither has an end
    token.
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
    """Return positive numbers that sum to `total`; all compositions are equally likely."""
    cuts = np.sort(random.choice(np.arange(1, total), parts - 1, replace=False))
    lengths: list[int] = np.diff([0, *cuts, total]).tolist()
    return lengths


def principal_segments(segments: Sequence[Sequence[int]], budget: int) -> list[int]:
    """Return the indices, ascending, of the principal segments that fit into `budget` tokens.

    Segments are scored independently by ROUGE-1 F1 against the rest of the text: "Ind-Orig" of
    Zhang et al. 2020 (PEGASUS, section 3.1). At least one is chosen, whatever its length.
    """
    text: Counter[int] = Counter(token for segment in segments for token in segment)
    size = text.total()
    scores = []
    for segment in segments:
        counts = Counter(segment)
        shared = sum(min(count, text[token] - count) for token, count in counts.items())
        scores.append(2 * shared / max(1, size))  # a segment and the rest have `size` tokens
    order = sorted(range(len(segments)), key=lambda index: (-scores[index], index))
    chosen = order[:1]
    left = budget - len(segments[order[0]]) if order else 0
    for index in order[1:]:
        if len(segments[index]) > left:
            break
        chosen.append(index)
        left -= len(segments[index])
    return sorted(chosen)


@dataclass(frozen=True)
class TaskMaker:
    """Make rows of tokens; `sentinels` are the ids that replace masked text."""

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
        """Return a row for a random task, drawn by weight, on a random window of the article.

        An article without highlights or of several windows is not summarized but extracted.

        Args:
            article: the article.
            tasks: weight of each task.
            window_tokens: tokens per window; None: as many as the model reads.
            random: source of randomness.
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
                chosen = principal_segments(segments, self._target_budget)
                return self.read_window(article, window, [t for i in chosen for t in segments[i]])
            case "gap_sentences":
                return self._gap_sentences(segments)
        tokens = [token for segment in segments for token in segment]
        source, target = corrupt_spans(tokens, self.sentinels, random)
        return self._plain(source, target)

    @property
    def _target_budget(self) -> int:
        return self.text.max_target_tokens - 1

    def read_window(self, article: Article, window: Sequence[int], target: list[int]) -> WindowRow:
        """Return a row of a window's segments with their salience labels and the given target."""
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
        chosen = principal_segments(segments, self._target_budget)
        source = list(self.prefix)
        for index, segment in enumerate(segments):
            source += [self.sentinels[chosen.index(index)]] if index in chosen else segment
        return self._plain(source, [token for index in chosen for token in segments[index]])

    def _plain(self, source: list[int], target: list[int]) -> WindowRow:
        return plain_row([*source, self.end], self._target(target))

    def _target(self, tokens: Sequence[int]) -> list[int]:
        return [*tokens[: self._target_budget], self.end]


def plain_row(source: list[int], target: list[int]) -> WindowRow:
    """Return a row without segments, which the salience head ignores."""
    nothing = np.zeros((0, 0), dtype=np.float32)
    return WindowRow(source, [-1] * len(source), [], nothing, [], target or [IGNORED])
