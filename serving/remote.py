"""The engine, in the inference service's process: BentoML's client behind our interface."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from bentoml.exceptions import BentoMLException

from highlighter.highlights import HighlightRequest, Highlights, Reading
from serving.admission import full
from serving.batching import Batcher

_FULL = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class RemoteEngine:
    """Calls `Highlighter` of service.py; it is full where BentoML says so."""

    def __init__(self, client: Any, batch_size: int, observe: Callable[[int], None]) -> None:
        """`observe` is told the size of each batch."""
        self._client = client
        self._batcher = Batcher(self._highlight, batch_size, observe)

    async def highlight(self, request: HighlightRequest) -> Highlights:
        """One article's highlights; requests that wait share a batch."""
        return await self._batcher.ask(request)

    async def _highlight(self, requests: list[HighlightRequest]) -> list[Highlights]:
        with _turned_away():
            answers = await self._client.highlight(requests)
        return [Highlights.model_validate(answer) for answer in answers]

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
