"""Score every system's summary of every row, in several processes."""

from typing import Any

import datasets

from highlighter.evaluation.record import (
    MEASURES,
    column,
    present_systems,
    recall_column,
    source_column,
)
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.metrics.rouge import score_rouge
from highlighter.metrics.text import compression, novel_ngrams, repeated_trigrams
from highlighter.settings import ROUGE_TYPES
from highlighter.system.cpu import usable_cores

_BATCH = 32


def score_rows(rows: datasets.Dataset, workers: int | None) -> datasets.Dataset:
    """Add MEASURES of each system, and replace both sources by their recall of the reference.

    Args:
        rows: what `run_systems` returned.
        workers: processes; None: one per core.
    """
    return rows.map(
        _score_batch,
        batched=True,
        remove_columns=[source_column(name) for name in ("first", "selected")],
        batch_size=_BATCH,
        num_proc=min(workers or usable_cores(), max(1, len(rows) // _BATCH)),
        desc="scoring",
    )


def _score_batch(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    facts = [ArticleFacts(article) for article in batch["article"]]
    reference_facts = [
        known.facts_of(reference)
        for known, reference in zip(facts, batch["reference"], strict=True)
    ]
    columns["english"] = [known.english for known in facts]
    columns["reference_facts"] = [float(len(stated)) for stated in reference_facts]
    systems = present_systems(batch)
    # Systems often return the same text, which is measured once.
    texts = list(
        dict.fromkeys((row, text) for system in systems for row, text in enumerate(batch[system]))
    )
    rouge = score_rouge([text for _, text in texts], [batch["reference"][row] for row, _ in texts])
    measured: dict[tuple[int, str], dict[str, float]] = {}
    for number, (row, text) in enumerate(texts):
        article = batch["article"][row]
        supported, total = facts[row].count(text)
        recalled = sum(map(ArticleFacts(text).supports, reference_facts[row]))
        measured[row, text] = {
            **{name: 100 * rouge[name][number] for name in ROUGE_TYPES},
            "words": float(len(text.split())),
            "compression": compression(text, article),
            "novel_bigrams": novel_ngrams(text, article, 2),
            "repeated_trigrams": repeated_trigrams(text),
            "supported_facts": float(supported),
            "facts": float(total),
            "recalled_facts": float(recalled),
        }
    for system in systems:
        for measure in MEASURES:
            columns[column(system, measure)] = [
                measured[row, text][measure] for row, text in enumerate(batch[system])
            ]
    for name in ("first", "selected"):
        pairs = zip(batch["reference"], batch[source_column(name)], strict=True)
        columns[recall_column(name)] = [100 * (1 - novel_ngrams(r, s, 2)) for r, s in pairs]
    return columns
