"""Read CSV, JSON and parquet files row by row; report unreadable rows."""

import ast
import glob
import json
import logging
import lzma
import math
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from highlighter.data.csv_files import read_csv
from highlighter.data.json_files import read_json
from highlighter.data.opening import content_suffix
from highlighter.errors import CorpusError
from highlighter.settings import Columns, FileSource

# id, group, article, highlights: str | None; file: str; row: int; problem: str
RawRow = dict[str, Any]

_READABLE = (
    ".csv, .tsv, .json, .jsonl or .parquet; all but parquet also as .gz, .bz2, .xz, .zst, .zip"
)
# How pandas, Spark, MySQL and Excel write a value that is missing.
_MISSING = frozenset({"nan", "none", "null", "<na>", "n/a", "#n/a", "nat", "\\n"})
_USUAL_NAMES = {
    "article": ("text", "document", "content", "story"),
    "highlights": ("summary", "abstract", "headline", "target"),
}
_NAME_COLUMNS = (
    "set `columns` of the source (the options `--article` and so on of `python -m release`)"
)
# First bytes of what is saved under the name of a data file: names it may have, and what to do.
_OTHER_KINDS: dict[bytes, tuple[tuple[str, ...], str]] = {
    b"\x1f\x8b": ((".gz",), "compressed by gzip). End its name in .gz"),
    b"BZh": ((".bz2",), "compressed by bzip2). End its name in .bz2"),
    b"\xfd7zXZ": ((".xz",), "compressed by xz). End its name in .xz"),
    b"\x28\xb5\x2f\xfd": ((".zst",), "compressed by zstd). End its name in .zst"),
    b"PK\x03\x04": (
        (".zip",),
        "a zip archive or an Excel workbook). End its name in .zip, or save the workbook as CSV",
    ),
    b"PAR1": ((".parquet",), "parquet). End its name in .parquet"),
    b"version https://git-lfs": ((), "a pointer of Git LFS). Get the file: git lfs pull"),
    b"<!doctype html": ((), "a web page). Download the file itself"),
    b"<html": ((), "a web page). Download the file itself"),
}
_WRITTEN_LIST = re.compile(r"\[\s*[\"'].*[\"']\s*,?\s*\]", re.DOTALL)
_NUMPY_LIST = re.compile(r"[\"']\s+[\"']")
_SHARE_NOT_UTF8 = 0.1  # of the rows; with more, the file has another encoding

_log = logging.getLogger(__name__)


def read_rows(file: str, columns: Columns) -> Iterator[RawRow]:
    """Yield the rows of a file with their line (text) or row (parquet, rows under a key) number.

    Args:
        file: path of the file.
        columns: names of its columns.

    Raises:
        CorpusError: the file is missing, of an unknown kind, unreadable, or lacks a column.
    """
    path = Path(file)
    _require_file(path)
    rows = not_utf8 = 0
    try:
        for number, fields in _read(path, columns):
            problem = fields if isinstance(fields, str) else ""
            values: Mapping[str, Any] = {} if isinstance(fields, str) else fields
            row = as_raw_row(values, columns, file=file, row=number, problem=problem)
            rows += 1
            not_utf8 += _NOT_UTF8 in row["problem"]
            yield row
    except (OSError, EOFError, ValueError, OverflowError, RuntimeError) as error:
        raise _unreadable(file, error) from error
    except (pa.ArrowException, lzma.LZMAError, zipfile.BadZipFile, zlib.error) as error:
        raise _unreadable(file, error) from error
    if not_utf8 > _SHARE_NOT_UTF8 * rows:
        raise CorpusError(
            f"{file}: unreadable ({not_utf8} of {rows} rows are not UTF-8). If it comes from "
            "Windows or Excel, convert it: iconv -f CP1252 -t UTF-8 FILE > NEW."
        )


