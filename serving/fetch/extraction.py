"""The article in a web page."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import trafilatura
from lxml import etree, html

from serving.fetch.decoding import decode_page, decompress
from serving.fetch.errors import NoArticleError, PageNotHtmlError, PageTooLargeError

PLAIN = "text/plain"
MIN_CHARACTERS = 200  # of an article; consent notes and sign-in pages mostly have fewer
# Extraction takes seconds beyond these; news pages have a tenth.
_MAX_ELEMENTS, _MAX_DEPTH = 20_000, 100
_SPACE = re.compile(r"\s+")
_PARAGRAPHS = frozenset(
    {"p", "item", "quote", "list", "fw", "ab", "div", "body", "table", "row", "cell", "code"}
)
_LEFT_OUT = frozenset(["head", "graphic"])  # headings are not sentences
_ADVERT = " or ".join(
    f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"
    for name in ("ad", "ads", "advert", "advertisement", "ad-slot", "promo", "sponsored")
)
_ADVERTS = f"//*[self::div or self::aside or self::section][{_ADVERT}][not(.//article or .//h1)]"


class ArticleText(NamedTuple):
    """A page's article; blank lines separate its paragraphs."""

    title: str | None
    text: str


def read_page(
    body: bytes, content_type: str, codings: Sequence[str], max_bytes: int
) -> ArticleText:
    """Return the article of a page as a server sent it.

    Args:
        body: the answer's body, compressed or not.
        content_type: the Content-Type header; plain text is taken as it is.
        codings: values of the Content-Encoding headers.
        max_bytes: size of the page without its content coding at most.

    Raises:
        UrlUnreachableError: the body is damaged.
        PageTooLargeError: too many bytes or elements, or elements nested too deeply.
        PageNotHtmlError: not text, or compressed in another way than gzip or deflate.
        NoArticleError: too little running text.
    """
    text = decode_page(decompress(body, codings, max_bytes), content_type)
    return read_plain(text) if media_type(content_type) == PLAIN else read_html(text)


def media_type(content_type: str) -> str:
    """Return the type and subtype of a Content-Type header, in lower case."""
    return content_type.split(";", maxsplit=1)[0].strip().lower()


def read_html(page: str) -> ArticleText:
    """Return the article of an HTML page.

    Raises:
        NoArticleError: too little running text.
        PageNotHtmlError: not text at all.
        PageTooLargeError: too many elements, or elements nested too deeply.
    """
    _require_text(page)
    # As bytes, because text with an XML declaration is refused. The parser loads nothing by itself.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        tree = html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError as error:  # an empty document
        raise _no_article() from error
    _require_moderate_markup(tree)
    # With `favor_precision` a menu is no article. Tables hold figures, not sentences.
    document = trafilatura.bare_extraction(
        tree,
        favor_precision=True,
        include_comments=False,
        include_tables=False,
        prune_xpath=_ADVERTS,
    )
    if not isinstance(document, trafilatura.metadata.Document):
        raise _no_article()
    return ArticleText(_title(tree), _require_article("".join(_segments(document.body))))


def read_plain(page: str) -> ArticleText:
    """Return the article of a plain-text page.

    Raises:
        NoArticleError: too little text.
        PageNotHtmlError: not text at all.
    """
    _require_text(page)
    return ArticleText(None, _require_article(page))


def _require_text(page: str) -> None:
    if "\0" in page:
        raise PageNotHtmlError("The page is not text: give a page with an article.")


def _require_moderate_markup(tree: html.HtmlElement) -> None:
    elements = depth = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        elements += event == "start"
        if elements > _MAX_ELEMENTS or depth > _MAX_DEPTH:
            raise PageTooLargeError("The page has too much markup: send the article's text.")


def _segments(element: html.HtmlElement) -> Iterator[str]:
    """Yield an element's text, with two line breaks around a paragraph and one for a `br`."""
    edge = "\n\n" if element.tag in _PARAGRAPHS or element.tag in _LEFT_OUT else ""
    yield edge
    if element.tag == "lb":
        yield "\n"
    elif element.tag not in _LEFT_OUT:
        yield _SPACE.sub(" ", element.text or "")
        for child in element:
            yield from _segments(child)
            yield _SPACE.sub(" ", child.tail or "")
    yield edge


def _require_article(text: str) -> str:
    """Return the text with stripped lines and one blank line between paragraphs."""
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]
    article = "\n".join(kept).strip()
    if len(article) < MIN_CHARACTERS:
        raise _no_article()
    return article


def _title(tree: html.HtmlElement) -> str | None:
    for path in ("//meta[@property='og:title']/@content", "//head/title/text()", "//h1//text()"):
        title = _SPACE.sub(" ", " ".join(map(str, tree.xpath(path)[:1]))).strip()
        if title:
            return title[:300]
    return None


def _no_article() -> NoArticleError:
    return NoArticleError(
        f"The page has no article of at least {MIN_CHARACTERS} characters. It may need a sign-in, "
        "consent or JavaScript: send the article's text."
    )
