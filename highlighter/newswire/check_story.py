"""Finds what would make a story unfit: facts that cannot be read from it, slips, odd lengths."""

import re

from highlighter.newswire.edit_text import count_words

WORDS = (170, 380)
PARAGRAPHS = (5, 12)
FEWEST_FACTS = 2
FEWEST_HIGHLIGHT_WORDS = 18
_SLIP = re.compile(
    r"\.\.|[{}\[\]|#@%]{2}|[{}\[\]|#@<>]| [,.;:?!]|  |\b[Aa] (?:8|11\b|18\b)|\bNone\b(?! of)|,,|\.,"
)
_TOKEN = re.compile(r"[^\W_]+(?:[,.'-][^\W_]+)*%?")
_NUMBER_WORDS = frozenset(("two", "three", "four", "five", "six", "seven", "eight", "nine"))


def find_faults(article: str, highlights: list[str], facts: list[str]) -> list[str]:
    """What is wrong with a story, in words; empty when it is fit to print."""
    faults = []
    words, paragraphs = count_words(article), article.count("\n\n") + 1
    if not WORDS[0] <= words <= WORDS[1]:
        faults.append(f"{words} words")
    if not PARAGRAPHS[0] <= paragraphs <= PARAGRAPHS[1]:
        faults.append(f"{paragraphs} paragraphs")
    if len(facts) < FEWEST_FACTS:
        faults.append(f"{len(facts)} facts")
    if count_words(" ".join(highlights)) < FEWEST_HIGHLIGHT_WORDS:
        faults.append("highlights too short")
    faults += [f"fact {fact!r} not in the article" for fact in facts if fact not in article]
    faults += [f"{token!r} not in the article" for token in find_unread(article, highlights)]
    for text in (article, *highlights):
        slip = _SLIP.search(text)
        if slip:
            around = text[max(0, slip.start() - 30) : slip.end() + 30]
            faults.append(f"slip in {around!r}")
    return faults


def find_unread(article: str, highlights: list[str]) -> list[str]:
    """Numbers and names of the highlights that do not stand in the article."""
    known = set(_TOKEN.findall(article))
    known |= {token.removesuffix("'s").rstrip("'") for token in known}
    known |= {part for token in known for part in token.split("-")}
    spoken = {token.lower() for token in known}
    unread = []
    for line in highlights:
        for place, token in enumerate(_TOKEN.findall(line)):
            bare = token.removesuffix("'s")
            numeric = bool(re.search(r"\d", token)) or token.lower() in _NUMBER_WORDS
            named = token[0].isupper() and place > 0
            missing = bare.lower() not in spoken if place == 0 else bare not in known
            if numeric and bare.lower() not in spoken or named and missing:
                unread.append(token)
    return unread
