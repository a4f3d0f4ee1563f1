"""The API's endpoints. Every route of `router` requires the API key, if one is set."""

import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.responses import StreamingResponse

from serving.errors import ApiError, ErrorBody, body_too_large
from serving.handler import RequestHandler
from serving.schemas import (
    BatchRequest,
    BatchResponse,
    ModelCard,
    SummarizeRequest,
    SummarizeResponse,
)
from serving.settings import LimitSettings

_ERRORS = {
    400: "The body is not a JSON object",
    401: "No API key, or a wrong one",
    413: "The body, the article or the page is too large",
    415: "The body's content type is not application/json",
    422: "An option is out of range, the article is empty, or the URL leads to no article",
    429: "The service is busy; see Retry-After",
    502: "The page could not be fetched",
    504: "The time limit was reached",
}
_RESPONSES: dict[int | str, dict[str, object]] = {
    status: {"model": ErrorBody, "description": what} for status, what in _ERRORS.items()
}
_EVENTS: dict[int | str, dict[str, object]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Server-sent events"}
}


@dataclass(frozen=True)
class Runtime:
    """State of a started service, at the application's `state.runtime`."""

    handler: RequestHandler
    card: ModelCard
    limits: LimitSettings
    api_key: str | None


class ProtectedRoute(APIRoute):
    """A route that checks the API key, type and length before it reads the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler behind the checks."""
        handle = super().get_route_handler()

        async def check_and_handle(request: Request) -> Response:
            _require_key(request, _runtime(request).api_key)
            if request.method == "POST":
                _require_json(request, _runtime(request).limits)
            return await handle(request)

        return check_and_handle


router = APIRouter(route_class=ProtectedRoute)


@router.post("/summarize", responses=_RESPONSES)
async def summarize(body: SummarizeRequest, request: Request) -> SummarizeResponse:
    """Return an article's important paragraphs and its summary."""
    return await _runtime(request).handler.summarize(body, request)


@router.post("/summarize_batch", responses=_RESPONSES)
async def summarize_batch(body: BatchRequest, request: Request) -> BatchResponse:
    """Summarize several articles; an entry that fails holds an error instead of a result."""
    return await _runtime(request).handler.summarize_batch(body, request)


@router.post("/summarize/stream", response_class=StreamingResponse, responses=_RESPONSES | _EVENTS)
async def stream(body: SummarizeRequest, request: Request) -> StreamingResponse:
    """Stream server-sent events: `paragraphs`, `token`s of the summary, then `summary`.

    The summary is decoded greedily, because a beam search revises tokens. The last event holds the
    whole answer; its summary differs from the tokens if `doubt` is set. A failure after the first
    event is sent as an `error` event.
    """
    return await _runtime(request).handler.stream(body, request)


@router.get("/model", responses={401: _RESPONSES[401]})
async def model(request: Request) -> ModelCard:
    """Return the served model's origin and measurements."""
    return _runtime(request).card


def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


def _require_key(request: Request, key: str | None) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    given = given.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
    if key and not hmac.compare_digest(given.encode(), key.encode()):
        raise ApiError(401, "unauthorized", "Send the API key: `Authorization: Bearer KEY`.")


def _require_json(request: Request, limits: LimitSettings) -> None:
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise ApiError(415, "not_json", "Send JSON: `Content-Type: application/json`.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.body_bytes:
        raise body_too_large(limits.body_bytes)
