"""The generated corpus, and that it is processed in full."""

from pathlib import Path

from transformers import PreTrainedTokenizerBase

from benchmarks import ingest
from benchmarks.inputs import Article, read_articles
from benchmarks.processes import measure
from tests.conftest import made_up_articles


def test_a_corpus_has_no_row_twice_and_is_processed_in_full(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    rows = [Article(row["article"], row["highlights"]) for row in made_up_articles(5, seed=1)]
    ingest.write_corpus(rows, 12, tmp_path)
    written = [read_articles(tmp_path / f"{split}.jsonl") for split in ("train", "validation")]
    assert [len(split) for split in written] == [12, 50]
    texts = [row.article for split in written for row in split]
    assert len(set(texts)) == len(texts)
    tokenizer.save_pretrained(tmp_path / "vocabulary")
    run = measure(
        "benchmarks.ingest:process_corpus", tmp_path / "log", folder=tmp_path,
        vocabulary=tmp_path / "vocabulary", workers=1,
    )  # fmt: skip
    assert run.result["ingest"] > 0
    assert run.result["tokenize"] > 0
    assert 100 < run.peak_without_files < run.peak_rss
