"""Write one story: plan its paragraphs, fill in its facts, check the result."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tools.newswire import culture_facts as culture
from tools.newswire import field_facts as field
from tools.newswire import money_facts as business
from tools.newswire import public_facts as public
from tools.newswire.facts import Desk, Value, Values
from tools.newswire.names import NameGroup, Person, Section, possessive, read_rules, read_sections

VALUE_DRAWERS: dict[str, Callable[[Desk, str], Values]] = {
    "courts": public.draw_courts,
    "elections": public.draw_elections,
    "company": business.draw_company,
    "sport": field.draw_sport,
    "storm": field.draw_storm,
    "science": field.draw_science,
    "transport": public.draw_transport,
    "health": public.draw_health,
    "council": public.draw_council,
    "arts": culture.draw_arts,
    "technology": business.draw_technology,
    "fire": field.draw_fire,
    "education": culture.draw_education,
    "labour": culture.draw_labour,
    "wildlife": culture.draw_wildlife,
}

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


def americanise(text: str) -> str:
    """The text with American spellings; a capital stays a capital."""
    return _PATTERN.sub(_replace, text)


def _replace(match: re.Match[str]) -> str:
    word = _WORDS[match[0].lower()]
    return word.capitalize() if match[0][0].isupper() else word


Wordings = tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """One way a kind of story can go; every entry is a set of alternative wordings.

    `early` and `late` paragraphs carry facts and always appear, the late ones anywhere behind.
    `points` become the highlights, and all wordings of one state the same facts; `brief` may stand
    for the first two.
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
    """The shapes of a kind; its part `*` holds what they share."""
    sections = read_sections(kind)
    names = dict.fromkeys(section.part for section in sections if section.part != "*")
    return tuple(_plan_shape(name, sections) for name in names)


@cache
def plan_background() -> Wordings:
    """Background paragraphs that suit any story."""
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

# How a quote may be attributed; the speaker is always introduced in full.
_ATTRIBUTIONS = (
    '"#{mood}#," said {{{who}}}, {role}.',
    '"#{mood}#," said {{{who}}}, {role}. "#{mood}#."',
    '"#{mood}#," {{{who}}}, {role}, [said|told reporters|said afterwards]. "#{mood}#."',
    '{{{who}}}, {role}, [said|told reporters|said on {{today}}]: "#{mood}#."',
    '{{{who}}}, {role}, [said|put it this way]: "#{mood}#. #{mood}#."',
    '[Speaking|Asked about it] [afterwards|on {{today}}], {{{who}}}, {role}, said: "#{mood}#."',
)


class TemplateFiller:
    """Fills the templates of one article; remembers values, people and phrases it used."""

    def __init__(self, desk: Desk, values: Values) -> None:
        self._desk = desk
        self._values = values
        self._phrases = read_rules("phrases")
        self._used: set[tuple[str, int]] = set()

    def fill(self, template: str) -> str:
        """The template as finished copy."""
        return self.fill_noting(template, [])

    def fill_noting(self, template: str, noted: list[str]) -> str:
        """Like `fill`; adds the slot values that were written to `noted`."""
        text = _QUOTE.sub(self._attribute, template)
        while True:
            wider = _SPELLING.sub(self._spell, text)
            wider = _CHOICE.sub(self._choose, wider)
            wider = _RULE.sub(self._apply_rule, wider)
            if wider == text:
                break
            text = wider
        text = _SLOT.sub(lambda match: self._write_slot(match[1], noted), text)
        return tidy(americanise(text) if self._desk.country.american else text)

    def _attribute(self, match: re.Match[str]) -> str:
        form = self._desk.pick(_ATTRIBUTIONS)
        return form.format(mood=match[1], who=match[2], role=match[3])

    def _spell(self, match: re.Match[str]) -> str:
        return match[2] if self._desk.country.american else match[1]

    def _choose(self, match: re.Match[str]) -> str:
        options: list[str] = match[1].split("|")
        return self._desk.pick(options)

    def _apply_rule(self, match: re.Match[str]) -> str:
        entries = self._phrases[match[1]]
        free = [i for i in range(len(entries)) if (match[1], i) not in self._used]
        index = self._desk.pick(free or range(len(entries)))
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
        """A person (`x1`), man (`m1`), town (`t1`), coined word (`o1`) or surname (`s1`)."""
        if not re.fullmatch(r"[xmtos]\d+", name):
            raise KeyError(f"the story has no value for slot {name!r}")
        names = self._desk.names
        makers: dict[str, Callable[[], Value]] = {
            "x": names.person,
            "m": lambda: names.person(female=False),
            "t": names.town,
            "o": names.coin,
            "s": names.surname,
        }
        return makers[name[0]]()

    def _draw(self, unit: str, low: int, high: int) -> str:
        """A value that only this place of the text needs."""
        desk, rng = self._desk, self._desk.rng
        drawers: dict[str, Callable[[], str]] = {
            "n": lambda: desk.number(desk.between(low, high)),
            "m": lambda: desk.money(rng.uniform(low, high) * 1e6),
            "k": lambda: desk.money(rng.uniform(low, high) * 1e3),
            "p": lambda: desk.percent(low, high),
            "y": lambda: desk.year(-rng.randint(low, high)),
            "d": lambda: desk.date(rng.randint(low, high)),
            "b": lambda: desk.date(-rng.randint(low, high)),
            "l": lambda: desk.distance(rng.randint(low, high)),
        }
        return drawers[unit]()


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


