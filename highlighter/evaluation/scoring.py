"""Score every system's summary of every row, in several processes."""

from typing import Any

import datasets

from highlighter.evaluation.record import MEASURES, SYSTEMS, column, recall_column, source_column
from highlighter.evaluation.systems import Outputs
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.metrics.rouge import score_rouge
from highlighter.metrics.text import compression, novel_ngrams, repeated_trigrams
from highlighter.settings import ROUGE_TYPES
from highlighter.system.cpu import usable_cores


def score_rows(
    articles: datasets.Dataset, outputs: Outputs, workers: int | None
) -> datasets.Dataset:
    """One row an article: its text, reference, every system's text and MEASURES, and what was
    chosen of its sentences (`sentence_scores`, `<extractor>_chosen`)."""
    rows = datasets.Dataset.from_dict(
        {
            "id": articles["id"][:],
            "article": articles["article"][:],
            "reference": articles["highlights"][:],
            "group": articles["group"][:],
            **outputs.texts,
            **{f"{name}_chosen": chosen for name, chosen in outputs.chosen.items()},
            **{source_column(name): texts for name, texts in outputs.sources.items()},
            "sentence_scores": [read.scores for read in outputs.read],
            "windows": [read.windows for read in outputs.read],
            "fits": outputs.fits,
            "generated_tokens": outputs.generated_tokens,
            "cut_off": outputs.cut_off,
            "confidence": outputs.confidence,
            "doubt": [reason or "" for reason in outputs.doubt],
        }
    )
    return rows.map(
        _score_batch,
        batched=True,
        remove_columns=[source_column(name) for name in outputs.sources],
        batch_size=32,
        num_proc=min(workers or usable_cores(), max(1, len(rows) // 32)),
        desc="scoring",
    )


def _score_batch(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    facts = [ArticleFacts(article) for article in batch["article"]]
    wanted_facts = [
        known.facts_of(reference)
        for known, reference in zip(facts, batch["reference"], strict=True)
    ]
    columns["reference_facts"] = [float(len(wanted)) for wanted in wanted_facts]
    # Systems often agree on a text: each is measured once.
    texts = list(
        dict.fromkeys((row, text) for system in SYSTEMS for row, text in enumerate(batch[system]))
    )
    rouge = score_rouge([text for _, text in texts], [batch["reference"][row] for row, _ in texts])
    measured: dict[tuple[int, str], dict[str, float]] = {}
    for number, (row, text) in enumerate(texts):
        article = batch["article"][row]
        supported, total = facts[row].count(text)
        measured[row, text] = {
            **{name: 100 * rouge[name][number] for name in ROUGE_TYPES},
            "words": float(len(text.split())),
            "compression": compression(text, article),
            "novel_bigrams": novel_ngrams(text, article, 2),
            "repeated_trigrams": repeated_trigrams(text),
            "supported_facts": float(supported),
            "facts": float(total),
            "recalled_facts": float(sum(map(ArticleFacts(text).supports, wanted_facts[row]))),
        }
    for system in SYSTEMS:
        for measure in MEASURES:
            columns[column(system, measure)] = [
                measured[row, text][measure] for row, text in enumerate(batch[system])
            ]
    for name in ("first", "selected"):
        pairs = list(zip(batch["reference"], batch[source_column(name)], strict=True))
        columns[recall_column(name)] = [100 * (1 - novel_ngrams(r, s, 2)) for r, s in pairs]
    return columns
