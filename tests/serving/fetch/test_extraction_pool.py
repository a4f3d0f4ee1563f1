"""Worker processes are reused, limited in time and memory, and ended on cancellation."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import psutil
import pytest

from serving.fetch.errors import NoArticleError, PageTooLargeError, UrlTimeoutError
from serving.fetch.extraction import ArticleText
from serving.fetch.extraction_pool import ExtractionPool
from tests.serving.fetch.servers import ARTICLE, CLIENT, PAGE, Server, answer, fetcher_for

# The parser compares each attribute with all others: minutes of work.
SLOW = "<p " + "".join(f"a{number}=b " for number in range(400_000)) + ">text"


def run(test: Callable[[ExtractionPool], Awaitable[None]], **limits: Any) -> None:
    async def with_workers() -> None:
        pool = ExtractionPool(**limits)
        try:
            await test(pool)
        finally:
            await pool.aclose()

    asyncio.run(with_workers())


async def read(pool: ExtractionPool, page: str = PAGE) -> ArticleText:
    article = await pool.read_page(page.encode(), "text/html", [], 5_000_000)
    assert isinstance(article, ArticleText)
    return article


def children() -> set[int]:
    return {process.pid for process in psutil.Process().children()}


def test_a_process_is_started_when_needed_and_reused() -> None:
    async def test(pool: ExtractionPool) -> None:
        before = children()
        for _ in range(3):
            assert (await read(pool)).text == "\n\n".join(ARTICLE)
            with pytest.raises(NoArticleError, match="send the article's text"):
                await read(pool, "<p>Short.</p>")
        assert len(children() - before) == 1
        await pool.aclose()
        assert children() == before

    run(test)


def test_further_pages_wait_for_one_of_two_processes() -> None:
    async def test(pool: ExtractionPool) -> None:
        before = children()
        articles = await asyncio.gather(*(read(pool) for _ in range(5)))
        assert {article.text for article in articles} == {"\n\n".join(ARTICLE)}
        assert len(children() - before) == 2

    run(test)


def test_a_cancelled_extraction_ends_its_process() -> None:
    async def test(pool: ExtractionPool) -> None:
        before = children()
        await read(pool)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await read(pool, SLOW)
        await asyncio.sleep(0.5)
        assert children() == before
        assert (await read(pool)).text == "\n\n".join(ARTICLE)

    run(test)


@pytest.mark.parametrize(
    ("name", "limit", "page"),
    [("cpu_seconds", 0.2, SLOW), ("memory_bytes", 1 << 27, "<p>" + "a b " * 1_200_000)],
    ids=["time", "memory"],
)
def test_a_page_over_a_processs_limits_is_refused(name: str, limit: float, page: str) -> None:
    async def test(pool: ExtractionPool) -> None:
        with pytest.raises(PageTooLargeError, match="time or memory"):
            await read(pool, page)
        assert (await read(pool)).text == "\n\n".join(ARTICLE)

    run(test, **{name: limit})


def test_a_process_that_was_killed_is_replaced() -> None:
    async def test(pool: ExtractionPool) -> None:
        before = children()
        await read(pool)
        for process in children() - before:
            os.kill(process, signal.SIGKILL)
        await asyncio.sleep(0.2)
        assert (await read(pool)).text == "\n\n".join(ARTICLE)

    run(test)


def test_a_failing_extraction_is_reported_with_its_traceback() -> None:
    async def test(pool: ExtractionPool) -> None:
        with pytest.raises(RuntimeError, match="TypeError"):
            await pool.read_page(b"", "text/html", [], "many")  # type: ignore[arg-type]

    run(test)


def test_the_extraction_is_inside_the_time_limit() -> None:
    with Server(answer(SLOW)) as server:
        fetcher = fetcher_for(server, timeout_seconds=2, max_bytes=10_000_000)
        began = time.monotonic()
        with pytest.raises(UrlTimeoutError):
            asyncio.run(fetcher.fetch_article(server.url(), CLIENT))
        assert time.monotonic() - began < 4


def test_processes_end_with_the_process_that_started_them() -> None:
    code = (
        "import asyncio, os, psutil, signal\n"
        "from tests.serving.fetch.test_extraction_pool import ExtractionPool, read\n"
        "async def main():\n"
        "    await read(ExtractionPool())\n"
        "    print(psutil.Process().children()[0].pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())"
    )
    command = [sys.executable, "-c", code]
    killed = subprocess.run(command, check=False, capture_output=True, text=True)
    end = time.monotonic() + 10
    with contextlib.suppress(psutil.NoSuchProcess):
        # Where init reaps no orphans, the process stays as a zombie.
        while psutil.Process(int(killed.stdout)).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < end
            time.sleep(0.05)
