"""The overload and soak benchmarks on a service that sheds load, recovers and ends in order."""

import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.overload import memory_growth, overload, soak
from benchmarks.processes import python, serve

ARTICLES = ["one", "two"]
SERVER = python("tests.benchmarks.shedding_server")
Result = tuple[list[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def stressed(tmp_path_factory: pytest.TempPathFactory) -> Result:
    with serve(SERVER, tmp_path_factory.mktemp("overload") / "log") as server:
        return overload(server, ARTICLES, 1.0, measure_s=0.5)


def test_refused_requests_are_counted_apart_from_answers(stressed: Result) -> None:
    rows, facts = stressed
    assert 5 < facts["capacity, requests/s"] <= 100  # two at a time, 20 ms each
    assert facts["offered, requests/s"] > 3 * facts["capacity, requests/s"]
    accepted, refused = rows
    assert (accepted["status"], refused["status"]) == ("200", "503")
    assert accepted["% of all"] + refused["% of all"] == pytest.approx(100)
    assert 1 < accepted["% of all"] < 60
    assert 0.02 < accepted["p50 s"] <= accepted["p99 s"]
    assert (accepted["% with Retry-After"], refused["% with Retry-After"]) == (0, 100)


def test_recovery_and_disconnects_are_measured(stressed: Result) -> None:
    facts = stressed[1]
    assert 0.02 < facts["one client's p50 s before"] < 1
    assert 0.02 < facts["one client's p50 s after"] < 1
    assert facts["one client's errors after"] == {}
    assert 0 < facts["seconds until an answer after 32 disconnects"] < 5
    assert 0 < facts["RSS MB at the start"] <= facts["RSS MB at most"]


def test_requests_in_flight_at_sigterm_are_followed_to_their_end(stressed: Result) -> None:
    facts = stressed[1]
    assert set(facts["answers at SIGTERM"]) <= {"200", "ConnectError"}
    assert sum(facts["answers at SIGTERM"].values()) == 8
    assert facts["exit code"] in {0, -15}
    assert facts["seconds until exit"] < 10


def test_a_soak_reports_the_load_and_the_memory(tmp_path: Path) -> None:
    with serve(SERVER, tmp_path / "log") as server:
        [row], facts = soak(server, ARTICLES, minutes=0.02)
    assert row["requests/s"] > 5
    assert set(row["errors"]) <= {"503"}
    assert row["clients"] == 16
    assert 0 < facts["RSS MB at the start"] <= facts["RSS MB at most"]


def test_growth_leaves_the_first_seconds_out() -> None:
    settling = [(float(second), 100.0 + 50 * second) for second in range(10)]
    steady = [(float(second), 600.0 + second / 60) for second in range(10, 100)]
    assert memory_growth(settling + steady, skip_s=10) == pytest.approx(1.0)
    assert memory_growth(settling + steady, skip_s=0) > 10
    assert math.isnan(memory_growth(steady[:1], skip_s=0))
