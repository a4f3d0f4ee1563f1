"""A service that answers two requests at a time in 20 ms, queues eight, and refuses the others."""

import argparse
import asyncio

import uvicorn
from fastapi import FastAPI, Request, Response

from tests.benchmarks.services import summary_of


def create_app() -> FastAPI:
    slots, inside = asyncio.Semaphore(2), 0
    app = FastAPI()

    @app.get("/readyz")
    async def ready() -> None: ...

    @app.post("/summarize")
    async def summarize(request: Request) -> Response:
        nonlocal inside
        article = (await request.json())["article"]
        if inside == 10:
            return Response(status_code=503, headers={"Retry-After": "1"})
        inside += 1
        try:
            async with slots:
                await asyncio.sleep(0.02)
        finally:
            inside -= 1
        return summary_of(article)

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(create_app(), host="127.0.0.1", port=parser.parse_args().port, access_log=False)
