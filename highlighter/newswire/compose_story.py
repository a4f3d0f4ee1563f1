"""Composes one story: paragraphs in a plausible order, and the highlights they support."""

import random
import re
from dataclasses import dataclass

from highlighter.newswire.check_story import find_faults
from highlighter.newswire.draw_names import NameGroup
from highlighter.newswire.draw_values import VALUE_DRAWERS
from highlighter.newswire.edit_text import count_words, split_sentences
from highlighter.newswire.fill_template import TemplateFiller
from highlighter.newswire.plan_story import Shape, Wordings, plan_background, plan_shapes
from highlighter.newswire.run_desk import Desk

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
