"""Reads the template files under `texts/`.

A file holds `=== part` and `== section` headings; every other line is one entry of the section
above it. A line that starts with two spaces continues the entry before it, `//` opens a comment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Section:
    """The entries under one heading of a template file."""

    part: str
    title: str
    entries: tuple[str, ...]


@cache
def read_sections(name: str) -> tuple[Section, ...]:
    """The sections of `texts/NAME.txt` in file order."""
    path = resources.files("highlighter.newswire") / "texts" / f"{name}.txt"
    return tuple(_parse(path.read_text(encoding="utf-8")))


def _parse(text: str) -> Iterator[Section]:
    part, title = "", ""
    entries: list[str] = []
    for line in text.splitlines():
        if line.startswith("=="):
            if entries:
                yield Section(part, title, tuple(entries))
            entries = []
            if line.startswith("==="):
                part, title = line[3:].strip(), ""
            else:
                title = line[2:].strip()
        elif line.startswith("  "):
            entries[-1] += " " + line.strip()
        elif line and not line.startswith("//"):
            entries.append(line)
    if entries:
        yield Section(part, title, tuple(entries))


@cache
def read_rules(name: str) -> dict[str, tuple[str, ...]]:
    """A file of `== rule` sections as a mapping from rule to its entries."""
    return {section.title: section.entries for section in read_sections(name)}


@cache
def read_words(section: str) -> tuple[str, ...]:
    """The blank-separated words of one section of the name lists."""
    return tuple(" ".join(read_rules("names")[section]).split())
