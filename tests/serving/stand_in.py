"""The real application around a stand-in for the summarizer, which tests control."""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from highlighter.inference.answers import (
    Counts,
    HighlightRequest,
    Highlights,
    Paragraph,
    Reading,
    Truncated,
)
from highlighter.inference.interruption import ComputationCancelledError
from highlighter.model.checkpoint import EvaluationSummary
from serving.app import build_app
from serving.endpoints import Runtime
from serving.fetch.errors import WebError
from serving.fetch.fetcher import ArticleFetcher, WebArticle
from serving.handler import RequestHandler
from serving.metrics import metrics
from serving.schemas import ModelCard, ServedModel
from serving.settings import LimitSettings, ServingSettings
from serving.shutdown import Shutdown
from serving.worker import ModelWorker, StreamItem

SERVED = ServedModel(tag="news-highlighter:abc", version="7", mlflow_run_id="run")
CARD = ModelCard(
    **SERVED.model_dump(),
    created="2026-01-01T00:00:00+00:00",
    zenml_run="run",
    data_fingerprint="data",
    git_commit="commit",
    parameters=10,
    engine="torch",
    evaluation=EvaluationSummary(rows=1, test_fingerprint="test", scores=[], faithfulness=[]),
)


@dataclass
class StandIn:
    """A summarizer whose answers depend on the article's text only.

    Args:
        seconds: duration of a batch, or of a stream until its first item.
        long_seconds: the same for articles that have to give way to others.
        pause: duration between a stream's first and second item.
        failure: raised for the article `failing`, or for every article if that is None.
    """

    seconds: float = 0.0
    long_seconds: float = 0.0
    pause: float = 0.0
    failure: Exception | None = None
    failing: str | None = None
    batches: list[list[HighlightRequest]] = field(default_factory=list)
    finished: int = 0
    used_by_two: bool = False
    _in_use: threading.Lock = field(default_factory=threading.Lock)

    @property
    def asked(self) -> list[HighlightRequest]:
        return [request for batch in self.batches for request in batch]

    def summarize(
        self,
        requests: Sequence[HighlightRequest],
        *,
        batch_size: int,
        cancelled: Callable[[], bool],
        pause: Callable[[], None] | None,
    ) -> list[Highlights]:
        assert len(requests) <= batch_size
        self._acquire()
        try:
            return self._answers(requests, cancelled, pause)
        finally:
            self._in_use.release()

    def stream(
        self,
        request: HighlightRequest,
        *,
        cancelled: Callable[[], bool],
        pause: Callable[[], None] | None,
    ) -> Generator[StreamItem, None, None]:
        self._acquire()
        try:
            [highlights] = self._answers([request], cancelled, pause)
            yield Reading(**highlights.model_dump(include={"paragraphs", "counts"}))
            self._work(self.pause, cancelled, pause)
            yield from highlights.summary.split()
            yield highlights
        finally:
            self._in_use.release()

    @property
    def used_now(self) -> bool:
        return self._in_use.locked()

    def _acquire(self) -> None:
        if not self._in_use.acquire(blocking=False):
            self.used_by_two = True
            self._in_use.acquire()

    def _answers(
        self,
        requests: Sequence[HighlightRequest],
        cancelled: Callable[[], bool],
        pause: Callable[[], None] | None,
    ) -> list[Highlights]:
        self.batches.append(list(requests))
        self._work(self.long_seconds if pause else self.seconds, cancelled, pause)
        if self.failure and (
            self.failing is None or self.failing in {request.article for request in requests}
        ):
            raise self.failure
        self.finished += len(requests)
        return [answer(request) for request in requests]

    def _work(
        self, seconds: float, cancelled: Callable[[], bool], pause: Callable[[], None] | None
    ) -> None:
        """Take `seconds` of computation, in passes of 5 ms."""
        for _ in range(round(seconds / 0.005)):
            if pause:
                self._in_use.release()
                pause()
                self._acquire()
            if cancelled():
                raise ComputationCancelledError
            time.sleep(0.005)


def answer(request: HighlightRequest) -> Highlights:
    """Return highlights whose summary is the first paragraph."""
    texts = request.article.split("\n\n")
    starts = [request.article.index(text) for text in texts]
    return Highlights(
        summary=texts[0],
        doubt=None,
        confidence=0.5,
        truncated=Truncated(source=False, summary=False),
        facts_checked=True,
        paragraphs=[
            Paragraph(text=t, start=s, end=s + len(t), score=len(t) / 1000, important=not s)
            for t, s in zip(texts, starts, strict=True)
        ],
        counts=Counts(characters=1, words=2, sentences=3, windows=4),
        read_ms=0.0,
        write_ms=0.0,
    )


class Pages(ArticleFetcher):
    """A fetcher that returns one page for every URL, or raises `failure`."""

    def __init__(self, failure: WebError | None = None) -> None:
        self._failure = failure

    async def fetch_article(self, url: str, client: str) -> WebArticle:
        if self._failure:
            raise self._failure
        return WebArticle(f"{url}/moved", "A title", "Fetched text.\n\nMore of it.")


def make_app(
    summarizer: StandIn,
    *,
    fetcher: ArticleFetcher | None = None,
    api_key: str | None = None,
    **limits: Any,
) -> FastAPI:
    """Return the started application."""
    app = build_app()
    settings = ServingSettings(limits=LimitSettings(**limits))
    worker = ModelWorker(summarizer, metrics().observe_batch)
    handler = RequestHandler(settings, worker, SERVED, fetcher or Pages(), metrics())
    shutdown = Shutdown(settings.limits.shutdown_seconds)
    app.state.runtime = Runtime(handler, CARD, settings.limits, api_key, shutdown)
    return app
