"""Read numbers and dates in a text as values."""

import itertools
import re
from collections.abc import Container, Iterator
from decimal import Decimal

from highlighter.metrics.tokens import (
    BEFORE_MONTH,
    MONTH,
    NOT_NAMES,
    ORDINALS,
    SCALES,
    SMALL,
    UNITS,
    UNSURE_MONTHS,
    WEEKDAYS,
    Key,
    Number,
    Token,
)

_MOST_WORDS = 32  # of one number in words; bounds the time for "million million million ..."
# What a rounded number stands for, as multiples of it: "over 50" may be 52.
_ABOUT = Decimal("0.95"), Decimal("1.05")
_FROM = Decimal(1), Decimal("1.1")
_UP_TO = Decimal("0.9"), Decimal(1)
_ROUNDED = (
    dict.fromkeys(("about", "around", "roughly", "approximately", "some", "estimated"), _ABOUT)
    | dict.fromkeys(("over", "above", "least", "exceeding", "topping"), _FROM)
    | dict.fromkeys(("nearly", "almost", "under", "below", "approaching"), _UP_TO)
)
_THAN = dict.fromkeys(("more", "greater", "higher"), _FROM) | dict.fromkeys(
    ("less", "fewer", "lower"), _UP_TO
)
_WITH_SCALE = re.compile(r"\.\d+ ?(?:m|bn|tn|million|billion|trillion)\b", re.IGNORECASE)
MONEY_OR_CLOCK = frozenset("$£€¥") | {"am", "pm"}


def _spelled(tokens: list[Token], at: int) -> tuple[Decimal, int]:
    """Return the value of the number that starts at `at`, and the index after it."""
    first = tokens[at].number
    total: Decimal | int = 0
    part: Decimal | int | None = first[0] if first and isinstance(first[0], Decimal) else None
    end = at + 1 if first else at
    limit = min(len(tokens), at + _MOST_WORDS)
    while end < limit and (end == at or tokens[end].joined):
        key = tokens[end].key
        if key in SCALES:
            part = (1 if part is None else part) * 10 ** SCALES[key]
            if key != "hundred":
                total, part = total + part, 0
        elif key in SMALL and not first:
            value = SMALL[key]
            tens_before_unit = value < 10 and part is not None and part % 100 in range(20, 100, 10)
            if not (tens_before_unit or part is None or part % 100 == 0):
                break
            part = (part or 0) + value
        else:
            is_and = key == "and" and not first and end > at and tokens[end - 1].key == "hundred"
            following = tokens[end + 1] if end + 1 < len(tokens) else None
            if not (is_and and following and following.joined and following.key in SMALL):
                break
        end += 1
    return Decimal(total + (part or 0)), end


def number_at(tokens: list[Token], at: int) -> tuple[Number, int] | None:
    """Return the number that starts at `at`, and the index after it."""
    token = tokens[at]
    if token.key in ORDINALS:
        return (Decimal(ORDINALS[token.key]), "th"), at + 1
    if token.number and (isinstance(token.number[0], str) or token.number[1] in {"th", "s", "m"}):
        return token.number, at + 1
    if not token.number and token.key not in SMALL and token.key not in SCALES:
        return None
    value, end = _spelled(tokens, at)
    unit = token.number[1] if token.number else ""
    after = [t.key.removesuffix("s") for t in tokens[end : end + 2] if t.joined]
    if not unit and after[:2] == ["per", "cent"]:
        return (value, "%"), end + 2
    if not unit and after and after[0] in UNITS:
        return (value, UNITS[after[0]]), end + 1
    return (value, unit), end


