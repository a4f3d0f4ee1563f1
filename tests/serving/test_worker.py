"""The worker batches queued articles, runs streams in turn, and drops cancelled jobs."""

import asyncio
import threading
from collections.abc import Callable, Generator, Sequence

import pytest

from highlighter.inference.answers import HighlightRequest, Highlights
from serving.worker import Job, ModelWorker, StreamItem
from tests.serving.stand_in import StandIn, answer


class Controlled:
    """A summarizer that records its work and continues when the test allows it."""

    def __init__(self, failing: str | None = None) -> None:
        self.batches: list[list[str]] = []
        self.streamed: list[str] = []
        self.may_continue = threading.Event()
        self._failing = failing

    def summarize(
        self,
        requests: Sequence[HighlightRequest],
        *,
        batch_size: int,
        cancelled: Callable[[], bool],
        pause: Callable[[], None] | None,
    ) -> list[Highlights]:
        articles = [request.article for request in requests]
        self.batches.append(articles)
        self.may_continue.wait(10)
        if self._failing in articles:
            raise RuntimeError("broken")
        return [answer(request) for request in requests]

    def stream(
        self,
        request: HighlightRequest,
        *,
        cancelled: Callable[[], bool],
        pause: Callable[[], None] | None,
    ) -> Generator[StreamItem, None, None]:
        self.streamed.append("started")
        try:
            for word in request.article.split():
                if word == self._failing:
                    raise RuntimeError("broken")
                yield word
                self.may_continue.wait(10)
            self.streamed.append("finished")
        finally:
            self.streamed.append("closed")


def request(article: object) -> HighlightRequest:
    return HighlightRequest(article=str(article))


def ask(worker: ModelWorker, numbers: range) -> list[asyncio.Task[Highlights]]:
    return [asyncio.create_task(worker.summarize(request(number))) for number in numbers]


async def summaries(tasks: Sequence[asyncio.Task[Highlights]]) -> list[str]:
    return [highlights.summary for highlights in await asyncio.gather(*tasks)]


async def until(condition: object) -> None:
    """Wait until the other thread has made the condition (a callable) true."""
    assert callable(condition)
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def new_worker(model: Controlled, sizes: list[int] | None = None, batch: int = 4) -> ModelWorker:
    observe = (lambda _: None) if sizes is None else sizes.append
    return ModelWorker(model, observe, batch)


def test_idle_model_starts_at_once_and_a_busy_one_batches_what_arrived_meanwhile() -> None:
    async def run() -> None:
        model, sizes = Controlled(), list[int]()
        worker = new_worker(model, sizes)
        tasks = ask(worker, range(1))
        await until(lambda: model.batches == [["0"]])
        tasks += ask(worker, range(1, 8))
        await asyncio.sleep(0.05)
        assert model.batches == [["0"]]
        model.may_continue.set()
        assert await summaries(tasks) == [str(number) for number in range(8)]
        assert model.batches == [["0"], ["1", "2", "3", "4"], ["5", "6", "7"]]
        assert sizes == [1, 4, 3]
        assert await summaries(ask(worker, range(9, 10))) == ["9"]  # after the queue was empty

    asyncio.run(run())


def test_articles_that_arrive_during_a_stream_share_the_next_batch() -> None:
    async def run() -> None:
        model = Controlled()
        worker = new_worker(model)
        items = worker.stream(worker.submit(request("a"), streams=True))
        assert await anext(items) == "a"
        tasks = ask(worker, range(2))
        await asyncio.sleep(0.01)
        tasks += ask(worker, range(2, 4))
        await asyncio.sleep(0.05)
        assert model.batches == []
        model.may_continue.set()
        assert len(await summaries(tasks)) == 4
        assert model.batches == [["0", "1", "2", "3"]]

    asyncio.run(run())


