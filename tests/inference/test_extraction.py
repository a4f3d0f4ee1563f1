import pytest
from hypothesis import given
from hypothesis import strategies as st

from highlighter.data.sentences import Span, split_paragraphs, split_sentences
from highlighter.data.windows import fill_source
from highlighter.inference.extraction import best_sentences, score_paragraphs


@pytest.mark.parametrize(
    ("lengths", "scores", "expected"),
    [
        ([4, 4, 4], [0.1, 0.9, 0.5], [1, 2]),
        ([4, 4, 4], [0.5, 0.5, 0.5], [0, 1]),
        ([9, 2, 8], [0.9, 0.1, 0.8], [0]),  # 8 no longer fits, nor does 2
        ([7, 8, 3], [0.9, 0.8, 0.1], [0, 2]),  # a shorter, later one fills the room
        ([], [], []),
    ],
)
def test_source_is_filled_by_score_and_kept_in_order(
    lengths: list[int], scores: list[float], expected: list[int]
) -> None:
    assert fill_source(lengths, scores, 10) == expected


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(0, 1)), max_size=60))
def test_a_source_never_overflows_and_leaves_no_room_for_a_segment(
    segments: list[tuple[int, float]],
) -> None:
    lengths, scores = [p[0] for p in segments], [p[1] for p in segments]
    taken = fill_source(lengths, scores, 100)
    assert taken == sorted(set(taken))
    room = 100 - sum(lengths[i] for i in taken)
    assert room >= 0
    assert all(lengths[i] > room for i in range(len(lengths)) if i not in taken)


def test_best_sentences_come_in_article_order() -> None:
    assert best_sentences(["a", "b", "c", "d"], [0.1, 0.9, 0.2, 0.8], 2, True) == [1, 3]


def test_trigram_blocking_passes_over_a_repetition() -> None:
    sentences = ["The bridge will close.", "It said the bridge will close.", "It rained."]
    scores = [0.9, 0.8, 0.1]
    assert best_sentences(sentences, scores, 2, trigram_blocking=True) == [0, 2]
    assert best_sentences(sentences, scores, 2, trigram_blocking=False) == [0, 1]


def test_fewer_sentences_than_asked_for() -> None:
    assert best_sentences(["a"], [0.3], 3, True) == [0]
    assert best_sentences([], [], 3, True) == []


def test_a_paragraph_scores_as_its_best_sentence() -> None:
    article = "One is here. Two is here.\n\nThree is here.\n\nFour is. Five is."
    scores = score_paragraphs(
        split_paragraphs(article), split_sentences(article), [0.1, 0.7, 0.2, 0.3, 0.25]
    )
    assert scores == [0.7, 0.2, 0.3]


def test_a_paragraph_without_a_scored_sentence_scores_zero() -> None:
    assert score_paragraphs([Span(0, 3), Span(5, 9)], [Span(5, 9)], [0.4]) == [0.0, 0.4]
