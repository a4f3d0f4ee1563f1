"""The words of an article, searchable by beginning: what a constrained summary may consist of."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from highlighter.data.characters import drop_invisible

EDGES = "\"'“”‘’()[]{}.,;:!?…-–—"  # punctuation around words
_LONGEST_INITIAL = 4  # "J." and "St." don't end a sentence, "May." does
_ENDING = re.compile(r"['’]?s?['’]?[^\w]*")  # a possessive or plural, then punctuation


class _SortedWords:
    """A set of words that can be searched by prefix; its memory is linear in the words."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted(set(words))

    def has_prefix(self, text: str) -> bool:
        """Return whether one of the words starts with `text`."""
        index = bisect_left(self._words, text)
        return index < len(self._words) and self._words[index].startswith(text)

    def has_ended(self, text: str, fold: bool = False) -> bool:
        """Return whether `text`, case-folded if `fold`, is one of the words or adds an ending."""
        # Every suffix of an ending is an ending too, so the scan stops at the first that is none.
        for end in range(len(text), 0, -1):
            if not _ENDING.fullmatch(text, end):
                return False
            known = text[:end].casefold() if fold else text[:end]
            index = bisect_left(self._words, known)
            if index < len(self._words) and self._words[index] == known:
                return True
        return False


class WordList:
    """The words of one article, and which words follow each of them.

    Time and memory are linear in the article's length, up to the logarithm of sorting.
    """

    def __init__(self, article: str) -> None:
        words: set[str] = set()
        followers: defaultdict[str, set[str]] = defaultdict(set)
        runs = drop_invisible(article).split()
        for run in runs:
            word = run.strip(EDGES)
            words.update((word, *re.split(r"[-–'’/]", word)))
        for run, following in pairwise([*runs, ""]):
            known = followers[run.strip(EDGES)]
            if run[-1].isalnum() or len(run) < _LONGEST_INITIAL:
                word = following.strip(EDGES)
                known.update((word, *re.split(r"['’]", word)[:1]))
        words.discard("")
        self._words = _SortedWords(words)
        self._lower_words = _SortedWords(word.casefold() for word in words)
        self._followers = {word: _SortedWords(known - {""}) for word, known in followers.items()}

    def may_begin(self, text: str, opens_sentence: bool) -> bool:
        """Return whether a word of the article starts with `text`, or `may_end` holds.

        At the start of a sentence, case is ignored.
        """
        return (
            self._words.has_prefix(text)
            or (opens_sentence and self._lower_words.has_prefix(text.casefold()))
            or self.may_end(text, opens_sentence)
        )

    def may_end(self, text: str, opens_sentence: bool) -> bool:
        """Return whether `text` is a word of the article, optionally with an ending."""
        return self._words.has_ended(text) or (
            opens_sentence and self._lower_words.has_ended(text, fold=True)
        )

    def may_follow(self, previous: str, text: str, complete: bool) -> bool:
        """Return whether `text` follows the word `previous` in the article.

        This keeps a first name from being combined with another person's surname, and a day with
        another month. Anything may follow a word that ends a phrase in the article (with a comma or
        a possessive) or does not appear in it.

        Args:
            previous: a complete word.
            text: the next word, or its beginning if `complete` is false.
            complete: whether `text` is a complete word.
        """
        if previous not in self._followers:
            return True
        followers = self._followers[previous]
        return followers.has_ended(text) or (not complete and followers.has_prefix(text))