def matching_files(pattern: str) -> list[Path]:
    """Return the file of this name, or the files that match a pattern such as `train-*.jsonl`.

    Raises:
        CorpusError: no file matches, or the name is a folder's.
    """
    if Path(pattern).is_dir():
        raise CorpusError(f"{pattern}: a folder. Name its files: {pattern.rstrip('/')}/*.parquet.")
    if Path(pattern).is_file() or not glob.has_magic(pattern):
        return [Path(pattern)]
    files = sorted(map(Path, glob.glob(pattern, recursive=True)))  # noqa: PTH207
    if not files:
        raise CorpusError(f"{pattern}: no file matches. Check the path.")
    return files


def require_files(source: FileSource) -> None:
    """Raise CorpusError if a local file of a source does not exist. Addresses are not checked."""
    for name in (source.train, source.validation, source.test, source.all):
        for file in matching_files(name) if name and "://" not in name else ():
            _require_file(file)


def _require_file(file: Path) -> None:
    if not file.is_file():
        raise CorpusError(f"{file}: no such file. Check the path.")


def _unreadable(file: str, error: Exception) -> CorpusError:
    return CorpusError(f"{file}: unreadable ({error}). Check that it is complete and UTF-8.")


def _require_content(path: Path, suffix: str) -> None:
    """Raise CorpusError if a file is empty, or its first bytes show that it is of another kind."""
    with path.open("rb") as stream:
        head = stream.read(64)
    if not head:
        raise CorpusError(
            f"{path}: unreadable (line 1: it is empty). Was it written or downloaded completely?"
        )
    for start, (suffixes, advice) in _OTHER_KINDS.items():
        if head.lstrip().lower().startswith(start.lower()) and suffix not in suffixes:
            raise CorpusError(f"{path}: unreadable (its content is {advice}.")


def _read(path: Path, columns: Columns) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    _require_content(path, path.suffix.lower())
    suffix = content_suffix(path)
    match suffix:
        case ".csv" | ".tsv":
            return read_csv(path, lambda names: _indices(names, columns, str(path)))
        case ".json" | ".jsonl" | ".ndjson":
            return _json(path, columns)
        case ".parquet" if path.suffix.lower() == suffix:
            return _parquet(path, columns)
    raise CorpusError(f"{path}: {suffix!r} files are not supported. Use {_READABLE}.")


def as_raw_row(
    values: Mapping[str, Any], columns: Columns, *, file: str, row: int, problem: str = ""
) -> RawRow:
    """Return a row under the project's column names, with the first problem of its fields."""
    texts: dict[str, str | None] = {"article": None, "highlights": None}
    for field, name in columns.texts.items():
        texts[field], wrong = _as_text(values.get(name), field)
        if wrong:
            problem = problem or f"{name!r} {wrong}"
    given = values.get(columns.id) if columns.id else None
    group = values.get(columns.group) if columns.group else None
    return {
        "id": None if _is_missing(given) else str(given),
        "group": None if _is_missing(group) else f"{columns.group} = {group}",
        **texts,
        "file": file,
        "row": row,
        "problem": problem,
    }


