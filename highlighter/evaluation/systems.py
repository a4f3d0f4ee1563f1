"""Run every system on every test article: the model as it is served, and the baselines."""

import random
from collections.abc import Sequence
from typing import Any, get_args

import datasets
from tqdm.auto import tqdm

from highlighter.data.oracle import greedy_oracle
from highlighter.evaluation.record import source_column
from highlighter.evaluation.trees import Trees
from highlighter.inference.summarizer import Draft, Summarizer
from highlighter.settings import DecoderSource

_SOURCES: tuple[DecoderSource, ...] = get_args(DecoderSource)


def lead(sentences: Sequence[str], count: int = 3) -> list[int]:
    """Return the indices of the first sentences."""
    return list(range(min(count, len(sentences))))


def random_sentences(sentences: Sequence[str], seed: str, count: int = 3) -> list[int]:
    """Return ascending indices of sentences drawn without replacement, determined by the seed."""
    drawn = random.Random(seed).sample(range(len(sentences)), min(count, len(sentences)))
    return sorted(drawn)


def run_systems(
    summarizer: Summarizer,
    articles: datasets.Dataset,
    *,
    trees: Trees | None = None,
    batch_size: int,
    oracle_sentences: int,
    seed: int,
) -> datasets.Dataset:
    """Summarize every article with every system.

    Args:
        summarizer: the checkpoint, with the settings and the engine it is served with.
        articles: columns `id`, `article`, `highlights` and `group`.
        trees: a baseline that takes as many sentences by the same rules; None: without it.
        batch_size: articles read and summarized together.
        oracle_sentences: maximum number of sentences of the oracle.
        seed: seed of the random baseline.

    Returns:
        One row per article, in order: the text of each system, the sentences that extractive
        systems chose (`<system>_chosen`), both decoder sources as text, and how the article was
        read and written.
    """
    texts = articles["article"][:]
    # Articles of similar length share a batch, to keep padding small.
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    rows: dict[int, dict[str, Any]] = {}
    for start in tqdm(range(0, len(order), batch_size), desc="summarizing", unit="batch"):
        indices = order[start : start + batch_size]
        drafts = _write_both(summarizer, [texts[index] for index in indices], batch_size)
        for index, by_source in zip(indices, drafts, strict=True):
            article = articles[index]
            rows[index] = {
                "id": article["id"],
                "article": article["article"],
                "reference": article["highlights"],
                "group": article["group"],
                **_describe(summarizer, by_source),
                **_extract(
                    by_source[summarizer.highlights.source],
                    article["highlights"],
                    oracle_sentences,
                    seed=f"{seed}-{index}",
                    choices=_choose(summarizer, trees, by_source[summarizer.highlights.source]),
                ),
            }
    columns = {name: [rows[index][name] for index in range(len(rows))] for name in rows[0]}
    return datasets.Dataset.from_dict(columns)


def _write_both(
    summarizer: Summarizer, texts: Sequence[str], batch_size: int
) -> list[dict[DecoderSource, Draft]]:
    """Return the drafts of each article by decoder source."""
    read = summarizer.read(texts, batch_size)
    configured = summarizer.highlights.source
    [other] = [source for source in _SOURCES if source != configured]
    served = summarizer.write(read, batch_size)
    # Most articles fit into the source; then both sources are equal and need one summary.
    longer = [
        number
        for number, draft in enumerate(served)
        if summarizer.source(read[number], other) != draft.source
    ]
    again = summarizer.write([read[number] for number in longer], batch_size, source=other)
    compared = dict(enumerate(served)) | dict(zip(longer, again, strict=True))
    return [{configured: draft, other: compared[n]} for n, draft in enumerate(served)]


def _describe(summarizer: Summarizer, drafts: dict[DecoderSource, Draft]) -> dict[str, Any]:
    draft = drafts[summarizer.highlights.source]
    return {
        "served": draft.served,
        "abstractive": draft.written,
        **{f"abstractive_{source}": drafts[source].written for source in _SOURCES},
        **{source_column(name): summarizer.decode(drafts[name].source) for name in _SOURCES},
        "sentence_scores": draft.article.scores,
        "windows": draft.article.windows,
        "fits": summarizer.fits(draft.article),
        "generated_tokens": draft.tokens,
        "cut_off": draft.cut_off,
        "confidence": draft.confidence,
        "doubt": draft.doubt or "",
    }


def _choose(summarizer: Summarizer, trees: Trees | None, draft: Draft) -> dict[str, list[int]]:
    """Return the sentences with the highest scores of the salience head, and of the trees."""
    chosen = {"extractive": draft.chosen}
    if trees is not None:
        article = draft.article
        scores = trees.score_sentences(article.features, article.encoded.sentence_of_segment)
        chosen["trees"] = summarizer.choose(article, scores)
    return chosen


def _extract(
    draft: Draft,
    reference: str,
    oracle_sentences: int,
    *,
    seed: str,
    choices: dict[str, list[int]],
) -> dict[str, Any]:
    """Return text and sentences of each extractive system."""
    sentences = draft.article.sentences
    chosen = {
        **choices,
        "lead3": lead(sentences),
        "random3": random_sentences(sentences, seed),
        "oracle": greedy_oracle(sentences, reference, oracle_sentences),
    }
    texts = {name: "\n".join(sentences[i] for i in indices) for name, indices in chosen.items()}
    return texts | {f"{name}_chosen": indices for name, indices in chosen.items()}
