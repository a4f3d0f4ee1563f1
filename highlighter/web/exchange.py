"""One HTTP/1.1 request and its answer on a connected socket, within time and size limits."""

import socket
from collections.abc import Iterator
from typing import NamedTuple

import h11

from highlighter.web.deadline import Deadline
from highlighter.web.errors import PageTooLargeError, UrlUnreachableError
from highlighter.web.urls import WebUrl

MAX_HEADER_BYTES = 32 * 1024
_CHUNK = 16 * 1024
# Nothing of the environment, and nothing of an earlier answer: no cookies, referrer, credentials.
_REQUEST_HEADERS = (
    ("User-Agent", "NewsHighlighter/0.1 (summarizes an article at a reader's request)"),
    ("Accept", "text/html, application/xhtml+xml, text/plain;q=0.8"),
    ("Accept-Encoding", "gzip, deflate"),
    ("Connection", "close"),
)


class Answer(NamedTuple):
    """Status and headers (names in lower case), and the body's bytes as they arrive."""

    status: int
    headers: list[tuple[str, str]]
    body: Iterator[bytes]

    def values(self, name: str) -> list[str]:
        """All values of a header, in order."""
        return [value for key, value in self.headers if key == name]


def exchange(connection: socket.socket, url: WebUrl, max_bytes: int, deadline: Deadline) -> Answer:
    """Ask for the URL. Reading the answer's body raises the same errors.

    Raises:
        PageTooLargeError: headers over MAX_HEADER_BYTES, or more than that and `max_bytes` in all.
        UrlUnreachableError: not HTTP, or cut off.
        UrlTimeoutError: out of time.
        OSError: the connection broke.
    """
    protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_BYTES)
    request = h11.Request(
        method="GET", target=url.target, headers=[("Host", url.authority), *_REQUEST_HEADERS]
    )
    connection.settimeout(deadline.remaining())
    connection.sendall(protocol.send(request) or b"")
    protocol.send(h11.EndOfMessage())
    events = _events(connection, protocol, max_bytes + MAX_HEADER_BYTES, deadline)
    for event in events:
        if isinstance(event, h11.Response):
            headers = [(name.decode("ascii"), _text(value)) for name, value in event.headers]
            return Answer(event.status_code, headers, _body(events))
    raise _not_http()


def _events(
    connection: socket.socket, protocol: h11.Connection, limit: int, deadline: Deadline
) -> Iterator[h11.Event]:
    """What the server sends, up to the end of its answer; `limit` counts bytes of the wire."""
    received = 0
    while True:
        try:
            event = protocol.next_event()
        except h11.RemoteProtocolError as error:
            raise _too_large() if error.error_status_hint == 431 else _not_http() from error
        if event is h11.NEED_DATA:
            connection.settimeout(deadline.remaining())
            data = connection.recv(_CHUNK)
            received += len(data)
            if received > limit:
                raise _too_large()
            protocol.receive_data(data)
        elif isinstance(event, h11.Event):
            yield event
        else:  # paused: the server changed protocols
            raise _not_http()


def _body(events: Iterator[h11.Event]) -> Iterator[bytes]:
    for event in events:
        if isinstance(event, h11.EndOfMessage):
            return
        if isinstance(event, h11.Data):
            yield bytes(event.data)


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _too_large() -> PageTooLargeError:
    return PageTooLargeError("The page is too large: send the article's text.")


def _not_http() -> UrlUnreachableError:
    return UrlUnreachableError(
        "The host's answer is broken or cut off: try again later, or send the article's text."
    )