KINDS = tuple(VALUE_DRAWERS)
SCENE_SHARE = 0.36
DATELINE_SHARE = 0.35
BRIEF_SHARE = 0.3
SWAP_SHARE = 0.2
ATTEMPTS = 60
TARGET_WORDS = (280, 50)
FILLER_ROOM = 22  # a filler paragraph is added while the story is at least this short of target
DRAFT_PARAGRAPHS = 13
WANTED_PARAGRAPHS = (5, 12)
MOST_SENTENCES = 3
MOST_PARAGRAPH_WORDS = 62
GENERAL_PARAGRAPHS = 2


@dataclass(frozen=True)
class Story:
    """A finished story with its summary and what is known about both."""

    kind: str
    shape: str
    article: str
    highlights: str
    facts: tuple[str, ...]
    names: tuple[str, ...]


def compose_story(kind: str, group: NameGroup, seed: str) -> Story:
    """The story of a kind that belongs to a seed; draws anew until one is fit to print."""
    faults: list[str] = []
    for attempt in range(ATTEMPTS):
        story = draft_story(kind, group, random.Random(f"{seed}/{attempt}"))
        faults = find_faults(story.article, story.highlights.split("\n"), list(story.facts))
        if not faults:
            return story
    raise ValueError(f"no fit {kind} story for seed {seed}: {'; '.join(faults)}")


def draft_story(kind: str, group: NameGroup, rng: random.Random) -> Story:
    """One draft, not yet checked."""
    desk = Desk(rng, group)
    shape = desk.pick(plan_shapes(kind))
    values = desk.base_values()
    values.update(VALUE_DRAWERS[kind](desk, shape.name))
    filler = TemplateFiller(desk, values)
    noted: list[str] = []
    highlights = [filler.fill_noting(line, noted) for line in _choose_points(desk, shape)]
    paragraphs = _order_paragraphs(desk, shape, filler)
    summary = "\n".join(highlights)
    # A leading article may be capitalised in one text and not in the other.
    bare = (re.sub("^(?:the|an?) ", "", value) for value in noted)
    facts = dict.fromkeys(value for value in bare if _is_fact(value) and value in summary)
    return Story(
        kind=kind,
        shape=shape.name,
        article="\n\n".join(paragraphs),
        highlights=summary,
        facts=tuple(facts),
        names=tuple(desk.names.taken),
    )


def _is_fact(value: str) -> bool:
    return bool(re.search(r"[A-Z0-9]", value))


