"""Features of a segment's position and words."""

from collections.abc import Sequence

import numpy as np
import pytest
from transformers import PreTrainedTokenizerBase

from highlighter.data.sentence_features import FEATURES, describe_segments, token_table


def _sentences(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids


def _described(
    tokenizer: PreTrainedTokenizerBase, segments: Sequence[Sequence[int]]
) -> dict[str, np.ndarray]:
    table = describe_segments(segments, token_table(tokenizer))
    return dict(zip(FEATURES, table.T, strict=True))


def test_features_tell_place_and_repeated_words(tokenizer: PreTrainedTokenizerBase) -> None:
    table = token_table(tokenizer)
    assert table.surprise[tokenizer.all_special_ids].max() == 0
    assert not table.letters[tokenizer.all_special_ids].any()
    texts = [
        "The ferry to Torvik sank.", "The a of in.", "Nothing else happened.", "It rained.",
        "Torvik lost the ferry.",
    ]  # fmt: skip
    features = _described(tokenizer, _sentences(tokenizer, texts))
    assert features["relative_index"] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert features["inverse_index"] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])
    for name in ("similarity_to_article", "repeated_share", "log_mentions"):
        assert min(features[name][[0, 4]]) > max(features[name][1:4]), name
    assert features["relative_similarity"][4] > 0 > features["relative_similarity"][3]
    assert features["overlap_with_lead"][4] > features["overlap_with_lead"][3]


def test_features_tell_quotes_digits_names_and_questions(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    texts = ['"We lost it," he said.', "In 2012 Anna Berg won.", "they went home", "Why, oh why?"]
    features = _described(tokenizer, _sentences(tokenizer, texts))
    assert list(features["quotes"]) == list(features["starts_with_quote"]) == [1, 0, 0, 0]
    assert list(features["digits"]) == [0, 1, 0, 0]
    assert list(features["question"]) == [0, 0, 0, 1]
    assert features["log_commas"] == pytest.approx([np.log(2), 0, 0, np.log(2)])
    assert np.argmax(features["capital_share"]) == 1
    assert features["capital_share"][2] == 0


def test_a_word_is_known_by_all_its_tokens_and_not_across_segments(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    words = _sentences(tokenizer, ["Kvortzblig", "Kvortzplag"])
    assert set(words[0]) & set(words[1])
    assert not _described(tokenizer, words)["repeated_share"].any()
    assert _described(tokenizer, [words[0], words[0]])["repeated_share"].all()


@pytest.mark.parametrize("segments", [[], [[]], [[], [5], []], [[0, 1, 2]], [[3], [4, 4]]], ids=str)
def test_features_of_odd_segments_are_finite(
    tokenizer: PreTrainedTokenizerBase, segments: list[list[int]]
) -> None:
    features = describe_segments(segments, token_table(tokenizer))
    assert features.shape == (len(segments), len(FEATURES))
    assert np.isfinite(features).all()
