"""End the process in order: finish or refuse accepted requests, then exit with code 0."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from serving.errors import ApiError

logger = logging.getLogger("news_highlighter")

_RESERVE_SECONDS = 4.0  # of the limit: to send refusals, close connections, and end BentoML
_CLOSE_SECONDS = 1.0
_RETRY_SECONDS = 5


class Shutdown:
    """Delay the end of the process after SIGTERM or SIGINT until no request is in progress.

    uvicorn stops accepting connections at once, so that probes fail, and then waits without limit
    for clients that do not read their response. Therefore it receives the signal last.

    Args:
        seconds: maximum time from the signal to the end of the process.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._active: set[asyncio.Timeout] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def started(self) -> bool:
        """Whether a signal has arrived: new requests are refused."""
        return self._task is not None

    def install(self) -> None:
        """Take over the signals from uvicorn, whose handlers are called at the end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            stop_server = signal.getsignal(number)
            loop.add_signal_handler(number, self._begin, number, stop_server)

    @contextmanager
    def request(self, deadline: float) -> Iterator[asyncio.Timeout]:
        """Register a request; the timeout of its work is rescheduled when the process ends."""
        timeout = asyncio.timeout_at(deadline)
        self._active.add(timeout)
        try:
            yield timeout
        finally:
            self._active.discard(timeout)

    def refusal(self) -> ApiError:
        """Return the error for requests that the process can no longer answer."""
        return ApiError(
            503,
            "shutting_down",
            "The service is shutting down: send the request again.",
            retry_after=_RETRY_SECONDS,
        )

    def _begin(self, number: int, stop_server: object) -> None:
        if self._task is None:
            logger.info("shutdown", extra={"requests": len(self._active)})
            self._task = asyncio.create_task(self._end(number, stop_server))
        elif number == signal.SIGINT:
            os._exit(130)  # a second Ctrl-C

    async def _end(self, number: int, stop_server: object) -> None:
        loop = asyncio.get_running_loop()
        limit = loop.time() + max(0.0, self._seconds - _RESERVE_SECONDS)
        while self._active and loop.time() < limit:
            await asyncio.sleep(0.05)
        for timeout in self._active:
            timeout.reschedule(loop.time())
        await asyncio.sleep(0.1)
        # uvicorn waits for clients that do not read, and the model's thread for its work.
        loop.call_later(_CLOSE_SECONDS, os._exit, 0)
        assert callable(stop_server)
        frame: FrameType | None = None
        stop_server(number, frame)
