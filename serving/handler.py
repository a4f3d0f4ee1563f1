"""Handle a request: get its article, run the model within the time limit, build the answer."""

import asyncio
import ipaddress
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from fastapi import Request
from pydantic import ValidationError
from starlette.responses import StreamingResponse

from highlighter.data.characters import has_surrogate, has_visible_text
from highlighter.inference.answers import Highlights, Reading
from serving.errors import (
    ApiError,
    client_disconnected,
    internal_error,
    invalid_request,
    request_timeout,
    web_error,
)
from serving.fetch.errors import WebError
from serving.fetch.fetcher import ArticleFetcher
from serving.metrics import Metrics
from serving.schemas import (
    BatchEntry,
    BatchRequest,
    BatchResponse,
    ServedModel,
    Source,
    SummarizeRequest,
    SummarizeResponse,
    build_response,
)
from serving.settings import ServingSettings
from serving.slots import Slots
from serving.worker import ModelWorker

logger = logging.getLogger(__name__)
_T = TypeVar("_T")


class RequestHandler:
    """Answer the requests of the HTTP endpoints.

    Args:
        settings: the service's limits.
        worker: runs the model.
        model: identity of the model, part of every answer.
        fetcher: fetches articles from the web.
        metrics: Prometheus metrics of the process.
    """

    def __init__(
        self,
        settings: ServingSettings,
        worker: ModelWorker,
        model: ServedModel,
        fetcher: ArticleFetcher,
        metrics: Metrics,
    ) -> None:
        self._limits = settings.limits
        self._worker = worker
        self._model = model
        self._fetcher = fetcher
        self._metrics = metrics
        self.slots = Slots(
            self._limits.articles_at_once, self._limits.articles_per_client, metrics.set_slots
        )

    async def summarize(self, body: SummarizeRequest, request: Request) -> SummarizeResponse:
        """Return the answer to `POST /summarize`."""
        with self.slots.take(_client(request)):
            return await self._while_connected(request, self._answer(body, request))

    async def summarize_batch(self, body: BatchRequest, request: Request) -> BatchResponse:
        """Return the answer to `POST /summarize_batch`; each article may fail separately."""
        most = self._limits.largest_batch
        if len(body.articles) > most:
            raise ApiError(
                422,
                "too_many_articles",
                f"At most {most} articles at once: send fewer.",
                "articles",
            )
        with self.slots.take(_client(request), len(body.articles)):
            entries = asyncio.gather(
                *(self._entry(index, entry, request) for index, entry in enumerate(body.articles))
            )
            return BatchResponse(articles=await self._while_connected(request, entries))

    async def stream(self, body: SummarizeRequest, request: Request) -> StreamingResponse:
        """Return the response to `POST /summarize/stream` once its first event is known.

        Raises:
            ApiError: the request failed before anything was sent.
        """
        events = self._events(body, request)
        first = await anext(events)

        async def send() -> AsyncIterator[str]:
            yield first
            try:
                async for event in events:
                    yield event
            except ApiError as error:
                yield _format_event("error", error.body.model_dump())
            except Exception:
                # The status is already sent, so the client learns of the failure from an event.
                yield _format_event("error", internal_error().body.model_dump())
                raise

        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(send(), media_type="text/event-stream", headers=headers)

    async def _events(self, body: SummarizeRequest, request: Request) -> AsyncIterator[str]:
        """Yield the server-sent events of one article.

        The slot is released when the model is done, however slowly the client reads.
        """
        started = time.perf_counter()
        with self.slots.take(_client(request)) as slot:
            fetch = self._in_time(request, self._article(body, request))
            text, source = await self._while_connected(request, fetch)
            fetch_ms = _milliseconds(started) if source else 0.0
            job = self._worker.submit(body.with_text(text), _client(request), streams=True)
            job.done.add_done_callback(lambda _: slot.release())
            items = self._worker.stream(job)
            while True:
                # No timeout around a `yield`: another task may resume the generator.
                following = self._in_time(request, anext(items, None))
                item = await self._while_connected(request, following)
                match item:
                    case None:
                        return
                    case str():
                        yield _format_event("token", {"text": item})
                    case Highlights():
                        answer = self._finish(item, source, fetch_ms, started)
                        sent_before = {"paragraphs", "counts", "source"}
                        yield _format_event("summary", answer.model_dump(exclude=sent_before))
                    case Reading():
                        origin = source.model_dump() if source else None
                        yield _format_event("paragraphs", item.model_dump() | {"source": origin})

    async def _entry(self, index: int, entry: dict[str, object], request: Request) -> BatchEntry:
        try:
            body = SummarizeRequest.model_validate(entry)
            return BatchEntry(result=await self._answer(body, request))
        except ValidationError as error:
            failure = invalid_request(
                [{**e, "loc": e["loc"] or ("article",)} for e in error.errors()], SummarizeRequest
            )
        except ApiError as error:
            failure = error
        except Exception:  # the other articles of the batch are still answered
            logger.exception("an article of a batch failed")
            failure = internal_error()
        detail = failure.body.error
        field = f"articles.{index}" + (f".{detail.field}" if detail.field else "")
        return BatchEntry(error=detail.model_copy(update={"field": field}))

    async def _answer(self, body: SummarizeRequest, request: Request) -> SummarizeResponse:
        started = time.perf_counter()
        text, source = await self._in_time(request, self._article(body, request))
        fetch_ms = _milliseconds(started) if source else 0.0
        work = self._worker.summarize(body.with_text(text), _client(request))
        highlights = await self._in_time(request, work)
        return self._finish(highlights, source, fetch_ms, started)

    def _finish(
        self, highlights: Highlights, source: Source | None, fetch_ms: float, started: float
    ) -> SummarizeResponse:
        answer = build_response(
            highlights, source, self._model, fetch_ms=fetch_ms, total_ms=_milliseconds(started)
        )
        self._metrics.observe_answer(answer)
        return answer

    async def _article(self, body: SummarizeRequest, request: Request) -> tuple[str, Source | None]:
        """Return the article's text, and the page it was fetched from if it was given by URL."""
        if body.url is not None:
            try:
                found = await self._fetcher.fetch_article(body.url, _client(request))
            except WebError as error:
                raise web_error(error) from error
            return self._checked(found.text, "url"), Source(url=found.url, title=found.title)
        return self._checked(body.article or "", "article"), None

    def _checked(self, text: str, field: str) -> str:
        if not has_visible_text(text):
            raise ApiError(422, "article_empty", "The article is empty: send its text.", field)
        most = self._limits.article_characters
        if len(text) > most:
            message = (
                f"The article has {len(text):,} characters; at most {most:,} are allowed. "
                "Send a part of it."
            )
            raise ApiError(413, "article_too_long", message, field)
        # JSON can hold halves of surrogate pairs.
        if has_surrogate(text):
            message = (
                "The article holds half of a surrogate pair: send complete Unicode characters."
            )
            raise ApiError(422, "article_not_unicode", message, field)
        return text

    async def _while_connected(self, request: Request, work: Awaitable[_T]) -> _T:
        """Return the result of `work`; cancel it when the client disconnects.

        Raises:
            ApiError: 499 if the client disconnected.
        """
        task = asyncio.ensure_future(work)
        disconnect = asyncio.ensure_future(_disconnected(request))
        try:
            await asyncio.wait([task, disconnect], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            self._metrics.count_disconnect()
            raise client_disconnected()
        finally:
            task.cancel()
            disconnect.cancel()

    async def _in_time(self, request: Request, work: Awaitable[_T]) -> _T:
        """Return the result of `work`.

        Raises:
            ApiError: 504 at the deadline, which RequestMiddleware sets.
        """
        try:
            async with asyncio.timeout_at(request.state.deadline):
                return await work
        except TimeoutError as error:
            raise request_timeout(self._limits.timeout_seconds) from error


def _client(request: Request) -> str:
    """Return the client's address, of IPv6 the /64 network, which one client has to itself.

    A socket for both versions reports IPv4 clients as ::ffff:192.0.2.1, all in one such network.
    """
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        network = ipaddress.ip_network((address, 64), strict=False)
        return str(address.ipv4_mapped or network)
    return host


async def _disconnected(request: Request) -> None:
    """Return when the client has disconnected; the request's body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _format_event(name: str, data: dict[str, object]) -> str:
    """Return a server-sent event as the HTML standard defines it."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _milliseconds(started: float) -> float:
    return 1000 * (time.perf_counter() - started)
