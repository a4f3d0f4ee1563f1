"""Articles and highlights as token ids, and what the limits cut off."""

import os
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from pydantic import BaseModel
from transformers import PreTrainedTokenizerBase

from highlighter.encoding import cut, encode_sources
from highlighter.settings import MapSettings, TextSettings

PERCENTILES = (5, 25, 50, 75, 95, 99)


class Lengths(BaseModel):
    """Token counts before any cut: percentiles (see PERCENTILES) and the share cut."""

    percentiles: dict[str, float]
    truncated: float


class TokenizeReport(BaseModel):
    """Lengths of articles and highlights per split."""

    vocabulary: int
    articles: dict[str, Lengths]
    highlights: dict[str, Lengths]


def target_text(highlights: str) -> str:
    """Highlights as the text to write: one line, without CNN/DailyMail's space before a stop."""
    return " ".join(line.replace(" .", ".").strip() for line in highlights.splitlines())


def tokenize_splits(
    articles: datasets.DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    text: TextSettings,
    settings: MapSettings,
    cache_folder: Path,
) -> tuple[datasets.DatasetDict, TokenizeReport]:
    """`input_ids`, `labels`, and their lengths before the cut, for every row of every split."""
    features = {
        split: rows.map(
            _tokenize_rows,
            batched=True,
            batch_size=settings.batch_size,
            num_proc=min(settings.workers or os.cpu_count() or 1, max(1, len(rows) // 64)),
            remove_columns=["article", "highlights"],
            fn_kwargs={"tokenizer": tokenizer, "text": text},
            cache_file_name=str(cache_folder / f"features-{split}.arrow"),
            load_from_cache_file=False,
            desc=f"tokenizing {split}",
        )
        for split, rows in articles.items()
    }
    report = TokenizeReport(
        vocabulary=len(tokenizer),
        articles={
            s: _lengths(f, "source_length", text.max_source_tokens) for s, f in features.items()
        },
        highlights={
            s: _lengths(f, "target_length", text.max_target_tokens) for s, f in features.items()
        },
    )
    return datasets.DatasetDict(features), report


def _tokenize_rows(
    batch: dict[str, list[Any]], tokenizer: PreTrainedTokenizerBase, text: TextSettings
) -> dict[str, list[Any]]:
    sources = encode_sources(batch["article"], tokenizer, text)
    targets = tokenizer(text_target=[target_text(h) for h in batch["highlights"]])["input_ids"]
    return {
        "id": batch["id"],
        "input_ids": [cut(ids, text.max_source_tokens) for ids in sources],
        "labels": [cut(ids, text.max_target_tokens) for ids in targets],
        "source_length": [len(ids) for ids in sources],
        "target_length": [len(ids) for ids in targets],
    }


def _lengths(rows: datasets.Dataset, column: str, limit: int) -> Lengths:
    lengths = np.asarray(rows[column][:])
    percentiles = np.percentile(lengths, PERCENTILES)
    return Lengths(
        percentiles={f"p{p}": float(v) for p, v in zip(PERCENTILES, percentiles, strict=True)},
        truncated=float((lengths > limit).mean()),
    )
