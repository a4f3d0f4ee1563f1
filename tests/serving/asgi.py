"""One ASGI exchange under the test's control: when the client sends, reads and disconnects."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI


@dataclass
class Client:
    """A client of an application, which sends one request.

    Args:
        body: JSON body of the request.
        address: IP address of the client.
        reads: number of messages it reads before it stops reading; None: all.
        sends: whether it sends its body.
    """

    body: Any
    path: str = "/summarize"
    address: str = "192.0.2.1"
    reads: int | None = None
    sends: bool = True
    sent: list[Any] = field(default_factory=list)  # messages from the application
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    _received: bool = False

    @property
    def status(self) -> int | None:
        status: int | None = self.sent[0]["status"] if self.sent else None
        return status

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def error(self) -> str:
        """The code of the error that was answered."""
        code: str = json.loads(self.sent[1]["body"])["error"]["code"]
        return code

    async def call(self, app: FastAPI) -> None:
        """Run the exchange to its end."""
        body = json.dumps(self.body).encode()
        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "path": self.path,
            "raw_path": self.path.encode(), "query_string": b"", "root_path": "",
            "scheme": "http", "server": ("here", 80), "client": (self.address, 1),
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
            "asgi": {"version": "3.0", "spec_version": "2.3"},  # as uvicorn
        }  # fmt: skip

        async def receive() -> Any:
            if not self._received and self.sends:
                self._received = True
                return {"type": "http.request", "body": body, "more_body": False}
            await self.disconnected.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if self.reads is not None and len(self.sent) >= self.reads:
                await asyncio.Event().wait()
            self.sent.append(message)

        await app(scope, receive, send)

    def start(self, app: FastAPI) -> "asyncio.Task[None]":
        """Run the exchange in a task."""
        return asyncio.create_task(self.call(app))
