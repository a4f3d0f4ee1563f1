"""What a checkpoint learns from the validation split."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import datasets
import numpy as np
import pytest

from highlighter.data.sentences import sentence_texts
from highlighter.evaluation.learned import fit_calibration, learn_settings
from highlighter.inference.reader import to_logits
from highlighter.inference.summarizer import Summarizer
from highlighter.settings import HighlightSettings

SENTENCES = [
    f"Town {n} opened its {word} harbor on a windy Monday morning."
    for n, word in enumerate(("old", "deep", "small", "long", "green", "wide", "grey", "steep"))
]


@dataclass
class Read:
    sentences: list[str]
    scores: list[float]


class FirstIsBest:
    """Stands for a model whose scores fall from sentence to sentence."""

    def __init__(self, *, learn_words: bool, calibrate: bool) -> None:
        self.highlights = HighlightSettings(
            trigram_blocking=False, learn_words=learn_words, calibrate=calibrate
        )

    def read(self, articles: Sequence[str], batch_size: int) -> list[Read]:
        split = [sentence_texts(article) for article in articles]
        return [Read(texts, [1 / (n + 2) for n in range(len(texts))]) for texts in split]


def learn(wanted: int, *, learn_words: bool, calibrate: bool) -> HighlightSettings:
    rows = [
        {"article": " ".join(SENTENCES), "highlights": "\n".join(SENTENCES[:wanted])}
        for _ in range(5)
    ]
    model = FirstIsBest(learn_words=learn_words, calibrate=calibrate)
    return learn_settings(cast(Summarizer, model), datasets.Dataset.from_list(rows), 2, 3)


@pytest.mark.parametrize("wanted", [1, 2, 5])
def test_extracts_get_as_long_as_the_references_require(wanted: int) -> None:
    learned = learn(wanted, learn_words=True, calibrate=False)
    assert learned.words is not None
    assert abs(learned.words - 11 * wanted) <= 5
    assert learned.calibration is None


def test_only_what_is_configured_is_learned() -> None:
    assert learn(2, learn_words=False, calibrate=True).words is None
    assert learn(2, learn_words=False, calibrate=True).calibration is not None
    assert learn(2, learn_words=False, calibrate=False) == HighlightSettings(trigram_blocking=False)


def test_calibrated_scores_are_the_shares_of_salient_sentences() -> None:
    random = np.random.default_rng(5)
    true = random.uniform(0.02, 0.98, 20_000)
    salient = random.uniform(size=20_000) < true
    shifted = 1 / (1 + np.exp(-(0.5 * to_logits(true.tolist()) - 1.0)))
    found = fit_calibration(shifted.tolist(), salient.tolist())
    assert found is not None
    assert found.slope == pytest.approx(2.0, abs=0.1)
    assert found.offset == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize(
    ("scores", "salient"),
    [([0.1, 0.9], [True, True]), ([], []), ([0.0, 0.2, 0.8, 1.0], [True, True, False, False])],
)
def test_a_calibration_never_changes_the_order(scores: list[float], salient: list[bool]) -> None:
    assert fit_calibration(scores, salient) is None
