"""The article that a page holds as JSON: for search engines, or for its own script to show."""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lxml import etree, html

_LINKED_DATA = "application/ld+json"
_STATE_TYPES = frozenset(["", "text/javascript", "application/javascript", "application/json"])
_TYPES = re.compile(r"Article|Posting|Report|Review|WebPage|CreativeWork|Recipe")
# window.__STATE__ = {…}; var page = JSON.parse("…"); and a script that is nothing but JSON.
# Markup in a string is taken too: var body = "<p>…".
_START = re.compile(
    r"(?:=\s*|\(\s*|^\s*)(?=[\[{]|\"[\[{]|JSON\.parse\()|[=:]\s*(?=\"<[a-z])", re.IGNORECASE
)
_WRAPPER = re.compile(
    r"^(?://\s*)?(?:<!--|<!\[CDATA\[)|(?://\s*)?(?:-->|\]\]>)$"
)  # for old browsers
_MAX_STARTS = 50  # in a script; news pages have one or two
_MAX_DEPTH = 60  # of a value
_SENTENCE = re.compile(r"\w[^<>{}]{10,}[.!?…。！？؟।։][\"'”’»)\]」』]*\s*(?:<|$)")
_ENDS = re.compile(r"[.!?…。！？؟।։][\"'”’»)\]」』]*\s*$")
_MIN_CHARACTERS = 15  # of a paragraph in a script's JSON
_TAG = re.compile(r"<(?:/?[a-zA-Z][^>]*|!--.*?--)>", re.DOTALL)
_PARAGRAPH_TAG = re.compile(r"</?(?:p|div|br|h[1-6]|li|ul|ol|blockquote|section)\b[^>]*>", re.I)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SCRIPT = re.compile(r"<(script|style|figure|figcaption)\b.*?</\1\s*>", re.I | re.DOTALL)


class JsonText(NamedTuple):
    """What a page's JSON says about its article; paragraphs are separated by blank lines."""

    declared: str  # as the article's text, in linked data
    state: str  # the longest series of sentences in a script's data
    free: bool  # False: the page says that subscribers only may read it


def read_json_text(tree: html.HtmlElement) -> JsonText:
    """Return the texts of a page's scripts. Nothing is executed."""
    bodies = tree.xpath("//meta[@itemprop='articleBody']/@content")
    declared, state, free = max(map(_paragraphs, map(str, bodies)), key=len, default=""), "", True
    for script in tree.iter("script"):
        text = script.text or ""
        if not text.strip():
            continue
        kind = (script.get("type") or "").split(";")[0].strip().lower()
        if kind == _LINKED_DATA:
            for value in _linked_data(text):
                for item in _objects(value):
                    if not _TYPES.search(str(item.get("@type", ""))):
                        continue
                    body = _paragraphs(_as_text(item.get("articleBody")))
                    declared = max(declared, body, key=len)
                    if str(item.get("isAccessibleForFree", "")).strip().lower() == "false":
                        free = False
        elif kind in _STATE_TYPES and "." in text:
            for value in _values(text, script_is_json=kind == "application/json"):
                state = max(state, _longest_series(value), key=len)
    return JsonText(declared, state, free)


def _linked_data(text: str) -> Iterator[Any]:
    text = _WRAPPER.sub("", text.strip()).rstrip("; \n")
    # Line breaks inside of strings are not allowed, but common.
    with contextlib.suppress(ValueError, RecursionError):
        yield json.loads(text, strict=False)


def _values(text: str, *, script_is_json: bool) -> Iterator[Any]:
    """Yield the JSON values in a script."""
    if script_is_json:
        yield from _linked_data(text)
        return
    decoder = json.JSONDecoder(strict=False)
    position = tried = 0
    while tried < _MAX_STARTS and (start := _START.search(text, position)):
        tried += 1
        begin = start.end()
        if text.startswith("JSON.parse(", begin):
            begin += len("JSON.parse(")
        try:
            value, position = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            position = max(begin, start.end()) + 1
            continue
        if isinstance(value, str) and not value.startswith("<"):
            with contextlib.suppress(ValueError, RecursionError):
                yield json.loads(value, strict=False)
        else:
            yield value


def _objects(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        yield value
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, (dict, list)):
        for child in children:
            yield from _objects(child, depth + 1)


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return "\n\n".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _longest_series(value: Any) -> str:
    """Return the longest text below one list or object whose parts are sentences."""
    best = ""

    def visit(value: Any, depth: int) -> list[str]:
        """Return the sentences below a value that may be part of a longer series."""
        nonlocal best
        if isinstance(value, str):
            text = _paragraphs(value) if _SENTENCE.search(value) else ""
            return [text] if len(text) >= _MIN_CHARACTERS else []
        if depth > _MAX_DEPTH or not isinstance(value, (dict, list)):
            return []
        if isinstance(value, dict):
            found = [text for child in value.values() for text in visit(child, depth + 1)]
            longest = max(found, key=len, default="")
            best = max(best, longest, key=len)
            # A paragraph's object holds its text once; objects of stories hold lists of those.
            return found if len(found) == 1 else []
        parts = [child.get("text") if isinstance(child, dict) else None for child in value]
        texts = [part for part in parts if isinstance(part, str)]
        if texts and len(texts) == len(value) and not all(map(_ENDS.search, texts[:-1])):
            text = _paragraphs("".join(texts))  # one paragraph, in parts of different style
            return [text] if _SENTENCE.search(text) else []
        series = [text for child in value for text in visit(child, depth + 1)]
        best = max(best, "\n\n".join(dict.fromkeys(series)), key=len)
        return series

    whole = visit(value, 0)
    return max([best, *whole], key=len)


def _paragraphs(text: str) -> str:
    """Return a text whose paragraphs are separated by blank lines, without markup.

    Halves of surrogate pairs, at which JavaScript cuts emoji, are replaced as in HTML.
    """
    text = _SURROGATE.sub("\ufffd", text)
    if "&lt;" in text and "<" not in text:
        text = _unescape(text)
    if _TAG.search(text):
        text = _SCRIPT.sub(" ", text)
        text = _TAG.sub("", _PARAGRAPH_TAG.sub("\n\n", text))
    lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in _unescape(text).splitlines()]
    return "\n\n".join(line for line in lines if line)


def _unescape(text: str) -> str:
    if "&" not in text:
        return text
    # lxml's entities are those of HTML, without Python's guesses at unfinished ones.
    try:
        return str(html.fromstring(f"<pre>{text.replace('<', '&lt;')}</pre>").text_content())
    except (etree.ParserError, ValueError):
        return text
