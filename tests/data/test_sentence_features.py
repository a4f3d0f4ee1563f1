"""Features of a segment's position and words."""

from collections.abc import Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase

from highlighter.data.sentence_features import FEATURES, describe_segments, token_weights


def test_features_describe_position_and_words(tokenizer: PreTrainedTokenizerBase) -> None:
    weights = token_weights(tokenizer)
    assert weights.min() == 0
    assert weights[tokenizer.all_special_ids].max() == 0
    common, rare = [5, 6], [300, 301]
    weights = np.zeros(len(tokenizer), dtype=np.float32)
    weights[rare] = 1
    table = _features([rare + common, common, [302, 303], rare], weights)
    central = table["centrality"]
    assert central[0] == central[3] > central[1] == central[2] == 0
    assert list(table["relative_index"]) == [0, 0.25, 0.5, 0.75]
    assert table["overlap_with_lead"][3] > 0 == table["overlap_with_lead"][2]
    assert np.isfinite(describe_segments([[], [1]], weights)).all()


def _features(segments: Sequence[Sequence[int]], weights: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(FEATURES, describe_segments(segments, weights).T, strict=True))
