"""Words of an article: which text may begin or end one, and which may follow another."""

import re
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highlighter.inference.word_list import WordList

WORDS = WordList('Ann Holt-Reyes paid £1.4 million (12%) on 3 May, and "Old" bridges closed.')


@pytest.mark.parametrize(
    ("text", "opens_sentence", "begins", "ends"),
    [
        ("H", False, True, False),
        ("Holt", False, True, True),
        ("Holt's", False, True, True),
        ("Holt,", False, True, True),
        ("Holtz", False, False, False),
        ("Holt-Rey", False, True, False),
        ("Reyes", False, True, True),
        ("Yes", False, False, False),
        ("£1", False, True, False),
        ("£1.4", False, True, True),
        ("£1.5", False, False, False),
        ("12", False, True, False),
        ("12%", False, True, True),
        ("12%.", False, True, True),
        ("Bridges", False, False, False),
        ("Bridges", True, True, True),
        ("Brid", True, True, False),
        ("Bricks", True, False, False),
        ("4", True, False, False),
    ],
)
def test_words_that_may_begin_and_end(
    text: str, opens_sentence: bool, begins: bool, ends: bool
) -> None:
    assert WORDS.may_begin(text, opens_sentence) == begins
    assert WORDS.may_end(text, opens_sentence) == ends


PEOPLE = WordList("Ann Holt met J. Orr of St. Ives, and Bea Orr's son, on 3 May. June Holt paid.")


@pytest.mark.parametrize(
    ("previous", "text", "begins", "ends"),
    [
        ("Ann", "Ho", True, False),
        ("Ann", "Holt", True, True),
        ("Ann", "Holt's", True, True),
        ("Ann", "Orr", False, False),
        ("Bea", "Holt", False, False),
        ("Bea", "Orr", True, True),
        ("J", "Orr", True, True),
        ("St", "Ives", True, True),
        ("3", "May", True, True),
        ("3", "June", False, False),
        ("May", "June", False, False),
        ("Ives", "Bea", False, False),
        ("Zed", "Holt", True, True),
    ],
)
def test_names_are_combined_as_in_the_article(
    previous: str, text: str, begins: bool, ends: bool
) -> None:
    assert PEOPLE.may_follow(previous, text, complete=False) == begins
    assert PEOPLE.may_follow(previous, text, complete=True) == ends


_EDGES = "\"'“”‘’()[]{}.,;:!?…-–—"
_ENDING = re.compile(r"['’]?s?['’]?[^\w]*")
_TEXT = st.text(st.sampled_from("aAbBsSİéß1 9.,'’-– \n\"%"), max_size=40)


class _EveryPrefix:
    """The definition of `WordList`, in memory that is quadratic in a word's length."""

    def __init__(self, article: str) -> None:
        self._words: set[str] = set()
        self._followers: dict[str, set[str]] = {}
        for run, following in pairwise([*article.split(), ""]):
            word = run.strip(_EDGES)
            self._words |= {word, *re.split(r"[-–'’/]", word)} - {""}
            followers = self._followers.setdefault(word, set())
            if run[-1].isalnum() or len(run) < 4:
                word = following.strip(_EDGES)
                followers |= {word, re.split(r"['’]", word)[0]} - {""}
        self._lower = {word.casefold() for word in self._words}

    def may_begin(self, text: str, opens_sentence: bool) -> bool:
        return (
            text in self._prefixes(self._words)
            or (opens_sentence and text.casefold() in self._prefixes(self._lower))
            or self.may_end(text, opens_sentence)
        )

    def may_end(self, text: str, opens_sentence: bool) -> bool:
        for end in range(len(text), 0, -1):
            known = text[:end]
            if known in self._words or (opens_sentence and known.casefold() in self._lower):
                return bool(_ENDING.fullmatch(text, end))
        return False

    def may_follow(self, previous: str, text: str, complete: bool) -> bool:
        return previous not in self._followers or any(
            (text.startswith(word) and bool(_ENDING.fullmatch(text, len(word))))
            or (not complete and word.startswith(text))
            for word in self._followers[previous]
        )

    @staticmethod
    def _prefixes(words: set[str]) -> set[str]:
        return {word[:end] for word in words for end in range(1, len(word) + 1)}


@given(_TEXT, st.data())
def test_words_are_found_as_by_a_list_of_all_prefixes(article: str, data: st.DataObject) -> None:
    words, reference = WordList(article), _EveryPrefix(article)
    runs = [run.strip(_EDGES) for run in article.split()]
    start = data.draw(st.integers(0, max(0, len(article) - 1)))
    end = data.draw(st.integers(start, len(article)))
    own = article[start:end].strip()
    text = data.draw(st.sampled_from([own, own.swapcase(), own + "s", own + "’s.", "a"])) or "a"
    previous = data.draw(st.sampled_from([*runs, "b"]))
    for flag in (False, True):
        assert words.may_begin(text, flag) == reference.may_begin(text, flag)
        assert words.may_end(text, flag) == reference.may_end(text, flag)
        assert words.may_follow(previous, text, flag) == reference.may_follow(previous, text, flag)


@pytest.mark.parametrize("unit", ["a", "A1 ", "Aa-", "ß", "\U0001f468\u200d\U0001f469", "é\u0301"])
def test_the_memory_of_a_word_list_is_linear_in_the_article(unit: str) -> None:
    article = (unit * 20_000)[:20_000]
    tracemalloc.start()
    try:
        words = WordList(article)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert words.may_begin(article.split()[0][:5000], opens_sentence=True)
    assert peak < 500 * len(article)
