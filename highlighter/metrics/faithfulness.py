"""Faithfulness: the share of a summary's facts (numbers, dates, names) that appear in its article.

This is the entity-level precision of Nan et al. 2021, "Entity-level Factual Consistency of
Abstractive Text Summarization", with three changes. Fixed rules replace the NER model, so that a
score can be checked by hand. Each distinct fact counts once, so that repeating a true one gains
nothing. Words have to match completely and in order. The score says nothing about the relations
between facts, such as who did what to whom.

The rules are for English. An article in another language has no facts here, so nothing of its
summaries is checked, and the evaluation counts such articles.

NUMBERS. A number is a value and a unit. "4.2 million" is 4200000, "1,500" is 1500, "three" and
"twenty-one" are 3 and 21; "one" alone is not a fact. Units are %, $ (dollars), £ (pounds),
€ (euros), ¥ (yen), th (3rd, third), s (1990s), am and pm. The unit has to match, except that an
amount of money or a time also supports the bare number ("9:30 p.m." supports "9:30"). In
"17-year-old" the fact is 17. "2-1" and "5-10%" are one fact each; the same two numbers in this
order, joined by a hyphen, "to" or "and", support them. A number after a word such as "nearly",
"about" or "more than" may round one of the article's by a twentieth to a tenth; "4.2 million"
rounds 4,187,000.

DATES. A date is a month with a day, in either order, a month alone, or a weekday. Any day of a
month supports the month. May, March, April, June and August are dates only next to a number, after
a word such as "in", or apart from other capitalized words ("Theresa May" is a name).

NAMES. A name is a maximal run of capitalized words, joined by spaces, hyphens or particles ("Bank
of America", "Angela de la Cruz"). A possessive ends a run, and so does a title: "French President
Hollande" gives "French" and "Hollande", and a title alone is no name. Accents and the dots of
initials are ignored. The first word of a sentence or quotation is dropped if it is a function word,
if it is in a fixed list of openers ("police", "experts") or ends like no name (-tion, -ous), or if
the article contains it in lower case, up to an ending (-s, -ed, -ing). In headlines, case does not
identify names: if a sentence is all in capitals, or four capitalized words follow each other and
all words of more than three letters are capitalized, each word is treated like the first word of a
sentence.

The article supports a name in four cases: it has the same words next to each other, capitalized
("&" is "and"); it has a longer run with one or two more words in the middle (first and last name);
it has an acronym of the name, or the name is an acronym of one of its names; or the name consists
of complete runs of the article, of which at least one has two words or is a place ("Briton Andy
Murray", "London Russian embassy"). A place's name, adjective and people are the same ("China",
"Chinese"; `metrics.places`). The first name of one person with the surname of another is therefore
not supported.
"""

import itertools
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from highlighter.data.characters import words_of_all_scripts
from highlighter.metrics.facts import Fact, extract_facts, facts_of_tokens, is_acronym
from highlighter.metrics.numbers import number_and_date_keys
from highlighter.metrics.places import place_of
from highlighter.metrics.tokens import (
    ALIASES,
    FUNCTION_WORDS,
    PARTICLES,
    Words,
    normalise,
    stem,
    tokenize,
)

_FEWEST_WORDS = 12  # shorter texts say too little about their language
_LOWER_CASE = re.compile(r"(?<![^\W_])[^\W\dA-Z_]+")
_LINE_BREAK = re.compile(r"(?<!\s)[^\S\n]*\n(?![^\S\n]*\n)")  # not before or after a blank line


def is_english(text: str) -> bool:
    """Return whether a text may be English.

    It is not if less than half of its words are in Latin letters, or if it has 12 words or more in
    lower case, of which less than a quarter are English function words and less than 1 % "the".
    Names and figures say nothing about the language.
    """
    in_any_script = words_of_all_scripts(text)
    if 2 * sum(map(str.isascii, in_any_script)) < len(in_any_script):
        return False
    found = _LOWER_CASE.findall(text)
    function_words = sum(word in FUNCTION_WORDS for word in found)
    return (
        len(found) < _FEWEST_WORDS
        or 4 * function_words >= len(found)
        or 100 * found.count("the") >= len(found)
    )


