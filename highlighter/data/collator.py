"""Collate tokenized rows into training batches of windows."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from highlighter.data.sentence_features import FEATURES
from highlighter.data.windows import fill_source, plan_windows, window_budget
from highlighter.settings import TextSettings

IGNORED = -100
Batch = dict[str, torch.Tensor]


@dataclass(frozen=True)
class WindowRow:
    """One row of a batch: the tokens of a window and its segments.

    Attributes:
        input_ids: token ids with prefix and end token.
        segment_of_token: index in this row of each token's segment; -1 for prefix and end token.
        segment_indices: index of each segment in the article.
        segment_features: array of (segments, len(FEATURES)).
        salience_labels: 1, 0 or IGNORED per segment.
        labels: target token ids; empty if the window is read for salience only.
    """

    input_ids: list[int]
    segment_of_token: list[int]
    segment_indices: Sequence[int]
    segment_features: Any
    salience_labels: list[int]
    labels: list[int]


@dataclass
class Draws:
    """Random generators that depend on seed, epoch and row only.

    The draws are therefore the same in any order of rows, in any process and in a resumed epoch.
    """

    seed: int = 0
    epoch: int = 0

    def of(self, row_id: str) -> torch.Generator:
        """Return the generator of a row."""
        name = f"{self.seed}/{self.epoch}/{row_id}"
        return torch.Generator().manual_seed(zlib.crc32(name.encode()))


@dataclass(frozen=True)
class WindowCollator:
    """Collate rows of `features` into a padded batch.

    An article that fits into the source gives one row. A longer one gives one row for the decoder
    and `reading_windows` random windows that are read for salience only. The decoder's source is
    randomly either the article's start or its oracle sentences, filled up from the start; the
    latter is what the decoder gets at inference with `selected` sources. Without `shuffle`, the
    source is the start and every window is read.
    """

    text: TextSettings
    prefix: list[int]
    pad: int
    end: int
    reading_windows: int
    shuffle: bool
    draws: Draws = field(default_factory=Draws)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> Batch:
        """Return the keyword arguments of `HighlightModel.forward`."""
        windows = [window for row in rows for window in self._windows(row)]
        return collate(windows, self.pad)

    @property
    def budget(self) -> int:
        """Number of article tokens that fit between prefix and end token."""
        return window_budget(self.prefix, self.text)

    def _windows(self, row: dict[str, Any]) -> list[WindowRow]:
        lengths = row["segment_lengths"]
        if sum(lengths) <= self.budget:
            return [self._row(row, range(len(lengths)), row["labels"])]
        plan = plan_windows(lengths, self.budget, self.text.overlap_tokens)
        source: Sequence[int] = plan[0]
        if not self.shuffle:
            extra = plan[1:]
        else:
            draw = self.draws.of(row["id"])
            if torch.rand((), generator=draw) < 0.5:
                source = fill_source(lengths, row["salience_labels"], self.budget)
            order = torch.randperm(len(plan), generator=draw)[: self.reading_windows]
            extra = [plan[i] for i in order.tolist()]
        windows = [self._row(row, source, row["labels"])]
        return windows + [self._row(row, window, []) for window in extra]

    def _row(self, row: dict[str, Any], segments: Sequence[int], labels: list[int]) -> WindowRow:
        starts = np.concatenate([[0], np.cumsum(row["segment_lengths"])])
        tokens = row["tokens"]
        features = np.asarray(row["segment_features"], dtype=np.float32).reshape(-1, len(FEATURES))
        ids, numbers = list(self.prefix), [-1] * len(self.prefix)
        for number, segment in enumerate(segments):
            segment_ids = tokens[starts[segment] : starts[segment + 1]]
            ids.extend(segment_ids)
            numbers.extend([number] * len(segment_ids))
        return WindowRow(
            input_ids=[*ids, self.end],
            segment_of_token=[*numbers, -1],
            segment_indices=list(segments),
            segment_features=features[list(segments)],
            salience_labels=[row["salience_labels"][segment] for segment in segments],
            labels=labels,
        )


def collate(rows: Sequence[WindowRow], pad: int) -> Batch:
    """Pad rows to the longest source, the most segments and the longest target; return tensors.

    `labels` has only the rows with a summary; `summary_rows` are their indices in the batch.
    """
    tokens = max(len(row.input_ids) for row in rows)
    segments = max(1, *(len(row.segment_indices) for row in rows))
    written = [number for number, row in enumerate(rows) if row.labels]
    targets = max(len(row.labels) for row in rows)
    shape = (len(rows), segments)
    batch = {
        "input_ids": torch.full((len(rows), tokens), pad),
        "attention_mask": torch.zeros((len(rows), tokens), dtype=torch.long),
        "segment_of_token": torch.full((len(rows), tokens), -1),
        "segment_indices": torch.zeros(shape, dtype=torch.long),
        "segment_features": torch.zeros((*shape, len(FEATURES))),
        "salience_labels": torch.full(shape, IGNORED),
        "labels": torch.full((len(written), targets), IGNORED),
        "summary_rows": torch.tensor(written, dtype=torch.long),
    }
    for number, row in enumerate(rows):
        length, count = len(row.input_ids), len(row.segment_indices)
        batch["input_ids"][number, :length] = torch.tensor(row.input_ids)
        batch["attention_mask"][number, :length] = 1
        batch["segment_of_token"][number, :length] = torch.tensor(row.segment_of_token)
        if count:
            batch["segment_indices"][number, :count] = torch.tensor(row.segment_indices)
            batch["segment_features"][number, :count] = torch.as_tensor(row.segment_features)
            batch["salience_labels"][number, :count] = torch.tensor(row.salience_labels)
    for place, number in enumerate(written):
        labels = rows[number].labels
        batch["labels"][place, : len(labels)] = torch.tensor(labels)
    return batch
