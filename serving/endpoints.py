"""What can be called; the desk does the work."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from serving.card import ModelCard
from serving.desk import Desk
from serving.errors import ErrorBody
from serving.events import event_stream
from serving.requests import BatchRequest, BatchResponse, SummarizeRequest, SummarizeResponse
from serving.settings import LimitSettings

_ERRORS = {
    400: "Not a JSON object",
    401: "No API key, or a wrong one",
    413: "Body, article or page too large",
    415: "Not JSON",
    422: "An option out of range, an empty article, or a URL that leads to none",
    429: "Too busy; see Retry-After",
    502: "The page can't be had",
    504: "Not done in time",
}
_RESPONSES: dict[int | str, dict[str, object]] = {
    status: {"model": ErrorBody, "description": what} for status, what in _ERRORS.items()
}
_EVENTS: dict[int | str, dict[str, object]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Events until the connection ends"}
}
router = APIRouter()


@dataclass(frozen=True)
class Runtime:
    """What a started service knows; it stands at the application's `state.runtime`."""

    desk: Desk
    card: ModelCard
    limits: LimitSettings
    api_key: str | None


@router.post("/summarize", responses=_RESPONSES)
async def summarize(body: SummarizeRequest, request: Request) -> SummarizeResponse:
    """The important paragraphs of an article, or of the one at a URL, and its summary."""
    return await _runtime(request).desk.summarize(body, request)


@router.post("/summarize_batch", responses=_RESPONSES)
async def summarize_batch(body: BatchRequest, request: Request) -> BatchResponse:
    """The same for several articles; a bad one is an entry with an error."""
    return await _runtime(request).desk.summarize_batch(body, request)


@router.post("/summarize/stream", response_class=StreamingResponse, responses=_RESPONSES | _EVENTS)
async def stream(body: SummarizeRequest, request: Request) -> StreamingResponse:
    """Server-sent events: `paragraphs`, the summary in `token`s as it is written, `summary`.

    Written greedily, for a beam search changes its mind; the last event is the whole answer, with
    the summary replaced where it is doubted. A failure after the first event is an `error` event.
    """
    return await event_stream(_runtime(request).desk.stream(body, request))


@router.get("/model", responses={401: _RESPONSES[401]})
async def model(request: Request) -> ModelCard:
    """The served model: where it comes from, and what it was measured to do."""
    return _runtime(request).card


def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime
