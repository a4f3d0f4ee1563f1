"""How much of mapped tables stays with the process that reads them."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
from transformers import PreTrainedTokenizerBase

from highlighter.data import features, validation
from highlighter.data.sources import load_splits
from highlighter.settings import FileSource, MapSettings, MinimumRows, TextSettings
from highlighter.system.memory import few_mapped_pages, give_back_mapped_tables
from tests.conftest import made_up_articles

SMAPS = Path("/proc/self/smaps")

pytestmark = pytest.mark.skipif(not SMAPS.exists(), reason=f"needs Linux's {SMAPS}")


def resident() -> float:
    """MB of the mapped Arrow files that this process holds."""
    total, ours = 0, False
    for line in SMAPS.read_text(encoding="utf-8").splitlines():
        name, *values = line.split()
        if not name.endswith(":"):  # the first line of a mapping
            ours = line.endswith(".arrow")
        elif name == "Rss:" and ours:
            total += int(values[0])
    return total / 1024


def noting(file: Path, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which writes down first what is resident, in a worker too."""

    def note(*args: Any, **kwargs: Any) -> Any:
        with file.open("a", encoding="utf-8") as lines:
            lines.write(f"{resident()}\n")
        return function(*args, **kwargs)

    return note


def noted(file: Path) -> list[float]:
    return [float(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_pages_are_given_back_while_a_library_reads(tmp_path: Path) -> None:
    made = datasets.Dataset.from_dict({"text": [f"{n} " + "x" * 1000 for n in range(30_000)]})
    made.save_to_disk(tmp_path)
    rows = datasets.load_from_disk(tmp_path)
    with few_mapped_pages(seconds=0.02):
        assert len(rows["text"][:]) == 30_000
        time.sleep(0.2)
        assert resident() < 1
        rows["text"][:]
    assert resident() < 1


def test_pages_are_given_back_and_read_again(tmp_path: Path) -> None:
    made = datasets.Dataset.from_dict({"text": [f"{n} " + "x" * 1000 for n in range(30_000)]})
    made.save_to_disk(tmp_path)
    rows = datasets.load_from_disk(tmp_path)
    give_back_mapped_tables()  # of other tests too
    first = rows["text"][:]
    assert resident() > 25
    give_back_mapped_tables()
    assert resident() < 1
    assert rows["text"][:] == first == made["text"][:]


def test_ingest_holds_a_batch_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {}
    for split, count in (("train", 5000), ("validation", 10), ("test", 10)):
        rows = made_up_articles(count, seed=count)
        text = "\n".join(
            json.dumps({**row, "article": f"{split} {n} {row['article']}" + " word" * 1000})
            for n, row in enumerate(rows)
        )
        files[split] = str(tmp_path / f"{split}.jsonl")
        Path(files[split]).write_text(text, encoding="utf-8")
    note = noting(tmp_path / "noted", give_back_mapped_tables)
    monkeypatch.setattr(validation, "give_back_mapped_tables", note)
    give_back_mapped_tables()
    raw = load_splits(FileSource(kind="files", **files), seed=13, cache_folder=tmp_path)
    articles, _ = validation.validate_splits(raw, MinimumRows(), "v", tmp_path)
    assert articles["train"].data.nbytes > 25e6
    assert max(*noted(tmp_path / "noted"), resident()) < 12  # a batch is 5 MB


def test_tokenizing_holds_a_batch_at_a_time(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank = " " * 200_000  # large in the file and quickly tokenized
    made = datasets.Dataset.from_list(
        [{**row, "article": row["article"] + blank} for row in made_up_articles(128, seed=1)]
    )
    made.save_to_disk(tmp_path)
    note = noting(tmp_path / "noted", features.encode_prefix)  # early in a batch
    monkeypatch.setattr(features, "encode_prefix", note)
    give_back_mapped_tables()
    features.tokenize_splits(
        datasets.DatasetDict({"train": datasets.load_from_disk(tmp_path)}),
        tokenizer,
        TextSettings(),
        MapSettings(workers=1, batch_size=8),
        tmp_path,
    )
    assert made.data.nbytes > 25e6
    assert max(noted(tmp_path / "noted")) < 12
