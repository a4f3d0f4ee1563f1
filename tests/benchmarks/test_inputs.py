"""Articles, shapes and options: what is wrong with them is named, without a stack trace."""

import json
import subprocess
from pathlib import Path

import pytest
import torch
from transformers import T5Config, T5ForConditionalGeneration

from benchmarks.inputs import Article, random_model, read_articles
from benchmarks.processes import python
from highlighter.errors import CorpusError
from tests.conftest import ROOT

GOOD = json.dumps({"id": 7, "article": "One\u2028line.", "highlights": "Rain ."})


def test_rows_are_read_in_order(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f'{GOOD}\n\n{{"article": "It rained.", "highlights": "Wet ."}}\n')
    first, second = read_articles(file)
    assert first == Article("One\u2028line.", "Rain .")
    assert second == Article("It rained.", "Wet .")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "row 2: not JSON: "),
        ("[1]", "row 2: a JSON list"),
        ("{}", "row 2: 'article' is missing"),
        ('{"article": 3, "highlights": "b"}', "row 2: 'article' is int"),
        ('{"article": "  ", "highlights": "b"}', "row 2: 'article' is empty"),
        ('{"article": "\\ud800", "highlights": "b"}', "row 2: 'article' "),
        (
            '{"article": "a", "highlights": ["b", 1]}',
            "row 2: 'highlights' is a list of other things",
        ),
        ('{"article": "a"}', "row 2: 'highlights' is missing"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f"{GOOD}\n{row}\n", encoding="utf-8")
    with pytest.raises(CorpusError) as error:
        read_articles(file)
    assert str(error.value).startswith(f"{file}, {message}")


def test_a_file_that_is_missing_too_short_or_binary_is_named(tmp_path: Path) -> None:
    binary, short = tmp_path / "binary.jsonl", tmp_path / "short.jsonl"
    binary.write_bytes(b"\x80\x81")
    short.write_text(GOOD)
    with pytest.raises(CorpusError, match="no.jsonl: no such file"):
        read_articles(tmp_path / "no.jsonl")
    with pytest.raises(CorpusError, match="binary.jsonl: unreadable"):
        read_articles(binary)
    with pytest.raises(CorpusError, match="short.jsonl: 1 rows; at least 2 are needed"):
        read_articles(short, minimum=2)


@pytest.mark.parametrize(("shape", "millions"), [("t5-small", 60.5), ("t5-base", 222.9)])
def test_shapes_have_the_parameters_of_the_published_models(shape: str, millions: float) -> None:
    sizes = random_model(shape, Path("vocabulary")).model_dump(exclude={"kind", "vocabulary"})
    with torch.device("meta"):
        model = T5ForConditionalGeneration(T5Config(vocab_size=32128, **sizes))
    assert round(model.num_parameters() / 1e6, 1) == millions


def run(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        python(f"benchmarks.{name}", *options),
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["evaluation", "ingest", "memory", "overload", "serving", "training"]
)
def test_a_command_ends_with_the_error_and_no_stack_trace(tmp_path: Path, name: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("{}\n")
    done = run(name, "--articles", str(file), "--output", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith(f"error: {file}")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("options", [["--clients", "0"], ["--seconds", "nan"]])
def test_options_that_make_no_sense_are_refused(options: list[str]) -> None:
    done = run("serving", *options)
    assert done.returncode == 2
    assert "is not above 0" in done.stderr
