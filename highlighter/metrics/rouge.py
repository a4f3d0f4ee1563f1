"""ROUGE as published for CNN/DailyMail, as a metric of the `evaluate` library."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import datasets
import evaluate
from rouge_score import tokenizers
from rouge_score.rouge_scorer import RougeScorer

from highlighter.data.sentences import sentence_texts
from highlighter.settings import ROUGE_TYPES

_CITATION = """@inproceedings{lin-2004-rouge,
  title = {{ROUGE}: A Package for Automatic Evaluation of Summaries},
  author = {Lin, Chin-Yew}, booktitle = {Text Summarization Branches Out}, year = {2004}}"""


def one_sentence_a_line(summary: str) -> str:
    """A summary laid out for rougeLsum. A text that has line breaks is taken as laid out."""
    return summary if "\n" in summary.strip() else "\n".join(sentence_texts(summary))


class _Words(tokenizers.DefaultTokenizer):
    """`rouge_score`'s own words and stems; a word is stemmed once, however often it comes."""

    def __init__(self) -> None:
        super().__init__(use_stemmer=True)
        self._stemmer.stem = lru_cache(maxsize=1 << 17)(self._stemmer.stem)


@cache
def _scorer() -> RougeScorer:
    return RougeScorer(list(ROUGE_TYPES), tokenizer=_Words())


class Rouge(evaluate.Metric):
    """F1 of ROUGE-1/2/L/Lsum per row in 0..1, with Porter stemming (`rouge_score`).

    "ROUGE-L" in papers on CNN/DailyMail is `rougeLsum` here: the union of longest common
    subsequences over sentences, which needs one sentence a line.
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.__doc__,
            citation=_CITATION,
            inputs_description="predictions, references: texts with one sentence a line.",
            features=datasets.Features(
                {
                    "predictions": datasets.Value("string"),
                    "references": datasets.Value("string"),
                }
            ),
        )

    def _compute(
        self, predictions: Sequence[str], references: Sequence[str]
    ) -> dict[str, list[float]]:
        scorer = _scorer()
        rows = [scorer.score(r, p) for p, r in zip(predictions, references, strict=True)]
        return {name: [row[name].fmeasure for row in rows] for name in ROUGE_TYPES}


def score_rouge(predictions: Sequence[str], references: Sequence[str]) -> dict[str, list[float]]:
    """Per-row F1 of each ROUGE type, sentences laid out one a line first."""
    scores: dict[str, Any] = Rouge(keep_in_memory=True).compute(
        predictions=[one_sentence_a_line(text) for text in predictions],
        references=[one_sentence_a_line(text) for text in references],
    )
    return {name: list(map(float, scores[name])) for name in ROUGE_TYPES}
