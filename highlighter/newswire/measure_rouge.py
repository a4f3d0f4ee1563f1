"""ROUGE of the two yardsticks every summarizer is held against: LEAD-3 and the greedy oracle."""

from collections.abc import Sequence
from statistics import fmean

from highlighter.baselines import lead
from highlighter.metrics.rouge import score_rouge
from highlighter.oracle import greedy_oracle
from highlighter.segmentation import sentence_texts

MEASURES = ("rouge1", "rouge2", "rougeLsum")


def measure_extracts(pairs: Sequence[tuple[str, str]]) -> dict[str, dict[str, float]]:
    """Mean F1 (times 100) of LEAD-3 and the oracle over pairs of article and highlights."""
    articles = [sentence_texts(article) for article, _ in pairs]
    references = [highlights for _, highlights in pairs]
    chosen = {
        "LEAD-3": [lead(sentences) for sentences in articles],
        "oracle": [
            greedy_oracle(sentences, highlights)
            for sentences, highlights in zip(articles, references, strict=True)
        ],
    }
    means = {}
    for name, rows in chosen.items():
        extracts = [
            "\n".join(sentences[i] for i in indices)
            for sentences, indices in zip(articles, rows, strict=True)
        ]
        scores = score_rouge(extracts, references)
        means[name] = {measure: 100 * fmean(scores[measure]) for measure in MEASURES}
    return means
