"""The engine, in the inference service's process: BentoML's client behind our interface."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from bentoml.exceptions import BentoMLException

from highlighter.inference.answers import HighlightRequest, Highlights, Reading
from serving.admission import full

_FULL = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class RemoteEngine:
    """Calls `Highlighter` of service.py; it is full where BentoML says so."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def highlight(self, request: HighlightRequest) -> Highlights:
        """One article's highlights; those that wait for the model share a batch there."""
        with _turned_away():
            answer = await self._client.highlight(request)
        return Highlights.model_validate(answer)

    async def stream(self, request: HighlightRequest) -> AsyncIterator[dict[str, object]]:
        """The events that `encode` wrote; lines may come in any number of pieces."""
        rest = ""
        with _turned_away():
            async for piece in self._client.stream(request):
                *lines, rest = (rest + piece).split("\n")
                for line in lines:
                    yield json.loads(line)

    @staticmethod
    def encode(item: Reading | str | Highlights) -> str:
        """One item of `Summarizer.stream` as a JSON line."""
        data: object
        if isinstance(item, str):
            event, data = "token", {"text": item}
        else:
            event = "summary" if isinstance(item, Highlights) else "paragraphs"
            data = item.model_dump()
        return json.dumps({"event": event, "data": data}) + "\n"


@contextmanager
def _turned_away() -> Iterator[None]:
    try:
        yield
    except BentoMLException as error:
        if error.error_code in _FULL:
            raise full() from error
        raise
