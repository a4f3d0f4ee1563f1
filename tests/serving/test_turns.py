"""The model works for one caller at a time: batches and streams, each to its end, in turn."""

import asyncio
import threading
from collections.abc import AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import service
from highlighter.inference.answers import HighlightRequest, Highlights
from highlighter.inference.summarizer import Summarizer
from serving.made_in_thread import made_in_thread
from tests.serving.stand_in import answer


class Counting:
    """Makes numbers when it may, and notes what became of it."""

    def __init__(self, failing: int | None = None) -> None:
        self.may_go_on = threading.Event()
        self.notes: list[str] = []
        self._failing = failing

    def numbers(self) -> Generator[int, None, None]:
        self.notes.append("begun")
        try:
            for number in range(1, 4):
                if number == self._failing:
                    raise RuntimeError("broken")
                yield number
                self.may_go_on.wait(10)
            self.notes.append("done")
        finally:
            self.notes.append("closed")


def run(scenario: Any) -> None:
    with ThreadPoolExecutor(max_workers=1) as thread:
        asyncio.run(scenario(thread))


def test_items_come_as_they_are_made_and_a_slow_reader_holds_nobody_up() -> None:
    counting = Counting()

    async def scenario(thread: ThreadPoolExecutor) -> None:
        items = made_in_thread(thread, asyncio.Lock(), counting.numbers())
        assert await anext(items) == 1
        assert counting.notes == ["begun"]
        counting.may_go_on.set()
        await asyncio.wrap_future(thread.submit(lambda: None))  # whoever comes next
        assert counting.notes == ["begun", "done", "closed"]
        assert [item async for item in items] == [2, 3]

    run(scenario)


def test_who_reads_no_further_ends_the_work() -> None:
    counting = Counting()

    async def scenario(thread: ThreadPoolExecutor) -> None:
        items = made_in_thread(thread, asyncio.Lock(), counting.numbers())
        assert await anext(items) == 1
        await items.aclose()  # type: ignore[attr-defined]
        counting.may_go_on.set()

    run(scenario)
    assert counting.notes == ["begun", "closed"]


def test_who_leaves_the_queue_is_not_worked_for() -> None:
    counting = Counting()

    async def scenario(thread: ThreadPoolExecutor) -> None:
        turn = asyncio.Lock()
        async with turn:
            waiting = asyncio.ensure_future(anext(made_in_thread(thread, turn, counting.numbers())))
            await asyncio.sleep(0.05)
            waiting.cancel()
            await asyncio.wait([waiting])
        assert not turn.locked()

    run(scenario)
    assert counting.notes == []


def test_a_failure_comes_after_what_was_made() -> None:
    counting = Counting(failing=2)
    counting.may_go_on.set()
    got: list[int] = []

    async def scenario(thread: ThreadPoolExecutor) -> None:
        with pytest.raises(RuntimeError, match="broken"):
            async for item in made_in_thread(thread, asyncio.Lock(), counting.numbers()):
                got.append(item)

    run(scenario)
    assert got == [1]


class OneAtATime:
    """A summarizer that is slow and suffers no second caller."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self.crowded = False

    def _work(self) -> None:
        self.crowded |= not self._busy.acquire(blocking=False)

    def summarize(self, articles: list[HighlightRequest], batch_size: int) -> list[Highlights]:
        self._work()
        threading.Event().wait(0.02)
        self._busy.release()
        return [answer(article) for article in articles]

    def stream(self, article: HighlightRequest) -> Generator[str | Highlights, None, None]:
        self._work()
        for word in article.article.split():
            threading.Event().wait(0.01)
            yield word
        yield answer(article)
        self._busy.release()


class Caller:
    """A request whose caller may go."""

    gone = False

    async def is_disconnected(self) -> bool:
        return self.gone


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> OneAtATime:
    summarizer = OneAtATime()
    monkeypatch.setattr(Summarizer, "load", lambda _: summarizer)
    return summarizer


@pytest.fixture
def highlighter(model: OneAtATime, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The service's own class, outside of BentoML."""
    for name in ("memory.keep_freed_memory", "threads.keep_to_usable_cores"):
        monkeypatch.setattr(f"highlighter.{name}", lambda: None)  # the tests go on in this process
    monkeypatch.setattr(service.Highlighter.inner, "champion", SimpleNamespace(path=Path()))
    return service.Highlighter.inner()


def stream(highlighter: Any, article: str, caller: Caller) -> AsyncIterator[str]:
    method = service.Highlighter.inner.stream.func
    lines: AsyncIterator[str] = method(
        highlighter, HighlightRequest(article=article), SimpleNamespace(request=caller)
    )
    return lines


def test_streams_and_batches_take_turns(highlighter: Any, model: OneAtATime) -> None:
    highlight = service.Highlighter.inner.highlight.func

    async def whole(article: str) -> int:
        return len([line async for line in stream(highlighter, article, Caller())])

    async def scenario() -> None:
        context = SimpleNamespace(request=Caller())
        batches = [
            highlight(highlighter, HighlightRequest(article="One."), context) for _ in range(9)
        ]
        streams = [whole("The first of them."), whole("And another.")]
        results = await asyncio.gather(*batches, *streams)
        assert results[9:] == [5, 3]

    asyncio.run(scenario())
    assert not model.crowded


def test_a_stream_ends_when_its_caller_has_gone(highlighter: Any) -> None:
    async def scenario() -> None:
        caller = Caller()
        async with highlighter._turn:
            lines = asyncio.ensure_future(anext(stream(highlighter, "News.", caller), None))
            await asyncio.sleep(0.05)
            caller.gone = True
            assert await asyncio.wait_for(lines, 5) is None

    asyncio.run(scenario())
