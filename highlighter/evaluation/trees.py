"""Gradient-boosted trees over the features of sentences: a baseline of the salience head."""

import logging
from collections.abc import Sequence

import datasets
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import ThreadpoolController

from highlighter.data.sentence_features import FEATURES

_MOST_SEGMENTS = 30_000  # to fit to; more take long and change little
_FEWEST_SEGMENTS = 20  # in a leaf

logger = logging.getLogger(__name__)


class Trees:
    """Scores sentences from the features that the salience head has, without encoder states."""

    def __init__(self, classifier: HistGradientBoostingClassifier) -> None:
        self._classifier = classifier
        self._threads = ThreadpoolController()

    def score_sentences(
        self, features: NDArray[np.float32], sentence_of_segment: Sequence[int]
    ) -> list[float]:
        """Return the probability of each sentence to be salient: the highest of its segments'.

        Args:
            features: rows of `describe_segments`, (segments, len(FEATURES)).
            sentence_of_segment: index of each segment's sentence, ascending.
        """
        best = np.zeros(max(sentence_of_segment, default=-1) + 1)
        if len(best):
            with self._threads.limit(limits=1, user_api="openmp"):
                scores = self._classifier.predict_proba(features)[:, 1]
            np.maximum.at(best, sentence_of_segment, scores)
        return [float(score) for score in best]


def fit_trees(rows: datasets.Dataset, seed: int) -> Trees | None:
    """Return trees fitted to the oracle's labels; None if these are all the same.

    Args:
        rows: training split of `tokenize_splits`.
        seed: seed of the choice of articles, if there are too many, and of the fit.
    """
    columns = rows.select_columns(["segment_features", "salience_labels"]).with_format("numpy")
    features: list[NDArray[np.float32]] = []
    labels: list[NDArray[np.int8]] = []
    segments = 0
    for index in np.random.default_rng(seed).permutation(len(rows)):
        row = columns[int(index)]
        features.append(row["segment_features"].reshape(-1, len(FEATURES)))
        labels.append(row["salience_labels"])
        segments += len(labels[-1])
        if segments >= _MOST_SEGMENTS:
            break
    targets = np.concatenate(labels) if labels else np.zeros(0)
    if len(np.unique(targets)) < 2:
        logger.warning("All training sentences have the same label: no trees are fitted to them.")
        return None
    classifier = HistGradientBoostingClassifier(
        max_iter=100,
        learning_rate=0.1,
        max_leaf_nodes=15,
        min_samples_leaf=_FEWEST_SEGMENTS,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    # Several threads take many times longer than one while another process uses the cores.
    with ThreadpoolController().limit(limits=1, user_api="openmp"):
        return Trees(classifier.fit(np.concatenate(features), targets))