def _choose_points(desk: Desk, shape: Shape) -> list[str]:
    """Wordings are chance, facts are not: those of a point state the same ones."""
    points = [desk.pick(wordings) for wordings in shape.points]
    if shape.brief and desk.chance(BRIEF_SHARE):
        points[:2] = [desk.pick(shape.brief)]
    if len(points) > 2 and desk.chance(SWAP_SHARE):
        points[-2:] = reversed(points[-2:])
    return points


def _order_paragraphs(desk: Desk, shape: Shape, filler: TemplateFiller) -> list[str]:
    opening, scene = _write_opening(desk, shape, filler)
    early = _write_all(desk, shape.early, filler)
    late = _write_all(desk, shape.late, filler)
    padding = _write_padding(desk, shape, filler, opening + early + late)
    news = {*early, *late}
    if early and not scene and padding and desk.chance(0.3):
        early.insert(desk.rng.randint(0, len(early) - 1), padding.pop())
    paragraphs = opening + early + _interleave(desk, late, padding)
    return _merge_short(desk, paragraphs, len(opening), news)


def _write_opening(desk: Desk, shape: Shape, filler: TemplateFiller) -> tuple[list[str], bool]:
    lead = filler.fill(desk.pick(shape.leads))
    scene = bool(shape.scenes) and desk.chance(SCENE_SHARE)
    paragraphs = [lead]
    if scene:
        setting = desk.pick(shape.scenes)
        paragraphs = [filler.fill(part) for part in setting.split(" // ")] + paragraphs
    if desk.chance(DATELINE_SHARE):
        region = re.sub("^the ", "", desk.region)
        paragraphs[0] = f"{desk.town}, {region} - {paragraphs[0]}"
    return paragraphs, scene


def _write_all(desk: Desk, groups: tuple[Wordings, ...], filler: TemplateFiller) -> list[str]:
    return [filler.fill(desk.pick(wordings)) for wordings in groups]


def _write_padding(desk: Desk, shape: Shape, filler: TemplateFiller, news: list[str]) -> list[str]:
    target = desk.rng.gauss(*TARGET_WORDS)
    words = sum(count_words(paragraph) for paragraph in news)
    padding: list[str] = []
    general = plan_background()
    templates = [*shape.fillers, *desk.rng.sample(general, min(GENERAL_PARAGRAPHS, len(general)))]
    desk.rng.shuffle(templates)
    for template in templates:
        if words > target - FILLER_ROOM or len(news) + len(padding) >= DRAFT_PARAGRAPHS:
            break
        padding.append(filler.fill(template))
        words += count_words(padding[-1])
    return padding


def _merge_short(desk: Desk, paragraphs: list[str], opening: int, news: set[str]) -> list[str]:
    """Joins neighbours behind the opening until few enough paragraphs are left."""
    wanted = desk.rng.randint(*WANTED_PARAGRAPHS)
    merged = list(paragraphs)
    known = set(news)
    while len(merged) > wanted:
        pairs = [
            i for i in range(opening, len(merged) - 1) if _may_join(merged[i], merged[i + 1], known)
        ]
        if not pairs:
            break
        place = desk.pick(pairs)
        joined = f"{merged[place]} {merged[place + 1]}"
        if merged[place] in known and merged[place + 1] in known:
            known.add(joined)
        merged[place : place + 2] = [joined]
    return merged


def _may_join(first: str, second: str, news: set[str]) -> bool:
    """News goes with news, and one quote may follow what it is a reaction to."""
    both = f"{first} {second}"
    related = (first in news and second in news) or (second not in news and '"' in second)
    return (
        related
        and len(split_sentences(both)) <= MOST_SENTENCES
        and count_words(both) <= MOST_PARAGRAPH_WORDS
        # Two speakers in one paragraph would be hard to tell apart.
        and not ('"' in first and '"' in second)
    )


def _interleave(desk: Desk, late: list[str], padding: list[str]) -> list[str]:
    """Both in their order, late facts at random places, so that place gives none away."""
    slots = len(late) + len(padding)
    places = set(desk.rng.sample(range(slots), len(late)))
    news, others = iter(late), iter(padding)
    return [next(news if place in places else others) for place in range(slots)]
