"""Summarization services that behave as told, on the running event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Behaviour = Callable[[str], Awaitable[web.Response]]


class Service:
    """Answers /summarize with a behaviour; counts what it is asked."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.url = ""
        self.asked = 0
        self.most_at_once = 0
        self._now = 0
        self._behaviour = behaviour

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await self._behaviour((await request.json())["article"])
        finally:
            self._now -= 1


@asynccontextmanager
async def service(behaviour: Behaviour) -> AsyncIterator[Service]:
    """A service that runs as long as the block."""
    it = Service(behaviour)
    app = web.Application()
    app.router.add_post("/summarize", it.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    it.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield it
    finally:
        await runner.cleanup()


def upper_case(seconds: float = 0.0) -> Behaviour:
    """The article in capitals, after a while."""

    async def behave(article: str) -> web.Response:
        await asyncio.sleep(seconds)
        return web.json_response({"summary": article.upper()})

    return behave


def refusing(retry_after: str) -> Behaviour:
    """Always full."""

    async def behave(_article: str) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": retry_after})

    return behave
