"""Fill in story templates: choices, slots, quotes, and the spelling of the country."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tools.newswire.draw import Draw, Value, Values
from tools.newswire.names import Person, Section, possessive, read_rules, read_sections

_ARTICLE = re.compile(r"@([aA]) (\S+)")
_VOWEL_SOUND = re.compile(r"(?!one|uni|use|usu|eu)[aeiou]|hour|honest|8|1[18](?!\d|,\d{3},)", re.I)
_SENTENCE_START = re.compile(r"(^|[.?!]\"? |: \")([a-z])")


def tidy(text: str) -> str:
    """Choose a or an for `@a`, remove extra spaces and capitalize the start of sentences."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" ([,.;:?!])", r"\1", text)
    text = _ARTICLE.sub(_choose_article, text)
    return _SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), text)


def _choose_article(match: re.Match[str]) -> str:
    bare = match[2].lstrip('"£$€')
    return f"{match[1]}{'n' if _VOWEL_SOUND.match(bare) else ''} {match[2]}"


def count_words(text: str) -> int:
    """Return the number of words."""
    return len(text.split())


def split_sentences(article: str) -> list[str]:
    """Return the sentences of an article; none crosses a paragraph."""
    sentences: list[str] = []
    for paragraph in article.split("\n\n"):
        sentences += re.split(
            r"(?<=[.?!])\s+(?=[A-Z\"£€$0-9])|(?<=[.?!]\")\s+(?=[A-Z\"£€$0-9])", paragraph
        )
    return [sentence for sentence in sentences if sentence]


_PAIRS = """
organised=organized organiser=organizer organisers=organizers organise=organize
recognised=recognized apologised=apologized apologises=apologizes criticised=criticized
levelled=leveled travelled=traveled travellers=travelers realise=realize
favour=favor colour=color labour=labor harbour=harbor honour=honor rumours=rumors
neighbour=neighbor neighbours=neighbors programme=program centre=center
theatre=theater theatres=theaters metre=meter metres=meters storey=story grey=gray
defence=defense cheque=check tyre=tire lorry=truck flat=home flats=apartments
pub=bar crisps=chips rucksack=backpack pram=stroller petrol=gas postman=mailman
pupil=student pupils=students pensioners=retirees vicar=pastor chemists=drugstores
councillor=councilor councillors=councilors football=soccer holiday=vacation
holidays=vacations equalises=equalizes equalised=equalized equaliser=equalizer
"""
_WORDS = dict(pair.split("=") for pair in _PAIRS.split())
_PATTERN = re.compile(r"\b(" + "|".join(_WORDS) + r")\b", re.I)


def americanize(text: str) -> str:
    """Replace British by American spellings and words; keep capitals."""
    return _PATTERN.sub(_replace, text)


def _replace(match: re.Match[str]) -> str:
    word = _WORDS[match[0].lower()]
    return word.capitalize() if match[0][0].isupper() else word


Wordings = tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """The templates of one variant of a kind of story.

    Attributes:
        leads: alternative first paragraphs.
        scenes: alternative openings before the lead.
        early: paragraphs with facts after the lead, each with its alternatives.
        late: paragraphs with facts at random places after the early ones.
        fillers: background paragraphs.
        points: sentences of the highlights; all alternatives of one state the same facts.
        brief: alternative replacements of the first two points.
    """

    name: str
    leads: Wordings
    scenes: Wordings
    early: tuple[Wordings, ...]
    late: tuple[Wordings, ...]
    fillers: Wordings
    points: tuple[Wordings, ...]
    brief: Wordings


@cache
def plan_shapes(kind: str) -> tuple[Shape, ...]:
    """Return the shapes of a kind; each includes the sections of the part `*`."""
    sections = read_sections(kind)
    names = dict.fromkeys(section.part for section in sections if section.part != "*")
    return tuple(_plan_shape(name, sections) for name in names)


@cache
def plan_background() -> Wordings:
    """Return background paragraphs for any story."""
    return tuple(entry for section in read_sections("common") for entry in section.entries)


def _plan_shape(name: str, sections: tuple[Section, ...]) -> Shape:
    def groups(title: str) -> tuple[Wordings, ...]:
        return tuple(
            section.entries
            for section in sections
            if section.part in (name, "*") and section.title == title
        )

    def merged(title: str) -> Wordings:
        return tuple(entry for group in groups(title) for entry in group)

    return Shape(
        name=name,
        leads=merged("lead"),
        scenes=merged("scene"),
        early=groups("early"),
        late=groups("late"),
        fillers=merged("filler"),
        points=groups("point"),
        brief=merged("brief"),
    )


