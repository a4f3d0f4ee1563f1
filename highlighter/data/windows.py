"""Articles as token ids, and the overlapping windows that cover an article of any length."""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from highlighter.data.sentences import Span, split_sentences
from highlighter.settings import TextSettings


def plan_windows(lengths: Sequence[int], budget: int, overlap: int) -> list[range]:
    """Ranges of segments, in order, that cover all of them; none holds more than `budget` tokens.

    A window starts with the last segments of the one before, up to `overlap` tokens of them, so
    that a sentence near a border is read with its context. Cost is linear in the segments.

    Args:
        lengths: tokens of each segment, none above `budget`.
        budget: tokens a window can hold.
        overlap: tokens that may be read twice at each border, at most half of `budget`.
    """
    windows: list[range] = []
    start = 0
    while start < len(lengths):
        end, held = start, 0
        while end < len(lengths) and held + lengths[end] <= budget:
            held += lengths[end]
            end += 1
        windows.append(range(start, end))
        if end == len(lengths):
            break
        # Step back over whole segments, but leave room for the next new one: progress is certain.
        repeated, start = 0, end
        while (
            start - 1 > windows[-1].start
            and repeated + lengths[start - 1] <= overlap
            and repeated + lengths[start - 1] + lengths[end] <= budget
        ):
            start -= 1
            repeated += lengths[start]
    return windows


@dataclass(frozen=True)
class EncodedArticle:
    """Token ids of an article's segments, uncut and without prefix or end token.

    A segment is a sentence, or a part of one that is too long for a window. `sentence_of_segment`
    never decreases; `sentences` are character spans.
    """

    sentences: list[Span]
    segments: list[list[int]]
    sentence_of_segment: list[int]

    @property
    def tokens(self) -> int:
        """Tokens of the whole article."""
        return sum(map(len, self.segments))


def window_budget(prefix_ids: Sequence[int], text: TextSettings) -> int:
    """Tokens of article that fit in one window, between the prefix and the end token."""
    return text.max_source_tokens - len(prefix_ids) - 1


def encode_prefix(tokenizer: PreTrainedTokenizerBase, text: TextSettings) -> list[int]:
    """Token ids of the task prefix."""
    ids: list[int] = tokenizer(text.prefix, add_special_tokens=False)["input_ids"]
    return ids


def encode_articles(
    articles: Sequence[str], tokenizer: PreTrainedTokenizerBase, budget: int
) -> list[EncodedArticle]:
    """Each article's sentences as token ids, in segments of at most `budget` tokens.

    T5's tokenizer splits at white space first, so sentences give the same ids alone as in context.
    """
    spans = [split_sentences(article) for article in articles]
    texts = [
        article[start:end]
        for article, sentences in zip(articles, spans, strict=True)
        for start, end in sentences
    ]
    ids = iter(tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else [])
    encoded = []
    for sentences in spans:
        segments, sentence_of_segment = [], []
        for index in range(len(sentences)):
            tokens = next(ids)
            for start in range(0, max(1, len(tokens)), budget):
                segments.append(tokens[start : start + budget])
                sentence_of_segment.append(index)
        encoded.append(EncodedArticle(sentences, segments, sentence_of_segment))
    return encoded


def cut(ids: list[int], limit: int) -> list[int]:
    """At most `limit` ids, the last of which stays the end token."""
    return ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]


def fill_source(lengths: Sequence[int], scores: Sequence[float], budget: int) -> list[int]:
    """Segments, in article order, taken by descending score while they fit into `budget` tokens.

    A segment that no longer fits is skipped, so that later, shorter ones can fill the budget; ties
    go to the earlier segment.
    """
    taken, room = [], budget
    for index in sorted(range(len(lengths)), key=lambda i: (-scores[i], i)):
        if lengths[index] <= room:
            taken.append(index)
            room -= lengths[index]
    return sorted(taken)


def source_ids(
    encoded: EncodedArticle, segments: Sequence[int], prefix: Sequence[int], end: int
) -> list[int]:
    """Token ids of the chosen segments between the prefix and the end token."""
    return [*prefix, *(token for index in segments for token in encoded.segments[index]), end]
