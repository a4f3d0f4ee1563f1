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
_SINGLE_QUOTED = re.compile(r"\s*'((?:[^'\\]|\\.)*+)'", re.DOTALL)
_NEXT_CHUNK = re.compile(r"__next_f\.push\(\[1,\s*\"((?:[^\"\\]|\\.)*+)\"\]\)", re.DOTALL)
_FLIGHT_ROW = re.compile(rb"[0-9a-f]*:(?:T([0-9a-f]{1,8}),)?")
_ESCAPE = re.compile(r"\\x[0-9a-fA-F]{2}|\\.|\"", re.DOTALL)
_INLINE = frozenset(
    ["a", "abbr", "b", "em", "i", "mark", "q", "s", "small", "span", "strong", "sub", "sup", "u"]
)
_MIN_ATTRIBUTE = 400  # characters
_WRAPPER = re.compile(
    r"^(?://\s*)?(?:<!--|<!\[CDATA\[)|(?://\s*)?(?:-->|\]\]>)$"
)  # for old browsers
_MAX_STARTS = 50  # in a script; news pages have one or two
_MAX_DEPTH = 60  # of a value
_MAX_SERIES = 10  # a page's comments may be longer than its story
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
    states: list[str]  # the longest series of sentences in data for scripts, longest first
    free: bool  # False: the page says that subscribers only may read it


def read_json_text(tree: html.HtmlElement) -> JsonText:
    """Return the texts of a page's scripts. Nothing is executed."""
    bodies = tree.xpath("//meta[@itemprop='articleBody']/@content")
    declared, free = max(map(_paragraphs, map(str, bodies)), key=len, default=""), True
    states = _Longest()
    chunks: list[str] = []
    for script in tree.iter("script"):
        text = script.text or ""
        if not text.strip():
            continue
        if "__next_f" in text:
            chunks += map(_unquoted, _NEXT_CHUNK.findall(text))
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
                _add_series(value, states)
    for value in (*_flight_values("".join(chunks)), *_attribute_values(tree)):
        _add_series(value, states)
    return JsonText(declared, states.texts, free)


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
            if quoted := _SINGLE_QUOTED.match(text, begin):
                position = quoted.end()
                with contextlib.suppress(ValueError, RecursionError):
                    yield json.loads(_unquoted(quoted[1]), strict=False)
                continue
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


def _unquoted(body: str) -> str:
    """Return the text of a JavaScript string, given what is between its quotation marks."""
    with contextlib.suppress(ValueError):
        return str(json.loads(f'"{_ESCAPE.sub(_as_json_escape, body)}"', strict=False))
    return ""


def _as_json_escape(match: re.Match[str]) -> str:
    escape = match[0]
    if escape.startswith("\\x"):
        return f"\\u00{escape[2:]}"
    if escape == '"':
        return '\\"'
    return escape if escape[1] in '"\\/bfnrtu' else escape[1]


def _flight_values(stream: str) -> Iterator[Any]:
    """Yield the values of what Next.js's app router streams to its pages.

    A row is "id:" and JSON, or "id:T", a length in bytes and a text of that length.
    """
    # Halves of a surrogate pair may come in two chunks.
    text = stream.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    position = 0
    while position < len(text):
        end = text.find(b"\n", position) + 1 or len(text)
        row = _FLIGHT_ROW.match(text, position)
        if row is not None and row[1] is not None:
            end = row.end() + int(row[1], 16)
            yield text[row.end() : end].decode("utf-8", "replace")
        elif row is not None:
            with contextlib.suppress(ValueError, RecursionError):
                yield _without_elements(json.loads(text[row.end() : end]))
        position = end


def _without_elements(value: Any, depth: int = 0) -> Any:
    """Return a value in which React elements, ["$", tag, key, properties], are text or lists."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {name: _without_elements(part, depth + 1) for name, part in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) < 4 or value[0] != "$" or not isinstance(value[3], dict):
        parts = [_without_elements(part, depth + 1) for part in value]
        return [part for part in parts if part is not None]
    children = value[3].get("children")
    inside = _without_elements(children, depth + 1)
    if isinstance(inside, list) and all(isinstance(part, str) for part in inside):
        return inside if _holds_blocks(children) else "".join(inside)
    return inside if children is not None else _without_elements(value[3], depth + 1)


def _holds_blocks(children: Any) -> bool:
    """Return whether React children are paragraphs, not the parts of one."""
    return any(
        isinstance(child, list) and len(child) > 1 and child[0] == "$" and child[1] not in _INLINE
        for child in (children if isinstance(children, list) else ())
    )


def _attribute_values(tree: html.HtmlElement) -> Iterator[Any]:
    """Yield the JSON in attributes, in which some frameworks hand pages their data."""
    for text in tree.xpath(f"//@*[string-length() >= {_MIN_ATTRIBUTE}]"):
        if text.lstrip().startswith(("{", "[")):
            with contextlib.suppress(ValueError, RecursionError):
                yield json.loads(text, strict=False)


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


class _Longest:
    """The longest of many texts, longest first."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, text: str) -> None:
        if text and (len(self.texts) < _MAX_SERIES or len(text) > len(self.texts[-1])):
            self.texts = sorted([*self.texts, text], key=len, reverse=True)[:_MAX_SERIES]


def _add_series(value: Any, best: _Longest) -> None:
    """Add the texts below one list or object whose parts are sentences."""

    def visit(value: Any, depth: int) -> list[str]:
        """Return the sentences below a value that may be part of a longer series."""
        if isinstance(value, str):
            text = _paragraphs(value) if _SENTENCE.search(value) else ""
            return [text] if len(text) >= _MIN_CHARACTERS else []
        if depth > _MAX_DEPTH or not isinstance(value, (dict, list)):
            return []
        if isinstance(value, dict):
            found = [text for child in value.values() for text in visit(child, depth + 1)]
            best.add(max(found, key=len, default=""))
            # A paragraph's object holds its text once; objects of stories hold lists of those.
            return found if len(found) == 1 else []
        parts = [child.get("text") if isinstance(child, dict) else None for child in value]
        texts = [part for part in parts if isinstance(part, str)]
        if texts and len(texts) == len(value) and not all(map(_ENDS.search, texts[:-1])):
            text = _paragraphs("".join(texts))  # one paragraph, in parts of different style
            return [text] if _SENTENCE.search(text) else []
        series = [text for child in value for text in visit(child, depth + 1)]
        best.add("\n\n".join(dict.fromkeys(series)))
        return series

    for text in visit(value, 0):
        best.add(text)


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
