"""What a run prints at its end."""

import io
import subprocess
import sys

import pytest
from rich.console import Console

from pipelines.console import _print_sample
from tests.conftest import ROOT


@pytest.mark.parametrize("row_id", ["https://news.example/[/ferry/0]", "[x]", "[bold]a[/]", "\\[x"])
def test_an_id_with_markup_is_printed_as_it_is(row_id: str) -> None:
    output = io.StringIO()
    row = {
        "id": row_id,
        "article": "It [rained] on 3 May [/x].",
        "extractive_chosen": [0],
        "doubt": None,
        "confidence": 0.9,
        "served": "Rain [/b].",
    }
    _print_sample(Console(file=output, width=200), row)
    printed = output.getvalue()
    assert f"Article {row_id}, its most salient sentences in bold" in printed
    assert "It [rained] on 3 May [/x]." in printed
    assert "Rain [/b]." in printed


@pytest.mark.parametrize(
    ("command", "arguments"), [("run_pipeline", []), ("release.__main__", ["list"])]
)
def test_output_to_a_file_has_no_progress_bars(command: str, arguments: list[str]) -> None:
    code = (
        f"import {command} as command; command.exit_code_of = lambda *_: 0\n"
        f"command.main({arguments})\n"
        "from tqdm.auto import tqdm; print(sum(tqdm(range(9))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("36\n")
    assert "it/s" not in done.stderr
