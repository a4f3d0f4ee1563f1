"""Server-sent events, as the HTML standard writes them."""

import json
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

from serving.errors import ApiError, internal_error


async def event_stream(events: AsyncIterator[dict[str, object]]) -> StreamingResponse:
    """A response of events; a failure before the first one is raised instead.

    Raises:
        ApiError: nothing was sent yet.
    """
    first = await anext(events)

    async def body() -> AsyncIterator[str]:
        yield _format(first)
        try:
            async for event in events:
                yield _format(event)
        except ApiError as error:
            yield _format({"event": "error", "data": error.body.model_dump()})
        except Exception:
            # The status is sent already: say it in the stream too, then let it be logged.
            yield _format({"event": "error", "data": internal_error().body.model_dump()})
            raise

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(body(), media_type="text/event-stream", headers=headers)


def _format(event: dict[str, object]) -> str:
    return f"event: {event['event']}\ndata: {json.dumps(event['data'], ensure_ascii=False)}\n\n"
