"""What a checkpoint learns from the validation split: length of extracts, and calibration."""

from collections.abc import Sequence

import datasets
import numpy as np
from sklearn.linear_model import LogisticRegression

from highlighter.data.characters import count_words
from highlighter.data.oracle import greedy_oracle
from highlighter.inference.assembly import best_sentences
from highlighter.inference.reader import ReadArticle, to_logits
from highlighter.inference.summarizer import Summarizer
from highlighter.metrics.rouge import score_rouge
from highlighter.settings import Calibration, HighlightSettings

_MOST_ROWS = 200
# Times the references' mean words. ROUGE's F1 often is best for extracts longer than those.
_FACTORS = (0.8, 1.0, 1.2, 1.4, 1.6, 2.0)


def learn_settings(
    summarizer: Summarizer, articles: datasets.Dataset, batch_size: int, oracle_sentences: int
) -> HighlightSettings:
    """Return the checkpoint's settings with `words` and `calibration`, if it learns these.

    Args:
        summarizer: the checkpoint; it has no calibration yet.
        articles: rows of the validation split with `article` and `highlights`; at most 200 are
            read.
        batch_size: articles that are read together.
        oracle_sentences: maximum number of salient sentences of an article.
    """
    settings = summarizer.highlights
    if not (settings.learn_words or settings.calibrate):
        return settings
    rows = articles.select(range(min(_MOST_ROWS, len(articles))))
    references = rows["highlights"][:]
    read = [
        article
        for batch in rows.iter(batch_size)
        for article in summarizer.read(batch["article"], batch_size)
    ]
    learned: dict[str, object] = {}
    if settings.learn_words:
        learned["words"] = best_length(read, references, settings.trigram_blocking)
    if settings.calibrate:
        oracle = [
            set(greedy_oracle(article.sentences, reference, oracle_sentences))
            for article, reference in zip(read, references, strict=True)
        ]
        learned["calibration"] = fit_calibration(
            [score for article in read for score in article.scores],
            [
                index in salient
                for article, salient in zip(read, oracle, strict=True)
                for index in range(len(article.scores))
            ],
        )
    return settings.model_copy(update=learned)


def best_length(
    articles: Sequence[ReadArticle], references: Sequence[str], trigram_blocking: bool
) -> int:
    """Return the number of words that gives extracts the highest mean ROUGE-Lsum.

    Args:
        articles: sentences and their scores.
        references: the highlights of each article.
        trigram_blocking: see `best_sentences`.
    """
    mean = np.mean([count_words(reference) for reference in references])
    lengths = sorted({max(1, round(factor * mean)) for factor in _FACTORS})
    scores = {}
    for words in lengths:
        texts = []
        for article in articles:
            sentences = article.sentences
            chosen = best_sentences(sentences, article.scores, 0, trigram_blocking, words=words)
            texts.append("\n".join(sentences[index] for index in chosen))
        scores[words] = float(np.mean(score_rouge(texts, references)["rougeLsum"]))
    return max(lengths, key=lambda words: scores[words])


def fit_calibration(scores: Sequence[float], salient: Sequence[bool]) -> Calibration | None:
    """Return Platt's scaling (Platt 1999) that makes scores probabilities; None if there is none.

    There is none if all sentences are salient or none is, or if higher scores are salient less
    often, because a calibration must not change the order of sentences.

    Args:
        scores: of sentences, in 0..1.
        salient: whether each is among the oracle's.
    """
    if len(set(salient)) < 2:
        return None
    fitted = LogisticRegression(C=np.inf).fit(to_logits(scores)[:, None], salient)
    slope, offset = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return Calibration(slope=slope, offset=offset) if slope > 0 else None
