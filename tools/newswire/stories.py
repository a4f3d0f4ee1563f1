"""Compose a story: draw facts, fill in templates, order paragraphs, check the result."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from tools.newswire import facts_public_life as public_life
from tools.newswire import facts_sport_and_nature as sport_and_nature
from tools.newswire import facts_work_and_culture as work_and_culture
from tools.newswire.draw import Draw, Values
from tools.newswire.names import NameGroup
from tools.newswire.templates import (
    Shape,
    TemplateFiller,
    Wordings,
    count_words,
    plan_background,
    plan_shapes,
    split_sentences,
)

VALUE_DRAWERS: dict[str, Callable[[Draw, str], Values]] = {
    "courts": public_life.draw_courts,
    "elections": public_life.draw_elections,
    "company": work_and_culture.draw_company,
    "sport": sport_and_nature.draw_sport,
    "storm": sport_and_nature.draw_storm,
    "science": sport_and_nature.draw_science,
    "transport": public_life.draw_transport,
    "health": public_life.draw_health,
    "council": public_life.draw_council,
    "arts": work_and_culture.draw_arts,
    "technology": work_and_culture.draw_technology,
    "fire": sport_and_nature.draw_fire,
    "education": work_and_culture.draw_education,
    "labour": work_and_culture.draw_labour,
    "wildlife": sport_and_nature.draw_wildlife,
}

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
    """Return descriptions of all faults of a story."""
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
    """Return the numbers and names of the highlights that are not in the article."""
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
FILLER_WORDS = 22  # a filler is added while at least as many words are missing
DRAFT_PARAGRAPHS = 13
MERGED_PARAGRAPHS = (5, 12)
MOST_SENTENCES = 3
MOST_PARAGRAPH_WORDS = 62
GENERAL_PARAGRAPHS = 2


@dataclass(frozen=True)
class Story:
    """A story with its highlights, and the facts and names in them."""

    kind: str
    shape: str
    article: str
    highlights: str
    facts: tuple[str, ...]
    names: tuple[str, ...]


def compose_story(kind: str, group: NameGroup, seed: str) -> Story:
    """Return the story of a kind and seed: the first draft without faults.

    Raises:
        ValueError: all drafts have faults, because a template is wrong.
    """
    faults: list[str] = []
    for attempt in range(ATTEMPTS):
        story = draft_story(kind, group, random.Random(f"{seed}/{attempt}"))
        faults = find_faults(story.article, story.highlights.split("\n"), list(story.facts))
        if not faults:
            return story
    raise ValueError(f"{kind} story of seed {seed}: every draft has faults: {'; '.join(faults)}")


def draft_story(kind: str, group: NameGroup, rng: random.Random) -> Story:
    """Return a draft, unchecked."""
    draw = Draw(rng, group)
    shape = draw.pick(plan_shapes(kind))
    values = draw.base_values()
    values.update(VALUE_DRAWERS[kind](draw, shape.name))
    filler = TemplateFiller(draw, values)
    noted: list[str] = []
    highlights = [filler.fill_noting(line, noted) for line in _choose_points(draw, shape)]
    paragraphs = _order_paragraphs(draw, shape, filler)
    summary = "\n".join(highlights)
    # An initial article may be capitalized in only one of the two texts.
    bare = (re.sub("^(?:the|an?) ", "", value) for value in noted)
    facts = dict.fromkeys(value for value in bare if _is_fact(value) and value in summary)
    return Story(
        kind=kind,
        shape=shape.name,
        article="\n\n".join(paragraphs),
        highlights=summary,
        facts=tuple(facts),
        names=tuple(draw.names.taken),
    )


def _is_fact(value: str) -> bool:
    return bool(re.search(r"[A-Z0-9]", value))


def _choose_points(draw: Draw, shape: Shape) -> list[str]:
    """Choose wordings at random; all wordings of a point state the same facts."""
    points = [draw.pick(wordings) for wordings in shape.points]
    if shape.brief and draw.chance(BRIEF_SHARE):
        points[:2] = [draw.pick(shape.brief)]
    if len(points) > 2 and draw.chance(SWAP_SHARE):
        points[-2:] = reversed(points[-2:])
    return points


def _order_paragraphs(draw: Draw, shape: Shape, filler: TemplateFiller) -> list[str]:
    opening, scene = _write_opening(draw, shape, filler)
    early = _write_all(draw, shape.early, filler)
    late = _write_all(draw, shape.late, filler)
    padding = _write_padding(draw, shape, filler, opening + early + late)
    news = {*early, *late}
    if early and not scene and padding and draw.chance(0.3):
        early.insert(draw.rng.randint(0, len(early) - 1), padding.pop())
    paragraphs = opening + early + _interleave(draw, late, padding)
    return _merge_short(draw, paragraphs, len(opening), news)


def _write_opening(draw: Draw, shape: Shape, filler: TemplateFiller) -> tuple[list[str], bool]:
    lead = filler.fill(draw.pick(shape.leads))
    scene = bool(shape.scenes) and draw.chance(SCENE_SHARE)
    paragraphs = [lead]
    if scene:
        setting = draw.pick(shape.scenes)
        paragraphs = [filler.fill(part) for part in setting.split(" // ")] + paragraphs
    if draw.chance(DATELINE_SHARE):
        region = re.sub("^the ", "", draw.region)
        paragraphs[0] = f"{draw.town}, {region} - {paragraphs[0]}"
    return paragraphs, scene


def _write_all(draw: Draw, groups: tuple[Wordings, ...], filler: TemplateFiller) -> list[str]:
    return [filler.fill(draw.pick(wordings)) for wordings in groups]


def _write_padding(draw: Draw, shape: Shape, filler: TemplateFiller, news: list[str]) -> list[str]:
    target = draw.rng.gauss(*TARGET_WORDS)
    words = sum(count_words(paragraph) for paragraph in news)
    padding: list[str] = []
    general = plan_background()
    templates = [*shape.fillers, *draw.rng.sample(general, min(GENERAL_PARAGRAPHS, len(general)))]
    draw.rng.shuffle(templates)
    for template in templates:
        if words > target - FILLER_WORDS or len(news) + len(padding) >= DRAFT_PARAGRAPHS:
            break
        padding.append(filler.fill(template))
        words += count_words(padding[-1])
    return padding


def _merge_short(draw: Draw, paragraphs: list[str], opening: int, news: set[str]) -> list[str]:
    """Join adjacent paragraphs after the opening until few enough are left."""
    most = draw.rng.randint(*MERGED_PARAGRAPHS)
    merged = list(paragraphs)
    known = set(news)
    while len(merged) > most:
        pairs = [
            i for i in range(opening, len(merged) - 1) if _may_join(merged[i], merged[i + 1], known)
        ]
        if not pairs:
            break
        place = draw.pick(pairs)
        joined = f"{merged[place]} {merged[place + 1]}"
        if merged[place] in known and merged[place + 1] in known:
            known.add(joined)
        merged[place : place + 2] = [joined]
    return merged


def _may_join(first: str, second: str, news: set[str]) -> bool:
    """Return whether both are news, or the second is a quote that may follow the first."""
    both = f"{first} {second}"
    related = (first in news and second in news) or (second not in news and '"' in second)
    return (
        related
        and len(split_sentences(both)) <= MOST_SENTENCES
        and count_words(both) <= MOST_PARAGRAPH_WORDS
        # Two speakers in one paragraph would be confusing.
        and not ('"' in first and '"' in second)
    )


def _interleave(draw: Draw, late: list[str], padding: list[str]) -> list[str]:
    """Interleave both in order, at random places, so that position does not reveal facts."""
    slots = len(late) + len(padding)
    places = set(draw.rng.sample(range(slots), len(late)))
    news, others = iter(late), iter(padding)
    return [next(news if place in places else others) for place in range(slots)]
