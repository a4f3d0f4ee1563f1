"""The whole stress, on a service that is known to shed, to recover and to end in order."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.overload import overload
from benchmarks.overload_report import Overload
from benchmarks.processes import python, serve
from benchmarks.soak import soak

ARTICLES = ["one", "two"]
SERVER = python("tests.benchmarks.shedding_server")


@pytest.fixture(scope="module")
def stressed(tmp_path_factory: pytest.TempPathFactory) -> Overload:
    with serve(SERVER, tmp_path_factory.mktemp("overload") / "log") as server:
        return asyncio.run(overload(server, ARTICLES, 1.0, measure=0.3, rest=0.1))


def test_what_is_too_much_is_counted_as_refused(stressed: Overload) -> None:
    assert 10 < stressed.capacity < 100  # two at a time, 20 ms each
    assert 5 < stressed.offered / stressed.capacity < 15
    accepted, refused = stressed.outcomes
    assert (accepted.status, refused.status) == ("200", "503")
    assert accepted.share + refused.share == pytest.approx(1)
    assert 0.02 < accepted.share < 0.5
    assert 0.02 < accepted.p50 <= accepted.p99
    assert refused.p50 < accepted.p50
    assert (accepted.retry_after, refused.retry_after) == (0, 1)


def test_it_recovers_and_frees_the_places_of_gone_clients(stressed: Overload) -> None:
    assert stressed.recovery.first_status == "200"
    assert 0.02 < stressed.recovery.p50_before < 1
    assert 0.02 < stressed.recovery.p50_after < 1
    assert stressed.recovery.errors_after == {}
    assert stressed.disconnected.requests == 32
    assert stressed.disconnected.seconds < 3


def test_requests_at_sigterm_are_followed_to_their_end(stressed: Overload) -> None:
    assert stressed.terminated.exit_code == 0
    assert set(stressed.terminated.statuses) == {"200"}
    assert 0 < stressed.terminated.statuses["200"] <= 8


def test_the_report_has_a_line_for_each_question(stressed: Overload) -> None:
    text = stressed.text()
    for word in ("200 ", "503 ", "capacity", "RSS", "one client", "gone clients", "SIGTERM"):
        assert f"\n{word}" in text
    assert Overload.model_validate_json(stressed.model_dump_json()) == stressed


def test_a_soak_reports_memory_over_time(tmp_path: Path) -> None:
    with serve(SERVER, tmp_path / "log") as server:
        result = asyncio.run(soak(server, ARTICLES, minutes=0.02, clients=4))
    assert result.requests_per_second > 5
    assert result.errors == {}
    assert len(result.rss) >= 2
    assert "4 clients" in result.text()
