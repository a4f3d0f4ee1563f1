"""Articles, shapes and options: what is wrong with them is named, without a stack trace."""

import json
import signal
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from transformers import T5Config, T5ForConditionalGeneration

from benchmarks.command import run_command
from benchmarks.inputs import Article, random_model, read_articles
from highlighter.errors import CorpusError

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


def run(name: str, *options: str) -> int:
    """Run a benchmark's command in this process; return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, *options])
        patch.setattr(signal, "signal", lambda *_: None)  # pytest's handlers stay
        return run_command(import_module(f"benchmarks.{name}").main)


@pytest.mark.parametrize(
    "name", ["evaluation", "ingest", "memory", "overload", "serving", "training"]
)
def test_a_command_ends_with_the_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("{}\n")
    assert run(name, "--articles", str(file), "--output", str(tmp_path)) == 1
    assert capsys.readouterr().err.strip().startswith(f"error: {file}")


@pytest.mark.parametrize("options", [["--clients", "0"], ["--seconds", "nan"]])
def test_options_that_make_no_sense_are_refused(
    capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        run("serving", *options)
    assert end.value.code == 2
    assert "is not above 0" in capsys.readouterr().err