def _is_missing(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _MISSING
    return value is None or (isinstance(value, float) and math.isnan(value))


_NOT_UTF8 = "contains bytes that are not UTF-8"


def _as_text(value: Any, field: str) -> tuple[str | None, str]:
    """Return a field's text, and what is wrong with it."""
    if field == "highlights" and isinstance(value, str) and _WRITTEN_LIST.fullmatch(value.strip()):
        value = _parse_list(value.strip())
        if value is None:
            return None, "is a list whose sentences cannot be told apart"
    if isinstance(value, (list, tuple)):
        if not all(isinstance(part, str) for part in value):
            return None, "is a list of other things than text"
        value = "\n".join(part.strip() for part in value if part.strip())
    wrong = _what_is_wrong(value)
    return (None, wrong) if wrong else (value, "")


def _what_is_wrong(value: Any) -> str:
    if _is_missing(value):
        return f"is missing (written as {value!r})" if isinstance(value, str) else "is missing"
    if not isinstance(value, str):
        return f"is {type(value).__name__}, not text"
    lone = None if value.isascii() else re.search("[\ud800-\udfff]", value)
    if lone and "\udc80" <= lone[0] <= "\udcff":
        return f"{_NOT_UTF8} (0x{ord(lone[0]) - 0xDC00:02x})"
    return "contains an unpaired surrogate, which is not a character" if lone else ""


def _parse_list(text: str) -> list[str] | None:
    """Return the strings of a list that was written as text, by JSON or Python."""
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        # Python joins the strings of ['a' 'b'], numpy's notation.
        if isinstance(value, list) and (parse is json.loads or not _NUMPY_LIST.search(text)):
            return value
    return None


def choose_columns(present: Sequence[str], columns: Columns, where: str) -> dict[str, str]:
    """Return the source's name of each configured column.

    Case and surrounding white space may differ. If the configuration has the default names and the
    source lacks them, the usual names of other datasets are taken, and a warning says so.

    Args:
        present: names of the source's columns.
        columns: the configured columns.
        where: the source, for messages.

    Raises:
        CorpusError: a column is missing, or appears twice.
    """
    chosen = {}
    missing = []
    for name in columns.names:
        found = [other for other in present if other == name] or [
            other for other in present if other.strip().casefold() == name.casefold()
        ]
        if not found and name in _USUAL_NAMES and name == columns.texts.get(name):
            usual = _USUAL_NAMES[name]
            found = [other for other in present if other.strip().casefold() in usual]
            if len(found) == 1:
                _log.warning("%s: column %r is read as the %s.", where, found[0], name)
        if len(found) > 1:
            raise CorpusError(
                f"{where}: {' and '.join(map(repr, found))} could both be the column {name!r}. "
                f"Rename one, or {_NAME_COLUMNS}."
            )
        if found:
            chosen[name] = found[0]
        else:
            missing.append(name)
    if missing:
        raise CorpusError(
            f"{where}: no column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(map(repr, present)) or 'none'}. {_NAME_COLUMNS.capitalize()}."
        )
    return chosen


def _indices(header: list[str], columns: Columns, where: str) -> dict[str, int]:
    chosen = choose_columns(header, columns, where)
    return {name: header.index(actual) for name, actual in chosen.items()}


def _renamed(fields: Mapping[str, Any] | str, chosen: Mapping[str, str]) -> Mapping[str, Any] | str:
    if isinstance(fields, str):
        return fields
    return {name: fields.get(actual) for name, actual in chosen.items()}


def _json(path: Path, columns: Columns) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """Choose the columns from the first 1000 rows: a wrong name is in none of them."""
    rows = read_json(path)
    first: list[tuple[int, dict[str, Any] | str]] = []
    seen: dict[str, None] = {}
    for number, fields in rows:
        first.append((number, fields))
        if isinstance(fields, dict):
            seen.update(dict.fromkeys(fields))
        if len(first) == 1000:
            break
    if not seen:
        line, problem = first[0] if first else (1, "it is empty")
        raise CorpusError(
            f"{path}: unreadable (line {line}: {problem}). Write one JSON object per line (UTF-8)."
        )
    chosen = choose_columns(sorted(seen), columns, str(path))
    for number, fields in first:
        yield number, _renamed(fields, chosen)
    for number, fields in rows:
        yield number, _renamed(fields, chosen)


def _parquet(path: Path, columns: Columns) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    with pq.ParquetFile(path) as table:
        chosen = choose_columns(table.schema_arrow.names, columns, str(path))
        number = 0
        for batch in table.iter_batches(batch_size=1000, columns=list(chosen.values())):
            for row in _as_rows(batch):
                number += 1
                yield number, _renamed(row, chosen)


def _as_rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return a batch's rows; texts that Spark, Hive and Impala wrote as plain bytes are texts.

    Times are texts too: some of those that parquet can hold are none of Python's.
    """
    columns = {}
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_temporal(values.type):
            columns[name] = values.cast(pa.string()).to_pylist()
        else:
            columns[name] = [
                value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
                for value in values.to_pylist()
            ]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
