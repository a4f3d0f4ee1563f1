"""The load generator against services whose answers are known."""

import asyncio

import pytest
from fastapi import Response

from benchmarks.load import Load, run_load
from tests.benchmarks.services import Behavior, Service, capitals_after, serving, summary_of

ARTICLES = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]


def load(behavior: Behavior, **options: float) -> tuple[Load, Service]:
    settings = {"clients": 1, "seconds": 0.5, "warm_up": 0.0, **options}
    with serving(behavior) as (service, url):
        return run_load(url, ARTICLES, **settings), service  # type: ignore[arg-type]


def test_clients_send_one_request_at_a_time_and_the_warm_up_is_not_counted() -> None:
    result, service = load(capitals_after(0.05), clients=4, seconds=1.0, warm_up=0.5)
    latencies = [answer.seconds for answer in result.counted]
    assert service.most_at_once == 4
    assert all(seconds >= 0.05 for seconds in latencies)
    assert 4 <= len(latencies) <= 4 * 20  # 20 per client take the whole second
    assert {answer.status for answer in result.counted} == {"200"}
    assert result.errors == {}
    assert len(latencies) < len(service.articles)
    seconds = result.window[1] - result.window[0]
    assert 1.0 <= seconds < 2.0
    assert result.requests_per_second == pytest.approx(len(latencies) / seconds)
    assert result.latency(0) == min(latencies)
    assert result.summaries == {i: text.upper() for i, text in enumerate(ARTICLES)}


def test_the_seed_determines_the_order_of_the_articles() -> None:
    def order(seed: int) -> list[str]:
        return load(capitals_after(), seed=seed, seconds=1.5)[1].articles[:10]

    first = order(1)
    assert sorted(first[:8]) == sorted(ARTICLES)
    assert first[8:] == first[:2]
    assert order(1) == first != order(2)


def test_requests_in_flight_at_the_end_are_waited_for_but_not_counted() -> None:
    async def behave(article: str, number: int) -> Response:
        await asyncio.sleep(0.0 if number < 2 else 2.0)
        return summary_of(article)

    result, service = load(behave, clients=2)
    assert len(service.articles) == len(result.answers) == 4
    assert all(answer.seconds < 1.5 for answer in result.counted)
    assert sum(answer.seconds >= 2.0 for answer in result.answers) == 2


def test_each_kind_of_failure_is_counted_under_its_name() -> None:
    async def behave(article: str, number: int) -> Response:
        if number == 1:
            return Response(status_code=429, headers={"Retry-After": "0"})
        if number == 2:
            return Response('{"text": "no summary"}')
        if number == 3:
            await asyncio.sleep(5)
        return summary_of(article)

    result, _ = load(behave, seconds=5, timeout=1.0)
    statuses = [answer.status for answer in result.answers]
    assert statuses[:4] == ["200", "429", "malformed", "timeout"]
    assert set(statuses[4:]) == {"200"}
    # The window starts after the first answer; the refusal may have come before that.
    assert result.errors.keys() - {"429"} == {"malformed", "timeout"}
    assert result.latency(100) < 1
    unreachable = run_load("http://127.0.0.1:9", ARTICLES, seconds=0.5, warm_up=0.5)
    assert set(unreachable.errors | {"connection": 0}) == {"connection"}
    assert {answer.status for answer in unreachable.answers} == {"connection"}
    assert unreachable.requests_per_second == 0
    assert unreachable.latency(50) != unreachable.latency(50)  # NaN


@pytest.mark.parametrize("retry_after", ["9", "soon"])
def test_a_refused_client_waits(retry_after: str) -> None:
    async def refuse(_article: str, _number: int) -> Response:
        return Response(status_code=503, headers={"Retry-After": retry_after})

    result, service = load(refuse)
    assert len(service.articles) == 1
    assert [answer.retry_after for answer in result.answers] == [retry_after]


def test_requests_arrive_at_their_rate_when_none_is_answered() -> None:
    result, service = load(capitals_after(3.0), rate=50, seconds=2)
    assert 60 <= len(result.answers) <= 140  # Poisson: 100, standard deviation 10
    assert service.most_at_once == len(result.answers)
    assert {answer.status for answer in result.answers} == {"200"}
    assert result.counted == []
