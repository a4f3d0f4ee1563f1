"""Extract a text's facts: names, numbers and dates, by the rules of `metrics.faithfulness`."""

from collections.abc import Container, Iterator
from decimal import Decimal
from typing import Literal, NamedTuple

from highlighter.metrics.numbers import date_at, number_at, pair_at, range_at
from highlighter.metrics.tokens import (
    FUNCTION_WORDS,
    NOT_NAMES,
    PARTICLES,
    TITLES,
    Key,
    Token,
    normalise,
    opens_sentences,
    stem,
    tokenize,
)

_TRAILING = frozenset({"jr", "sr", "pm", "fm", "mp", "mps", "ceo"})  # titles after a name


def is_acronym(token: Token) -> bool:
    """Return whether the token is a word in capitals."""
    return len(token.key) > 1 and token.text.isupper()


def _drops_first(token: Token, ordinary: Container[str]) -> bool:
    """Return whether the first word of a sentence is not part of a name."""
    return opens_sentences(token.key) or stem(token.key) in ordinary


def _run_end(tokens: list[Token], at: int, taken: list[bool]) -> int:
    """Return the index after the run of capitalized words that starts at `at`."""
    end = at + 1
    while end < len(tokens) and not tokens[end - 1].possessive:
        reach = end
        while reach < min(end + 2, len(tokens)) and not tokens[reach].capital:
            is_the = tokens[reach].key == "the"  # "told Ann the White House" is two names
            if tokens[reach].key not in PARTICLES or (is_the and tokens[reach - 1].key != "of"):
                return end
            reach += 1
        if reach == len(tokens) or not tokens[reach].capital:
            return end
        if not all(t.joined for t in tokens[end : reach + 1]) or any(taken[end : reach + 1]):
            return end
        if tokens[reach].initial and tokens[reach].key in FUNCTION_WORDS:
            return end
        end = reach + 1
    return end


def _without_titles(tokens: list[Token], start: int, end: int) -> Iterator[range]:
    """Yield the names in a run of capitalized words: its parts between titles."""
    while end > start and tokens[end - 1].key in _TRAILING:
        end -= 1
    first = start
    for at in range(start, end):
        following = tokens[at + 1].key if at + 1 < end else ""
        is_title = tokens[at].key.removesuffix("s") in TITLES and following not in PARTICLES
        if is_title and (following or first == at):  # "Luther King" keeps the King
            if first < at:
                yield range(first, at)
            first = at + 1
    if first < end:
        yield range(first, end)


def name_ranges(
    tokens: list[Token], taken: list[bool], ordinary: Container[str]
) -> Iterator[range]:
    """Yield the token ranges of names.

    Args:
        tokens: the text.
        taken: per token, whether it belongs to a number or date.
        ordinary: stems of words that start no name.
    """
    at = 0
    case_tells = True
    while at < len(tokens):
        token = tokens[at]
        if token.initial:
            case_tells = _case_tells(tokens, at)
        # "NEW: ..." is a label.
        is_label = at + 1 < len(tokens) and tokens[at + 1].initial and opens_sentences(token.key)
        is_first = not case_tells or (token.initial and (is_label or not is_acronym(token)))
        is_name = token.capital and not taken[at] and token.key not in {"a", "an", "the"}
        if not is_name or (is_first and _drops_first(token, ordinary)):
            at += 1
        else:
            end = _run_end(tokens, at, taken) if case_tells else at + 1
            yield from _without_titles(tokens, at, end)
            at = end


def _case_tells(tokens: list[Token], at: int) -> bool:
    """Return whether only names are capitalized in the sentence that starts at `at`."""
    end = at + 1
    while end < len(tokens) and not tokens[end].initial:
        end += 1
    words = [token for token in tokens[at:end] if not token.number]
    if len(words) > 1 and all(token.text.isupper() for token in words):
        return False
    run = longest = 0
    for token in words:
        run = run * token.joined + 1 if token.capital else 0
        longest = max(longest, run)
    return longest < 4 or not all(token.capital for token in words if len(token.key) > 3)


class Fact(NamedTuple):
    """A checkable mention. Two mentions with the same `key` are the same fact.

    `between`: a rounded number may stand for values in this range, bounds included.
    """

    kind: Literal["number", "date", "name"]
    text: str
    key: Key
    between: tuple[Decimal, Decimal] | None = None


def facts_of_tokens(text: str, tokens: list[Token], ordinary: Container[str]) -> list[Fact]:
    """Return the distinct facts of a normalized text and its tokens, in order."""
    found: list[tuple[int, Fact]] = []
    taken = [False] * len(tokens)

    def add(kind: Literal["number", "date", "name"], first: int, end: int, key: Key) -> None:
        mention = text[tokens[first].start : tokens[end - 1].end]
        between = range_at(tokens, first, mention) if kind == "number" else None
        found.append((first, Fact(kind, mention, key, between)))

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
    """Return the text's distinct facts, in order; `ordinary` are stems that start no name."""
    text = normalise(text)
    return facts_of_tokens(text, tokenize(text), ordinary)
