"""Take a request, get its article, have it highlighted within the time, and answer."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable
from typing import Protocol, TypeVar

from fastapi import Request
from pydantic import ValidationError

from highlighter.inference.answers import HighlightRequest, Highlights
from serving.admission import Admission
from serving.errors import ApiError, internal_error, invalid_request, web_error
from serving.fetch.errors import WebError
from serving.fetch.fetcher import ArticleFetcher
from serving.metrics import Metrics
from serving.requests import (
    BatchEntry,
    BatchRequest,
    BatchResponse,
    ServedModel,
    Source,
    SummarizeRequest,
    SummarizeResponse,
    respond,
)
from serving.settings import ServingSettings
from serving.wanted import CallerGoneError, while_wanted

logger = logging.getLogger(__name__)
_T = TypeVar("_T")


class Engine(Protocol):
    """Whoever highlights: the inference service, or a test's stand-in.

    Both may raise ApiError when they are full.
    """

    async def highlight(self, request: HighlightRequest) -> Highlights:
        """One article's highlights."""

    def stream(self, request: HighlightRequest) -> AsyncIterator[dict[str, object]]:
        """Its events: `{"event": "paragraphs" | "token" | "summary", "data": ...}`."""


class Desk:
    """Everything between the HTTP request and the engine."""

    def __init__(
        self,
        settings: ServingSettings,
        engine: Engine,
        model: ServedModel,
        fetcher: ArticleFetcher,
        metrics: Metrics,
    ) -> None:
        self._limits = settings.limits
        self._engine = engine
        self._model = model
        self._fetcher = fetcher
        self._metrics = metrics
        self.admission = Admission(settings.limits.articles_at_once, metrics.places)

    async def summarize(self, body: SummarizeRequest, request: Request) -> SummarizeResponse:
        """The answer to one request."""
        with self.admission.admit():
            return await self._while_wanted(request, self._answer(body))

    async def summarize_batch(self, body: BatchRequest, request: Request) -> BatchResponse:
        """The answers to several; each may fail on its own."""
        most = self._limits.batch_articles
        if len(body.articles) > most:
            raise ApiError(
                422, "too_many_articles", f"At most {most} articles at once: send less.", "articles"
            )
        with self.admission.admit(len(body.articles)):
            entries = asyncio.gather(
                *(self._entry(index, entry) for index, entry in enumerate(body.articles))
            )
            return BatchResponse(articles=await self._while_wanted(request, entries))

    async def stream(
        self, body: SummarizeRequest, request: Request
    ) -> AsyncIterator[dict[str, object]]:
        """Events of one article."""
        started, deadline = time.perf_counter(), self._deadline()
        with self.admission.admit():
            fetch = self._by(deadline, self._article(body))
            text, source = await self._while_wanted(request, fetch)
            fetch_ms = _milliseconds(started) if source else 0.0
            events = self._engine.stream(_ask(body, text))

            def following() -> Awaitable[dict[str, object] | None]:
                # No time limit around a yield: another task may go on from there.
                return self._while_wanted(request, self._by(deadline, anext(events, None)))

            while (event := await following()) is not None:
                data = event["data"]
                match event["event"]:
                    case "paragraphs":
                        assert isinstance(data, dict)
                        data = data | {"source": source.model_dump() if source else None}
                    case "summary":
                        highlights = Highlights.model_validate(data)
                        answer = self._finish(highlights, source, fetch_ms, started)
                        data = answer.model_dump(exclude={"paragraphs", "counts", "source"})
                yield {"event": event["event"], "data": data}

    async def _entry(self, index: int, entry: dict[str, object]) -> BatchEntry:
        try:
            return BatchEntry(result=await self._answer(SummarizeRequest.model_validate(entry)))
        except ValidationError as error:
            failure = invalid_request(
                [{**e, "loc": e["loc"] or ("article",)} for e in error.errors()]
            )
        except ApiError as error:
            failure = error
        except Exception:  # one bad article is one bad entry, whatever was bad about it
            logger.exception("an article of a batch failed")
            failure = internal_error()
        detail = failure.body.error
        place = f"articles.{index}" + (f".{detail.field}" if detail.field else "")
        return BatchEntry(error=detail.model_copy(update={"field": place}))

    async def _answer(self, body: SummarizeRequest) -> SummarizeResponse:
        started, deadline = time.perf_counter(), self._deadline()
        text, source = await self._by(deadline, self._article(body))
        fetch_ms = _milliseconds(started) if source else 0.0
        highlights = await self._by(deadline, self._engine.highlight(_ask(body, text)))
        return self._finish(highlights, source, fetch_ms, started)

    def _finish(
        self, highlights: Highlights, source: Source | None, fetch_ms: float, started: float
    ) -> SummarizeResponse:
        answer = respond(
            highlights, source, self._model, fetch_ms=fetch_ms, total_ms=_milliseconds(started)
        )
        self._metrics.answered(answer)
        return answer

    async def _article(self, body: SummarizeRequest) -> tuple[str, Source | None]:
        """The text to be read, and where it was fetched."""
        if body.url is not None:
            try:
                found = await self._fetcher.fetch_article(body.url)
            except WebError as error:
                raise web_error(error) from error
            return self._checked(found.text, "url"), Source(url=found.url, title=found.title)
        return self._checked(body.article or "", "article"), None

    def _checked(self, text: str, field: str) -> str:
        if not text.strip():
            raise ApiError(422, "article_empty", "The article is empty: send its text.", field)
        most = self._limits.article_characters
        if len(text) > most:
            message = (
                f"The article has {len(text):,} characters, {most:,} are allowed: send a part."
            )
            raise ApiError(413, "article_too_long", message, field)
        # JSON can hold halves of characters that no tokenizer can read.
        if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
            message = "The article holds half of a surrogate pair: send whole Unicode characters."
            raise ApiError(422, "article_not_unicode", message, field)
        return text

    async def _while_wanted(self, request: Request, work: Awaitable[_T]) -> _T:
        """The work's result; the work ends when the caller has gone, and frees its place."""
        try:
            return await while_wanted(request, work)
        except CallerGoneError as error:
            self._metrics.gone()
            raise ApiError(499, "client_gone", "The caller has gone.") from error

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._limits.timeout_seconds

    async def _by(self, deadline: float, work: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout_at(deadline):
                return await work
        except TimeoutError as error:
            seconds = self._limits.timeout_seconds
            message = f"It took more than {seconds:g} seconds: try again later."
            raise ApiError(504, "timeout", message) from error


def _ask(body: SummarizeRequest, text: str) -> HighlightRequest:
    return HighlightRequest(
        article=text,
        top_k=body.top_k,
        threshold=body.threshold,
        max_summary_tokens=body.max_summary_tokens,
    )


def _milliseconds(started: float) -> float:
    return 1000 * (time.perf_counter() - started)
