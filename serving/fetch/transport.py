"""An httpx transport that connects to the checked addresses of one URL and to nothing else."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import certifi
import httpcore
import httpx

from serving.fetch.errors import PageTooLargeError, UrlTimeoutError, UrlUnreachableError

MAX_HEADER_BYTES = 32 * 1024
_MAX_ADDRESSES = 4  # tried in turn


def tls_context() -> ssl.SSLContext:
    """Return a context that verifies certificates and host names against certifi's list.

    No environment variable changes it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # requires a certificate and checks its name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


class PinnedTransport(httpx.AsyncBaseTransport):
    """Send requests to one of the given addresses, whatever host the request names.

    The request's host is still used for the Host header, for SNI and to verify the certificate.
    All methods raise UrlUnreachableError, UrlTimeoutError or PageTooLargeError.

    Args:
        addresses: at least one; tried in turn until one accepts the connection.
        tls: used for https.
        max_bytes: received bytes of an answer's body at most, next to MAX_HEADER_BYTES of headers.
        end: when connecting has to be done, in the event loop's time.
    """

    def __init__(
        self,
        addresses: Sequence[IPv4Address | IPv6Address],
        tls: ssl.SSLContext,
        *,
        max_bytes: int,
        end: float,
    ) -> None:
        self._received = _ByteCount(max_bytes)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls, network_backend=_PinnedBackend(addresses, self._received, end)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer's status and headers; its body is read from the network later."""
        host = request.url.host
        core_request = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _fetch_errors(host):
            answer = await self._pool.handle_async_request(core_request)
        self._received.headers_complete()
        body = _Body(answer, host)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=body, extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close the connection."""
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response, host: str) -> None:
        self._answer = answer
        self._host = host

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _fetch_errors(self._host):
            async for chunk in self._answer.aiter_stream():
                yield chunk

    async def aclose(self) -> None:
        await self._answer.aclose()


@contextlib.contextmanager
def _fetch_errors(host: str) -> Iterator[None]:
    """Raise httpcore's errors as this package's."""
    try:
        yield
    except httpcore.ProtocolError as error:
        raise UrlUnreachableError(
            f"The answer of {host} is broken or cut off: try again later, or send the article's "
            "text."
        ) from error
    except httpcore.NetworkError as error:
        raise UrlUnreachableError(
            f"The connection to {host} broke: try again later, or send the article's text."
        ) from error


class _ByteCount:
    """Count what a server sends, informational answers and chunk sizes included."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._limit = MAX_HEADER_BYTES
        self._received = 0

    def headers_complete(self) -> None:
        self._limit += self._max_bytes

    def require_below_limit(self) -> None:
        if self._received >= self._limit:
            raise PageTooLargeError("The page is too large: send the article's text.")

    def add(self, data: bytes) -> None:
        self._received += len(data)


class _PinnedBackend(httpcore.AsyncNetworkBackend):
    def __init__(
        self, addresses: Sequence[IPv4Address | IPv6Address], received: _ByteCount, end: float
    ) -> None:
        self._addresses = addresses[:_MAX_ADDRESSES]
        self._received = received
        self._end = end
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception | None = None
        for tried, address in enumerate(self._addresses):
            now = asyncio.get_running_loop().time()
            # An equal share of the time: after an address that drops packets, the next is tried.
            share = (self._end - now) / (len(self._addresses) - tried)
            try:
                async with asyncio.timeout(share):
                    stream = await self._network.connect_tcp(str(address), port)
            except (TimeoutError, httpcore.ConnectError) as error:
                failure = error
            else:
                return _CountedStream(stream, self._received)
        if isinstance(failure, TimeoutError):
            raise UrlTimeoutError(f"{host} did not answer in time: try again later.") from failure
        raise UrlUnreachableError(
            f"{host} does not answer: check the URL, or try again later."
        ) from failure


class _CountedStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream, received: _ByteCount) -> None:
        self._stream = stream
        self._received = received

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._received.require_below_limit()
        data = await self._stream.read(min(max_bytes, 16 * 1024), timeout)
        self._received.add(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except httpcore.ConnectError as error:
            if not isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise
            raise UrlUnreachableError(
                f"The certificate of {server_hostname} can't be trusted, so its page was not read: "
                "give another page, or send the article's text."
            ) from error
        return _CountedStream(stream, self._received)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
