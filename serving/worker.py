"""Run the model: queued articles share batches, and long ones give way to short ones."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from typing import Protocol

from highlighter.inference.answers import HighlightRequest, Highlights, Reading
from serving.model_lock import ModelLock

StreamItem = Reading | str | Highlights
BATCH_SIZE = 8  # larger batches increase latency and barely increase throughput
_BATCH_CHARACTERS = 50_000  # of several articles: about a second of computation on two cores
_LONG_BYTES = 12_000  # a longer article, in UTF-8, takes several passes to read


class SummarizerLike(Protocol):
    """Methods of `highlighter.inference.summarizer.Summarizer` that a worker calls."""

    def summarize(
        self,
        requests: Sequence[HighlightRequest],
        *,
        batch_size: int,
        cancelled: Callable[[], bool],
        pause: Callable[[], None] | None,
    ) -> list[Highlights]:
        """Return the highlights of each article, in order, or raise if cancelled."""

    def stream(
        self,
        request: HighlightRequest,
        *,
        cancelled: Callable[[], bool],
        pause: Callable[[], None] | None,
    ) -> Generator[StreamItem, None, None]:
        """Yield the paragraphs, the summary's text as it is written, and the highlights."""


class Job:
    """An article of a client in the queue. `done` ends when the model has finished with it."""

    def __init__(self, request: HighlightRequest, client: str, *, streams: bool) -> None:
        self.request = request
        self.client = client
        self.streams = streams
        self.long = len(request.article.encode()) > _LONG_BYTES
        self.done: asyncio.Future[Highlights | None] = asyncio.get_running_loop().create_future()
        self.items: asyncio.Queue[StreamItem | None] = asyncio.Queue()  # None: the end
        self.cancelled = False  # read by the model's thread

    def cancel(self) -> None:
        """Drop the job if it is queued, or stop it unless others of its batch are needed."""
        self.cancelled = True
        self.done.cancel()

    def fail(self, error: Exception) -> None:
        """End the job with an error."""
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # asyncio logs exceptions that nobody has retrieved
        self.items.put_nowait(None)

    def finish(self, highlights: Highlights | None) -> None:
        """End the job with the model's answer; a stream's answer is among its items."""
        if not self.done.done():
            self.done.set_result(highlights)
        self.items.put_nowait(None)


class _Lane:
    """A queue whose jobs run in batches, or one by one if they stream.

    The clients with queued articles take turns, so that nobody waits for all articles of another.
    """

    def __init__(self, batch_size: int) -> None:
        self._batch_size = batch_size
        self._queue: list[Job] = []
        self._turns: dict[str, int] = {}  # number of a client's last batch or stream
        self._turn = 0
        self.task: asyncio.Task[None] | None = None  # runs the jobs while there are any

    def append(self, job: Job) -> None:
        """Add a job to the queue."""
        self._queue.append(job)

    def take(self) -> list[Job]:
        """Remove the next batch or stream from the queue.

        A batch takes articles from behind queued streams, so that it is as full as it can be.
        """
        waiting = [job for job in self._queue if not job.done.done()]
        ahead: Counter[str] = Counter()  # articles of the same client that arrived earlier
        order: list[tuple[int, int, int]] = []
        for arrival, job in enumerate(waiting):
            order.append((ahead[job.client], self._turns.get(job.client, 0), arrival))
            ahead[job.client] += 1
        taken: list[Job] = []
        characters = 0
        for *_, arrival in sorted(order):
            job = waiting[arrival]
            length = len(job.request.article)
            if taken and (job.streams or characters + length > _BATCH_CHARACTERS):
                continue
            taken.append(job)
            characters += length
            if job.streams or len(taken) == self._batch_size:
                break
        self._queue = [job for job in waiting if job not in taken]
        self._turn += 1
        self._turns = {c: turn for c, turn in self._turns.items() if c in ahead}
        self._turns |= {job.client: self._turn for job in taken}
        return taken


