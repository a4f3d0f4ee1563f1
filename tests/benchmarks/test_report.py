"""The table and its numbers."""

import json
import math
from pathlib import Path

import pytest

from benchmarks.report import describe_machine, format_value, percentile, ratio, report


def test_cells_have_about_three_significant_digits() -> None:
    values = [1234.5, 45.67, 3.14159, 0.0123, math.nan, None, 7, "name"]
    assert [format_value(value) for value in values] == [
        "1234", "45.7", "3.14", "0.012", "-", "-", "7", "name",
    ]  # fmt: skip
    assert format_value({"429": 2, "timeout": 1}) == "429: 2, timeout: 1"
    assert format_value({}) == "0"


def test_percentiles_and_ratios_of_known_numbers() -> None:
    values = [float(value) for value in range(1, 102)]
    assert [percentile(values, percent) for percent in (50, 95, 99)] == [51, 96, 100]
    assert percentile([1.0, 2.0], 50) == 1.5
    assert math.isnan(percentile([], 50))
    assert ratio(6, 2) == 3
    assert math.isnan(ratio(6, 0))
    assert math.isnan(ratio(6, math.nan))


def test_a_report_prints_all_columns_and_stores_the_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = {f"column {number}": 100.0 + number for number in range(14)}
    report("made_up", [{"": "first"}, {"": "second", **columns}], tmp_path, seconds=3)
    machine, header, first, second = capsys.readouterr().out.splitlines()
    assert machine == describe_machine()
    assert " ".join(header.split()) == " ".join(columns)
    assert first.split() == ["first", *["-"] * 14]
    assert second.split() == ["second", *(str(100 + number) for number in range(14))]
    stored = json.loads((tmp_path / "made_up.json").read_text())
    assert stored["machine"] == machine
    assert stored["seconds"] == 3
    assert stored["rows"] == [{"": "first"}, {"": "second", **columns}]
