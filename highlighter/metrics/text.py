"""Measures of a summary that need no reference: novelty, repetition, compression, coverage."""

import math
import re
from collections import Counter

from highlighter.data.characters import fold_compatible

_WORD = re.compile(r"\w+(?:['’]\w+)*")


def words(text: str) -> list[str]:
    """Return the lower-cased words: letters and digits, with apostrophes inside ("don't")."""
    return [word.replace("’", "'") for word in _WORD.findall(fold_compatible(text).lower())]


def _ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    tokens = words(text)
    return list(zip(*(tokens[start:] for start in range(n)), strict=False))


def novel_ngrams(summary: str, article: str, n: int) -> float:
    """Return the share in 0..1 of the summary's n-grams that the article lacks.

    Repeated n-grams count each time. NaN for a summary of fewer than n words. See et al. 2017,
    "Get To The Point", figure 6.
    """
    ngrams = _ngrams(summary, n)
    known = set(_ngrams(article, n))
    return sum(ngram not in known for ngram in ngrams) / len(ngrams) if ngrams else math.nan


def coverage(summary: str, text: str) -> float:
    """Return the share in 0..1 of the text's words that the summary contains.

    This is the recall of ROUGE-1 (Lin 2004) without stemming. NaN for a text without words.
    """
    reference = Counter(words(text))
    shared = reference & Counter(words(summary))
    return shared.total() / reference.total() if reference else math.nan


def repeated_trigrams(summary: str) -> float:
    """Return the share in 0..1 of trigrams that repeat an earlier one; NaN for under 3 words."""
    trigrams = _ngrams(summary, 3)
    return 1 - len(set(trigrams)) / len(trigrams) if trigrams else math.nan


def compression(summary: str, article: str) -> float:
    """Return the words of the article per word of the summary (Grusky et al. 2018, "Newsroom").

    NaN for a summary without words.
    """
    length = len(words(summary))
    return len(words(article)) / length if length else math.nan
