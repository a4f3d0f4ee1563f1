"""ROUGE as published for CNN/DailyMail, as a metric of the `evaluate` library."""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any

import datasets
import evaluate
from nltk.stem.porter import PorterStemmer
from rouge_score import tokenizers
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenize import tokenize

from highlighter.data.characters import (
    fold_compatible,
    has_other_scripts,
    words_of_all_scripts,
)
from highlighter.data.sentences import sentence_texts
from highlighter.settings import ROUGE_TYPES, Division

_CITATION = """@inproceedings{lin-2004-rouge,
  title = {{ROUGE}: A Package for Automatic Evaluation of Summaries},
  author = {Lin, Chin-Yew}, booktitle = {Text Summarization Branches Out}, year = {2004}}"""


def one_sentence_a_line(summary: str) -> str:
    """Return the text with one sentence per line, unless it has line breaks already."""
    return summary if "\n" in summary.strip() else sentences_on_lines(summary)


def sentences_on_lines(summary: str) -> str:
    """Return the text with one sentence per line; a line may hold several."""
    return "\n".join(text for line in summary.split("\n") for text in sentence_texts(line))


class _StemmingTokenizer(tokenizers.Tokenizer):
    """`rouge_score`'s own tokenizer with Porter stemming, but each word is stemmed only once."""

    def __init__(self) -> None:
        self.stem = lru_cache(maxsize=1 << 17)(PorterStemmer().stem)

    def tokenize(self, text: str) -> list[str]:
        """Return the stems of the text's words."""
        text = fold_compatible(text)
        if has_other_scripts(text):
            words = words_of_all_scripts(text)
            # As in rouge_score, which counts Latin letters and digits only.
            return [self.stem(word) if word.isascii() and len(word) > 3 else word for word in words]
        return tokenize(text, self)  # type: ignore[no-any-return]


def division_into_words(references: Iterable[str]) -> Division:
    """Return how ROUGE divides texts of these languages into words.

    Latin script is divided as `rouge_score` does, texts of other scripts by
    `words_of_all_scripts`. Scores of different divisions cannot be compared.
    """
    return "all_scripts" if any(map(has_other_scripts, references)) else "rouge_score"


@cache
def _scorer() -> RougeScorer:
    return RougeScorer(list(ROUGE_TYPES), tokenizer=_StemmingTokenizer())


class Rouge(evaluate.Metric):
    """ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum of `rouge_score`: F1 per row, in 0..1, stemmed.

    "ROUGE-L" in papers on CNN/DailyMail is `rougeLsum` here: the union of the longest common
    subsequences of sentences. It needs one sentence per line.
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.__doc__,
            citation=_CITATION,
            inputs_description="predictions, references: texts with one sentence per line.",
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
    """Return per row the F1 in 0..1 of each ROUGE type; sentences are put on separate lines.

    References with line breaks are left as they are: the published highlights have one sentence,
    or what counts as one, a line.
    """
    scores: dict[str, Any] = Rouge(keep_in_memory=True).compute(
        predictions=[sentences_on_lines(text) for text in predictions],
        references=[one_sentence_a_line(text) for text in references],
    )
    return {name: list(map(float, scores[name])) for name in ROUGE_TYPES}
