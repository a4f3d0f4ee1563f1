"""Find statements of a summary that contradict its article: negations, opposites, units.

These are errors that a model makes with the article's own words, where every name and number is
true (the edits of Kryscinski et al. 2020, FactCC, and of Laban et al. 2023, SummEdits). The rules
compare words in the same context: the content words (no function words) up to six words before and
after. A summary contradicts its article if

- NEGATION. in the same context, it negates a word that the article never negates, or states one
  that the article always negates;
- OPPOSITES. it has a word that the article lacks, of which the article, in the same context, has an
  opposite ("rise" and "fall", "named" and "unnamed") or another thing of the same kind ("brother"
  and "sister"; `metrics.opposites`), unless one of both is negated;
- UNITS. it has a number with a unit of time or length ("30 years") that the article has with
  another one ("30 days") only.

What these rules do not find, they do not confirm.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from highlighter.data.sentences import sentence_texts
from highlighter.metrics.faithfulness import is_english
from highlighter.metrics.opposites import opposites_of
from highlighter.metrics.tokens import FUNCTION_WORDS, SMALL, normalise, stem, words_of

_WORD = re.compile(r"[0-9][0-9,.]*[0-9]|[^\W_]+(?:'[^\W_]+)*|[.;:!?,()\"]")
_NEGATIONS = words_of("not no never none nothing nobody cannot")
# Words that may negate something of their sentence, so that nothing can be said of the others.
_DOUBTFUL = words_of(
    "without neither nor hardly barely rarely seldom little few only just fail failed fails "
    "failing failure refuse refused refuses unable lack lacks lacked lacking deny denied denies "
    "prevent prevented prevents stop stopped avoid avoided avoids escape escaped spare spared if "
    "unless until wrong less instead rather despite although than yet should would could non "
    "whether reject rejected rejects against miss missed"
)
# Verbs that say of a thing that it will not be.
_FORBIDS = words_of(
    "ban bans banned banning outlaw outlaws outlawed outlawing forbid forbids forbidden "
    "prohibited prohibits scrap scraps scrapped cancel cancels cancelled canceled halt halts "
    "halted"
)
_NO_NEGATION = (["only"], ["just"], ["longer"], ["doubt"], ["1"], ["one"])  # after "not" or "no"
_FOR_A_TIME = words_of("yet until unless if")  # what is denied may be stated later
_UNITS = words_of(
    "second minute hour day week month year decade century mile kilometer meter "
    "foot inch acre hectare ton tonne kilogram"
)
_UNIT_FORMS = {"feet": "foot", "centuries": "century", "inches": "inch", "km": "kilometer"} | {
    "kilometres": "kilometer", "kilometre": "kilometer", "metres": "meter", "metre": "meter"
}  # fmt: skip
_YEAR = re.compile(r"(?:19|20)\d\d")
_REACH = 6  # words of context to each side
_COVERED = 3  # words after a negation that it may negate
_MOST_PLACES = 64  # of one word in an article; bounds the time
_SHARED = 2  # words that two equal contexts share at least
_SHARED_STATED = 3  # if the article's negation is missing in the summary


class _Word(NamedTuple):
    text: str
    negated: bool
    unclear: bool  # another word of the sentence may negate it
    forbidden: bool  # a verb of the sentence may say that it will not be
    context: frozenset[str]  # stems of the content words around it
    neighbors: tuple[str, str]  # stems of the content words directly before and after it, or ""


def _is_negation(text: str) -> bool:
    return text in _NEGATIONS or text.endswith("n't")


def _is_alike(one: _Word, other: _Word) -> bool:
    """Return whether two words have the same context, or the same neighbor on one side."""
    return len(one.context & other.context) >= _SHARED or any(
        ours == theirs != "" for ours, theirs in zip(one.neighbors, other.neighbors, strict=True)
    )


def _is_content(word: str) -> bool:
    return (
        len(word) > 2
        and word[0].isalpha()
        and word not in FUNCTION_WORDS
        and word not in _NEGATIONS
        and not word.endswith("n't")
    )


def _read_words(texts: Sequence[str]) -> Iterator[_Word]:
    """Yield the content words of a sentence's words and punctuation."""
    content = [at for at, text in enumerate(texts) if _is_content(text)]
    stems = ["", *(stem(_bare(texts[at])) for at in content), ""]
    negations = [at for at, text in enumerate(texts) if _is_negation(text)]
    doubtful = bool(negations) or not _DOUBTFUL.isdisjoint(texts)
    forbidden = not _FORBIDS.isdisjoint(texts)
    denials = [at for at in negations if texts[at + 1 : at + 2] not in _NO_NEGATION]
    if not _FOR_A_TIME.isdisjoint(texts):
        denials = []
    begin = end = denied = 0
    for number, at in enumerate(content):
        while content[begin] < at - _REACH:
            begin += 1
        while end < len(content) and content[end] <= at + _REACH:
            end += 1
        before = denied
        while denied < len(denials) and denials[denied] < at:
            denied += 1
        negated = denied > before and at - denials[denied - 1] <= _COVERED
        yield _Word(
            text=_bare(texts[at]),
            negated=negated,
            unclear=not negated and doubtful,
            forbidden=forbidden,
            context=frozenset(stems[begin + 1 : number + 1] + stems[number + 2 : end + 1]),
            neighbors=(stems[number], stems[number + 2]),
        )


