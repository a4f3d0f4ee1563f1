"""Fetch the article at a client's URL: every redirect is checked, everything is limited."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from serving.fetch.addresses import AddressCheck, Resolve, Resolver, is_public, system_lookup
from serving.fetch.decoding import require_size
from serving.fetch.errors import (
    FetchingDisabledError,
    PageNotHtmlError,
    UrlNotAllowedError,
    UrlTimeoutError,
    UrlUnreachableError,
)
from serving.fetch.extraction import PLAIN, ArticleText, media_type
from serving.fetch.extraction_pool import ExtractionPool
from serving.fetch.limits import FetchSlots, WebSettings
from serving.fetch.transport import PinnedTransport, tls_context
from serving.fetch.urls import WebUrl, parse_url

_REDIRECTS = frozenset([301, 302, 303, 307, 308])
_READABLE = frozenset(["text/html", "application/xhtml+xml", PLAIN])
# Nothing of the environment and nothing of an earlier answer: no cookies, referrer or credentials.
_HEADERS = {
    "User-Agent": "NewsHighlighter/0.1 (summarizes an article at a reader's request)",
    "Accept": "text/html, application/xhtml+xml, text/plain;q=0.8",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",
}
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each URL


@dataclass(frozen=True)
class Page:
    """A page as its server sent it."""

    url: str  # after redirects
    content_type: str
    codings: list[str]  # values of the Content-Encoding headers
    body: bytes


@dataclass(frozen=True)
class WebArticle:
    """An article found on the web; blank lines separate its paragraphs."""

    url: str  # after redirects
    title: str | None
    text: str


class ArticleFetcher:
    """Fetch articles within limits. Use it in one event loop.

    Args:
        settings: what may be fetched.
        slots: limits the fetches at once; None: the default limits.
        resolve: returns the addresses of a host name; raises OSError. Tests replace it.
        is_allowed: whether an address may be connected to. Tests replace it.
        tls: verifies certificates. Tests replace it.
    """

    def __init__(
        self,
        settings: WebSettings,
        *,
        slots: FetchSlots | None = None,
        resolve: Resolve = system_lookup,
        is_allowed: AddressCheck = is_public,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._slots = slots or FetchSlots()
        self._resolver = Resolver(resolve, is_allowed)
        self._tls = tls or tls_context()
        self._pool = ExtractionPool()

    async def fetch_article(self, url: str, client: str) -> WebArticle:
        """Return the article at a URL. Cancelling closes the connection and stops the extraction.

        Args:
            url: absolute, http or https.
            client: the client's address; its fetches at once are limited.

        Raises:
            WebError: one of its subclasses, see `serving.fetch.errors`.
        """
        target = self._parse(url)
        async with self._slots.hold(client, target.host), self._time_limit() as end:
            hops = _Hops(target, self._settings.max_redirects)
            while True:
                page = await self._fetch(hops, end)
                found = await self._pool.read_page(
                    page.body,
                    page.content_type,
                    page.codings,
                    self._settings.max_bytes,
                    page.url,
                )
                if isinstance(found, ArticleText):
                    return WebArticle(page.url, found.title, found.text)
                hops.follow(found.location)

    async def fetch_page(self, url: str) -> Page:
        """Return the page at a URL.

        Raises:
            WebError: as `fetch_article`, except NoArticleError.
        """
        hops = _Hops(self._parse(url), self._settings.max_redirects)
        async with self._time_limit() as end:
            return await self._fetch(hops, end)

    async def aclose(self) -> None:
        """End the processes that extract articles."""
        await self._pool.aclose()

    def _parse(self, url: str) -> WebUrl:
        if not self._settings.enabled:
            raise FetchingDisabledError(
                "This service does not fetch pages: send the article's text."
            )
        return parse_url(url)

    @asynccontextmanager
    async def _time_limit(self) -> AsyncIterator[float]:
        seconds = self._settings.timeout_seconds
        end = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(end):
                yield end
        except TimeoutError as error:
            raise UrlTimeoutError(
                f"The page was not complete within {seconds:g} seconds: try again later, or send "
                "the article's text."
            ) from error

    async def _fetch(self, hops: "_Hops", end: float) -> Page:
        while True:
            found = await self._request(hops.url, end)
            if isinstance(found, Page):
                return found
            hops.follow(found)

    async def _request(self, url: WebUrl, end: float) -> Page | str:
        """Return the page, or the location that it redirects to."""
        self._require_allowed(url)
        transport = PinnedTransport(
            await self._resolver.addresses(url),
            self._tls,
            max_bytes=self._settings.max_bytes,
            end=end,
        )
        request = httpx.Request(
            "GET", str(url), headers=_HEADERS, extensions={"target": url.target.encode("ascii")}
        )
        # A new client for each request: nothing is shared between requests, such as cookies.
        async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=None) as client:
            answer = await client.send(request, stream=True)
            if answer.status_code in _REDIRECTS:
                return _location(url, answer)
            return await self._read(url, answer)

    def _require_allowed(self, url: WebUrl) -> None:
        if url.port not in self._settings.ports:
            ports = ", ".join(map(str, self._settings.ports))
            raise UrlNotAllowedError(f"The URL's port is {url.port}: use one of {ports}.")
        if not self._settings.allows_host(url.host):
            raise UrlNotAllowedError(
                f"This service does not fetch from {url.host}: send the article's text."
            )

    async def _read(self, url: WebUrl, answer: httpx.Response) -> Page:
        if answer.status_code != 200:
            raise UrlUnreachableError(
                f"{url.host} answers with status {answer.status_code}: check that the page is "
                "public."
            )
        content_type = answer.headers.get("content-type", "")
        if media_type(content_type) not in _READABLE:
            raise PageNotHtmlError(
                "The URL leads to something other than an HTML or plain-text page: give a page "
                "with an article."
            )
        limit = self._settings.max_bytes
        require_size(int(answer.headers.get("content-length", 0)), limit)
        body = bytearray()
        async for chunk in answer.aiter_raw():
            body += chunk
            require_size(len(body), limit)
        codings = answer.headers.get_list("content-encoding")
        return Page(str(url), content_type, codings, bytes(body))


class _Hops:
    """The URL to be requested next; redirects in headers and in pages are counted together."""

    def __init__(self, url: WebUrl, most: int) -> None:
        self.url = url
        self._most = self._left = most

    def follow(self, location: str) -> None:
        """Go to a redirect's target; from https to http too, as browsers do.

        Raises:
            UrlNotAllowedError: the target is malformed or may not be fetched.
            UrlUnreachableError: one redirect too many.
        """
        target = self.url.join(location)
        if self._left == 0:
            raise UrlUnreachableError(
                f"The URL redirects more than {self._most} times: give the page's final address."
            )
        self._left -= 1
        self.url = target


def _location(url: WebUrl, answer: httpx.Response) -> str:
    found = [value for name, value in answer.headers.raw if name.lower() == b"location"]
    if len(found) != 1:
        raise UrlUnreachableError(f"{url.host} redirects to nowhere: check the URL.")
    try:
        return found[0].decode()
    except UnicodeDecodeError:  # bytes of another encoding are for the server to understand
        return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in found[0])