class ArticleFacts:
    """The facts of an article, indexed to check summaries against them.

    `english` is whether the article may be English. The facts of others are not checked.
    """

    def __init__(self, article: str) -> None:
        self.english = is_english(article)
        article = normalise(article)
        unwrapped = _LINE_BREAK.sub(" ", article)
        # A fact may continue on the next line of hard-wrapped text, but not after a headline.
        readings = [article, unwrapped] if unwrapped != article else [article]
        tokenized = [(reading, tokenize(reading)) for reading in readings]
        self._tokens = [token for _, tokens in tokenized for token in tokens]
        self._keys = {key for _, tokens in tokenized for key in number_and_date_keys(tokens)}
        self._values: dict[str, list[Decimal]] = defaultdict(list)
        for key in self._keys:
            if len(key) == 3 and isinstance(key[1], Decimal):
                self._values[str(key[2])].append(key[1])
        for values in self._values.values():
            values.sort()
        self._ordinary = {
            stem(token.key) for token in self._tokens if token.text.islower() and not token.number
        }
        self._positions: dict[str, list[int]] = defaultdict(list)
        for index, token in enumerate(self._tokens):
            if token.capital:
                self._positions[token.key].append(index)
        self._places = {place for word in self._positions if (place := place_of(word))}
        self._acronyms = {token.key for token in self._tokens if is_acronym(token)}
        self._names = {
            tuple(map(str, fact.key))
            for reading, tokens in tokenized
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
        """Return the facts of a summary, supported or not; none if the article isn't English."""
        return extract_facts(summary, self._ordinary) if self.english else []

    def supports(self, fact: Fact) -> bool:
        """Return whether the fact appears in the article."""
        if fact.kind != "name":
            return (fact.kind, *fact.key) in self._keys or self._is_rounded(fact)
        name = tuple(map(str, fact.key))
        places = list(itertools.takewhile(self._is_place, name))
        rest = name[len(places) :]
        return (
            any(self._is_named(form) for form in _forms(name))
            or self._is_joined(name)
            or (bool(places) and (rest in self._names or (len(rest) > 1 and self._is_named(rest))))
        )

    def unsupported(self, summary: str) -> list[Fact]:
        """Return the summary's facts that do not appear in the article."""
        return [fact for fact in self.facts_of(summary) if not self.supports(fact)]

    def count(self, summary: str) -> tuple[int, int]:
        """Return the numbers of supported facts and of all facts of the summary."""
        facts = self.facts_of(summary)
        return sum(map(self.supports, facts)), len(facts)

    def _is_rounded(self, fact: Fact) -> bool:
        if fact.between is None or len(fact.key) != 2:
            return False
        low, high = fact.between
        values = self._values.get(str(fact.key[1]), [])
        index = bisect_left(values, low)
        return index < len(values) and values[index] <= high

    def _is_named(self, name: Words) -> bool:
        initials = _initials(name)
        return (
            any(self._appears_at(index, name) for index in self._positions.get(name[0], ()))
            or any(_is_shortened(name, longer) for longer in self._names_with.get(name[0], ()))
            or (len(initials) > 2 and initials in self._acronyms)
            or (len(name) == 1 and len(name[0]) > 2 and name[0] in self._initials)
        )

    def _appears_at(self, index: int, name: Words) -> bool:
        tokens = self._tokens[index : index + len(name)]
        return (
            len(tokens) == len(name)
            and all(token.joined and not token.initial for token in tokens[1:])
            and not any(token.possessive for token in tokens[:-1])
            and all(
                (token.key == word and (token.capital or word in PARTICLES))
                or {token.key, word} == {"and", "&"}
                for token, word in zip(tokens, name, strict=True)
            )
        )

    def _is_place(self, word: str) -> bool:
        return place_of(word) in self._places

    def _is_joined(self, name: Words) -> bool:
        """Return whether the name consists of names that the article has.

        At least one is a place or has two words.
        """
        reached = {0: False}  # words consumed -> whether a longer name is among them
        for start in range(len(name)):
            if start not in reached:
                continue
            for end in range(start + 1, min(len(name), start + max(1, self._longest)) + 1):
                is_place = end == start + 1 and self._is_place(name[start])
                if is_place or name[start:end] in self._names:
                    longer = reached[start] or is_place or end - start > 1
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


def _is_shortened(name: Words, longer: Words) -> bool:
    """Return whether the name is `longer` without one or two words of its middle."""
    for start in (index for index, word in enumerate(longer) if word == name[0]):
        for left_out in (1, 2):
            rest = longer[start : start + len(name) + left_out]
            if len(rest) == len(name) + left_out and any(
                rest[:kept] == name[:kept] and rest[kept + left_out :] == name[kept:]
                for kept in range(1, len(name))
            ):
                return True
    return False