class ModelWorker:
    """Queues in front of a summarizer: one for short articles, and one for long ones.

    Each runs one batch or one stream at a time. Between two passes of the model, long articles give
    way to short ones, which wait neither for the end of a long article nor in a batch with it.

    BentoML's adaptive batching is not used: it holds requests back for as long as recent ones
    waited, so that after a minute of overload an idle service took 3.5 s for a 0.2 s request, and
    it computes answers for clients that have disconnected.

    Args:
        summarizer: the loaded model; called from two threads, of which one computes at a time.
        observe_batch: called with the number of articles of each batch.
        batch_size: maximum number of articles in a batch.
    """

    def __init__(
        self,
        summarizer: SummarizerLike,
        observe_batch: Callable[[int], None],
        batch_size: int = BATCH_SIZE,
    ) -> None:
        self._summarizer = summarizer
        self._observe_batch = observe_batch
        self._batch_size = batch_size
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="model")
        self._lock = ModelLock()
        self._short, self._long = _Lane(batch_size), _Lane(batch_size)

    async def summarize(self, request: HighlightRequest, client: str = "") -> Highlights:
        """Return an article's highlights, or raise the error that the model raised for it."""
        job = self.submit(request, client)
        try:
            highlights = await job.done
        finally:
            job.cancel()
        assert highlights is not None
        return highlights

    async def stream(self, job: Job) -> AsyncIterator[StreamItem]:
        """Yield a streaming job's items; ending the iteration cancels the job.

        The model does not wait for the reader: unread items are kept.
        """
        try:
            while (item := await job.items.get()) is not None:
                yield item
            await job.done
        finally:
            job.cancel()

    def submit(self, request: HighlightRequest, client: str = "", *, streams: bool = False) -> Job:
        """Append an article to its queue."""
        job = Job(request, client, streams=streams)
        lane = self._long if job.long else self._short
        lane.append(job)
        if lane.task is None:
            lane.task = asyncio.create_task(self._run(lane))
        return job

    async def _run(self, lane: _Lane) -> None:
        try:
            while jobs := lane.take():
                if jobs[0].streams:
                    await self._stream(jobs[0])
                else:
                    self._observe_batch(len(jobs))
                    await self._summarize(jobs)
        finally:
            lane.task = None

    def _computing(self, job: Job) -> AbstractContextManager[None]:
        return self._lock.long() if job.long else self._lock.short()

    def _pause(self, job: Job) -> Callable[[], None] | None:
        return self._lock.give_way if job.long else None

    async def _summarize(self, jobs: Sequence[Job]) -> None:
        def work() -> list[Highlights]:
            with self._computing(jobs[0]):
                return self._summarizer.summarize(
                    [job.request for job in jobs],
                    batch_size=self._batch_size,
                    cancelled=lambda: all(job.cancelled for job in jobs),
                    pause=self._pause(jobs[0]),
                )

        try:
            answers = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except Exception as error:  # noqa: BLE001 -- reported to each client
            if len(jobs) == 1:
                jobs[0].fail(error)
                return
            for job in jobs:  # one article must not fail the others of its batch
                if not job.done.done():
                    await self._summarize([job])
            return
        for job, highlights in zip(jobs, answers, strict=True):
            job.finish(highlights)

    async def _stream(self, job: Job) -> None:
        loop = asyncio.get_running_loop()

        def work() -> None:
            stream = self._summarizer.stream(
                job.request, cancelled=lambda: job.cancelled, pause=self._pause(job)
            )
            with self._computing(job), closing(stream) as items:
                for item in items:
                    if job.cancelled:
                        return
                    loop.call_soon_threadsafe(job.items.put_nowait, item)

        try:
            await loop.run_in_executor(self._threads, work)
        except Exception as error:  # noqa: BLE001 -- reported to the client
            job.fail(error)
        else:
            job.finish(None)
