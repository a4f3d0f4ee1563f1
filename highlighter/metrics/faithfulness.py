"""Faithfulness: which facts of a summary (numbers, dates, names) stand in its article.

Origin: the entity-level precision of Nan et al. 2021, "Entity-level Factual Consistency of
Abstractive Text Summarization". Different here: a closed rule takes the place of the NER model, so
that a score can be checked by hand; each distinct fact counts once, so that repeating a true one
gains nothing; and words have to match whole and in order. Facts are checked one by one: who did
what to whom is not.

NUMBERS. A value and its unit. "4.2 million" is 4200000, "1,500" is 1500, "three" and
"twenty-one" are 3 and 21; "one" alone is no fact. Units: %, $ (dollars), £ (pounds), € (euros), ¥,
th (3rd, third), s (1990s), am, pm. The unit has to match, but a bare number is also supported by
money or a time ("9:30" by "9:30 p.m."). In "17-year-old" the fact is 17. "2-1" and "5-10%" are
one fact each, supported by the same two numbers in this order, joined by a hyphen, "to" or "and".
DATES. A month with its day in either order, a month without, a weekday. A month is supported by
any day of it. May, March, April, June and August are dates only next to a number or a word such
as "in", or apart from other capitalised words ("Theresa May" is a name).
NAMES. Maximal runs of capitalised words, joined by spaces, hyphens or particles ("Bank of
America", "Angela de la Cruz"). A possessive ends a run, as do titles ("French President Hollande"
is "French" and "Hollande"; a title alone is none). Accents and dots of initials do not count. The
first word of a sentence or quotation is dropped if it is a function word, one of a closed list of
openers ("police", "experts"), or stands, up to its ending (-s, -ed, -ing), in lower case in the
article. In headlines case tells nothing: where a sentence is in capitals throughout, or four
capitalised words stand in a row and all words of over three letters are capitalised, each word is
judged alone, like a first word.

A name is supported by the same words side by side in the article, capitalised there too; by a
longer run of the article that has one or two words more in its middle (first and last name); by an
acronym of it, or as one; and where it is side by side whole runs of the article, at least one of
two words ("Briton Andy Murray"). So the first name of one person with the surname of another is
not supported.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator

from highlighter.metrics.facts import ENDING, Fact, extract_facts, facts_of_tokens, is_acronym
from highlighter.metrics.numbers import number_and_date_keys
from highlighter.metrics.tokens import ALIASES, PARTICLES, Words, normalise, tokenize


class ArticleFacts:
    """An article prepared to check any number of summaries against it."""

    def __init__(self, article: str) -> None:
        article = normalise(article)
        unwrapped = re.sub(r"(?<!\n)[^\S\n]*\n(?![^\S\n]*\n)", " ", article)
        # Facts of hard-wrapped lines may run on; those of headlines may not.
        readings = [article, unwrapped] if unwrapped != article else [article]
        tokenised = [(reading, tokenize(reading)) for reading in readings]
        self._tokens = [token for _, tokens in tokenised for token in tokens]
        self._keys = {key for _, tokens in tokenised for key in number_and_date_keys(tokens)}
        self._ordinary = {
            ENDING.sub("", token.key)
            for token in self._tokens
            if token.text.islower() and not token.number
        }
        self._positions: dict[str, list[int]] = defaultdict(list)
        for index, token in enumerate(self._tokens):
            if token.capital:
                self._positions[token.key].append(index)
        self._acronyms = {token.key for token in self._tokens if is_acronym(token)}
        self._names = {
            tuple(map(str, fact.key))
            for reading, tokens in tokenised
            for fact in facts_of_tokens(reading, tokens, self._ordinary)
            if fact.kind == "name"
        }
        self._longest = max(map(len, self._names), default=0)
        self._names_with: dict[str, list[Words]] = defaultdict(list)
        for name in sorted(self._names):
            for word in set(name):
                self._names_with[word].append(name)
        self._initials = {_initials(name) for name in self._names}

    def facts_of(self, summary: str) -> list[Fact]:
        """The facts of a summary of this article, supported or not."""
        return extract_facts(summary, self._ordinary)

    def supports(self, fact: Fact) -> bool:
        """Whether the fact stands in the article."""
        if fact.kind != "name":
            return (fact.kind, *fact.key) in self._keys
        name = tuple(map(str, fact.key))
        return any(self._names_it(form) for form in _forms(name)) or self._is_joined(name)

    def unsupported(self, summary: str) -> list[Fact]:
        """The summary's facts that do not stand in the article."""
        return [fact for fact in self.facts_of(summary) if not self.supports(fact)]

    def count(self, summary: str) -> tuple[int, int]:
        """Supported facts and all facts of the summary: sums of these give a micro-average."""
        facts = self.facts_of(summary)
        return sum(map(self.supports, facts)), len(facts)

    def _names_it(self, name: Words) -> bool:
        initials = _initials(name)
        return (
            any(self._stands_at(index, name) for index in self._positions.get(name[0], ()))
            or any(_is_shortened(name, whole) for whole in self._names_with.get(name[0], ()))
            or (len(initials) > 2 and initials in self._acronyms)
            or (len(name) == 1 and len(name[0]) > 2 and name[0] in self._initials)
        )

    def _stands_at(self, index: int, name: Words) -> bool:
        tokens = self._tokens[index : index + len(name)]
        return (
            len(tokens) == len(name)
            and all(token.joined and not token.initial for token in tokens[1:])
            and not any(token.possessive for token in tokens[:-1])
            and all(
                token.key == word and (token.capital or word in PARTICLES)
                for token, word in zip(tokens, name, strict=True)
            )
        )

    def _is_joined(self, name: Words) -> bool:
        """Whether it is names of the article side by side, at least one of two words or more."""
        reached = {0: False}  # words consumed -> whether a longer name is among them
        for start in range(len(name)):
            if start not in reached:
                continue
            for end in range(start + 1, min(len(name), start + self._longest) + 1):
                if name[start:end] in self._names:
                    longer = reached[start] or end - start > 1
                    reached[end] = reached.get(end, False) or longer
        return reached.get(len(name), False)


def _forms(name: Words) -> Iterator[Words]:
    yield name
    for short, long in ALIASES.items():
        if name == short:
            yield long
        elif name == long:
            yield short


def _initials(name: Words) -> str:
    return "".join(word[0] for word in name if word not in PARTICLES)


def _is_shortened(name: Words, whole: Words) -> bool:
    """Whether the name is the whole one without one or two words of its middle."""
    for start in (index for index, word in enumerate(whole) if word == name[0]):
        for left_out in (1, 2):
            rest = whole[start : start + len(name) + left_out]
            if len(rest) == len(name) + left_out and any(
                rest[:kept] == name[:kept] and rest[kept + left_out :] == name[kept:]
                for kept in range(1, len(name))
            ):
                return True
    return False


def unsupported_facts(summary: str, article: str) -> list[Fact]:
    """The summary's facts that do not stand in the article."""
    return ArticleFacts(article).unsupported(summary)


def count_supported(summary: str, article: str) -> tuple[int, int]:
    """Supported facts and all facts of the summary: sums of these give a micro-average."""
    return ArticleFacts(article).count(summary)


def faithfulness(summary: str, article: str) -> float:
    """Share in 0..1 of the summary's facts that stand in the article; NaN if it has none."""
    supported, total = count_supported(summary, article)
    return supported / total if total else math.nan
