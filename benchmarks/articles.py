"""The articles that a benchmark sends, from JSON lines."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from highlighter.errors import CorpusError


class Article(BaseModel):
    """A row: the text that is sent, and the reference that the answer is compared with."""

    model_config = ConfigDict(strict=True)

    article: str = Field(pattern=r"\S")
    highlights: str | None = None


def read_articles(file: Path) -> list[Article]:
    """All rows of a file, in order; blank lines are skipped, other fields are ignored.

    Raises:
        CorpusError: no such file, not UTF-8, no rows, or a row that can't be used; it names the
            file and the row (its line, from 1).
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{file}: unreadable ({error}). Give a file of JSON lines.") from error
    rows = [
        _read_row(line, f"{file}, row {number}")
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not rows:
        raise CorpusError(f"{file}: no rows. Give one JSON object a line, each with `article`.")
    return rows


def _read_row(line: str, where: str) -> Article:
    try:
        return Article.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        raise CorpusError(f"{where}: not JSON: {error.msg} at column {error.colno}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "row"
        raise CorpusError(f"{where}: {field!r}: {first['msg']}.") from error
