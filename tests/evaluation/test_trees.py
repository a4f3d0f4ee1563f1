"""Trees over the features of sentences."""

import datasets
import numpy as np

from highlighter.data.sentence_features import FEATURES
from highlighter.evaluation.trees import fit_trees


def training_rows(count: int, salient: float) -> datasets.Dataset:
    """Return articles of ten segments, of which those with a large last feature are salient."""
    features = np.random.default_rng(1).normal(size=(count, 10, len(FEATURES)))
    labels = features[:, :, -1] > salient
    return datasets.Dataset.from_dict(
        {
            "segment_features": [row.ravel().tolist() for row in features],
            "salience_labels": labels.astype(int).tolist(),
        }
    )


def test_trees_learn_the_labels_and_a_sentence_has_the_score_of_its_best_segment() -> None:
    trees = fit_trees(training_rows(40, salient=1.0), seed=1)
    assert trees is not None
    features = np.zeros((4, len(FEATURES)), dtype=np.float32)
    features[1, -1] = 2.0
    dull, first, second = trees.score_sentences(features, [0, 1, 1, 2])
    [alone] = trees.score_sentences(features[1:2], [0])
    assert dull == second < 0.1
    assert first == alone > 0.9
    assert trees.score_sentences(features[:0], []) == []


def test_the_seed_determines_the_trees() -> None:
    rows = training_rows(40, salient=1.0)
    features = np.random.default_rng(2).normal(size=(50, len(FEATURES))).astype(np.float32)
    scores = [
        trees.score_sentences(features, range(50))
        for trees in (fit_trees(rows, seed=1), fit_trees(rows, seed=1))
        if trees is not None
    ]
    assert scores[0] == scores[1]


def test_without_salient_sentences_there_is_nothing_to_fit() -> None:
    assert fit_trees(training_rows(5, salient=9.0), seed=1) is None
    assert fit_trees(training_rows(0, salient=1.0), seed=1) is None