def range_at(tokens: list[Token], at: int, text: str) -> tuple[Decimal, Decimal] | None:
    """Return the values that the number at `at` may be rounded from; None: it is exact.

    Args:
        tokens: the text's tokens.
        at: index of the number.
        text: the number's own text.
    """
    found = number_at(tokens, at)
    if found is None or not isinstance(found[0][0], Decimal):
        return None
    value = found[0][0]
    before = tokens[at - 1].key if at and tokens[at].joined else ""
    limits = _ROUNDED.get(before)
    if before == "than" and at > 1:
        limits = _THAN.get(tokens[at - 2].key)
    if limits:
        return value * limits[0], value * limits[1]
    if _WITH_SCALE.search(text):  # "4.2 million" may be 4,187,000
        half = Decimal(5).scaleb(int(value.normalize().as_tuple().exponent) - 1)
        return value - half, value + half
    return None


def pair_at(tokens: list[Token], at: int, joiners: Container[str]) -> tuple[Key, int] | None:
    """Return two numbers joined by a hyphen or one of `joiners`, and the index after them."""
    first = number_at(tokens, at)
    if first is None or first[1] >= len(tokens) or not tokens[first[1]].joined:
        return None
    (low, low_unit), middle = first
    start = middle + (tokens[middle].key in joiners)
    if start >= len(tokens) or not (
        tokens[start].hyphen or (start > middle and tokens[start].joined)
    ):
        return None
    second = number_at(tokens, start)
    return ((low, second[0][0], second[0][1] or low_unit), second[1]) if second else None


def _is_month(token: Token) -> bool:
    return token.capital and token.key in MONTH


def _day(tokens: list[Token], at: int) -> int | None:
    """Return the day of the month that the token may be."""
    number = tokens[at].number if 0 <= at < len(tokens) else None
    if number is None or number[1] not in {"", "th"} or not isinstance(number[0], Decimal):
        return None
    return int(number[0]) if 1 <= number[0] <= 31 and number[0] % 1 == 0 else None


def date_at(tokens: list[Token], at: int) -> tuple[Key, int] | None:
    """Return the date that starts at `at`, and the index after it."""
    token = tokens[at]
    if token.capital and token.key in WEEKDAYS:
        return (token.key,), at + 1
    followers = list(itertools.takewhile(lambda t: t.joined, tokens[at + 1 : at + 3]))
    day = _day(tokens, at)
    if day is not None:
        skipped = bool(followers) and followers[0].key == "of"
        if len(followers) > skipped and _is_month(followers[skipped]):
            return (MONTH[followers[skipped].key], day), at + 2 + skipped
        return None
    if not _is_month(token):
        return None
    day = _day(tokens, at + 1) if followers else None
    number = number_at(tokens, at + 1) if day else None
    if day and number and number[1] == at + 2:
        return (MONTH[token.key], day), at + 2
    return ((MONTH[token.key],), at + 1) if _is_month_alone(tokens, at, followers) else None


def _is_month_alone(tokens: list[Token], at: int, followers: list[Token]) -> bool:
    """Return whether a month's name without a day means the month, not a person or a verb."""
    token = tokens[at]
    if followers and followers[0].number:
        return True
    if token.key not in UNSURE_MONTHS:
        return len(token.key) > 4 or token.text.endswith(".")
    if token.initial:
        return False
    before = tokens[at - 1] if token.joined else None
    if before and before.key in BEFORE_MONTH:
        return True
    return not (before and before.capital) and not (followers and followers[0].capital)


def number_and_date_keys(tokens: list[Token]) -> Iterator[Key]:
    """Yield every number and date that the tokens support."""
    for at, token in enumerate(tokens):
        if not token.number and token.key not in NOT_NAMES:
            continue
        if token.capital and token.key in MONTH:
            yield "date", MONTH[token.key]
        if date := date_at(tokens, at):
            yield "date", *date[0]
            if len(date[0]) > 1:
                yield "number", Decimal(str(date[0][1])), "th"
        for found in (number_at(tokens, at), pair_at(tokens, at, {"to", "and"})):
            if found:
                *values, unit = found[0]
                yield "number", *values, unit
                if unit in MONEY_OR_CLOCK:
                    yield "number", *values, ""
                if isinstance(values[0], str) and values[0].endswith(":00"):
                    yield "number", Decimal(values[0][:-3]), ""
