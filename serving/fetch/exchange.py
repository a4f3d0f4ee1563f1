"""One HTTP exchange with a checked address, bounded in time and size."""

import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

import certifi
import h11

from serving.fetch.errors import (
    PageNotHtmlError,
    PageTooLargeError,
    UrlTimeoutError,
    UrlUnreachableError,
)
from serving.fetch.urls import WebUrl


class Deadline:
    """Runs from its construction."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, above 0.

        Raises:
            UrlTimeoutError: none are left.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.error()
        return left

    def error(self) -> UrlTimeoutError:
        """What to raise when an operation that was given the remaining time ran out of it."""
        return UrlTimeoutError(
            f"The page was not complete within {self._seconds:g} seconds. Try again later, or send "
            "the article's text."
        )


_MAX_ADDRESSES = 4  # tried in turn


def tls_context() -> ssl.SSLContext:
    """Certificates and host names are verified, against certifi's list; no variable changes it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # requires a certificate and checks its name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def connect(
    url: WebUrl,
    addresses: Sequence[IPv4Address | IPv6Address],
    tls: ssl.SSLContext,
    deadline: Deadline,
) -> socket.socket:
    """Connect to the first address that answers; with TLS for https, verified for the URL's host.

    Raises:
        UrlUnreachableError: no address answers, or its certificate is not the host's.
        UrlTimeoutError: out of time.
    """
    plain = _connect_to_one(url, addresses[:_MAX_ADDRESSES], deadline)
    if url.scheme == "http":
        return plain
    try:
        plain.settimeout(deadline.remaining())
        return tls.wrap_socket(plain, server_hostname=url.host)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        raise UrlUnreachableError(
            f"The certificate of {url.host} can't be trusted, so its page was not read: give "
            "another page, or send the article's text."
        ) from error
    except BaseException:
        plain.close()
        raise


def _connect_to_one(
    url: WebUrl, addresses: Sequence[IPv4Address | IPv6Address], deadline: Deadline
) -> socket.socket:
    failure: OSError | None = None
    for tried, address in enumerate(addresses):
        family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            # A fair share each: one address that swallows packets leaves time for the next.
            connection.settimeout(deadline.remaining() / (len(addresses) - tried))
            connection.connect((str(address), url.port))
            return connection
        except OSError as error:
            connection.close()
            failure = error
        except BaseException:
            connection.close()
            raise
    if isinstance(failure, TimeoutError):
        raise deadline.error() from failure
    raise UrlUnreachableError(
        f"{url.host} does not answer: check the URL, or try again later."
    ) from failure


_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's `wbits`


def read_body(chunks: Iterable[bytes], codings: list[str], max_bytes: int) -> bytes:
    """The whole body, without its content coding.

    Args:
        chunks: the body as it arrives; not read further once the limit is passed.
        codings: values of the Content-Encoding headers.
        max_bytes: what the result may hold at most.

    Raises:
        PageNotHtmlError: a coding other than gzip or deflate, or several.
        PageTooLargeError: over the limit.
        UrlUnreachableError: damaged.
    """
    names = [name.strip().lower() for value in codings for name in value.split(",")]
    names = [name for name in names if name not in {"", "identity"}]
    if names in (["gzip"], ["x-gzip"]):
        chunks = _inflate(chunks, max_bytes, gzip=True)
    elif names == ["deflate"]:
        chunks = _inflate(chunks, max_bytes, gzip=False)
    elif names:
        raise PageNotHtmlError(
            "The page is compressed in a way that was not asked for: send the article's text."
        )
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise too_large(max_bytes)
    return bytes(body)


def too_large(max_bytes: int) -> PageTooLargeError:
    """The error for a body over the limit."""
    return PageTooLargeError(f"The page is over {max_bytes} bytes: send the article's text.")


def _inflate(chunks: Iterable[bytes], max_bytes: int, *, gzip: bool) -> Iterable[bytes]:
    """Decompressed pieces, of which none inflates past the limit."""
    stream: zlib._Decompress | None = None
    data = b""
    try:
        for chunk in chunks:
            data += chunk
            if len(data) < 2 and stream is None:
                continue  # two bytes tell zlib's header from none
            stream = stream or zlib.decompressobj(_GZIP if gzip else _deflate_form(data))
            while data:
                yield stream.decompress(data, max_bytes + 1)
                data = stream.unconsumed_tail
                if stream.eof:
                    data = stream.unused_data
                    if data and not (gzip and data.startswith(b"\x1f")):
                        return  # what follows is no further member
                    if data:
                        stream = zlib.decompressobj(_GZIP)
    except zlib.error as error:
        raise _damaged() from error
    if stream is None or not stream.eof:
        raise _damaged()  # cut off


def _deflate_form(data: bytes) -> int:
    """Servers send deflate with zlib's header, as the standard says, or without."""
    has_header = data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    return _ZLIB if has_header else _RAW


def _damaged() -> UrlUnreachableError:
    return UrlUnreachableError(
        "The page arrived damaged: try again later, or send the article's text."
    )


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
