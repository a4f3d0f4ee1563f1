"""The generated corpus, and a tiny run of the command."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import ingest
from benchmarks.inputs import Article, read_articles
from tests.conftest import made_up_articles


def test_a_corpus_has_no_row_twice(tmp_path: Path) -> None:
    rows = [Article(row["article"], row["highlights"]) for row in made_up_articles(5, seed=1)]
    ingest.write_corpus(rows, 12, tmp_path)
    written = [read_articles(tmp_path / f"{split}.jsonl") for split in ("train", "validation")]
    assert [len(split) for split in written] == [12, 50]
    texts = [row.article for split in written for row in split]
    assert len(set(texts)) == len(texts)


def test_the_command_measures_each_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["ingest", "--rows", "12", "--output", str(tmp_path)])
    ingest.main()
    [row] = json.loads((tmp_path / "ingest.json").read_text())["rows"]
    assert row["rows"] == 12
    assert row["rows/s"] == pytest.approx(12 / (row["ingest s"] + row["tokenize s"]))
    assert 100 < row["without file pages MB"] < row["peak RSS MB"]
