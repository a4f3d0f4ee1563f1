"""A service that answers two at a time in 20 ms, lets eight wait, and refuses the others."""

import argparse
import asyncio

from aiohttp import web


def create_app() -> web.Application:
    slots, inside = asyncio.Semaphore(2), 0

    async def ready(_request: web.Request) -> web.Response:
        return web.Response()

    async def summarize(request: web.Request) -> web.Response:
        nonlocal inside
        article = (await request.json())["article"]
        if inside == 10:
            return web.Response(status=503, headers={"Retry-After": "1"})
        inside += 1
        try:
            async with slots:
                await asyncio.sleep(0.02)
        finally:
            inside -= 1
        return web.json_response({"summary": article})

    app = web.Application()
    app.router.add_get("/readyz", ready)
    app.router.add_post("/summarize", summarize)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    web.run_app(create_app(), host="127.0.0.1", port=parser.parse_args().port)
