"""The API's endpoints. Every route of `router` requires the API key, if one is set."""

import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPBearer
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
from serving.shutdown import Shutdown

_ERRORS = {
    400: "The body is not a JSON object",
    401: "No API key, or a wrong one",
    408: "The body did not arrive in time",
    413: "The body, the article or the page is too large",
    415: "The body's content type is not application/json, or it is compressed",
    422: "An option is out of range, the article is empty, or the URL leads to no article",
    429: "The service is busy; see Retry-After",
    500: "The service failed",
    502: "The page could not be fetched",
    503: "The service is shutting down; see Retry-After",
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
    shutdown: Shutdown


class ProtectedRoute(APIRoute):
    """A route that checks the API key, type and length before it reads the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler behind the checks."""
        handle = super().get_route_handler()

        async def check_and_handle(request: Request) -> Response:
            runtime = _runtime(request)
            _require_key(request, runtime.api_key)
            if runtime.shutdown.started:
                raise runtime.shutdown.refusal()
            if request.method == "POST":
                _require_json(request, runtime.limits)
            return await handle(request)

        return check_and_handle


# The schemes are for the OpenAPI document only: FastAPI would check them after the body is read.
router = APIRouter(
    route_class=ProtectedRoute,
    dependencies=[
        Security(HTTPBearer(auto_error=False, description="The API key, if the service has one")),
        Security(APIKeyHeader(name="X-API-Key", auto_error=False, description="The same")),
    ],
)


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
    fields of the answer that `paragraphs` did not; its summary differs from the tokens if `doubt`
    is set. A failure after the first event is sent as an `error` event.
    """
    return await _runtime(request).handler.stream(body, request)


@router.get("/model", responses={code: _RESPONSES[code] for code in (401, 500, 503, 504)})
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
        message = "Send the API key: `Authorization: Bearer KEY`."
        raise ApiError(401, "unauthorized", message, headers={"WWW-Authenticate": "Bearer"})


def _require_json(request: Request, limits: LimitSettings) -> None:
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise ApiError(415, "not_json", "Send JSON: `Content-Type: application/json`.")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        message = "Send the body uncompressed, without Content-Encoding."
        raise ApiError(415, "compressed_body", message)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.body_bytes:
        raise body_too_large(limits.body_bytes)
