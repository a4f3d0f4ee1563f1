"""All facts of a text."""

from collections.abc import Container
from typing import Literal, NamedTuple

from highlighter.metrics.facts.lexicon import NOT_NAMES
from highlighter.metrics.facts.names import name_ranges
from highlighter.metrics.facts.numbers import date_at, number_at, pair_at
from highlighter.metrics.facts.tokens import Key, Token, normalise, tokenize


class Fact(NamedTuple):
    """A checkable mention. Two mentions with the same `key` are the same fact."""

    kind: Literal["number", "date", "name"]
    text: str
    key: Key


def facts_of_tokens(text: str, tokens: list[Token], ordinary: Container[str]) -> list[Fact]:
    found: list[tuple[int, Fact]] = []
    taken = [False] * len(tokens)

    def add(kind: Literal["number", "date", "name"], first: int, end: int, key: Key) -> None:
        found.append((first, Fact(kind, text[tokens[first].start : tokens[end - 1].end], key)))

    at = 0
    while at < len(tokens):
        if not tokens[at].number and tokens[at].key not in NOT_NAMES:
            at += 1
            continue
        date = date_at(tokens, at)
        number = pair_at(tokens, at, ()) or number_at(tokens, at)
        if date:
            key, end = date
            add("date", at, end, key)
        elif number:
            key, end = number
            if tokens[at].number or key != (1, ""):
                add("number", at, end, key)
        else:
            end = at + 1
        for index in range(at, end):
            taken[index] = bool(date or number)
        at = end
    for name in name_ranges(tokens, taken, ordinary):
        key = tuple(tokens[index].key for index in name)
        add("name", name.start, name.stop, key)
    distinct: dict[tuple[str, Key], Fact] = {}
    for _, fact in sorted(found, key=lambda item: item[0]):
        distinct.setdefault((fact.kind, fact.key), fact)
    return list(distinct.values())


def extract_facts(text: str, ordinary: Container[str] = frozenset()) -> list[Fact]:
    """The text's distinct facts in order; `ordinary` are stems that begin no name."""
    text = normalise(text)
    return facts_of_tokens(text, tokenize(text), ordinary)