def test_cancelled_articles_are_left_out_of_the_next_batch() -> None:
    async def run() -> None:
        model = Controlled()
        worker = new_worker(model)
        tasks = ask(worker, range(4))
        await until(lambda: model.batches)
        tasks += ask(worker, range(4, 7))
        await asyncio.sleep(0.01)
        tasks[0].cancel()  # in progress
        tasks[4].cancel()  # queued
        await asyncio.sleep(0.01)
        model.may_continue.set()
        assert await summaries([*tasks[1:4], *tasks[5:]]) == ["1", "2", "3", "5", "6"]
        assert model.batches == [["0", "1", "2", "3"], ["5", "6"]]

    asyncio.run(run())


def test_batch_is_stopped_when_all_its_clients_have_disconnected() -> None:
    async def run() -> None:
        summarizer = StandIn(seconds=30)
        worker = ModelWorker(summarizer, lambda _: None)
        tasks = [asyncio.create_task(worker.summarize(request(n))) for n in range(2)]
        await until(lambda: summarizer.batches)
        tasks[0].cancel()
        await asyncio.sleep(0.05)
        assert summarizer.used_now  # for the other client
        tasks[1].cancel()
        await until(lambda: not summarizer.used_now)
        summarizer.seconds = 0
        assert (await worker.summarize(request("next"))).summary == "next"
        assert summarizer.finished == 1

    asyncio.run(run())


def test_clients_take_turns_however_many_articles_each_has_queued() -> None:
    async def run() -> None:
        model = Controlled()
        worker = new_worker(model, batch=1)
        first = [asyncio.create_task(worker.summarize(request(f"a{n}"), "a")) for n in range(4)]
        await until(lambda: model.batches)
        others = [worker.summarize(request(c), c) for c in ("b", "c")]
        second = [asyncio.create_task(work) for work in others]
        await asyncio.sleep(0.01)
        model.may_continue.set()
        await summaries([*first, *second])
        assert [batch[0] for batch in model.batches] == ["a0", "b", "c", "a1", "a2", "a3"]

    asyncio.run(run())


def test_long_articles_are_not_batched_together() -> None:
    async def run() -> None:
        model = Controlled()
        model.may_continue.set()
        worker = new_worker(model)
        lengths = [40_000, 40_000, 5_000, 60_000]
        tasks = [asyncio.create_task(worker.summarize(request("a" * n))) for n in lengths]
        await summaries(tasks)
        assert [[len(article) for article in batch] for batch in model.batches] == [
            [40_000],
            [5_000],
            [40_000],
            [60_000],
        ]

    asyncio.run(run())


LONG = "A long article. " * 1000


@pytest.mark.parametrize("streams", [False, True])
def test_a_short_article_does_not_wait_for_a_long_one(streams: bool) -> None:
    async def run() -> None:
        summarizer = StandIn(seconds=0.01, long_seconds=30)
        worker = ModelWorker(summarizer, lambda _: None)
        jobs = [worker.submit(request(LONG + str(n)), "a", streams=streams) for n in range(3)]
        await until(lambda: summarizer.batches)
        for n in range(3):
            assert (await worker.summarize(request(n), "b")).summary == str(n)
        short = worker.submit(request("3"), "b", streams=True)
        assert [item async for item in worker.stream(short)][-1]
        assert not any(job.done.done() for job in jobs)
        assert not summarizer.used_by_two
        for job in jobs:
            job.cancel()

    asyncio.run(run())


def test_long_articles_end_while_short_ones_arrive_without_pause() -> None:
    async def run() -> None:
        summarizer = StandIn(seconds=0.02, long_seconds=0.3)
        worker = ModelWorker(summarizer, lambda _: None)
        ended = asyncio.Event()

        async def keep_busy() -> int:
            count = 0
            while not ended.is_set():
                await worker.summarize(request(count), "b")
                count += 1
            return count

        clients = [asyncio.create_task(keep_busy()) for _ in range(3)]
        async with asyncio.timeout(5):
            await asyncio.gather(*(worker.summarize(request(LONG), "a") for _ in range(2)))
        ended.set()
        assert min(await asyncio.gather(*clients)) > 0
        assert not summarizer.used_by_two

    asyncio.run(run())


