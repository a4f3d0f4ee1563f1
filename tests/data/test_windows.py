from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from highlighter.data.characters import tokenizer_text
from highlighter.data.sentences import split_sentences
from highlighter.data.windows import encode_articles, fill_source, plan_windows
from highlighter.embedded import CHECKPOINT
from highlighter.model.tokenizer import load_tokenizer
from tests.conftest import Sample


@pytest.mark.parametrize(
    ("lengths", "overlap", "expected"),
    [
        ([], 3, []),
        ([4, 4], 3, [range(0, 2)]),
        ([5, 5, 5], 0, [range(0, 2), range(2, 3)]),
        ([4, 3, 3, 4], 3, [range(0, 3), range(2, 4)]),
        ([10, 10, 10], 5, [range(0, 1), range(1, 2), range(2, 3)]),
    ],
)
def test_windows_of_ten_tokens(lengths: list[int], overlap: int, expected: list[range]) -> None:
    assert plan_windows(lengths, 10, overlap) == expected


@given(st.lists(st.integers(0, 100), max_size=200), st.integers(0, 50))
def test_every_segment_is_read_no_window_overflows_and_cost_is_linear(
    lengths: list[int], overlap: int
) -> None:
    windows = plan_windows(lengths, 100, overlap)
    assert {segment for window in windows for segment in window} == set(range(len(lengths)))
    assert all(sum(lengths[segment] for segment in window) <= 100 for window in windows)
    for before, after in zip(windows, windows[1:], strict=False):
        assert before.start < after.start <= before.stop < after.stop
        repeated = sum(lengths[segment] for segment in range(after.start, before.stop))
        assert repeated <= overlap
    # Two windows in a row hold more than one budget, or the second would not have been opened.
    read = sum(lengths[segment] for window in windows for segment in window)
    assert read <= sum(lengths) + overlap * len(windows)


@pytest.mark.parametrize(
    ("lengths", "scores", "expected"),
    [
        ([4, 4, 4], [0.1, 0.9, 0.5], [1, 2]),
        ([4, 4, 4], [0.5, 0.5, 0.5], [0, 1]),
        ([9, 2, 8], [0.9, 0.1, 0.8], [0]),  # 8 no longer fits, nor does 2
        ([7, 8, 3], [0.9, 0.8, 0.1], [0, 2]),  # a shorter, later one still fits
        ([], [], []),
    ],
)
def test_source_is_filled_by_score_and_kept_in_order(
    lengths: list[int], scores: list[float], expected: list[int]
) -> None:
    assert fill_source(lengths, scores, 10) == expected


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(0, 1)), max_size=60))
def test_a_source_never_overflows_and_leaves_no_space_for_a_segment(
    segments: list[tuple[int, float]],
) -> None:
    lengths, scores = [p[0] for p in segments], [p[1] for p in segments]
    taken = fill_source(lengths, scores, 100)
    assert taken == sorted(set(taken))
    left = 100 - sum(lengths[i] for i in taken)
    assert left >= 0
    assert all(lengths[i] > left for i in range(len(lengths)) if i not in taken)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return load_tokenizer(str(CHECKPOINT))


@given(
    st.lists(
        st.text(st.sampled_from("aB é日😀.!?\n\u00ad\u200b</s><pad>"), max_size=80), max_size=4
    ),
    st.integers(1, 12),
)
def test_all_tokens_of_any_text_are_in_segments_that_fit(
    tokenizer: PreTrainedTokenizerBase, articles: list[str], budget: int
) -> None:
    for text, encoded in zip(articles, encode_articles(articles, tokenizer, budget), strict=True):
        assert encoded.sentences == split_sentences(text)
        assert all(len(segment) <= budget for segment in encoded.segments)
        assert len(encoded.segments) == len(encoded.sentence_of_segment)
        assert encoded.sentence_of_segment == sorted(encoded.sentence_of_segment)
        assert set(encoded.sentence_of_segment) == set(range(len(encoded.sentences)))
        spaced = tokenizer_text(" ".join(text[start:end] for start, end in encoded.sentences))
        tokens = [token for segment in encoded.segments for token in segment]
        assert tokens == tokenizer(spaced, add_special_tokens=False)["input_ids"]


def test_sentences_have_the_same_tokens_alone_as_in_their_article(
    t5_vocabulary: Path, sample: Sample
) -> None:
    real = load_tokenizer(str(t5_vocabulary))
    texts = [row["article"] for row in sample.rows[:50]]
    for text, encoded in zip(texts, encode_articles(texts, real, 500), strict=True):
        # A space at each boundary: "end.Next" would be one word to the tokenizer.
        spaced = " ".join(text[start:end] for start, end in encoded.sentences)
        tokens = [token for segment in encoded.segments for token in segment]
        assert tokens == real(spaced, add_special_tokens=False)["input_ids"]
