"""Clients that send slowly, do not read, or ask too much lose their place, not the others."""

import asyncio
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from serving import shutdown as shutdown_module
from serving.errors import ApiError
from serving.fetch.limits import FetchSlots
from serving.shutdown import Shutdown
from serving.slots import Reservation, Slots
from tests.serving.asgi import Client
from tests.serving.fetch.servers import Server, fetcher_for
from tests.serving.fetch.servers import answer as page_answer
from tests.serving.stand_in import StandIn, make_app

ARTICLE = {"article": "One paragraph of news.\n\nAnother one."}


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await scenario()

    asyncio.run(limited())


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def used_slots(app: FastAPI) -> int:
    used: int = app.state.runtime.handler.slots.used
    return used


def test_streams_that_are_not_read_hold_no_slots_and_end_at_the_deadline() -> None:
    async def scenario() -> None:
        app = make_app(StandIn(), articles_at_once=4, timeout_seconds=1.0)
        idle = [Client(ARTICLE, "/summarize/stream", reads=1) for _ in range(4)]
        tasks = [client.start(app) for client in idle]
        await until(lambda: all(client.status == 200 for client in idle))
        await until(lambda: used_slots(app) == 0)
        other = Client(ARTICLE)
        await other.call(app)
        assert other.status == 200
        assert not any(task.done() for task in tasks)
        await asyncio.gather(*tasks)  # the deadline ends them

    run(scenario)


def test_body_that_does_not_arrive_is_refused_and_holds_no_slot() -> None:
    async def scenario() -> None:
        app = make_app(StandIn(), articles_at_once=1, receive_seconds=0.2)
        slow = [Client(ARTICLE, sends=False) for _ in range(3)]
        tasks = [client.start(app) for client in slow]
        await asyncio.sleep(0.05)
        other = Client(ARTICLE)
        await other.call(app)
        assert other.status == 200
        await asyncio.gather(*tasks)
        assert [(client.status, client.error) for client in slow] == [(408, "body_timeout")] * 3
        assert slow[0].headers["connection"] == "close"

    run(scenario)


def test_client_that_disconnects_while_sending_is_not_answered_with_an_exception() -> None:
    async def scenario() -> None:
        client = Client(ARTICLE, sends=False)
        task = client.start(make_app(StandIn()))
        client.disconnected.set()
        await task
        assert client.status == 499

    run(scenario)


def test_disconnect_stops_the_computation_that_others_wait_for() -> None:
    async def scenario() -> None:
        summarizer = StandIn(seconds=30)
        app = make_app(summarizer)
        for path in ("/summarize", "/summarize/stream"):
            first = Client(ARTICLE, path)
            task = first.start(app)
            await until(lambda: summarizer.used_now)
            summarizer.seconds = 0.0
            second = Client(ARTICLE)
            waiting = second.start(app)
            first.disconnected.set()
            await asyncio.gather(task, waiting)
            assert (first.status, second.status) == (499, 200)
            summarizer.seconds = 30

    run(scenario)


@pytest.mark.parametrize(
    ("addresses", "statuses"),
    [
        (["192.0.2.1"] * 3, [200, 200, 429]),
        (["192.0.2.1", "192.0.2.1", "192.0.2.2"], [200, 200, 200]),
        (["2001:db8::1", "2001:db8::2", "2001:db8::3"], [200, 200, 429]),  # one network
        (["::ffff:192.0.2.1", "::ffff:192.0.2.2", "::ffff:192.0.2.3"], [200, 200, 200]),
        (["::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"], [200, 200, 429]),
        (["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"], [200, 200, 200]),
    ],
)
def test_one_client_cannot_hold_all_slots(addresses: list[str], statuses: list[int]) -> None:
    async def scenario() -> None:
        app = make_app(StandIn(seconds=0.3), articles_at_once=9, articles_per_client=2)
        clients = [Client(ARTICLE, address=address) for address in addresses]
        await asyncio.gather(*(client.call(app) for client in clients))
        assert [client.status for client in clients] == statuses
        assert used_slots(app) == 0

    run(scenario)


def test_clients_that_hold_slots_leave_some_to_one_that_holds_none() -> None:
    slots = Slots(total=32, per_client=24, observe=lambda _: None)

    held: dict[str, list[Reservation]] = {client: [] for client in "abc"}

    def fill(client: str) -> None:
        with suppress(ApiError):
            while True:
                held[client].append(slots.take(client))

    fill("a")
    assert len(held["a"]) == 24  # alone
    for _ in range(24):  # each client sends again as soon as it is answered
        for client, taken in held.items():
            if taken:
                taken.pop().release()
            fill(client)
    assert max(map(len, held.values())) <= 12
    with slots.take("d"):
        pass


