"""The article's text in a web page."""

import codecs
import contextlib
import re
from collections.abc import Iterator
from typing import NamedTuple

import trafilatura
from lxml import etree, html

from serving.fetch.errors import NoArticleError, PageNotHtmlError, PageTooLargeError

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xff\xfe", "utf-16-le"),
)
_IN_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:+-]+)", re.ASCII | re.IGNORECASE)
_IN_PAGE = re.compile(
    rb"(?:charset|<\?xml[^>]{1,40}encoding)\s*=\s*[\"']?\s*([\w.:+-]+)", re.IGNORECASE
)
_SEARCHED = 4096  # bytes of the page in which it may declare its charset
# Python's encoding by a label's letters and digits: those of the web, under the names the web gives
# them. A larger encoding stands for its parts, as in browsers. No label is looked up by Python,
# which knows encodings that are slow, and remembers every label it is asked for.
_ENCODINGS = {
    "utf8": "utf-8", "utf16": "utf-16-le", "utf16le": "utf-16-le", "utf16be": "utf-16-be",
    "ascii": "cp1252", "usascii": "cp1252", "latin1": "cp1252", "iso88591": "cp1252",
    "latin5": "cp1254", "iso88599": "cp1254", "latin9": "iso8859-15", "latin2": "iso8859-2",
    **{f"windows{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"cp{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"iso8859{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    "windows874": "cp874", "tis620": "cp874", "iso885911": "cp874", "ibm866": "cp866",
    "cp866": "cp866", "koi8r": "koi8-r", "koi8u": "koi8-u", "macintosh": "mac-roman",
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5hkscs",
    "big5hkscs": "big5hkscs", "eucjp": "euc_jp", "iso2022jp": "iso2022_jp", "shiftjis": "cp932",
    "sjis": "cp932", "xsjis": "cp932", "windows31j": "cp932", "euckr": "cp949",
    "ksc56011987": "cp949",
}  # fmt: skip
_NO_LETTER = re.compile(r"[^a-z0-9]")
# Encodings whose bytes can be taken for UTF-8, and what pages in them contain.
_HALLMARK = {"iso2022_jp": b"\x1b", "utf-16-le": b"\0", "utf-16-be": b"\0"}


def decode_page(body: bytes, content_type: str) -> str:
    """Text of a page whose Content-Type header is given.

    In this order: a byte order mark; a declared encoding that looks like ASCII but is not; UTF-8,
    if the bytes are; the declared encoding (header before page), if it reads more characters
    beyond ASCII than it fails on; windows-1252, which the web means where it says nothing.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    in_header = _IN_HEADER.search(content_type)
    in_page = _IN_PAGE.search(body[:_SEARCHED])
    labels = [in_header[1]] if in_header else []
    labels += [in_page[1].decode("ascii", "ignore")] if in_page else []
    names = [_ENCODINGS.get(_NO_LETTER.sub("", label.lower())) for label in labels]
    declared = [name for name in names if name is not None]
    for encoding in declared:
        if encoding in _HALLMARK and _HALLMARK[encoding] in body:
            return body.decode(encoding, "replace")
    with contextlib.suppress(UnicodeDecodeError):
        return body.decode("utf-8")
    for encoding in (*declared, "utf-8"):
        if _reads(body, encoding):
            return body.decode(encoding, "replace")
    return body.decode("cp1252", "replace")


def _reads(body: bytes, encoding: str) -> bool:
    text = body.decode(encoding, "replace")
    failed = text.count("\ufffd")
    return failed == 0 or len(text) - len(text.encode("ascii", "ignore")) >= 2 * failed


MIN_CHARACTERS = 200  # an article has at least; consent notes and sign-in pages mostly have less
_MAX_ELEMENTS, _MAX_DEPTH = 20_000, 100  # extraction takes seconds beyond; news pages have a tenth
_SPACE = re.compile(r"\s+")
_PARAGRAPHS = frozenset(
    {"p", "item", "quote", "list", "fw", "ab", "div", "body", "table", "row", "cell", "code"}
)
_LEFT_OUT = frozenset(["head", "graphic"])  # headings are no sentences
_ADVERT = " or ".join(
    f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"
    for name in ("ad", "ads", "advert", "advertisement", "ad-slot", "promo", "sponsored")
)
_ADVERTS = f"//*[self::div or self::aside or self::section][{_ADVERT}][not(.//article or .//h1)]"


class ArticleText(NamedTuple):
    """Paragraphs are separated by blank lines."""

    title: str | None
    text: str


def read_html(page: str) -> ArticleText:
    """The article of an HTML page.

    Raises:
        NoArticleError: too little running text.
        PageNotHtmlError: not text at all.
        PageTooLargeError: too many elements, or nested too deeply.
    """
    _require_text(page)
    # As bytes, for text with an XML declaration is refused. The parser loads nothing by itself.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        tree = html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError as error:  # an empty document
        raise _no_article() from error
    _require_sane(tree)
    # Precision gives up rather than hand out menus. Tables are figures, not sentences.
    document = trafilatura.bare_extraction(
        tree,
        favor_precision=True,
        include_comments=False,
        include_tables=False,
        prune_xpath=_ADVERTS,
    )
    if not isinstance(document, trafilatura.metadata.Document):
        raise _no_article()
    return ArticleText(_title(tree), _require_article("".join(_pieces(document.body))))


def read_plain(page: str) -> ArticleText:
    """The article that a plain-text page is.

    Raises:
        NoArticleError: too little text.
        PageNotHtmlError: not text at all.
    """
    _require_text(page)
    return ArticleText(None, _require_article(page))


def _require_text(page: str) -> None:
    if "\0" in page:
        raise PageNotHtmlError("The page is not text: give a page with an article.")


def _require_sane(tree: html.HtmlElement) -> None:
    elements = depth = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        elements += event == "start"
        if elements > _MAX_ELEMENTS or depth > _MAX_DEPTH:
            raise PageTooLargeError("The page has too much markup: send the article's text.")


def _pieces(element: html.HtmlElement) -> Iterator[str]:
    """The text below an element, with two line breaks around a paragraph and one for a break."""
    edge = "\n\n" if element.tag in _PARAGRAPHS or element.tag in _LEFT_OUT else ""
    yield edge
    if element.tag == "lb":
        yield "\n"
    elif element.tag not in _LEFT_OUT:
        yield _SPACE.sub(" ", element.text or "")
        for child in element:
            yield from _pieces(child)
            yield _SPACE.sub(" ", child.tail or "")
    yield edge


def _require_article(text: str) -> str:
    """The text with its lines stripped and one blank line between paragraphs."""
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
        f"The page has no article of at least {MIN_CHARACTERS} characters. It may want a sign-in, "
        "consent or JavaScript: send the article's text."
    )
