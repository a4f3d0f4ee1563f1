"""A page's tree of elements: checked, completed and repaired as browsers do it."""

import contextlib
import re
from collections import Counter

from lxml import etree, html

from serving.fetch.errors import PageNotHtmlError, PageTooLargeError, UrlNotAllowedError
from serving.fetch.urls import parse_url

# Extraction takes seconds beyond these; news pages have 2,000 elements, long live blogs 50,000.
_MAX_ELEMENTS, _MAX_NESTING = 100_000, 1_000
_MAX_ALIKE = 20  # elements with one tag and class inside each other; more are unclosed tags
_MAX_DEPTH = 150  # of all other elements
_MAX_GARBAGE = 0.01  # control and undecodable characters of a text
_GARBAGE = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
_IN_HEAD = frozenset(["title", "meta", "link", "base", "script", "style", "noscript", "template"])
_INLINE = frozenset(
    ["a", "b", "big", "em", "font", "i", "s", "small", "span", "strong", "sub", "sup", "tt", "u"]
)
_REFRESH = re.compile(
    r"\s*(\d{1,4})(?:\.\d*)?\s*[;,]\s*+(?:url\s*=\s*)?+([\"']?)(.+)", re.I | re.DOTALL
)
_MAX_REFRESH_SECONDS = 10  # pages that reload themselves wait for minutes


def require_text(page: str) -> str:
    """Return the page without control characters, which servers leave in by mistake.

    Raises:
        PageNotHtmlError: not text at all.
    """
    found = len(_GARBAGE.findall(page))
    if found > max(_MAX_GARBAGE * len(page), 20) or page.startswith(("\x89PNG", "%PDF-")):
        raise PageNotHtmlError("The page is not text: give a page with an article.")
    return page.replace("\0", "") if found else page


def parse_page(page: str) -> html.HtmlElement | None:
    """Return a page's tree, in which no element is nested too deeply; None if it has none.

    Raises:
        PageTooLargeError: too many elements, or elements nested too deeply.
    """
    # As bytes, because text with an XML declaration is refused. The parser loads nothing by itself.
    # `huge_tree`, because without it the text below 255 nested elements is dropped.
    parser = html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        tree = html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # an empty document
        return None
    # Without a tag for the body, which HTML does not require, the parser leaves it in the head.
    for head in tree.findall("head"):
        first = next((n for n, part in enumerate(head) if part.tag not in _IN_HEAD), len(head))
        if first < len(head):
            body = tree.find("body")
            body = etree.SubElement(tree, "body") if body is None else body
            body[:0] = head[first:]
    _require_moderate_markup(tree)
    _flatten(tree)
    return tree


def _require_moderate_markup(tree: html.HtmlElement) -> None:
    elements = depth = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        elements += event == "start"
        if elements > _MAX_ELEMENTS:
            raise PageTooLargeError(
                f"The page has too much markup (over {_MAX_ELEMENTS:,} elements): send the part "
                "of its text that matters."
            )
        if depth > _MAX_NESTING:
            raise _nested()


def _flatten(tree: html.HtmlElement) -> None:
    """Replace elements that were never closed by their content: those inside of many like them."""
    unclosed = []
    like: Counter[tuple[str, str]] = Counter()
    depth = 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        kind = (element.tag, element.get("class", ""))
        step = 1 if event == "start" else -1
        if step == -1:
            like[kind] -= 1
        if like[kind] >= _MAX_ALIKE and (len(element) or element.tag in _INLINE):
            unclosed += [element] if step == 1 else []
        else:
            depth += step
        if step == 1:
            like[kind] += 1
        if depth > _MAX_DEPTH:
            raise _nested()
    for element in unclosed:
        if element.tag not in _INLINE:  # its text remains a paragraph
            breaks = [html.Element("br") for _ in range(4)]
            breaks[1].tail, element.text = element.text, None
            element[:0] = breaks[:2]
            element.extend(breaks[2:])
        element.drop_tag()


def _nested() -> PageTooLargeError:
    return PageTooLargeError(
        "The page's markup is broken (too many elements inside each other): send the "
        "article's text."
    )


def refresh_target(tree: html.HtmlElement, url: str | None, *, scripts: bool) -> str | None:
    """Return the URL to which a page sends its readers within seconds, if that is another page.

    Args:
        tree: the page.
        url: the page's; without it, the page sends its readers nowhere.
        scripts: True: readers whose browser runs scripts; False: all others.
    """
    path = "//meta[not(ancestor::noscript)]" if scripts else "//meta[ancestor::noscript]"
    if url is None:
        return None
    for meta in tree.xpath(path):
        match = _REFRESH.fullmatch(meta.get("content") or "")
        if (meta.get("http-equiv") or "").strip().lower() != "refresh" or match is None:
            continue
        seconds, quote, location = match.groups()
        location = location.split(quote)[0] if quote else location
        with contextlib.suppress(UrlNotAllowedError):  # javascript:, an app's address
            here = parse_url(url)
            target = here.join(location.strip())
            if int(seconds) <= _MAX_REFRESH_SECONDS and target != here:
                return str(target)
    return None
