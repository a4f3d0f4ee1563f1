"""Batches of windows, in training and in validation."""

from dataclasses import replace

import datasets
import pytest
from transformers import PreTrainedTokenizerBase

from highlighter.data.collator import IGNORED, Draws, WindowCollator
from highlighter.data.features import tokenize_splits
from highlighter.data.windows import encode_prefix
from highlighter.settings import MapSettings, TextSettings

SHORT = TextSettings(max_source_tokens=64, max_target_tokens=32, overlap_tokens=16)


@pytest.fixture(scope="module")
def rows(
    articles: datasets.DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[dict[str, object]]:
    folder = tmp_path_factory.mktemp("features")
    features, _ = tokenize_splits(articles, tokenizer, SHORT, MapSettings(), folder)
    return list(features["test"])


def collator(tokenizer: PreTrainedTokenizerBase, shuffle: bool) -> WindowCollator:
    return WindowCollator(
        text=SHORT,
        prefix=encode_prefix(tokenizer, SHORT),
        pad=tokenizer.pad_token_id,
        end=tokenizer.eos_token_id,
        reading_windows=1,
        shuffle=shuffle,
    )


def test_validation_reads_every_segment_and_training_draws_from_seed_and_epoch(
    tokenizer: PreTrainedTokenizerBase, rows: list[dict[str, object]]
) -> None:
    row = rows[0]
    batch = collator(tokenizer, shuffle=False)([row])
    labels = batch["salience_labels"]
    segments = {int(i) for i in batch["segment_indices"][labels != IGNORED]}
    assert segments == set(range(len(row["segment_lengths"])))  # type: ignore[arg-type]
    draws = []
    for seed, epoch in ((1, 0), (1, 0), (2, 0), (1, 1)):
        drawing = replace(collator(tokenizer, shuffle=True), draws=Draws(seed, epoch))
        draws.append([drawing([row])["input_ids"].tolist() for row in rows[:8]])
    assert draws[0] == draws[1] != draws[2]
    assert draws[0] != draws[3] != draws[2]


def test_the_oracles_sentences_reach_a_selected_source(
    tokenizer: PreTrainedTokenizerBase, rows: list[dict[str, object]]
) -> None:
    row = dict(rows[0])
    count = len(row["segment_lengths"])  # type: ignore[arg-type]
    row["salience_labels"] = [0] * (count - 1) + [1]
    together = replace(collator(tokenizer, shuffle=True), reading_windows=0)
    last = []
    for together.draws.epoch in range(20):
        last.append(int(together([row])["segment_indices"][0, -1]) == count - 1)
    assert 3 <= sum(last) <= 17  # a coin's toss
