"""The comparison of the service with the baseline, on numbers worked out by hand."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import serving
from benchmarks.inputs import Article
from benchmarks.load import Answer, Load
from benchmarks.processes import python
from benchmarks.report import format_value
from benchmarks.serving import BASELINE, SERVICE, compare, plot_serving
from highlighter.embedded import CHECKPOINT

ARTICLES = [
    Article("a", "the cat sat on the mat"),
    Article("b", "the dog barked"),
    Article("c", "x"),
]


def load_of(latencies: list[float], summaries: dict[int, str]) -> Load:
    """Answers within ten seconds, three refusals, and the summaries in the warm-up."""

    def answer(
        status: str,
        seconds: float,
        finished: float = 5.0,
        article: int = 0,
        text: str | None = None,
    ) -> Answer:
        return Answer(
            status=status, finished=finished, seconds=seconds, article=article, summary=text,
            retry_after=None,
        )  # fmt: skip

    return Load(
        window=(0, 10),
        answers=[
            *(answer("200", 9.0, -1.0, article, text) for article, text in summaries.items()),
            *(answer("200", seconds) for seconds in latencies),
            *(answer("503", 0.1) for _ in range(3)),
            answer("200", 30.0, finished=10.0),
        ],
    )


def test_the_service_is_compared_with_the_baseline(tmp_path: Path) -> None:
    loads = {
        (BASELINE, 16): load_of([4.0] * 10, {0: "the cat sat on the mat"}),
        (SERVICE, 16): load_of([1.0] * 50, {0: "a dog", 1: "the dog barked"}),
    }
    peaks = {(BASELINE, 16): 400.0, (SERVICE, 16): 500.0}
    (first, second), [sentence] = compare(loads, peaks, ARTICLES)
    assert (first["system"], first["requests/s"], first["p95 s"]) == (BASELINE, 1.0, 4.0)
    assert (second["system"], second["requests/s"], second["p95 s"]) == (SERVICE, 5.0, 1.0)
    assert second["errors"] == {"503": 3}
    # Only the first article was answered by both.
    assert [first[name] for name in ("R-1", "R-2", "R-Lsum")] == pytest.approx([100, 100, 100])
    assert [second[name] for name in ("R-1", "R-2", "R-Lsum")] == [0, 0, 0]
    assert sentence.startswith(
        "service / baseline, 16 clients: 5.00 x requests/s, 0.25 x p95, ROUGE-Lsum -100.0"
    )
    assert sentence.endswith("on 1 articles")
    figure = plot_serving([first, second])
    assert [list(axes.lines[0].get_ydata()) for axes in figure.axes] == [[1.0], [4.0]]


def test_a_system_without_answers_has_a_row_without_numbers() -> None:
    loads = {(BASELINE, 1): load_of([2.0], {0: "x"}), (SERVICE, 1): load_of([], {})}
    (_, row), _ = compare(loads, dict.fromkeys(loads, 1.0), ARTICLES)
    cells = [format_value(row[name]) for name in ("requests/s", "p50 s", "p99 s", "R-1")]
    assert cells == ["0.000", "-", "-", "-"]


def test_the_command_loads_both_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = SimpleNamespace(path=str(CHECKPOINT), tag="made-up:1")
    store = SimpleNamespace(models=SimpleNamespace(get=lambda _: model))
    monkeypatch.setattr(serving, "bentoml", store)
    monkeypatch.setattr(serving, "SERVICE_COMMAND", python("tests.benchmarks.shedding_server"))
    words = ["--clients", "2", "--seconds", "1", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["serving", *words])
    serving.main()
    record = json.loads((tmp_path / "serving.json").read_text())
    first, second = record["rows"]
    assert (first["system"], second["system"], record["model"]) == (BASELINE, SERVICE, "made-up:1")
    assert second["requests/s"] > 5
    assert second["R-1"] > 20  # the stand-in returns the whole article
    assert all(row["peak RSS MB"] > 20 and row["errors"] == {} for row in record["rows"])
    assert (tmp_path / "serving.png").exists()
