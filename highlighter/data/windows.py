"""Tokenize articles and cover them with overlapping windows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from highlighter.data.characters import tokenizer_text
from highlighter.data.sentences import Span, split_sentences
from highlighter.settings import TextSettings

_SENTENCES_AT_ONCE = 5_000  # that are tokenized


def plan_windows(lengths: Sequence[int], budget: int, overlap: int) -> list[range]:
    """Return windows: ranges of segments that together cover all, in order.

    A window repeats the last segments of the previous one, up to `overlap` tokens, so that a
    sentence near a border has context. The cost is linear in the number of segments.

    Args:
        lengths: tokens of each segment, none above `budget`.
        budget: maximum number of tokens per window.
        overlap: maximum number of repeated tokens per window, at most half of `budget`.
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
        # Repeat segments only if the next new one still fits; otherwise the loop would not end.
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
    """Token ids of all segments of an article, without prefix or end token.

    A segment is a sentence, or a part of one that is too long for a window.

    Attributes:
        sentences: character spans of the sentences.
        segments: token ids of each segment.
        sentence_of_segment: index of each segment's sentence, ascending.
    """

    sentences: list[Span]
    segments: list[list[int]]
    sentence_of_segment: list[int]

    @property
    def tokens(self) -> int:
        """Number of tokens of the article."""
        return sum(map(len, self.segments))


def window_budget(prefix_ids: Sequence[int], text: TextSettings) -> int:
    """Return the number of article tokens that fit between the prefix and the end token."""
    return text.max_source_tokens - len(prefix_ids) - 1


def encode_prefix(tokenizer: PreTrainedTokenizerBase, text: TextSettings) -> list[int]:
    """Return the token ids before an article: the start token, if there is one, and the prefix."""
    if text.prefix is None:
        raise ValueError("the prefix is not known yet: see highlighter.model.families.fit_text")
    ids: list[int] = tokenizer(text.prefix)["input_ids"]
    return ids[:-1]  # without the end token


def encode_articles(
    articles: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    budget: int,
    *,
    between: Callable[[], None] = lambda: None,
) -> list[EncodedArticle]:
    """Tokenize each article's sentences into segments of at most `budget` tokens.

    A sentence has the same ids as in the complete article: tokenizers split at white space first,
    and the white space before a sentence, which some encode, is kept as one space.

    `between` is called after each article is split, and after each few thousand sentences: an
    article of 50,000 takes a second.
    """
    spans = []
    for article in articles:
        spans.append(split_sentences(article))
        between()
    texts = [
        tokenizer_text(
            (" " if article[max(0, start - 1) : start].isspace() else "") + article[start:end]
        )
        for article, sentences in zip(articles, spans, strict=True)
        for start, end in sentences
    ]
    known: list[list[int]] = []
    for start in range(0, len(texts), _SENTENCES_AT_ONCE):
        part = texts[start : start + _SENTENCES_AT_ONCE]
        known += tokenizer(part, add_special_tokens=False)["input_ids"]
        between()
    ids = iter(known)
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
    """Truncate to `limit` ids, keeping the end token last."""
    return ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]


def fill_source(lengths: Sequence[int], scores: Sequence[float], budget: int) -> list[int]:
    """Return the indices, ascending, of the best segments that fit into `budget` tokens.

    Segments are taken by descending score, of equal ones the earlier first. One that does not fit
    is skipped, so that shorter ones can fill the budget.
    """
    taken, left = [], budget
    for index in sorted(range(len(lengths)), key=lambda i: (-scores[i], i)):
        if lengths[index] <= left:
            taken.append(index)
            left -= lengths[index]
    return sorted(taken)


def source_ids(
    encoded: EncodedArticle, segments: Sequence[int], prefix: Sequence[int], end: int
) -> list[int]:
    """Return the token ids of prefix, chosen segments and end token."""
    return [*prefix, *(token for index in segments for token in encoded.segments[index]), end]