def test_slow_pages_of_one_client_leave_fetches_to_others() -> None:
    go_on = threading.Event()

    def wait(connection: socket.socket, _: bytes) -> None:
        go_on.wait(10)
        connection.sendall(page_answer())

    async def scenario() -> None:
        with Server(wait) as slow_server, Server(page_answer()) as server:
            slots = FetchSlots(at_once=3, per_client=2)
            fetcher = fetcher_for(slow_server, server, slots=slots, timeout_seconds=30)
            app = make_app(StandIn(), fetcher=fetcher)
            slow = [Client({"url": slow_server.url()}) for _ in range(4)]
            tasks = [client.start(app) for client in slow]
            other = Client({"url": server.url()}, address="192.0.2.2")
            await other.call(app)
            assert other.status == 200
            assert len(slow_server.requests) == 2
            slow[0].disconnected.set()
            await tasks[0]
            await asyncio.sleep(0.5)
            assert len(slow_server.requests) == 3
            go_on.set()
            await asyncio.gather(*tasks[1:])
            assert [client.status for client in slow] == [499, 200, 200, 200]
            await fetcher.aclose()

    run(scenario)


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Signals that reach the server's handler, which a Shutdown calls last."""
    signals: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: signals.append(number))
    monkeypatch.setattr(shutdown_module.os, "_exit", signals.append)
    monkeypatch.setattr(shutdown_module, "_RESERVE_SECONDS", 4.7)
    yield signals
    signal.signal(signal.SIGTERM, before)


def terminate(app: FastAPI) -> Shutdown:
    ending: Shutdown = app.state.runtime.shutdown
    ending.install()
    signal.raise_signal(signal.SIGTERM)
    return ending


def test_sigterm_finishes_accepted_requests_and_refuses_new_ones(stopped: list[int]) -> None:
    async def scenario() -> None:
        summarizer = StandIn(seconds=0.3)
        app = make_app(summarizer)
        accepted = Client(ARTICLE)
        task = accepted.start(app)
        await until(lambda: summarizer.used_now)
        ending = terminate(app)
        await until(lambda: ending.started)
        late = Client(ARTICLE)
        await late.call(app)
        assert (late.status, late.error) == (503, "shutting_down")
        assert late.headers["retry-after"]
        assert stopped == []
        await task
        assert accepted.status == 200
        await until(lambda: stopped)
        assert stopped == [signal.SIGTERM]

    run(scenario)


def test_sigterm_refuses_what_is_not_done_within_the_limit(stopped: list[int]) -> None:
    async def scenario() -> None:
        summarizer = StandIn(seconds=30)
        app = make_app(summarizer, shutdown_seconds=5.0)
        clients = [
            Client(ARTICLE),
            Client(ARTICLE, "/summarize/stream"),
            Client(ARTICLE, "/summarize/stream", reads=1),
        ]
        tasks = [client.start(app) for client in clients]
        await until(lambda: summarizer.used_now)
        terminate(app)
        await asyncio.gather(*tasks)
        assert [client.status for client in clients] == [503, 503, 503]
        await until(lambda: stopped)

    run(scenario)


def test_sigterm_ends_and_counts_clients_that_do_not_read_or_send(stopped: list[int]) -> None:
    def count(outcome: str, path: str) -> float:
        labels = {"outcome": outcome, "path": path}
        return REGISTRY.get_sample_value("highlighter_requests_total", labels) or 0.0

    async def scenario() -> None:
        app = make_app(StandIn(), shutdown_seconds=5.0)
        unread = Client(ARTICLE, "/summarize/stream", reads=1)
        unsent = Client(ARTICLE, sends=False)
        tasks = [unread.start(app), unsent.start(app)]
        await until(lambda: unread.status == 200)
        terminate(app)
        await until(lambda: stopped)
        await asyncio.gather(*tasks)
        assert (unsent.status, unsent.error) == (503, "shutting_down")
        assert len(unread.sent) == 1

    kinds = [("incomplete", "/summarize/stream"), ("503", "/summarize")]
    before = [count(*kind) for kind in kinds]
    run(scenario)
    assert [count(*kind) for kind in kinds] == [number + 1 for number in before]
