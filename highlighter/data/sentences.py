"""Split an article into paragraphs and sentences, as character spans."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import sentencex

from highlighter.data.boilerplate import hide_boilerplate
from highlighter.data.characters import EDGE, has_visible_text

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*|\Z")
_LIST_ITEM = re.compile(r"\s*(?:[-*•–—]|\(?\d{1,3}[.)])\s")
_TABLE_ROW = re.compile(r"\t|\S {3,}\S|\|")
_QUOTE_MARK = re.compile(r"(?m)^[^\S\n]*(?:>[^\S\n]?)+")
_SENTENCE_END = tuple(".!?:\"'”’»)")
_STOP_IN_WORD = re.compile(r"\w\.\w")  # "window.PWN" and "South Korea-U.S." are not split
_NUMBERED_POINT = re.compile(r"(?:\A|(?<=[.!?]\s))\(?(\d{1,2})[.)]\s+(?=[\"“'‘]?[^\W\d_])")
_POINT_ALONE = re.compile(r"\s*\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)]\s*")  # "10. More buses."
_MOST_WORK = (
    200_000_000  # characters times marks; a paragraph of plain English reaches it with 70,000
)
_PART_CHARACTERS = 10_000
_LEAST_WIDTH = 24  # of hard-wrapped text, in characters
_EDGE = re.compile(rf"{EDGE}*")
_EDGE_AT_END = re.compile(rf"(?<!{EDGE}){EDGE}*\Z")
_LINE_BREAKS = dict.fromkeys(map(ord, "\r\v\f\x85\u2028\u2029"), "\n")


class Span(NamedTuple):
    """Character range; `article[start:end]` is its text."""

    start: int
    end: int


def _stripped(text: str, start: int, end: int) -> Span:
    """Return the range without white space and invisible characters at its ends."""
    part = text[start:end]
    if part.isascii():
        start += len(part) - len(part.lstrip())
        return Span(start, start + len(part.strip()))
    left = _EDGE.match(part).end()  # type: ignore[union-attr]
    right = _EDGE_AT_END.search(part).start()  # type: ignore[union-attr]
    return Span(start + left, start + max(left, right))


def _layout(article: str) -> str:
    """Return the article as it is split, with the same offsets.

    Every kind of line break is `\\n`; boilerplate of news sites and e-mail's quotation marks are
    spaces.
    """
    text = article.replace("\r\n", " \n").translate(_LINE_BREAKS)
    layout = text
    if ">" in text:
        layout = _QUOTE_MARK.sub(lambda match: " " * len(match[0]), text)
    layout = hide_boilerplate(layout)
    # An article of nothing else still has a sentence.
    return layout if has_visible_text(layout) else text


def _continues(line: str, following: str, width: int) -> bool:
    """Return whether a line break only wraps: the next line's first word did not fit."""
    word = len(following.split(maxsplit=1)[0])
    return len(line) + 1 + word > width


def _wrapped_lines(block: str) -> list[bool]:
    """Return for each line of a block whether its paragraph goes on in the next line.

    In hard-wrapped text, as in e-mail, lines break in the middle of sentences, and where the next
    word would be too long. A headline or caption ends without a full stop too, but leaves space.
    """
    lines = [line.strip() for line in block.split("\n")]
    pairs = list(pairwise(lines))
    whole = [False] * len(lines)
    if not pairs or any(_LIST_ITEM.match(line) or _TABLE_ROW.search(line) for line in lines):
        return whole
    width = max(len(line) for line in lines if " " in line or line == lines[0])
    open_ended = [not line.endswith(_SENTENCE_END) for line, _ in pairs]
    full = [_continues(line, following, width) for line, following in pairs]
    lower = [following[0].islower() for _, following in pairs]
    wraps = sum(a and b for a, b in zip(open_ended, full, strict=True))
    spaced = sum(a and not b for a, b in zip(open_ended, full, strict=True))
    mid_sentence = any(map(all, zip(open_ended, full, lower, strict=True)))
    if width < _LEAST_WIDTH or not mid_sentence or wraps <= spaced or 2 * wraps < sum(full):
        return whole
    joined = [
        is_full or (is_open and is_lower)
        for is_full, is_open, is_lower in zip(full, open_ended, lower, strict=True)
    ]
    return [*joined, False]


def _blocks(layout: str) -> Iterator[Span]:
    start = 0
    for match in _BLANK_LINE.finditer(layout):
        span = _stripped(layout, start, match.start())
        if span.start < span.end:
            yield span
        start = match.end()


def split_paragraphs(article: str) -> list[Span]:
    """Return the spans of the paragraphs in order, without surrounding white space.

    A blank line ends a paragraph. A single line break does too, except in hard-wrapped text.
    Bylines, time stamps and labels such as "Scroll down for video" are no paragraphs.
    """
    return _paragraphs(_layout(article))


def _paragraphs(layout: str) -> list[Span]:
    paragraphs = []
    for block in _blocks(layout):
        text = layout[block.start : block.end]
        start = end = block.start
        for line, continues in zip(text.split("\n"), _wrapped_lines(text), strict=True):
            end += len(line) + 1
            if continues:
                continue
            span = _stripped(layout, start, end - 1)
            if span.start < span.end:
                paragraphs.append(span)
            start = end
    return paragraphs


def split_sentences(article: str) -> list[Span]:
    """Return the spans of the sentences in order; each is within one paragraph."""
    layout = _layout(article)
    sentences = []
    for paragraph in _paragraphs(layout):
        # Keeps all offsets; the splitter would end a sentence at a line break.
        text = layout[paragraph.start : paragraph.end].replace("\n", " ")
        start = 0
        for end in _sentence_ends(text):
            span = _stripped(text, start, end)
            if span.start < span.end:
                sentences.append(Span(paragraph.start + span.start, paragraph.start + span.end))
            start = end
    return sentences


def _boundaries(text: str) -> list[int]:
    """Return where the splitter ends sentences.

    Its time grows with the length times the number of quotation marks and stops (sentencex 1.0.32:
    4 s for 100,000 opening marks), and no other thread runs meanwhile. So a text with more of them
    than articles have is read in parts. A part begins where the last complete sentence of the
    previous one ends, or the last word of a longer sentence.
    """
    marks = len(text) - sum(map(str.isalnum, text)) - text.count(" ")
    if len(text) * marks <= _MOST_WORK:
        return [b["end_index"] for b in sentencex.get_sentence_boundaries("en", text)]
    ends: list[int] = []
    start = 0
    while True:
        part = text[start : start + _PART_CHARACTERS]
        found = [start + b["end_index"] for b in sentencex.get_sentence_boundaries("en", part)]
        if start + len(part) == len(text):
            return [*ends, *found]
        complete = found[:-1]
        ends += complete
        start = complete[-1] if complete else start + (part.rfind(" ") + 1 or len(part))


def _sentence_ends(text: str) -> list[int]:
    ends = _boundaries(text)
    ends = [end for end in ends if not _STOP_IN_WORD.match(text, max(0, end - 2))]
    if ends and _POINT_ALONE.fullmatch(text, 0, ends[0]):
        ends = ends[1:] or [len(text)]
    points = list(_NUMBERED_POINT.finditer(text))
    if [int(point[1]) for point in points] == list(range(1, len(points) + 1)) and points[1:]:
        inside = [point.span() for point in points]
        ends = [end for end in ends if not any(low < end < high for low, high in inside)]
        ends = sorted({*ends, *(low for low, _ in inside if low)})
    return ends


def sentence_texts(text: str) -> list[str]:
    """Return the text's sentences, without surrounding white space."""
    return [text[start:end] for start, end in split_sentences(text)]
