"""Damage that shows in a generated text itself: fragments, repetitions, unbalanced quotes."""

import re
from collections.abc import Sequence
from itertools import pairwise

from highlighter.data.sentences import sentence_texts
from highlighter.metrics.text import words

_QUOTE_PAIRS = (("“", "”"), ("«", "»"), ("(", ")"), ("[", "]"))
_DETACHED_QUOTE = re.compile(r"(?:\s|\A)[\"“”](?:\s|\Z)")
_ENDS = tuple(".!?…。！？।؟")
_CLOSERS = "\"'”’»)]"
_FIRST_WORD = re.compile(r"[^\W_]+(?:['’]\w+)*")
_LONG = 6  # words; a name of that many seldom occurs twice in a summary


def is_damaged(summary: str, article: Sequence[str], *, cut_off: bool) -> bool:
    """Return whether a generated summary is visibly broken.

    These are: quotation marks or brackets without their partner or away from any word; a sentence
    that begins in lower case, unless the article has a sentence that begins with the same word; a
    last sentence without an end after sentences with one; a sentence inside an earlier one; words
    repeated at once, or six anywhere, unless one sentence of the article repeats them too.

    Args:
        summary: the text.
        article: the article's sentences.
        cut_off: whether the text reached the token limit; then its last sentence is not checked
            for its end, and quotation marks and brackets may be open.
    """
    sentences = sentence_texts(summary)
    if not cut_off and (_unbalanced(summary) or _unfinished(sentences)):
        return True
    return (
        _DETACHED_QUOTE.search(summary) is not None
        or _has_fragment(sentences, article)
        or _has_repetition(sentences, article)
    )


def _unbalanced(text: str) -> bool:
    return text.count('"') % 2 == 1 or any(
        text.count(opening) != text.count(closing) for opening, closing in _QUOTE_PAIRS
    )


def _unfinished(sentences: Sequence[str]) -> bool:
    finished = [sentence.rstrip(_CLOSERS + " ").endswith(_ENDS) for sentence in sentences]
    # Highlights that are headlines have no end at all.
    return any(finished) and not finished[-1]


def _has_fragment(sentences: Sequence[str], article: Sequence[str]) -> bool:
    lower = {word for sentence in sentences if (word := _first_word(sentence)).islower()}
    return bool(lower) and not lower <= {_first_word(sentence) for sentence in article}


def _first_word(sentence: str) -> str:
    match = _FIRST_WORD.search(sentence)
    return match[0] if match else ""


def _has_repetition(sentences: Sequence[str], article: Sequence[str]) -> bool:
    spoken = [words(sentence) for sentence in sentences]
    texts = [f" {' '.join(sentence)} " for sentence in spoken]
    if any(
        text in earlier for i, text in enumerate(texts) for earlier in texts[:i] if text.strip()
    ):
        return True
    text = [word for sentence in spoken for word in sentence]
    # The second value is how often one sentence of the article must have the words.
    repeated = [(2 * ngram, 1) for ngram in _repeated_at_once(text)]
    repeated += [(ngram, 2) for ngram in _repeated_anywhere(text)]
    if not repeated:
        return False
    known = [f" {' '.join(words(sentence))} " for sentence in article]
    return not all(
        any(sentence.count(f" {' '.join(ngram)} ") >= times for sentence in known)
        for ngram, times in repeated
    )


def _repeated_at_once(text: Sequence[str]) -> list[tuple[str, ...]]:
    """Return n-grams that are followed by themselves, at most one of each length."""
    found = []
    for size in range(1, len(text) // 2 + 1):
        equal = 0
        for start in range(len(text) - size):
            equal = equal + 1 if text[start] == text[start + size] else 0
            if equal == size:
                found.append(tuple(text[start + 1 : start + 1 + size]))
                break
    return found


def _repeated_anywhere(text: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the n-grams of _LONG words that occur twice."""
    ngrams = sorted(zip(*(text[start:] for start in range(_LONG)), strict=False))
    return [one for one, other in pairwise(ngrams) if one == other]