_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SPELLING = re.compile(r"<([^<>|]*)\|([^<>|]*)>")
_RULE = re.compile(r"#([a-z.-]+)#")
_QUOTE = re.compile(r"%([a-z]+) (\w+) ([^%]+)%")
_SLOT = re.compile(r"\{([^{}]+)\}")
_DRAW = re.compile(r"([a-z]):(\d+)-(\d+)$")

# The speaker is always introduced by full name and role.
_ATTRIBUTIONS = (
    '"#{mood}#," said {{{who}}}, {role}.',
    '"#{mood}#," said {{{who}}}, {role}. "#{mood}#."',
    '"#{mood}#," {{{who}}}, {role}, [said|told reporters|said afterwards]. "#{mood}#."',
    '{{{who}}}, {role}, [said|told reporters|said on {{today}}]: "#{mood}#."',
    '{{{who}}}, {role}, [said|put it this way]: "#{mood}#. #{mood}#."',
    '[Speaking|Asked about it] [afterwards|on {{today}}], {{{who}}}, {role}, said: "#{mood}#."',
)


class TemplateFiller:
    """Fill in the templates of one article with the same values, people and unused phrases."""

    def __init__(self, draw: Draw, values: Values) -> None:
        self._draws = draw
        self._values = values
        self._phrases = read_rules("phrases")
        self._used: set[tuple[str, int]] = set()

    def fill(self, template: str) -> str:
        """Return the filled-in template."""
        return self.fill_noting(template, [])

    def fill_noting(self, template: str, noted: list[str]) -> str:
        """Return the filled-in template; append the slot values in it to `noted`."""
        text = _QUOTE.sub(self._attribute, template)
        while True:
            wider = _SPELLING.sub(self._spell, text)
            wider = _CHOICE.sub(self._choose, wider)
            wider = _RULE.sub(self._apply_rule, wider)
            if wider == text:
                break
            text = wider
        text = _SLOT.sub(lambda match: self._write_slot(match[1], noted), text)
        return tidy(americanize(text) if self._draws.country.american else text)

    def _attribute(self, match: re.Match[str]) -> str:
        form = self._draws.pick(_ATTRIBUTIONS)
        return form.format(mood=match[1], who=match[2], role=match[3])

    def _spell(self, match: re.Match[str]) -> str:
        return match[2] if self._draws.country.american else match[1]

    def _choose(self, match: re.Match[str]) -> str:
        options: list[str] = match[1].split("|")
        return self._draws.pick(options)

    def _apply_rule(self, match: re.Match[str]) -> str:
        entries = self._phrases[match[1]]
        free = [i for i in range(len(entries)) if (match[1], i) not in self._used]
        index = self._draws.pick(free or range(len(entries)))
        self._used.add((match[1], index))
        return entries[index]

    def _write_slot(self, slot: str, noted: list[str]) -> str:
        drawn = _DRAW.match(slot)
        if drawn:
            return self._draw(drawn[1], int(drawn[2]), int(drawn[3]))
        name, _, attribute = slot.partition(".")
        value = self._value(name)
        if isinstance(value, Person):
            if attribute in ("", "s", "pos", "fullpos"):
                noted.append(value.full if attribute in ("", "fullpos") else value.last)
            return value.form(attribute)
        noted.append(value)
        return possessive(value) if attribute == "pos" else value

    def _value(self, name: str) -> Value:
        if name not in self._values:
            self._values[name] = self._make(name)
        return self._values[name]

    def _make(self, name: str) -> Value:
        """Return a person (`x1`), man (`m1`), town (`t1`), coined word (`o1`) or surname (`s1`)."""
        if not re.fullmatch(r"[xmtos]\d+", name):
            raise KeyError(f"the story has no value for slot {name!r}")
        names = self._draws.names
        makers: dict[str, Callable[[], Value]] = {
            "x": names.person,
            "m": lambda: names.person(female=False),
            "t": names.town,
            "o": names.coin,
            "s": names.surname,
        }
        return makers[name[0]]()

    def _draw(self, unit: str, low: int, high: int) -> str:
        """Return a random value for this slot only."""
        draw, rng = self._draws, self._draws.rng
        drawers: dict[str, Callable[[], str]] = {
            "n": lambda: draw.number(draw.between(low, high)),
            "m": lambda: draw.money(rng.uniform(low, high) * 1e6),
            "k": lambda: draw.money(rng.uniform(low, high) * 1e3),
            "p": lambda: draw.percent(low, high),
            "y": lambda: draw.year(-rng.randint(low, high)),
            "d": lambda: draw.date(rng.randint(low, high)),
            "b": lambda: draw.date(-rng.randint(low, high)),
            "l": lambda: draw.distance(rng.randint(low, high)),
        }
        return drawers[unit]()
