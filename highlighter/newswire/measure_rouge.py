"""ROUGE of the two yardsticks every summarizer is held against: LEAD-3 and the greedy oracle."""

from collections import Counter
from collections.abc import Iterable
from statistics import fmean

from rouge_score import rouge_scorer
from rouge_score.tokenizers import DefaultTokenizer

from highlighter.newswire.edit_text import split_sentences

MEASURES = ("rouge1", "rouge2", "rougeLsum")
LEAD_SENTENCES = 3
ORACLE_SENTENCES = 4


def measure_extracts(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, float]]:
    """Mean F1 (times 100) of LEAD-3 and the oracle over pairs of article and highlights."""
    scorer = rouge_scorer.RougeScorer(list(MEASURES), use_stemmer=True)
    totals: dict[str, dict[str, list[float]]] = {
        name: {measure: [] for measure in MEASURES} for name in ("LEAD-3", "oracle")
    }
    for article, highlights in pairs:
        sentences = split_sentences(article)
        extracts = {
            "LEAD-3": sentences[:LEAD_SENTENCES],
            "oracle": pick_oracle(sentences, highlights),
        }
        for name, extract in extracts.items():
            scores = scorer.score(highlights, "\n".join(extract))
            for measure in MEASURES:
                totals[name][measure].append(100 * scores[measure].fmeasure)
    return {
        name: {measure: fmean(values) for measure, values in by_measure.items()}
        for name, by_measure in totals.items()
    }


def pick_oracle(sentences: list[str], highlights: str) -> list[str]:
    """The sentences that greedily raise the unigram F1 most, in article order."""
    tokenizer = DefaultTokenizer(use_stemmer=True)
    wanted = Counter(tokenizer.tokenize(highlights))
    counts = [Counter(tokenizer.tokenize(sentence)) for sentence in sentences]
    chosen: list[int] = []
    total: Counter[str] = Counter()
    best = 0.0
    while len(chosen) < ORACLE_SENTENCES:
        trials = [
            (_unigram_f1(total + counts[i], wanted), -i)
            for i in range(len(sentences))
            if i not in chosen
        ]
        if not trials or max(trials)[0] <= best:
            break
        best, place = max(trials)
        chosen.append(-place)
        total += counts[-place]
    return [sentences[i] for i in sorted(chosen)]


def _unigram_f1(found: Counter[str], wanted: Counter[str]) -> float:
    shared = (found & wanted).total()
    return 2 * shared / (found.total() + wanted.total())
