"""Split an article into paragraphs and sentences, as character spans."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import sentencex

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*|\Z")
_LIST_ITEM = re.compile(r"\s*(?:[-*•–—]|\(?\d{1,3}[.)])\s")
_SENTENCE_END = tuple(".!?:\"'”’»)")
_STOP_IN_WORD = re.compile(r"\w\.\w")  # "window.PWN" and "South Korea-U.S." are not split
_WRAPPED_WIDTH = range(40, 101)


class Span(NamedTuple):
    """Character range; `article[start:end]` is its text."""

    start: int
    end: int


def _stripped(text: str, start: int, end: int) -> Span:
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return Span(start, start + len(part.strip()))


def _is_hard_wrapped(block: str) -> bool:
    """Return whether the line breaks only wrap one paragraph, as in plain-text e-mail."""
    *lines, _ = block.split("\n")
    return (
        bool(lines)
        and all(len(line.strip()) in _WRAPPED_WIDTH for line in lines)
        and not any(_LIST_ITEM.match(line) for line in block.split("\n"))
        and any(not line.rstrip().endswith(_SENTENCE_END) for line in lines)
    )


def _blocks(article: str) -> Iterator[Span]:
    start = 0
    for match in _BLANK_LINE.finditer(article):
        span = _stripped(article, start, match.start())
        if span.start < span.end:
            yield span
        start = match.end()


def split_paragraphs(article: str) -> list[Span]:
    """Return the spans of the paragraphs in order, without surrounding white space.

    A blank line ends a paragraph. A single line break does too, unless the block between two blank
    lines is hard-wrapped text.
    """
    paragraphs = []
    for block in _blocks(article):
        if _is_hard_wrapped(article[block.start : block.end]):
            paragraphs.append(block)
            continue
        start = block.start
        for line in article[block.start : block.end].split("\n"):
            span = _stripped(article, start, start + len(line))
            if span.start < span.end:
                paragraphs.append(span)
            start += len(line) + 1
    return paragraphs


def split_sentences(article: str) -> list[Span]:
    """Return the spans of the sentences in order; each is within one paragraph."""
    sentences = []
    for paragraph in split_paragraphs(article):
        # Keeps all offsets; the splitter would end a sentence at a line break.
        text = article[paragraph.start : paragraph.end].replace("\n", " ")
        start = 0
        for boundary in sentencex.get_sentence_boundaries("en", text):
            end = boundary["end_index"]
            if _STOP_IN_WORD.match(text, max(0, end - 2)):
                continue
            span = _stripped(text, start, end)
            if span.start < span.end:
                sentences.append(Span(paragraph.start + span.start, paragraph.start + span.end))
            start = end
    return sentences


def sentence_texts(text: str) -> list[str]:
    """Return the text's sentences, without surrounding white space."""
    return [text[start:end] for start, end in split_sentences(text)]
