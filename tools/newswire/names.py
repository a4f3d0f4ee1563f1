"""Read the template files, and invent names of people, places and organizations."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from zlib import crc32


@dataclass(frozen=True)
class Section:
    """The entries below one heading of a template file."""

    part: str
    title: str
    entries: tuple[str, ...]


@cache
def read_sections(name: str) -> tuple[Section, ...]:
    """Return the sections of `texts/NAME.txt` in order."""
    path = Path(__file__).parent / "texts" / f"{name}.txt"
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
    """Return a file of `== rule` sections as a mapping from rule to entries."""
    return {section.title: section.entries for section in read_sections(name)}


@cache
def read_words(section: str) -> tuple[str, ...]:
    """Return the words of a section of `texts/names.txt`."""
    return tuple(" ".join(read_rules("names")[section]).split())


MADE_SHARE = 0.5
MADE_FIRST_SHARE = 0.2
HELD_OUT_ONE_IN = 5
FRESH_ONE_IN = 8
SHORTEST_MADE = 4


class NameGroup(Enum):
    """The names that an article may use."""

    TRAIN = "train"
    FRESH = "fresh"  # words of the training split, but people who do not occur in it
    UNSEEN = "unseen"  # only words that do not occur in the training split


@dataclass(frozen=True)
class Person:
    """A person in a story; `female` decides the pronouns."""

    first: str
    last: str
    female: bool

    @property
    def full(self) -> str:
        """First name and surname."""
        return f"{self.first} {self.last}"

    def form(self, attribute: str) -> str:
        """Return the text of a slot such as `{judge.s}` (surname) or `{judge.his}`."""
        forms = {
            "": self.full,
            "s": self.last,
            "first": self.first,
            "he": "she" if self.female else "he",
            "his": "her" if self.female else "his",
            "him": "her" if self.female else "him",
            "himself": "herself" if self.female else "himself",
            "man": "woman" if self.female else "man",
            "son": "daughter" if self.female else "son",
            "father": "mother" if self.female else "father",
            "pos": possessive(self.last),
            "fullpos": possessive(self.full),
        }
        return forms[attribute]


def possessive(name: str) -> str:
    """Return a name's possessive: `Bates'`, `Holt's`."""
    return name + ("'" if name.endswith("s") else "'s")


def is_held_out(word: str) -> bool:
    """Return whether only articles with unseen names may use the word."""
    return crc32(word.encode()) % HELD_OUT_ONE_IN == 0


class NamePool:
    """Draw the names of one article: all from one group, no word twice."""

    def __init__(self, rng: random.Random, group: NameGroup) -> None:
        self._rng = rng
        self._group = group
        self.taken: list[str] = []

    def person(self, female: bool | None = None) -> Person:
        """Return a person whose first name and surname are new to the article."""
        if female is None:
            female = self._rng.random() < 0.5
        while True:
            person = Person(self._first(female), self._last(), female)
            if person.first != person.last and self._may_name(person):
                self.taken += [person.first, person.last]
                return person

    def town(self) -> str:
        """Return a fictional town, such as `Tarnbury` or `Port Ellery`."""
        base = self._take("town-starts", "town-middles", "town-ends", listed="towns")
        if self._rng.random() < 0.12:
            return f"{self._rng.choice(read_words('town-prefixes'))} {base}"
        return base

    def coin(self) -> str:
        """Return an invented word, for names of firms, products and prizes."""
        return self._take("coin-starts", "coin-middles", "coin-ends")

    def surname(self) -> str:
        """Return a surname, for names of streets, schools and trophies."""
        word = self._last()
        self.taken.append(word)
        return word

    def _may_name(self, person: Person) -> bool:
        if self._group is NameGroup.UNSEEN:
            return True
        fresh = crc32(person.full.encode()) % FRESH_ONE_IN == 0
        return fresh == (self._group is NameGroup.FRESH)

    def _first(self, female: bool) -> str:
        side = "women" if female else "men"
        if self._rng.random() < MADE_FIRST_SHARE:
            return self._draw_made("first-starts", "first-middles", f"{side}-ends")
        return self._draw_listed(side)

    def _last(self) -> str:
        if self._rng.random() < MADE_SHARE:
            return self._draw_made("surname-starts", "surname-middles", "surname-ends")
        return self._draw_listed("surnames")

    def _take(self, starts: str, middles: str, ends: str, listed: str = "") -> str:
        if listed and self._rng.random() >= MADE_SHARE:
            word = self._draw_listed(listed)
        else:
            word = self._draw_made(starts, middles, ends)
        self.taken.append(word)
        return word

    def _draw_listed(self, section: str) -> str:
        while True:
            word = self._rng.choice(read_words(section))
            if self._fits(word):
                return word

    def _draw_made(self, starts: str, middles: str, ends: str) -> str:
        while True:
            parts = [self._rng.choice(read_words(starts))]
            if self._rng.random() < 0.45:
                parts.append(self._rng.choice(read_words(middles)))
            parts.append(self._rng.choice(read_words(ends)))
            word = _join(parts)
            if len(word) >= SHORTEST_MADE and self._fits(word):
                return word

    def _fits(self, word: str) -> bool:
        held_out = self._group is NameGroup.UNSEEN
        return is_held_out(word) == held_out and word not in self.taken


def _join(parts: list[str]) -> str:
    word = parts[0]
    for part in parts[1:]:
        # Two vowels or a tripled letter where parts meet look like a misprint.
        clash = word[-1] in "aeiouy" and part[0] in "aeiouy" and len(part) > 1
        tripled = word[-1] == part[0] == word[-2].lower()
        word += part[1:] if clash or tripled else part
    return word
