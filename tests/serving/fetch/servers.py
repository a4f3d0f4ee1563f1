"""Local servers with scripted behavior, and fetchers that are allowed to connect to them."""

import asyncio
import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from serving.fetch.addresses import is_public
from serving.fetch.decoding import decode_page, decompress
from serving.fetch.errors import WebError
from serving.fetch.fetcher import ArticleFetcher, WebArticle
from serving.fetch.limits import FetchSlots, WebSettings

HOST = "news.example.org"
CLIENT = "192.0.2.1"
ARTICLE = (
    "The Ashford ferry will return to service on 3 May, the harbour board said on Tuesday.",
    "The vessel was withdrawn in January after cracks were found in its hull. Repairs cost £1.4 "
    "million, twice the first estimate.",
    "“We know how hard the winter was for the islanders,” said Maren Holt, who chairs the board.",
)
PAGE = "<html><body><article>{}</article></body></html>".format(
    "".join(f"<p>{paragraph}</p>" for paragraph in ARTICLE)
)

MAX_BYTES = WebSettings().max_bytes
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # for http; loading certifi's list takes time

Behavior = Callable[[socket.socket, bytes], None]


def answer(
    body: bytes | str = PAGE,
    content_type: str | None = "text/html; charset=utf-8",
    status: str = "200 OK",
    **headers: str,
) -> bytes:
    """Return a complete HTTP answer; header names are written with underscores."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}"]
    lines += [f"Content-Type: {content_type}"] if content_type is not None else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def redirect(location: str, status: str = "302 Found") -> bytes:
    return answer("", status=status, Location=location)


class Server:
    """Answer with `behavior`: bytes, bytes by path, or a function of socket and request."""

    def __init__(
        self,
        behavior: bytes | Behavior | Mapping[str, bytes],
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[bytes] = []
        self._behavior = behavior
        self._tls = tls
        self._listener = socket.create_server((address, port))
        self.port = int(self._listener.getsockname()[1])
        self._closing = threading.Event()

    def url(self, path: str = "/", *, host: str = HOST, scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def __enter__(self) -> "Server":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the fetcher closes the connection early
            connection.settimeout(10)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                request = b""
                while b"\r\n\r\n" not in request and (data := connection.recv(4096)):
                    request += data
                self.requests.append(request)
                if callable(self._behavior):
                    self._behavior(connection, request)
                elif isinstance(self._behavior, bytes):
                    connection.sendall(self._behavior)
                else:
                    path = request.split()[1].decode()
                    connection.sendall(self._behavior.get(path, answer(status="404 Not Found")))


class Names:
    """A resolver that records its calls and uses a name's answers in turn, the last repeatedly."""

    def __init__(self, names: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._names = {name: list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        if host not in self._names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self._names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def page_text(fetcher: ArticleFetcher, url: str) -> str:
    """Return the text of the page at a URL, decoded in this process."""
    page = asyncio.run(fetcher.fetch_page(url))
    return decode_page(decompress(page.body, page.codings, MAX_BYTES), page.content_type)


def article_at(fetcher: ArticleFetcher, url: str) -> WebArticle:
    """Return the article at a URL; the processes that extracted it are ended."""

    async def fetch() -> WebArticle:
        try:
            return await fetcher.fetch_article(url, CLIENT)
        finally:
            await fetcher.aclose()

    return asyncio.run(fetch())


def code_of(fetcher: ArticleFetcher, url: str) -> str:
    """Return the code of the error that fetching a page raises; "" if it raises none."""
    try:
        page_text(fetcher, url)
    except WebError as error:
        assert not re.search(r"127\.0|169\.254|Errno|0x", str(error)), "leaks an address"
        return error.code
    return ""


def allowing(*addresses: str) -> Callable[[IPv4Address | IPv6Address], bool]:
    """Return the production check with exceptions for the test's servers."""
    return lambda address: str(address) in addresses or is_public(address)


def fetcher_for(
    *servers: Server,
    names: Mapping[str, Sequence[Sequence[str]]] | None = None,
    tls: ssl.SSLContext | None = NO_TLS,
    slots: FetchSlots | None = None,
    **settings: Any,
) -> ArticleFetcher:
    """Return a fetcher that finds the servers as news.example.org; `tls` None: as in production."""
    settings = {"ports": tuple(server.port for server in servers), "timeout_seconds": 5} | settings
    return ArticleFetcher(
        WebSettings(**settings),
        slots=slots,
        resolve=Names(names or {HOST: [["127.0.0.1"]]}),
        is_allowed=allowing("127.0.0.1"),
        tls=tls,
    )


@contextlib.contextmanager
def endless(data: bytes, pause: float = 0.0) -> Iterator[Behavior]:
    """Yield a behavior that sends until the test ends, for 5 seconds at most."""
    over = threading.Event()

    def behave(connection: socket.socket, _: bytes) -> None:
        end = time.monotonic() + 5
        while not over.wait(pause) and time.monotonic() < end:
            connection.sendall(data)

    try:
        yield behave
    finally:
        over.set()
