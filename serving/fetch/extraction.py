"""The article in a web page."""

import copy
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import trafilatura
from lxml import html

from highlighter.data.characters import drop_invisible
from serving.fetch.blocks import Block, comparable, page_blocks
from serving.fetch.decoding import decode_page, decompress
from serving.fetch.errors import NoArticleError
from serving.fetch.json_text import read_json_text
from serving.fetch.markup import parse_page, refresh_target, require_text
from serving.fetch.notices import is_stub, notice_kind
from serving.fetch.story import story_blocks

PLAIN = "text/plain"
MIN_CHARACTERS = 200  # of an article
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
_MANY_ELEMENTS = 20_000
_INDEX = 10  # paragraphs in teasers of a page that is a list of articles
# In a script's data there are other texts than the page's: how much of the page's own it must hold.
_SAME_TEXT, _MUCH_LONGER = 0.6, 1.2
_TITLE_WORD = re.compile(r"\w{4,}")


class ArticleText(NamedTuple):
    """A page's article; blank lines separate its paragraphs."""

    title: str | None
    text: str


class PageRedirect(NamedTuple):
    """Where a page sends its readers."""

    location: str


def read_page(
    body: bytes, content_type: str, codings: Sequence[str], max_bytes: int, url: str | None = None
) -> ArticleText | PageRedirect:
    """Return the article of a page as a server sent it, or where the page sends its readers.

    Args:
        body: the answer's body, compressed or not.
        content_type: the Content-Type header; plain text is taken as it is.
        codings: values of the Content-Encoding headers.
        max_bytes: size of the page without its content coding at most.
        url: the page's; without it, the page sends its readers nowhere.

    Raises:
        UrlUnreachableError: the body is damaged.
        PageTooLargeError: too many bytes or elements, or elements nested too deeply.
        PageNotHtmlError: not text, or compressed in another way than gzip or deflate.
        NoArticleError: too little running text.
    """
    text = decode_page(decompress(body, codings, max_bytes), content_type)
    return read_plain(text) if media_type(content_type) == PLAIN else read_html(text, url)


def media_type(content_type: str) -> str:
    """Return the type and subtype of a Content-Type header, in lower case."""
    return content_type.split(";", maxsplit=1)[0].strip().lower()


def read_html(page: str, url: str | None = None) -> ArticleText | PageRedirect:
    """Return the article of an HTML page, or where the page sends its readers.

    Raises:
        NoArticleError: too little running text, or a notice instead of an article.
        PageNotHtmlError: not text at all.
        PageTooLargeError: too many elements, or elements nested too deeply.
    """
    tree = parse_page(require_text(page))
    if tree is None:
        raise _no_article()
    location = refresh_target(tree, url, scripts=True)
    if location is not None:
        return PageRedirect(location)
    try:
        return ArticleText(_title(tree), _require_article(_story(tree)))
    except NoArticleError:
        location = refresh_target(tree, url, scripts=False)
        if location is None:
            raise
        return PageRedirect(location)


def _story(tree: html.HtmlElement) -> str:
    """Return the text of a page's story.

    Raises:
        NoArticleError: there is a notice instead, or only the story's beginning.
    """
    json_text = read_json_text(tree)
    blocks = page_blocks(tree)
    story = story_blocks(blocks, _extract(tree), json_text.declared)
    text = _joined(story)
    # Some pages have their text in a `template`, others only below pictures.
    for options in ({"inert": True}, {"captions": True}):
        if len(text) < MIN_CHARACTERS:
            variant = page_blocks(tree, **options)
            more = story_blocks(variant, [], json_text.declared)
            if len(_joined(more)) > len(text):
                blocks, story, text = variant, more, _joined(more)
    if json_text.free:
        title = _title(tree)
        states = (text for text in json_text.states if _shares_words(text, title))
        for other in (json_text.declared, next(states, "")):
            if len(other) > _MUCH_LONGER * len(text) and _holds(other, story):
                story, text = [], other
    kind = notice_kind(text)
    if kind is None and is_stub(story, blocks, free=json_text.free):
        kind = "the beginning of a story that only subscribers can read"
    if len(text) < MIN_CHARACTERS and kind is None:
        kind = notice_kind(" ".join(block.text for block in blocks if not block.card)[:2000])
        if kind is None and sum(block.card for block in blocks) >= _INDEX:
            kind = "a list of articles"
    if kind is not None:
        raise _no_article(kind)
    return text


def _joined(story: Sequence[Block]) -> str:
    return "\n\n".join(block.text for block in story)


def _holds(text: str, story: Sequence[Block]) -> bool:
    """Return whether a text has most of a story, or the page has no story outside its scripts."""
    characters = sum(len(block.key) for block in story)
    if characters < MIN_CHARACTERS // 2:
        return True
    key = comparable(text)
    return sum(len(b.key) for b in story if b.key in key) >= _SAME_TEXT * characters


def _shares_words(text: str, title: str | None) -> bool:
    """Return whether a text is about what a page's title says."""
    words = set(_TITLE_WORD.findall((title or "").casefold()))
    known = words.intersection(_TITLE_WORD.findall(text.casefold()))
    return len(known) >= min(2, len(words))


def _extract(tree: html.HtmlElement) -> list[str]:
    """Return the paragraphs that trafilatura keeps; none of pages on which it takes seconds."""
    if sum(1 for _ in itertools.islice(tree.iter(), _MANY_ELEMENTS)) == _MANY_ELEMENTS:
        return []
    # With `favor_precision` a menu is no article. Tables hold figures, not sentences.
    document = trafilatura.bare_extraction(
        copy.deepcopy(tree),
        favor_precision=True,
        include_comments=False,
        include_tables=False,
        prune_xpath=_ADVERTS,
    )
    if not isinstance(document, trafilatura.metadata.Document):
        return []
    return [part for part in "".join(_segments(document.body)).split("\n\n") if part.strip()]


def read_plain(page: str) -> ArticleText:
    """Return the article of a plain-text page.

    Raises:
        NoArticleError: too little text.
        PageNotHtmlError: not text at all.
    """
    return ArticleText(None, _require_article(require_text(page)))


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
    lines = [line.strip() for line in drop_invisible(text).splitlines()]
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


def _no_article(kind: str | None = None) -> NoArticleError:
    found = (
        f"The page looks like {kind}, not like an article."
        if kind
        else f"The page has no article of at least {MIN_CHARACTERS} characters. It may need a "
        "sign-in, consent or JavaScript."
    )
    return NoArticleError(f"{found} Give the article's own page, or send the article's text.")
