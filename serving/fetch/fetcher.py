"""The door: fetch a stranger's URL, checked at every hop, and hand out the article's text."""

import ssl
from dataclasses import dataclass

from serving.fetch.addresses import AddressCheck, Resolve, Resolver, is_public, system_lookup
from serving.fetch.errors import (
    FetchingDisabledError,
    PageNotHtmlError,
    UrlNotAllowedError,
    UrlUnreachableError,
)
from serving.fetch.exchange import (
    Answer,
    Deadline,
    connect,
    exchange,
    read_body,
    tls_context,
    too_large,
)
from serving.fetch.extraction import decode_page, read_html, read_plain
from serving.fetch.limits import WebSettings
from serving.fetch.urls import WebUrl, parse_url

_REDIRECTS = frozenset([301, 302, 303, 307, 308])
_PLAIN = "text/plain"
_READABLE = frozenset(["text/html", "application/xhtml+xml", _PLAIN])


@dataclass(frozen=True)
class Page:
    """What a URL led to."""

    url: str  # after redirects
    media_type: str  # one of _READABLE
    text: str


@dataclass(frozen=True)
class WebArticle:
    """An article found on the web; its paragraphs are separated by blank lines."""

    url: str  # after redirects
    title: str | None
    text: str


class ArticleFetcher:
    """Fetches pages within its settings. Safe to share between threads: it keeps nothing.

    Args:
        settings: what may be fetched.
        resolve: addresses of a host name; raises OSError. Another one is for tests only.
        is_allowed: whether an address may be connected to. Another one is for tests only.
        tls: how certificates are verified. Another one is for tests only.
    """

    def __init__(
        self,
        settings: WebSettings,
        *,
        resolve: Resolve = system_lookup,
        is_allowed: AddressCheck = is_public,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._resolver = Resolver(resolve, is_allowed)
        self._tls = tls or tls_context()

    def fetch_article(self, url: str) -> WebArticle:
        """The article at a URL.

        Raises:
            WebError: one of its subclasses, see highlighter.web.errors.
        """
        page = self.fetch_page(url)
        article = read_plain(page.text) if page.media_type == _PLAIN else read_html(page.text)
        return WebArticle(page.url, article.title, article.text)

    def fetch_page(self, url: str) -> Page:
        """The page at a URL, as text.

        Raises:
            WebError: as `fetch_article`, but NoArticleError.
        """
        if not self._settings.enabled:
            raise FetchingDisabledError(
                "This service does not fetch pages: send the article's text."
            )
        deadline = Deadline(self._settings.timeout_seconds)
        target = parse_url(url)
        for _ in range(self._settings.max_redirects + 1):
            found = self._follow(target, deadline)
            if isinstance(found, Page):
                return found
            target = found
        raise UrlUnreachableError(
            f"The URL redirects more than {self._settings.max_redirects} times: give the address "
            "that the page itself has."
        )

    def _follow(self, url: WebUrl, deadline: Deadline) -> Page | WebUrl:
        """One hop, with every check: the page, or where it was moved."""
        self._require_allowed(url)
        addresses = self._resolver.addresses(url, deadline)
        try:
            with connect(url, addresses, self._tls, deadline) as connection:
                answer = exchange(connection, url, self._settings.max_bytes, deadline)
                if answer.status in _REDIRECTS:
                    return _redirected(url, answer)
                return self._read(url, answer)
        except TimeoutError as error:
            raise deadline.error() from error
        except OSError as error:
            raise UrlUnreachableError(
                f"The connection to {url.host} broke: try again later, or send the article's text."
            ) from error

    def _require_allowed(self, url: WebUrl) -> None:
        if url.port not in self._settings.ports:
            ports = ", ".join(map(str, self._settings.ports))
            raise UrlNotAllowedError(f"The URL's port is {url.port}: use one of {ports}.")
        if not self._settings.allows_host(url.host):
            raise UrlNotAllowedError(
                f"This service does not fetch from {url.host}: send the article's text."
            )

    def _read(self, url: WebUrl, answer: Answer) -> Page:
        if answer.status != 200:
            raise UrlUnreachableError(
                f"{url.host} answers with status {answer.status}: check that the page is public."
            )
        content_type = (answer.values("content-type") or [""])[0]
        media_type = content_type.split(";")[0].strip().lower()
        if media_type not in _READABLE:
            raise PageNotHtmlError(
                "The URL leads to something other than an HTML or plain-text page: give a page "
                "with an article."
            )
        limit = self._settings.max_bytes
        if any(int(length) > limit for length in answer.values("content-length")):
            raise too_large(limit)
        body = read_body(answer.body, answer.values("content-encoding"), limit)
        return Page(str(url), media_type, decode_page(body, content_type))


def _redirected(url: WebUrl, answer: Answer) -> WebUrl:
    """Where a redirect leads; never from https to http, for that takes TLS's promise back."""
    locations = answer.values("location")
    if len(locations) != 1:
        raise UrlUnreachableError(f"{url.host} redirects to nowhere: check the URL.")
    target = url.join(locations[0])
    if (url.scheme, target.scheme) == ("https", "http"):
        raise UrlNotAllowedError("The URL redirects from https to http: give another page.")
    return target
