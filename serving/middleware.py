"""Middleware around every request: an id, the body's size limit, a log line and metrics."""

import re
import time
import uuid
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.endpoints import ProtectedRoute, Runtime
from serving.errors import ApiError, body_too_large
from serving.logs import request_logger
from serving.metrics import metrics

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# The page sets its own policy in a meta element, which cannot hold this directive.
_PAGE_POLICY = "frame-ancestors 'none'"


class RequestMiddleware:
    """Give each request an id, limit its body, then log and count its response.

    The body's size is counted while it arrives, because Content-Length may be wrong.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._log = request_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        runtime: Runtime = scope["app"].state.runtime
        most = runtime.limits.body_bytes
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        seen: dict[str, Any] = {"status": 499, "bytes": 0, "started": False}

        async def count_body() -> Message:
            message = await receive()
            seen["bytes"] += len(message.get("body", b""))
            if seen["bytes"] > most:
                raise body_too_large(most)
            return message

        async def add_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.update(status=message["status"], started=True)
                answer = MutableHeaders(scope=message)
                answer["X-Request-ID"] = request_id
                answer["X-Content-Type-Options"] = "nosniff"
                if scope["path"].startswith("/ui"):
                    answer["Content-Security-Policy"] = _PAGE_POLICY
            await send(message)

        try:
            await self._app(scope, count_body, add_headers)
        except ApiError as error:
            if seen["started"]:
                raise
            await error.response()(scope, receive, add_headers)
        finally:
            seconds = time.perf_counter() - started
            route = scope.get("route")
            path = route.path if isinstance(route, ProtectedRoute) else "other"
            metrics().observe_request(path, seen["status"], seconds)
            self._log.info(
                "request",
                extra={
                    "request_id": request_id,
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": seen["status"],
                    "milliseconds": round(1000 * seconds, 1),
                    "request_bytes": seen["bytes"],
                },
            )
