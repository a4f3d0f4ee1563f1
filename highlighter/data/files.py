"""Read CSV, JSON Lines and parquet files row by row; report unreadable rows."""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from highlighter.errors import CorpusError
from highlighter.settings import Columns

# id, group, article, highlights: str | None; file: str; row: int; problem: str
RawRow = dict[str, Any]

_READABLE = ".csv, .jsonl, .json (one object per line) or .parquet"


def read_rows(file: str, columns: Columns) -> Iterator[RawRow]:
    """Yield the rows of a file with their line (text) or row (parquet) number, from 1.

    Args:
        file: path of the file.
        columns: names of its columns.

    Raises:
        CorpusError: the file is missing, of an unknown kind, unreadable, or lacks a column.
    """
    path = Path(file)
    if not path.is_file():
        raise CorpusError(f"{file}: no such file. Check the paths in the source of steps.ingest.")
    readers = {".csv": _csv, ".jsonl": _json_lines, ".json": _json_lines, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise CorpusError(f"{file}: {path.suffix!r} files are not supported. Use {_READABLE}.")
    try:
        for number, fields in reader(path, columns):
            problem = fields if isinstance(fields, str) else ""
            values: dict[str, Any] = fields if isinstance(fields, dict) else {}
            yield as_raw_row(values, columns, file=file, row=number, problem=problem)
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowInvalid) as error:
        raise CorpusError(
            f"{file}: unreadable ({error}). Check that it is complete and UTF-8."
        ) from error


def as_raw_row(
    values: dict[str, Any], columns: Columns, *, file: str, row: int, problem: str = ""
) -> RawRow:
    """Return a row under the project's column names, with the first problem of its fields."""
    texts: dict[str, str | None] = {}
    for field in ("article", "highlights"):
        name = getattr(columns, field)
        value = values.get(name)
        texts[field] = value if isinstance(value, str) and _is_unicode(value) else None
        if texts[field] is None:
            problem = problem or f"{name!r} {_what_is_wrong(value)}"
    given = values.get(columns.id) if columns.id else None
    group = values.get(columns.group) if columns.group else None
    return {
        "id": None if given is None else str(given),
        "group": None if group is None else f"{columns.group} = {group}",
        **texts,
        "file": file,
        "row": row,
        "problem": problem,
    }


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _what_is_wrong(value: Any) -> str:
    if value is None:
        return "is missing"
    if isinstance(value, str):
        return "contains an unpaired surrogate, which is not a character"
    return f"is {type(value).__name__}, not text"


def require_columns(present: list[str], columns: Columns, where: str) -> None:
    """Raise CorpusError if a source lacks configured columns.

    Args:
        present: names of the source's columns.
        columns: the configured columns.
        where: the source, for the message.
    """
    missing = [name for name in columns.names if name not in present]
    if missing:
        raise CorpusError(
            f"{where}: no column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(map(repr, present)) or 'none'}. Set `columns` of the source."
        )


def _csv(path: Path, columns: Columns) -> Iterator[tuple[int, dict[str, Any] | str]]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        header = next(reader, [])
        require_columns(header, columns, str(path))
        start = reader.line_num + 1
        for fields in reader:
            if len(fields) == len(header):
                yield start, dict(zip(header, fields, strict=True))
            elif fields:
                yield start, f"{len(fields)} fields where the header has {len(header)}"
            start = reader.line_num + 1


def _json_lines(path: Path, columns: Columns) -> Iterator[tuple[int, dict[str, Any] | str]]:
    seen: set[str] = set()
    objects = 0
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except json.JSONDecodeError as error:
                yield number, f"not JSON: {error.msg} at column {error.colno}"
                continue
            if not isinstance(value, dict):
                yield number, f"a JSON {type(value).__name__}, not an object"
                continue
            if objects < 1000:  # in none of them: a wrong column name, not bad rows
                seen.update(value)
                objects += 1
                if objects == 1000:
                    require_columns(sorted(seen), columns, str(path))
            yield number, value
    if objects < 1000:
        require_columns(sorted(seen), columns, str(path))


def _parquet(path: Path, columns: Columns) -> Iterator[tuple[int, dict[str, Any] | str]]:
    with pq.ParquetFile(path) as table:
        require_columns(table.schema_arrow.names, columns, str(path))
        number = 0
        for batch in table.iter_batches(batch_size=1000, columns=columns.names):
            for row in batch.to_pylist():
                number += 1
                yield number, row
