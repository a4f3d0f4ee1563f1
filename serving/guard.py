"""What happens to every request before and after its own work: a middleware."""

import hmac
import re
import time
import uuid
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.endpoints import Runtime
from serving.errors import ApiError
from serving.logs import request_logger
from serving.metrics import metrics
from serving.settings import LimitSettings

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PROTECTED = frozenset({"/summarize", "/summarize_batch", "/summarize/stream", "/model"})
_PAGE = "frame-ancestors 'none'"  # the page's own policy, which can't say this, does the rest


class Guard:
    """Gives a request an id, checks its key, type and size, then logs and counts its answer.

    The body is counted as it comes in, so that a wrong Content-Length changes nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._log = request_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        runtime: Runtime = scope["app"].state.runtime
        limits = runtime.limits
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        path = scope["path"] if scope["path"] in _PROTECTED else "other"
        seen: dict[str, Any] = {"status": 499, "bytes": 0, "started": False}

        async def counted() -> Message:
            message = await receive()
            seen["bytes"] += len(message.get("body", b""))
            if seen["bytes"] > limits.body_bytes:
                raise _too_large(limits)
            return message

        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.update(status=message["status"], started=True)
                answer = MutableHeaders(scope=message)
                answer["X-Request-ID"] = request_id
                answer["X-Content-Type-Options"] = "nosniff"
                if scope["path"].startswith("/ui"):
                    answer["Content-Security-Policy"] = _PAGE
            await send(message)

        try:
            if path != "other":
                _require_key(headers, runtime.api_key)
                _require_json(scope, headers, limits)
            await self._app(scope, counted, labelled)
        except ApiError as error:
            if seen["started"]:
                raise
            await error.response()(scope, receive, labelled)
        finally:
            seconds = time.perf_counter() - started
            metrics().request(path, seen["status"], seconds)
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


def _require_key(headers: Headers, key: str | None) -> None:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    given = given.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
    if key and not hmac.compare_digest(given.encode(), key.encode()):
        raise ApiError(401, "unauthorized", "Give the API key: `Authorization: Bearer KEY`.")


def _require_json(scope: Scope, headers: Headers, limits: LimitSettings) -> None:
    if scope["method"] != "POST":
        return
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError(415, "not_json", "Send JSON: `Content-Type: application/json`.")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.body_bytes:
        raise _too_large(limits)


def _too_large(limits: LimitSettings) -> ApiError:
    most = limits.body_bytes
    return ApiError(413, "body_too_large", f"The body is larger than {most:,} bytes: send less.")
