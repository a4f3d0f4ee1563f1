"""Middleware around every request: id, time limit, body's size, log line and metrics."""

import asyncio
import logging
import re
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.endpoints import ProtectedRoute, Runtime
from serving.errors import ApiError, body_too_large, client_disconnected, request_timeout
from serving.metrics import metrics

logger = logging.getLogger("news_highlighter")

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ERROR_SECONDS = 1.0  # to send an error after the time limit
_DISCARD_SECONDS = 0.5  # to receive the rest of a body that is refused
_DISCARD_BYTES = 4_000_000
# The page sets its own policy in a meta element, which cannot hold this directive.
_PAGE_POLICY = "frame-ancestors 'none'"


@dataclass
class _Exchange:
    """Progress of one request and its response."""

    request_id: str
    body_complete: bool
    received: int = 0  # bytes of the body
    status: int | None = None


class RequestMiddleware:
    """Give each request an id and a time limit from its first to its last byte, then log it.

    The limit covers receiving the body, the work, and sending the response: a client that sends or
    reads slowly loses its connection. The body's size is counted while it arrives, because
    Content-Length may be wrong.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        runtime: Runtime = scope["app"].state.runtime
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        exchange = _Exchange(
            request_id=given if _ID.fullmatch(given) else uuid.uuid4().hex,
            body_complete=headers.get("content-length", "0") == "0"
            and "transfer-encoding" not in headers,
        )
        deadline = asyncio.get_running_loop().time() + runtime.limits.timeout_seconds
        scope.setdefault("state", {})["deadline"] = deadline
        send = _discard_body(_add_headers(send, exchange), receive, exchange)
        receive = _limit_body(receive, exchange, runtime, deadline)
        outcome = None
        try:
            try:
                with runtime.shutdown.request(deadline + _ERROR_SECONDS) as timeout:
                    async with timeout:
                        await self._app(scope, receive, send)
            except TimeoutError:
                if exchange.status is not None:
                    outcome = "incomplete"  # uvicorn closes the connection
                elif runtime.shutdown.started:
                    raise runtime.shutdown.refusal() from None
                else:
                    raise request_timeout(runtime.limits.timeout_seconds) from None
        except ApiError as error:
            if exchange.status is not None:
                raise
            with suppress(TimeoutError):  # of a client that does not read
                async with asyncio.timeout(_ERROR_SECONDS):
                    await error.response()(scope, receive, send)
        finally:
            _record(scope, exchange, time.perf_counter() - started, outcome)


def _limit_body(
    receive: Receive, exchange: _Exchange, runtime: Runtime, deadline: float
) -> Receive:
    """Wrap `receive`: refuse a body that is too large or too slow."""
    most = runtime.limits.body_bytes
    limit = min(deadline, asyncio.get_running_loop().time() + runtime.limits.receive_seconds)

    async def receive_within_limits() -> Message:
        if exchange.body_complete:
            return await receive()
        try:
            async with asyncio.timeout_at(limit):
                message = await receive()
        except TimeoutError:
            raise ApiError(408, "body_timeout", "The body did not arrive in time.") from None
        if message["type"] == "http.disconnect":
            raise client_disconnected()
        exchange.received += len(message.get("body", b""))
        exchange.body_complete = not message.get("more_body", False)
        if exchange.received > most:
            raise body_too_large(most)
        return message

    return receive_within_limits


def _add_headers(send: Send, exchange: _Exchange) -> Send:
    """Wrap `send`: add headers to every response and note its status."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = exchange.request_id
            headers["X-Content-Type-Options"] = "nosniff"
            if headers.get("content-type", "").startswith("text/html"):
                headers["Content-Security-Policy"] = _PAGE_POLICY
            if not exchange.body_complete:
                headers["Connection"] = "close"  # the rest of the body is not read
        await send(message)

    return send_with_headers


def _discard_body(send: Send, receive: Receive, exchange: _Exchange) -> Send:
    """Wrap `send`: receive the rest of the request before a response ends that came before it.

    uvicorn then closes the connection, and TCP would reset it because of what nobody has read: the
    client would see no response.
    """

    async def discard() -> None:
        left = _DISCARD_BYTES
        async with asyncio.timeout(_DISCARD_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return

    async def send_after_body(message: Message) -> None:
        ends = message["type"] == "http.response.body" and not message.get("more_body", False)
        if ends and not exchange.body_complete and exchange.status != 408:
            await send({**message, "more_body": True})
            with suppress(TimeoutError):
                await discard()
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return send_after_body


def _record(scope: Scope, exchange: _Exchange, seconds: float, outcome: str | None) -> None:
    route = scope.get("route")
    path = route.path if isinstance(route, ProtectedRoute) else "other"
    status = exchange.status or 499
    if outcome is None:
        outcome = "ok" if status < 400 else str(status)
    metrics().observe_request(path, outcome, seconds)
    fields = {
        "request_id": exchange.request_id,
        "method": scope["method"][:10],
        "path": scope["path"][:200],
        "status": status,
        "outcome": outcome,
        "milliseconds": round(1000 * seconds, 1),
        "request_bytes": exchange.received,
    }
    logger.info("request", extra=fields)
