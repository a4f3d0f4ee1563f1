from pathlib import Path

import datasets
import pytest
from transformers import PreTrainedTokenizerBase

from highlighter.encoding import cut
from highlighter.features import target_text, tokenize_splits
from highlighter.settings import MapSettings, TextSettings


def test_features_hold_prefix_article_and_highlights(
    articles: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    text = TextSettings(max_source_tokens=512, max_target_tokens=128)
    features, report = tokenize_splits(articles, tokenizer, text, MapSettings(), tmp_path)
    row, article = features["test"][0], articles["test"][0]
    words = " ".join(article["article"].split())
    assert tokenizer.decode(row["input_ids"]) == f"summarize: {words}</s>"
    assert tokenizer.decode(row["labels"]) == target_text(article["highlights"]) + "</s>"
    assert report.articles["test"].truncated == 0


def test_limits_cut_the_end_but_keep_the_end_token(
    articles: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    text = TextSettings(max_source_tokens=16, max_target_tokens=8)
    features, report = tokenize_splits(articles, tokenizer, text, MapSettings(), tmp_path)
    for row in features["train"]:
        assert len(row["input_ids"]) == 16
        assert row["input_ids"][-1] == tokenizer.eos_token_id
        assert len(row["labels"]) <= 8
        assert row["source_length"] > 16
    assert report.articles["train"].truncated == 1.0
    assert report.articles["train"].percentiles["p50"] > 16


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
