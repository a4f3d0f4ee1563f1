"""What a run prints at its end."""

import io

import pytest
from rich.console import Console

from pipelines.console import _print_sample


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