def test_an_article_is_long_by_its_bytes() -> None:
    async def run() -> None:
        worker = new_worker(Controlled())
        jobs = [worker.submit(request(c * 6000)) for c in ("a", "\U0001f642")]
        assert [job.long for job in jobs] == [False, True]
        for job in jobs:
            job.cancel()

    asyncio.run(run())


def test_failure_reaches_only_the_article_that_caused_it() -> None:
    async def run() -> None:
        model = Controlled(failing="2")
        model.may_continue.set()
        tasks = ask(new_worker(model), range(4))
        results = await asyncio.gather(*tasks, return_exceptions=True)
        failed = results.pop(2)
        assert isinstance(failed, RuntimeError)
        assert [r.summary for r in results if isinstance(r, Highlights)] == ["0", "1", "3"]
        assert model.batches == [["0", "1", "2", "3"], ["0"], ["1"], ["2"], ["3"]]

    asyncio.run(run())


def test_stream_yields_items_as_they_are_made_and_does_not_wait_for_its_reader() -> None:
    async def run() -> None:
        model = Controlled()
        worker = new_worker(model)
        job = worker.submit(request("1 2 3"), streams=True)
        items = worker.stream(job)
        assert await anext(items) == "1"
        assert model.streamed == ["started"]
        model.may_continue.set()
        await until(job.done.done)
        assert model.streamed == ["started", "finished", "closed"]
        assert [item async for item in items] == ["2", "3"]

    asyncio.run(run())


def test_stream_stops_when_its_reader_stops() -> None:
    async def run() -> None:
        model = Controlled()
        worker = new_worker(model)
        items = worker.stream(worker.submit(request("1 2 3"), streams=True))
        assert await anext(items) == "1"
        await items.aclose()  # type: ignore[attr-defined]
        model.may_continue.set()
        await until(lambda: "closed" in model.streamed)
        assert model.streamed == ["started", "closed"]

    asyncio.run(run())


def test_stream_that_is_cancelled_in_the_queue_never_starts() -> None:
    async def run() -> None:
        model = Controlled()
        worker = new_worker(model)
        tasks = ask(worker, range(1))
        await until(lambda: model.batches)
        job = worker.submit(request("1"), streams=True)
        reading = asyncio.ensure_future(anext(worker.stream(job)))
        await asyncio.sleep(0.01)
        reading.cancel()
        await asyncio.wait([reading])
        model.may_continue.set()
        assert await summaries(tasks) == ["0"]
        assert await summaries(ask(worker, range(1, 2))) == ["1"]
        assert model.streamed == []

    asyncio.run(run())


def test_stream_raises_the_models_error_after_the_items_before_it() -> None:
    async def run() -> list[StreamItem]:
        model = Controlled(failing="2")
        model.may_continue.set()
        worker = new_worker(model)
        got: list[StreamItem] = []
        with pytest.raises(RuntimeError, match="broken"):
            async for item in worker.stream(worker.submit(request("1 2"), streams=True)):
                got.append(item)
        return got

    assert asyncio.run(run()) == ["1"]


def test_batches_and_streams_never_overlap() -> None:
    async def run() -> None:
        summarizer = StandIn(seconds=0.02, pause=0.02)
        worker = ModelWorker(summarizer, lambda _: None)

        async def count_items(job: Job) -> int:
            return len([item async for item in worker.stream(job)])

        tasks = ask(worker, range(9))
        streams = [
            count_items(worker.submit(request(text), streams=True))
            for text in ("The first of them.", "And another.")
        ]
        assert await asyncio.gather(*streams) == [6, 4]
        assert len(await summaries(tasks)) == 9
        assert not summarizer.used_by_two

    asyncio.run(run())
