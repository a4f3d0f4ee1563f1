"""Why a URL gave no article: one class and one stable `code` per reason a caller can act on."""

from typing import ClassVar

from highlighter.errors import HighlighterError


class WebError(HighlighterError):
    """Base of this package's errors. Messages never contain an address that a host resolved to."""

    code: ClassVar[str] = "web_error"


class FetchingDisabledError(WebError):
    """The service does not fetch pages."""

    code = "url_fetching_disabled"


class UrlNotAllowedError(WebError):
    """A URL, or a redirect's target, that is malformed or may not be fetched."""

    code = "url_not_allowed"


class UrlUnreachableError(WebError):
    """The host does not exist, does not answer, or answers with something other than a page."""

    code = "url_unreachable"


class UrlTimeoutError(WebError):
    """The page was not fetched and read in time."""

    code = "url_timeout"


class PageTooLargeError(WebError):
    """A page whose headers, body or markup exceed the limits."""

    code = "page_too_large"


class PageNotHtmlError(WebError):
    """Something other than HTML or plain text, or in a content coding that was not asked for."""

    code = "page_not_html"


class NoArticleError(WebError):
    """A page without running text."""

    code = "no_article"
