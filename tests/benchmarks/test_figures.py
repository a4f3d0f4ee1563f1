"""Percentiles, ratios, outcomes and the table, on numbers worked out by hand."""

import json
import math
from pathlib import Path

import pytest

from benchmarks.articles import Article
from benchmarks.client import Answer
from benchmarks.comparison import BASELINE, SERVICE, Measurement, compare
from benchmarks.figures import counts, number, percentile, ratio, table
from benchmarks.load import LoadResult
from benchmarks.overload_report import outcomes
from benchmarks.picture import plot_serving

ARTICLES = [
    Article(article="a", highlights="the cat sat on the mat"),
    Article(article="b", highlights="the dog barked"),
    Article(article="c"),
]


def measured(system: str, latencies: list[float], summaries: dict[int, str]) -> Measurement:
    statuses = {"200": len(latencies), "503": 3}
    load = LoadResult(
        clients=16,
        seconds=10,
        latencies=latencies,
        statuses=statuses,
        unfinished=1,
        summaries=summaries,
    )
    return Measurement(system, load, 512.0)


def test_percentiles_of_known_numbers() -> None:
    values = [float(value) for value in range(1, 102)]
    assert percentile(values, 50) == 51
    assert percentile(values, 95) == 96
    assert percentile(values, 99) == 100
    assert percentile([1.0, 2.0], 50) == 1.5
    assert math.isnan(percentile([], 50))


def test_a_ratio_to_nothing_is_no_number() -> None:
    assert ratio(6, 2) == 3
    assert math.isnan(ratio(6, 0))
    assert math.isnan(ratio(6, float("nan")))


def test_cells() -> None:
    assert number(1.005, 1) == "1.0"
    assert number(float("nan")) == "-"
    assert counts({"429": 2, "timeout": 1}) == "429: 2, timeout: 1"
    assert counts({}) == "0"
    assert table(["a", "b", "c"], [["xx", "10", "yy"], ["x", "9", ""]]) == (
        "a    b  c\nxx  10  yy\nx    9"
    )


def test_the_service_is_compared_with_the_baseline() -> None:
    theirs = measured(BASELINE, [4.0] * 10, {0: "the cat sat on the mat", 2: "x"})
    ours = measured(SERVICE, [1.0] * 50, {0: "a dog", 1: "the dog barked", 2: "y"})
    report = compare([theirs, ours], ARTICLES)
    first, second = report.rows
    assert (first.system, first.requests_per_second, first.p95) == (BASELINE, 1.0, 4.0)
    assert (second.system, second.requests_per_second, second.p95) == (SERVICE, 5.0, 1.0)
    assert second.errors == {"503": 3}
    [comparison] = report.comparisons
    assert comparison.requests_per_second == 5.0
    assert comparison.p95 == 0.25
    assert comparison.articles == 1  # only the first was answered by both and has highlights
    assert first.rouge == pytest.approx({"rouge1": 100, "rouge2": 100, "rougeLsum": 100})
    assert second.rouge == {"rouge1": 0, "rouge2": 0, "rougeLsum": 0}
    assert comparison.rouge_lsum.mean == pytest.approx(-100)
    text = report.text()
    assert "16 clients: 5.00 x requests/s, 0.25 x p95, ROUGE-Lsum -100.0" in text
    assert "503: 3" in text


def test_a_system_that_answered_nothing_is_a_row_without_numbers(tmp_path: Path) -> None:
    report = compare([measured(BASELINE, [2.0], {0: "x"}), measured(SERVICE, [], {})], ARTICLES)
    assert report.text().splitlines()[2].split()[:6] == ["service", "16", "0.00", "-", "-", "-"]
    assert json.loads(report.model_dump_json())["rows"][1]["p95"] is None
    plot_serving(report.rows).savefig(tmp_path / "serving.png")


def test_outcomes_by_status() -> None:
    accepted = [Answer("200", 0.0, float(value)) for value in (1, 2, 3)]
    refused = [Answer("503", 0.0, 0.1, retry_after=wait) for wait in ("1", None)]
    first, second = outcomes([*accepted, *refused])
    assert (first.status, first.answers, first.share, first.p50) == ("200", 3, 0.6, 2.0)
    assert first.p99 == pytest.approx(2.98)
    assert (second.status, second.share, second.retry_after) == ("503", 0.4, 0.5)
