"""A text as words and numbers with what the rule needs to know of each."""

import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple

from highlighter.metrics.facts.lexicon import SUFFIXES

Number = tuple[str | Decimal, str]  # value (h:mm of a clock) and unit
Words = tuple[str, ...]
Key = tuple[object, ...]

_PUNCTUATION = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "‐": "-", "‑": "-"}
)
_NICKNAME = re.compile(r"(?<=\w )([\"'])([A-Z][\w-]*(?: [A-Z][\w-]*)?)\1(?= [A-Z])")
_SPACED_INITIALS = re.compile(r"(?<=\b[B-HJ-Z]\.) (?=[A-Z]\.)")
_TOKEN = re.compile(
    r"""
    (?P<sign>[$£€¥][ ]?)?
    (?P<number>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:[.:][0-9]+)?|(?<!\w)\.[0-9]+)
    (?:(?P<clock>[ ]?[ap]\.?m\b(?:\.(?!\s+[A-Z]))?)
      |(?P<unit>[ ]?%|(?:st|nd|rd|th|s)(?!\w))
      |(?P<scale>(?:k|m|bn|tn)(?!\w)))?
    |(?P<word>(?:[A-Za-z]\.){2,}[A-Z]?(?![^\W_])
      |(?:Mrs?|Ms|Dr|Prof|Sen|Rep|Gov|Gen|Col|Lt|Sgt|Capt|Cpl|Maj|Adm|Rev|St|Mt|Ft|Jr|Sr)\.
      |(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.(?=[ ]?[0-9])
      |[B-HJ-Z]\.(?=[ ]?[A-Z])
      |[^\W\d_][^\W_]*(?:['&][^\W\d_][^\W_]*)*|&)
    """,
    re.VERBOSE,
)
_JOINT = re.compile(r"[^\S\n]*|-")
_SENTENCE_START = re.compile(r"[^\s,'/-]|\n|'\Z|--|\s-\s")
_POSSESSIVE = re.compile(r"(.+)'(?:s|re|ve|ll|d|m)", re.IGNORECASE)


class Token(NamedTuple):
    text: str
    key: str  # case-folded, without dots, apostrophes and possessive; "" of a number
    start: int
    end: int
    capital: bool
    joined: bool  # only a space or a hyphen parts it from the token before
    hyphen: bool
    initial: bool  # begins a sentence or quotation
    possessive: bool
    number: Number | None


def normalise(text: str) -> str:
    """The text with plain quotes, hyphens and letters, and no quotes around nicknames."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_PUNCTUATION))
        text = "".join(c for c in text if not unicodedata.combining(c))
    return _SPACED_INITIALS.sub("", _NICKNAME.sub(r"\2", text))


def _number_token(match: re.Match[str]) -> Number:
    digits = match["number"].replace(",", "")
    if match["clock"]:
        hour, _, minutes = digits.replace(".", ":").partition(":")
        return f"{hour}:{minutes or '00'}", match["clock"].strip()[0] + "m"
    if ":" in digits:
        return digits, ""
    unit = (match["unit"] or match["sign"] or "").strip()
    scale = match["scale"]
    if scale == "m" and not unit:  # metres or millions
        return Decimal(digits), "m"
    value = Decimal(digits).scaleb(SUFFIXES[scale] if scale else 0)
    return value, "th" if unit in {"st", "nd", "rd"} else unit


def tokenize(text: str) -> list[Token]:
    tokens: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        gap, word = text[end : match.start()], match["word"] or ""
        possessive = _POSSESSIVE.fullmatch(word) if "'" in word else None
        name = possessive[1] if possessive else word
        fused = bool(tokens) and not gap and tokens[-1].number is not None  # the mph of 20mph
        capital = name != name.lower() and not fused and name != "I"
        tokens.append(
            Token(
                text=name if word else match[0],
                key=name.casefold().replace(".", "").replace("'", ""),
                start=match.start(),
                end=match.start() + len(name) if word else match.end(),
                capital=capital and not name.casefold().endswith("n't"),
                joined=bool(tokens) and (gap == " " or _JOINT.fullmatch(gap) is not None),
                hyphen=gap == "-",
                initial=not tokens
                or (gap != " " and _SENTENCE_START.search(gap) is not None)
                or (tokens[-1].text.endswith(".") and len(tokens[-1].text) > 3),  # in the U.S. He
                possessive=possessive is not None,
                number=None if word else _number_token(match),
            )
        )
        end = match.end()
    return tokens
