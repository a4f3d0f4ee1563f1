"""The plans of the stories: which paragraphs and highlights each shape of a kind is made of."""

from dataclasses import dataclass
from functools import cache

from highlighter.newswire.read_texts import Section, read_sections

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
