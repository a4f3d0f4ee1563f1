"""What a service meets at its worst: too many requests, clients that go away, SIGTERM."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence

import aiohttp
from pydantic import BaseModel

from benchmarks.client import Answer, ask, new_session
from benchmarks.processes import Server

TIMEOUT = 120.0  # seconds a client waits for its answer

_EXIT_TIMEOUT = 60.0


class Disconnected(BaseModel):
    """How soon, in seconds, a client was answered with 200 after many others had gone away."""

    requests: int
    refusals: int
    seconds: float


class Terminated(BaseModel):
    """How requests that were on their way at SIGTERM ended, and how the server did.

    `seconds` from SIGTERM to its exit; `exit_code` is None if it did not exit within a minute.
    """

    statuses: dict[str, int]
    seconds: float
    exit_code: int | None


async def send_at_rate(
    session: aiohttp.ClientSession,
    url: str,
    articles: Sequence[str],
    *,
    rate: float,
    seconds: float,
    seed: int = 0,
) -> list[asyncio.Task[Answer]]:
    """Open loop: `rate` requests a second (Poisson arrivals), whatever becomes of those before.

    Returns once the last is sent.
    """
    draw = random.Random(seed)
    tasks = []
    start = due = time.perf_counter()
    while (due := due + draw.expovariate(rate)) < start + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(ask(session, url, draw.choice(articles))))
    await asyncio.sleep(max(0.0, start + seconds - time.perf_counter()))
    return tasks


async def disconnect(
    url: str, articles: Sequence[str], *, requests: int = 32, after: float = 0.05
) -> Disconnected:
    """Send requests, close their sockets `after` seconds, then ask until there is an answer."""
    async with new_session(TIMEOUT) as session:
        tasks = _send(session, url, articles, requests)
        await asyncio.sleep(after)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    start, refusals = time.perf_counter(), 0
    async with new_session(TIMEOUT) as session:
        while time.perf_counter() < start + TIMEOUT:
            if (await ask(session, url, articles[0])).status == "200":
                break
            refusals += 1
            await asyncio.sleep(0.05)
    return Disconnected(requests=requests, refusals=refusals, seconds=time.perf_counter() - start)


async def terminate(
    server: Server, articles: Sequence[str], *, requests: int, after: float
) -> Terminated:
    """Send requests, send the server SIGTERM `after` seconds, and wait for the answers and it."""
    async with new_session(TIMEOUT) as session:
        tasks = _send(session, server.url, articles, requests)
        await asyncio.sleep(after)
        start = time.perf_counter()
        running = [task for task in tasks if not task.done()]
        server.process.terminate()
        answers = await asyncio.gather(*running)
        while server.process.poll() is None and time.perf_counter() < start + _EXIT_TIMEOUT:
            await asyncio.sleep(0.05)
    return Terminated(
        statuses=Counter(answer.status for answer in answers),
        seconds=time.perf_counter() - start,
        exit_code=server.process.poll(),
    )


def _send(
    session: aiohttp.ClientSession, url: str, articles: Sequence[str], requests: int
) -> list[asyncio.Task[Answer]]:
    return [
        asyncio.create_task(ask(session, url, articles[number % len(articles)]))
        for number in range(requests)
    ]
