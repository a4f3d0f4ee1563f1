from pathlib import Path

import datasets
import pytest
from transformers import PreTrainedTokenizerBase

from highlighter.data.features import target_text, tokenize_splits
from highlighter.data.windows import cut
from highlighter.settings import MapSettings, TextSettings


def test_features_hold_the_complete_article_and_its_highlights(
    articles: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    text = TextSettings(max_source_tokens=64, max_target_tokens=128, overlap_tokens=8)
    features, report = tokenize_splits(articles, tokenizer, text, MapSettings(), tmp_path)
    row, article = features["test"][0], articles["test"][0]
    assert tokenizer.decode(row["tokens"]) == " ".join(article["article"].split())
    assert tokenizer.decode(row["labels"]) == target_text(article["highlights"]) + "</s>"
    assert sum(row["segment_lengths"]) == len(row["tokens"])
    prefix = tokenizer("summarize: ", add_special_tokens=False)["input_ids"]
    assert row["source_length"] == len(prefix) + len(row["tokens"]) + 1
    assert report.articles["train"].truncated == 1.0
    assert report.articles["train"].percentiles["p50"] > 64


def test_the_sentences_the_highlights_were_made_of_are_labelled(
    articles: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    features, report = tokenize_splits(articles, tokenizer, TextSettings(), MapSettings(), tmp_path)
    for row in features["train"]:
        # The closing of the bridge, and what repairs cost; not the drivers, nor the year.
        assert row["salience_labels"] == [1, 0, 1, 0, 0]
    assert report.salient["train"] == 0.4


def test_the_target_is_cut_but_keeps_its_end_token(
    articles: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    text = TextSettings(max_target_tokens=8)
    features, report = tokenize_splits(articles, tokenizer, text, MapSettings(), tmp_path)
    for row in features["train"]:
        assert len(row["labels"]) == 8
        assert row["labels"][-1] == tokenizer.eos_token_id
        assert row["target_length"] > 8
    assert report.highlights["train"].truncated == 1.0


def test_a_sentence_too_long_for_a_window_is_cut_into_segments(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    row = {"id": "1", "article": "the bridge " * 200, "highlights": "The bridge."}
    rows = datasets.DatasetDict({"train": datasets.Dataset.from_list([row])})
    text = TextSettings(max_source_tokens=64, overlap_tokens=8)
    features, _ = tokenize_splits(rows, tokenizer, text, MapSettings(), tmp_path)
    [row] = features["train"]
    assert len(row["segment_lengths"]) > 5
    assert max(row["segment_lengths"]) < 64
    assert set(row["salience_labels"]) == {1}


def test_workers_change_nothing(
    articles: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    big = datasets.DatasetDict({"train": datasets.concatenate_datasets([articles["train"]] * 4)})
    results = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        features, _ = tokenize_splits(
            big, tokenizer, TextSettings(), MapSettings(workers=workers, batch_size=16), folder
        )
        results.append(features["train"].to_list())
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("length", "expected"), [(3, [0, 1, 2]), (4, [0, 1, 2, 3]), (9, [0, 1, 2, 8])]
)
def test_cut(length: int, expected: list[int]) -> None:
    assert cut(list(range(length)), 4) == expected


def test_target_text_joins_lines_without_the_space_before_a_stop() -> None:
    assert target_text("One thing .\nAnother thing .") == "One thing. Another thing."


@pytest.mark.parametrize(
    ("highlights", "expected"),
    [
        ("He was shot with a .22 rifle .", "He was shot with a .22 rifle."),
        ("Blood alcohol was .08 , the limit .", "Blood alcohol was .08 , the limit."),
        ("He hit .300 .\nThe firm uses .NET .", "He hit .300. The firm uses .NET."),
        ('She said "no ."', 'She said "no."'),
        ("One . Two .", "One. Two."),
        ("Osdon wins a .com name .\n", "Osdon wins a .com name."),
        ("Ash\u00adford wins .", "Ashford wins."),
        ("Nothing to change.", "Nothing to change."),
    ],
)
def test_only_a_detached_full_stop_loses_its_space(highlights: str, expected: str) -> None:
    assert target_text(highlights) == expected
