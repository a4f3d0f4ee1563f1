"""Turns an expanded template into clean copy: articles, capitals, spacing."""

import re

_ARTICLE = re.compile(r"@([aA]) (\S+)")
_VOWEL_SOUND = re.compile(r"(?!one|uni|use|usu|eu)[aeiou]|hour|honest|8|1[18](?!\d|,\d{3},)", re.I)
_SENTENCE_START = re.compile(r"(^|[.?!]\"? |: \")([a-z])")


def tidy(text: str) -> str:
    """Chooses a/an for `@a`, drops stray blanks and starts every sentence with a capital."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" ([,.;:?!])", r"\1", text)
    text = _ARTICLE.sub(_choose_article, text)
    return _SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), text)


def _choose_article(match: re.Match[str]) -> str:
    bare = match[2].lstrip('"£$€')
    return f"{match[1]}{'n' if _VOWEL_SOUND.match(bare) else ''} {match[2]}"


def count_words(text: str) -> int:
    """Blank-separated words."""
    return len(text.split())


def split_sentences(article: str) -> list[str]:
    """The sentences of an article; its paragraphs are also boundaries."""
    pieces: list[str] = []
    for paragraph in article.split("\n\n"):
        pieces += re.split(
            r"(?<=[.?!])\s+(?=[A-Z\"£€$0-9])|(?<=[.?!]\")\s+(?=[A-Z\"£€$0-9])", paragraph
        )
    return [piece for piece in pieces if piece]
