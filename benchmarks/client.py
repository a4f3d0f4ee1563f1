"""One request to a summarization service, and what became of it."""

import json
import time
from dataclasses import dataclass

import aiohttp


@dataclass(frozen=True)
class Answer:
    """What one request met with; times in seconds, `started` on time.perf_counter()'s clock.

    `status` is the HTTP status, or "timeout", "connection" (refused, reset, or closed without an
    answer) or "malformed" (a 200 without a summary).
    """

    status: str
    started: float
    seconds: float
    retry_after: str | None = None
    summary: str | None = None

    @property
    def finished(self) -> float:
        """When the whole answer was there."""
        return self.started + self.seconds


def new_session(timeout: float) -> aiohttp.ClientSession:
    """A session with as many connections as there are requests, each at most `timeout` seconds."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=timeout),
    )


async def ask(session: aiohttp.ClientSession, url: str, article: str) -> Answer:
    """POST the article to the service's /summarize."""
    started = time.perf_counter()
    status, retry_after, summary = "connection", None, None
    try:
        async with session.post(f"{url}/summarize", json={"article": article}) as response:
            body = await response.read()
        status = str(response.status)
        retry_after = response.headers.get("Retry-After")
        if response.status == 200:
            summary = _summary(body)
            status = "malformed" if summary is None else status
    except TimeoutError:
        status = "timeout"
    except (aiohttp.ClientError, OSError):
        pass
    return Answer(status, started, time.perf_counter() - started, retry_after, summary)


def _summary(body: bytes) -> str | None:
    try:
        summary = json.loads(body)["summary"]
    except (ValueError, KeyError, TypeError):
        return None
    return summary if isinstance(summary, str) else None
