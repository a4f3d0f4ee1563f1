"""Summarization services for the load generator, with behavior that the test defines."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

Behavior = Callable[[str, int], Awaitable[Response]]


class Service:
    """Answers /summarize with `behavior(article, number of the request)`; counts the requests."""

    def __init__(self, behavior: Behavior) -> None:
        self.articles: list[str] = []
        self.most_at_once = 0
        self._now = 0
        self._behavior = behavior
        self.app = FastAPI()
        self.app.add_api_route("/summarize", self.answer, methods=["POST"])

    async def answer(self, request: Request) -> Response:
        article = (await request.json())["article"]
        self.articles.append(article)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await self._behavior(article, len(self.articles) - 1)
        finally:
            self._now -= 1


@contextmanager
def serving(behavior: Behavior) -> Iterator[tuple[Service, str]]:
    """Run a service in a thread; give it and its URL."""
    service = Service(behavior)
    config = uvicorn.Config(service.app, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        try:
            yield service, f"http://127.0.0.1:{place.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def summary_of(article: str) -> Response:
    """Return the article in capitals."""
    return JSONResponse({"summary": article.upper()})


def capitals_after(seconds: float = 0.0) -> Behavior:
    """Return a behavior that answers with the article in capitals after a while."""

    async def behave(article: str, _number: int) -> Response:
        await asyncio.sleep(seconds)
        return summary_of(article)

    return behave
