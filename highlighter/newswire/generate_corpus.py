"""Generates the rows of the corpus; each row depends on the seed, its split and its number only."""

from collections.abc import Iterator
from dataclasses import dataclass

from highlighter.newswire.compose_story import KINDS, Story, compose_story
from highlighter.newswire.draw_names import NameGroup

DEFAULT_SEED = 13
SPLIT_SIZES = {"train": 4200, "validation": 300, "test": 400}


@dataclass(frozen=True)
class Row:
    """One row of a split, in the order of the columns."""

    id: str
    article: str
    highlights: str
    kind: str
    facts: list[str]
    unseen_names: bool


def generate_rows(split: str, seed: int = DEFAULT_SEED) -> Iterator[Row]:
    """All rows of a split."""
    for number in range(SPLIT_SIZES[split]):
        yield generate_row(split, number, seed)


def generate_row(split: str, number: int, seed: int = DEFAULT_SEED) -> Row:
    """One row, the same whether or not its neighbours are generated."""
    story = generate_story(split, number, seed)
    return Row(
        id=f"newswire-{split}-{number:05d}",
        article=story.article,
        highlights=story.highlights,
        kind=story.kind,
        facts=list(story.facts),
        unseen_names=_group_of(split, number) is NameGroup.UNSEEN,
    )


def generate_story(split: str, number: int, seed: int = DEFAULT_SEED) -> Story:
    """The story behind a row, with the names that occur in it."""
    kind = KINDS[number % len(KINDS)]
    return compose_story(kind, _group_of(split, number), f"{seed}/{split}/{number}")


def _group_of(split: str, number: int) -> NameGroup:
    if split != "test":
        return NameGroup.TRAIN
    # The number of kinds is odd, so that every kind gets both groups in turn.
    return NameGroup.UNSEEN if number % 2 else NameGroup.FRESH