def _bare(word: str) -> str:
    return word.removesuffix("'s")


def _read_units(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each number that may have a unit of time or length, with the unit or "" for none."""
    for at, text in enumerate(texts):
        number = str(SMALL[text]) if text in SMALL else text.replace(",", "")
        if not number[:1].isdigit() or _YEAR.fullmatch(number) or number == "1":
            continue
        following = [word for word in texts[at + 1 : at + 3] if word != "second"]
        units = [_UNIT_FORMS.get(word, word.removesuffix("s")) for word in following]
        yield number, next((unit for unit in units if unit in _UNITS), "")


def find_contradictions(summary: str, article: Sequence[str]) -> list[str]:
    """Return the words of a summary that contradict the article, in order; none if not in English.

    Args:
        summary: the text.
        article: the article's sentences.
    """
    if not is_english(" ".join(article)):
        return []
    return _ArticleStatements(article).contradictions(sentence_texts(summary))


class _ArticleStatements:
    """The words of an article in their contexts, to compare summaries with them."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self._places: dict[str, list[_Word]] = defaultdict(list)
        self._by_stem: dict[str, list[_Word]] = defaultdict(list)
        self._units: dict[str, set[str]] = defaultdict(set)
        for sentence in sentences:
            texts = _texts(sentence)
            for word in _read_words(texts):
                self._places[word.text].append(word)
                self._by_stem[stem(word.text)].append(word)
            for number, unit in _read_units(texts):
                self._units[number].add(unit)

    def contradictions(self, sentences: Sequence[str]) -> list[str]:
        """Return the words of a summary's sentences that contradict the article, in order."""
        found = []
        for texts in map(_texts, sentences):
            found += [
                f"{number} {unit}"
                for number, unit in _read_units(texts)
                if unit and self._has_other_unit(number, unit)
            ]
            found += [
                word.text
                for word in _read_words(texts)
                if self._is_negated_otherwise(word) or self._has_opposite(word)
            ]
        return found

    def _has_other_unit(self, number: str, unit: str) -> bool:
        units = self._units.get(number, set())
        return bool(units) and unit not in units and "" not in units

    def _is_negated_otherwise(self, word: _Word) -> bool:
        if word.unclear or (word.forbidden and not word.negated):
            return False
        places = self._by_stem.get(stem(word.text), ())[:_MOST_PLACES]
        if word.negated:
            near = [place for place in places if _is_alike(place, word)]
        else:  # what an article denies once, it may state in other words
            near = [p for p in places if len(p.context & word.context) >= _SHARED_STATED]
        return bool(near) and all(
            place.negated != word.negated and not place.unclear for place in near
        )

    def _has_opposite(self, word: _Word) -> bool:
        return any(
            self._places.keys().isdisjoint(own) and self._has_near(others, word)
            for own, others in opposites_of(word.text)
        )

    def _has_near(self, texts: Collection[str], word: _Word) -> bool:
        near = [
            place
            for text in texts
            for place in self._places.get(text, ())[:_MOST_PLACES]
            if _is_alike(place, word)
        ]
        return bool(near) and all(
            place.negated == word.negated and not place.unclear for place in near
        )


def _texts(sentence: str) -> list[str]:
    return [match[0] for match in _WORD.finditer(normalise(sentence).lower())]
