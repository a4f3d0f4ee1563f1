"""The load generators against services whose answers are known."""

import asyncio
import itertools
import time

import pytest
from aiohttp import web

from benchmarks.client import new_session
from benchmarks.load import LoadResult, run_load
from benchmarks.stress import Disconnected, disconnect, send_at_rate
from tests.benchmarks.services import Behaviour, Service, refusing, service, upper_case

ARTICLES = ["first", "second", "third"]


def load(behaviour: Behaviour, **options: float) -> tuple[LoadResult, Service]:
    async def run() -> tuple[LoadResult, Service]:
        async with service(behaviour) as it:
            settings = {"clients": 1, "seconds": 0.4, "warm_up": 0.1, **options}
            return await run_load(it.url, ARTICLES, **settings), it  # type: ignore[arg-type]

    return asyncio.run(run())


def test_clients_each_have_one_request_at_a_time_and_latencies_are_the_services() -> None:
    began = time.perf_counter()
    result, it = load(upper_case(0.05), clients=4)
    assert time.perf_counter() - began < 2
    assert it.most_at_once == 4
    assert all(0.05 <= seconds < 0.5 for seconds in result.latencies)
    assert 4 <= len(result.latencies) <= 4 * 8
    assert result.statuses == {"200": len(result.latencies)}
    assert result.errors == {}
    assert len(result.latencies) < it.asked  # the warm-up is not counted
    assert result.requests_per_second == pytest.approx(len(result.latencies) / result.seconds)


def test_the_first_answer_of_each_article_is_kept() -> None:
    result, _ = load(upper_case(), clients=2)
    assert result.summaries == {0: "FIRST", 1: "SECOND", 2: "THIRD"}


def test_the_order_is_the_seeds() -> None:
    def order(seed: int) -> list[str]:
        asked: list[str] = []

        async def behave(article: str) -> web.Response:
            asked.append(article)
            return await upper_case()(article)

        load(behave, seed=seed, seconds=0.02, warm_up=0.02)
        assert len(asked) >= 6
        return asked[:6]

    assert order(1) == order(1)
    assert sorted(order(1)[:3]) == sorted(ARTICLES)
    assert order(1)[:3] == order(1)[3:]
    assert len({tuple(order(seed)) for seed in range(8)}) > 1


def test_requests_in_flight_at_the_end_are_waited_for_but_not_counted() -> None:
    number = itertools.count()

    async def behave(article: str) -> web.Response:
        return await upper_case(0.0 if next(number) < 2 else 0.6)(article)

    result, it = load(behave, clients=2, seconds=0.2, warm_up=0)
    assert result.unfinished == 2
    assert it.asked == 4
    assert len(result.latencies) <= 2
    assert all(seconds < 0.5 for seconds in result.latencies)


def test_statuses_are_counted_and_only_answers_with_200_have_latencies() -> None:
    number = itertools.count()

    async def behave(article: str) -> web.Response:
        await asyncio.sleep(0.01)
        if next(number) % 2:
            return web.Response(status=429, headers={"Retry-After": "0"})
        return await upper_case()(article)

    result, _ = load(behave)
    assert set(result.statuses) == {"200", "429"}
    assert abs(result.statuses["200"] - result.statuses["429"]) <= 1
    assert result.errors == {"429": result.statuses["429"]}
    assert len(result.latencies) == result.statuses["200"]


@pytest.mark.parametrize("retry_after", ["1", "soon"])
def test_a_refused_client_waits(retry_after: str) -> None:
    result, it = load(refusing(retry_after), seconds=0.5, warm_up=0)
    assert it.asked == 1
    assert result.requests_per_second == 0
    assert result.latency(50) != result.latency(50)  # NaN


def test_answers_that_are_none_have_names() -> None:
    async def empty(_article: str) -> web.Response:
        return web.json_response({"text": "no summary"})

    assert set(load(empty, seconds=1.1, warm_up=0)[0].errors) == {"malformed"}
    assert set(load(upper_case(5), seconds=1.5, warm_up=0, timeout=0.1)[0].errors) == {"timeout"}
    nobody = run_load("http://127.0.0.1:9", ARTICLES, clients=1, seconds=1.1, warm_up=0)
    assert set(asyncio.run(nobody).errors) == {"connection"}


def test_an_open_loop_keeps_its_rate_when_nothing_is_answered() -> None:
    async def run() -> tuple[int, set[str]]:
        async with service(upper_case(0.5)) as it, new_session(5) as session:
            began = time.perf_counter()
            tasks = await send_at_rate(session, it.url, ARTICLES, rate=100, seconds=0.6)
            assert 0.6 <= time.perf_counter() - began < 1.0
            return len(tasks), {answer.status for answer in await asyncio.gather(*tasks)}

    sent, statuses = asyncio.run(run())
    assert 35 <= sent <= 90  # Poisson: 60, standard deviation 8
    assert statuses == {"200"}


def _disconnect(behaviour: Behaviour) -> tuple[Disconnected, Service]:
    async def run() -> tuple[Disconnected, Service]:
        async with service(behaviour) as it:
            return await disconnect(it.url, ARTICLES, requests=8), it

    return asyncio.run(run())


def test_gone_clients_close_their_sockets_and_the_next_is_answered() -> None:
    number, cancelled = itertools.count(), 0

    async def behave(article: str) -> web.Response:
        nonlocal cancelled
        mine = next(number)
        if mine < 8:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                cancelled += 1
                raise
        if mine < 10:
            return await refusing("1")(article)
        return await upper_case()(article)

    result, it = _disconnect(behave)
    assert cancelled == 8
    assert it.asked == 11
    assert result.refusals == 2
    assert result.seconds < 2
