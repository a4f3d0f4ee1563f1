import math

import pytest

from highlighter.metrics.text import compression, coverage, novel_ngrams, repeated_trigrams, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat SAT.", ["the", "cat", "sat"]),
        ("Don’t, don't!", ["don't", "don't"]),
        ("'quoted' 4.2 well-known", ["quoted", "4", "2", "well", "known"]),
        (" .\n-- ", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("summary", "n", "expected"),
    [
        ("The red fox.", 1, 0.0),
        ("the RED fox", 2, 0.0),
        ("fox red", 1, 0.0),
        ("fox red", 2, 1.0),
        ("the red dog", 1, 1 / 3),
        ("the red dog", 2, 1 / 2),
        ("dog dog red", 1, 2 / 3),
        ("fo re", 1, 1.0),
    ],
)
def test_novel_ngrams(summary: str, n: int, expected: float) -> None:
    assert novel_ngrams(summary, "The red fox jumps.", n) == pytest.approx(expected)


def test_an_empty_article_makes_all_novel() -> None:
    assert novel_ngrams("red fox", "", 1) == 1.0


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ("a b c d e", 0.0),
        ("a b c a b c", 1 / 4),
        ("a a a a a", 2 / 3),
        ("a b a b", 0.0),
        ("A b c. a B C", 1 / 4),
    ],
)
def test_repeated_trigrams(summary: str, expected: float) -> None:
    assert repeated_trigrams(summary) == pytest.approx(expected)


def test_compression() -> None:
    assert compression("one two", "One, two, three - four five six.") == 3.0
    assert compression("one two", "") == 0.0


def test_undefined_is_nan() -> None:
    assert math.isnan(novel_ngrams("one", "one", 2))
    assert math.isnan(novel_ngrams("", "one", 1))
    assert math.isnan(repeated_trigrams("one two"))
    assert math.isnan(compression(" . ", "one"))


@pytest.mark.parametrize(
    ("summary", "text", "expected"),
    [
        ("The fox.", "the RED fox", 2 / 3),
        ("fox the red and more", "The red fox.", 1.0),
        ("the fox", "the fox and the dog", 2 / 5),
        ("the the the", "the fox and the dog", 2 / 5),
        ("", "the fox", 0.0),
    ],
)
def test_coverage_counts_each_word_as_often_as_the_text_has_it(
    summary: str, text: str, expected: float
) -> None:
    assert coverage(summary, text) == pytest.approx(expected)


def test_nothing_to_cover_is_neither_covered_nor_missed() -> None:
    assert math.isnan(coverage("the fox", " - "))
