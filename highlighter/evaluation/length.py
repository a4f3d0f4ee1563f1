"""How long an extractive summary should be, learned from the validation split."""

import datasets
import numpy as np

from highlighter.data.characters import count_words
from highlighter.inference.assembly import best_sentences
from highlighter.inference.summarizer import Summarizer
from highlighter.metrics.rouge import score_rouge

_MOST_ROWS = 200
# Times the references' mean words. ROUGE's F1 often is best for extracts longer than those.
_FACTORS = (0.8, 1.0, 1.2, 1.4, 1.6, 2.0)


def learn_words(summarizer: Summarizer, articles: datasets.Dataset, batch_size: int) -> int:
    """Return the number of words that give extracts the highest mean ROUGE-Lsum.

    Args:
        summarizer: the checkpoint.
        articles: rows of the validation split with `article` and `highlights`; at most 200 are
            read.
        batch_size: articles that are read together.
    """
    rows = articles.select(range(min(_MOST_ROWS, len(articles))))
    references = rows["highlights"][:]
    mean = np.mean([count_words(reference) for reference in references])
    lengths = sorted({max(1, round(factor * mean)) for factor in _FACTORS})
    texts: dict[int, list[str]] = {words: [] for words in lengths}
    settings = summarizer.highlights
    for batch in rows.iter(batch_size):
        for article in summarizer.read(batch["article"], batch_size):
            sentences = article.sentences
            for words in lengths:
                chosen = best_sentences(
                    sentences, article.scores, 0, settings.trigram_blocking, words=words
                )
                texts[words].append("\n".join(sentences[index] for index in chosen))
    scores = {
        words: float(np.mean(score_rouge(texts[words], references)["rougeLsum"]))
        for words in lengths
    }
    return max(lengths, key=lambda words: scores[words])
