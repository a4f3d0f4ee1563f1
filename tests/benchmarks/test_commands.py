"""The commands' input: what is wrong with it, where, and no stack trace."""

import json
import subprocess
from pathlib import Path

import pytest

from benchmarks.articles import read_articles
from benchmarks.processes import python
from highlighter.errors import CorpusError
from tests.conftest import ROOT

GOOD = json.dumps({"id": 7, "article": "It rained.", "highlights": "Rain ."})


def test_rows_are_read_with_and_without_highlights(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f'{GOOD}\n\n{{"article": "One\\u2028line."}}\n', encoding="utf-8")
    first, second = read_articles(file)
    assert (first.article, first.highlights) == ("It rained.", "Rain .")
    assert (second.article, second.highlights) == ("One\u2028line.", None)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "row 2: not JSON: "),
        ("[1]", "row 2: 'row': "),
        ("{}", "row 2: 'article': Field required"),
        ('{"article": 3}', "row 2: 'article': Input should be a valid string"),
        ('{"article": "  "}', "row 2: 'article': "),
        ('{"article": "\\ud800"}', "row 2: 'article': "),
        ('{"article": "a", "highlights": ["b"]}', "row 2: 'highlights': "),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f"{GOOD}\n{row}\n", encoding="utf-8")
    with pytest.raises(CorpusError) as error:
        read_articles(file)
    assert str(error.value).startswith(f"{file}, {message}")


def test_a_file_that_is_missing_empty_or_no_text_is_named(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty.jsonl", tmp_path / "binary.jsonl"
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe")
    for file, message in ((tmp_path / "no.jsonl", "unreadable"), (binary, "unreadable")):
        with pytest.raises(CorpusError, match=f"{file.name}: {message}"):
            read_articles(file)
    with pytest.raises(CorpusError, match=r"empty\.jsonl: no rows"):
        read_articles(empty)


@pytest.mark.parametrize("command", ["evaluation", "load", "overload", "serving"])
def test_a_command_ends_with_the_error_and_no_stack_trace(tmp_path: Path, command: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("{}\n")
    options = ["--url", "http://127.0.0.1:9"] if command == "load" else ["--output", str(tmp_path)]
    done = subprocess.run(
        python(f"benchmarks.{command}", "--articles", str(file), *options),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith(f"error: {file}, row 1: 'article'")
    assert "Traceback" not in done.stderr


def test_options_that_make_no_sense_are_refused() -> None:
    for options in (["--clients", "0"], ["--seconds", "nan"]):
        done = subprocess.run(
            python("benchmarks.load", "--url", "x", "--articles", "x", *options),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2
        assert "is not above 0" in done.stderr
