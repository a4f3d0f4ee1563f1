"""The length of extracts, learned from references."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import datasets
import pytest

from highlighter.data.sentences import sentence_texts
from highlighter.evaluation.length import learn_words
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

    highlights = HighlightSettings(trigram_blocking=False)

    def read(self, articles: Sequence[str], batch_size: int) -> list[Read]:
        split = [sentence_texts(article) for article in articles]
        return [Read(texts, [1 / (n + 1) for n in range(len(texts))]) for texts in split]


@pytest.mark.parametrize("wanted", [1, 2, 5])
def test_extracts_get_as_long_as_the_references_require(wanted: int) -> None:
    rows = [
        {"article": " ".join(SENTENCES), "highlights": "\n".join(SENTENCES[:wanted])}
        for _ in range(5)
    ]
    words = learn_words(cast(Summarizer, FirstIsBest()), datasets.Dataset.from_list(rows), 2)
    assert abs(words - 11 * wanted) <= 5
