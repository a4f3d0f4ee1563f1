"""Tokenize articles and highlights, label salient segments, and report lengths."""

import re
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from pydantic import BaseModel
from transformers import PreTrainedTokenizerBase

from highlighter.data.characters import drop_invisible, tokenizer_text
from highlighter.data.oracle import greedy_oracle
from highlighter.data.sentence_features import TokenTable, describe_segments, token_table
from highlighter.data.windows import cut, encode_articles, encode_prefix, window_budget
from highlighter.settings import MapSettings, TextSettings
from highlighter.system.cpu import usable_cores

# Not the space in "a .22 rifle" or "runs on .NET".
_DETACHED_STOP = re.compile(r" \.(?=[\s\"'”’)\]]|\Z)")

PERCENTILES = (5, 25, 50, 75, 95, 99)

FEATURES_SCHEMA = datasets.Features(
    {
        "id": datasets.Value("string"),
        "tokens": datasets.List(datasets.Value("int32")),
        "segment_lengths": datasets.List(datasets.Value("int32")),
        "segment_features": datasets.List(datasets.Value("float32")),
        "salience_labels": datasets.List(datasets.Value("int8")),
        "labels": datasets.List(datasets.Value("int32")),
        "source_length": datasets.Value("int32"),
        "target_length": datasets.Value("int32"),
    }
)


class Lengths(BaseModel):
    """Token counts before truncation: percentiles (PERCENTILES) and the share above the limit."""

    percentiles: dict[str, float]
    truncated: float


class TokenizeReport(BaseModel):
    """Lengths of articles and highlights, and the share of salient segments, by split."""

    vocabulary: int
    oracle_sentences: int
    articles: dict[str, Lengths]
    highlights: dict[str, Lengths]
    salient: dict[str, float]


def target_text(highlights: str) -> str:
    """Return highlights as one line, without CNN/DailyMail's space before a full stop."""
    lines = drop_invisible(highlights).splitlines()
    return " ".join(_DETACHED_STOP.sub(".", line).strip() for line in lines)


def tokenize_splits(
    articles: datasets.DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    text: TextSettings,
    settings: MapSettings,
    cache_folder: Path,
) -> tuple[datasets.DatasetDict, TokenizeReport]:
    """Return rows of FEATURES_SCHEMA for every split, and a report.

    `tokens` is the complete article. If there is a column `target`, it replaces the highlights as
    the decoder's target; segments are labeled by the highlights in any case.

    Args:
        articles: rows of ARTICLE_FEATURES by split.
        tokenizer: the model's tokenizer.
        text: prefix and limits of source and target.
        settings: batch size, processes and number of oracle sentences.
        cache_folder: folder of the tables that the result is memory-mapped from.
    """
    table = token_table(tokenizer)
    features = {
        split: rows.map(
            _tokenize_rows,
            batched=True,
            batch_size=settings.batch_size,
            num_proc=min(settings.workers or usable_cores(), max(1, len(rows) // 64)),
            remove_columns=rows.column_names,
            features=FEATURES_SCHEMA,
            fn_kwargs={
                "tokenizer": tokenizer,
                "text": text,
                "table": table,
                "oracle_sentences": settings.oracle_sentences,
            },
            cache_file_name=str(cache_folder / f"features-{split}.arrow"),
            load_from_cache_file=False,
            desc=f"tokenizing {split}",
        )
        for split, rows in articles.items()
    }
    limits = {"source_length": text.max_source_tokens, "target_length": text.max_target_tokens}
    lengths = {
        column: {split: _lengths(rows, column, limit) for split, rows in features.items()}
        for column, limit in limits.items()
    }
    report = TokenizeReport(
        vocabulary=len(tokenizer),
        oracle_sentences=settings.oracle_sentences,
        articles=lengths["source_length"],
        highlights=lengths["target_length"],
        salient={split: _salient_share(rows) for split, rows in features.items()},
    )
    return datasets.DatasetDict(features), report


def _tokenize_rows(
    batch: dict[str, list[Any]],
    tokenizer: PreTrainedTokenizerBase,
    text: TextSettings,
    table: TokenTable,
    oracle_sentences: int,
) -> dict[str, list[Any]]:
    prefix = encode_prefix(tokenizer, text)
    encoded = encode_articles(batch["article"], tokenizer, window_budget(prefix, text))
    texts = [tokenizer_text(target_text(text)) for text in batch.get("target", batch["highlights"])]
    targets = tokenizer(text_target=texts)["input_ids"]
    rows: dict[str, list[Any]] = {name: [] for name in FEATURES_SCHEMA}
    inputs = zip(batch["id"], batch["article"], batch["highlights"], encoded, targets, strict=True)
    for row_id, article, highlights, source, target in inputs:
        sentences = [article[start:end] for start, end in source.sentences]
        salient = set(greedy_oracle(sentences, highlights, oracle_sentences))
        rows["id"].append(row_id)
        rows["tokens"].append([token for segment in source.segments for token in segment])
        rows["segment_lengths"].append([len(segment) for segment in source.segments])
        rows["segment_features"].append(describe_segments(source.segments, table).ravel())
        rows["salience_labels"].append([int(i in salient) for i in source.sentence_of_segment])
        rows["labels"].append(cut(target, text.max_target_tokens))
        rows["source_length"].append(source.tokens + len(prefix) + 1)
        rows["target_length"].append(len(target))
    return rows


def _lengths(rows: datasets.Dataset, column: str, limit: int) -> Lengths:
    lengths = np.asarray(rows[column][:])
    percentiles = np.percentile(lengths, PERCENTILES)
    return Lengths(
        percentiles={f"p{p}": float(v) for p, v in zip(PERCENTILES, percentiles, strict=True)},
        truncated=float((lengths > limit).mean()),
    )


def _salient_share(rows: datasets.Dataset) -> float:
    salient = segments = 0
    for batch in rows.select_columns("salience_labels").iter(batch_size=1000):
        salient += sum(map(sum, batch["salience_labels"]))
        segments += sum(map(len, batch["salience_labels"]))
    return salient / max(1, segments)
