"""Why a URL gave no article: one class, and one stable `code`, for each thing a caller can do."""

from typing import ClassVar

from highlighter.errors import HighlighterError


class WebError(HighlighterError):
    """Base of the errors below. Messages never name an address that a host resolved to."""

    code: ClassVar[str] = "web_error"


class FetchingDisabledError(WebError):
    """The service does not fetch pages."""

    code = "url_fetching_disabled"


class UrlNotAllowedError(WebError):
    """A URL, or a redirect's target, that is malformed or may not be fetched."""

    code = "url_not_allowed"


class UrlUnreachableError(WebError):
    """The host does not exist, does not answer, or does not answer with a page."""

    code = "url_unreachable"


class UrlTimeoutError(WebError):
    """The page was not complete in time."""

    code = "url_timeout"


class PageTooLargeError(WebError):
    """Headers, body or markup beyond the limits."""

    code = "page_too_large"


class PageNotHtmlError(WebError):
    """Something other than HTML or plain text, or in an encoding that was not offered."""

    code = "page_not_html"


class NoArticleError(WebError):
    """A page without running text."""

    code = "no_article"
