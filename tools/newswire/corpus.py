"""Generate the rows of the splits and write them as parquet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tools.newswire.names import NameGroup
from tools.newswire.stories import KINDS, Story, compose_story

DEFAULT_SEED = 13
SPLIT_SIZES = {"train": 4200, "validation": 300, "test": 400}


@dataclass(frozen=True)
class Row:
    """A row of the corpus; its fields are the columns, in order."""

    id: str
    article: str
    highlights: str
    kind: str
    facts: list[str]
    unseen_names: bool


def generate_rows(split: str, seed: int = DEFAULT_SEED) -> Iterator[Row]:
    """Yield the rows of a split."""
    for number in range(SPLIT_SIZES[split]):
        yield generate_row(split, number, seed)


def generate_row(split: str, number: int, seed: int = DEFAULT_SEED) -> Row:
    """Return a row; it does not depend on other rows."""
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
    """Return the story of a row, with the names in it."""
    kind = KINDS[number % len(KINDS)]
    return compose_story(kind, _group_of(split, number), f"{seed}/{split}/{number}")


def _group_of(split: str, number: int) -> NameGroup:
    if split != "test":
        return NameGroup.TRAIN
    # The number of kinds is odd, so that each kind alternates between the groups.
    return NameGroup.UNSEEN if number % 2 else NameGroup.FRESH


SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("article", pa.string()),
        ("highlights", pa.string()),
        ("kind", pa.string()),
        ("facts", pa.list_(pa.string())),
        ("unseen_names", pa.bool_()),
    ]
)
COMPRESSION_LEVEL = 19


def write_split(rows: Sequence[Row], path: Path) -> int:
    """Write the rows; return the size of the file in bytes."""
    columns = {name: [getattr(row, name) for row in rows] for name in SCHEMA.names}
    pq.write_table(
        pa.table(columns, schema=SCHEMA),
        path,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        use_dictionary=["kind"],
    )
    return path.stat().st_size
