"""Read CSV as Excel, pandas, Spark and MySQL write it; leave out broken rows by line."""

import csv
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from highlighter.data.opening import open_text
from highlighter.errors import CorpusError

_DELIMITERS = ",;\t|"
_UNUSUAL_DELIMITER = re.compile(r"[^\w\s\"'\\,;|.-]|[\x01-\x08\x1c-\x1f]")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*\Z", re.IGNORECASE)
_SPACE_BEFORE_QUOTE = re.compile(r"[ ]+\"")  # "One", "Two": no part of the second field
_ESCAPED = re.compile(r"\\([\"\\])")
_MOST_LINES = 2000  # of one row

_STAND_INS = {'"': "\ufdd0", "\\": "\ufdd1"}  # noncharacters, while a row is parsed
_UNESCAPED = {ord(stand_in): character for character, stand_in in _STAND_INS.items()}

Row = tuple[int, list[str] | str]


class _Parsed(NamedTuple):
    """A row's fields (none if its quotation marks are broken) and its number of lines."""

    fields: list[str]
    lines: int
    problem: str


class _Lines:
    """Lines that can be read ahead of the row that is parsed."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._ahead: deque[str] = deque()
        self.number = 1  # of the next line

    def peek(self, index: int) -> str | None:
        """Return the line `index` after the next one, or None at the end."""
        while len(self._ahead) <= index:
            line = next(self._lines, None)
            if line is None:
                return None
            self._ahead.append(line.replace("\0", "\ufffd"))
        return self._ahead[index]

    def skip(self, count: int) -> None:
        """Move on by `count` lines."""
        self.peek(count)
        for _ in range(min(count, len(self._ahead))):
            self._ahead.popleft()
        self.number += count


def read_csv(
    path: Path, choose_columns: Callable[[list[str]], dict[str, int]]
) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Yield each row's first line number with its values by column, or with what is wrong.

    Args:
        path: file with a header; any single character between fields, mostly a comma, semicolon,
            tab or bar.
        choose_columns: returns the index of each column to read in a header; raises CorpusError
            if one is missing.

    Raises:
        CorpusError: columns are missing, or no row can be read.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with open_text(path, newline="") as stream:
        lines = _Lines(stream)
        delimiter, chosen, width = _read_header(lines, choose_columns)
        good = 0
        problem = ""
        for number, fields in _rows(lines, delimiter, width):
            if isinstance(fields, str):
                problem = problem or f"line {number}: {fields}"
                yield number, fields
            else:
                good += 1
                yield number, {name: fields[index] for name, index in chosen.items()}
    if problem and not good:
        raise CorpusError(
            f"{path}: unreadable ({problem}). Check how the file quotes its fields: a quotation "
            'mark inside a quoted field is doubled ("") and every opening one is closed.'
        )


def _read_header(
    lines: _Lines, choose_columns: Callable[[list[str]], dict[str, int]]
) -> tuple[str, dict[str, int], int]:
    """Return the delimiter, the chosen columns and the number of columns."""
    while (first := lines.peek(0)) is not None and not first.strip():
        lines.skip(1)
    separator = _SEPARATOR_LINE.match(first or "")
    if separator:
        lines.skip(1)
    unusual = "".join(dict.fromkeys(_UNUSUAL_DELIMITER.findall(first or "")))
    first_error: CorpusError | None = None
    for delimiter in separator[1] if separator else _DELIMITERS + unusual:
        header = _parse(lines, 0, delimiter)
        try:
            chosen = choose_columns(header.fields)
        except CorpusError as error:
            first_error = first_error or error
            continue
        lines.skip(header.lines)
        return delimiter, chosen, len(header.fields)
    assert first_error is not None
    raise first_error


def _rows(lines: _Lines, delimiter: str, width: int) -> Iterator[Row]:
    quoted = total = 0
    while (first := lines.peek(0)) is not None:
        row = _parse_row(lines, 0, delimiter, width)
        if row.problem:
            used = row.lines
            if not row.fields:
                all_quoted = total > 0 and quoted > 0.9 * total
                used = _skipped(lines, delimiter, width, all_quoted=all_quoted)
            where = f" (lines {lines.number} to {lines.number + used - 1})" if used > 1 else ""
            yield lines.number, row.problem + where
            lines.skip(used)
            continue
        if row.fields:
            quoted += first.startswith('"')
            total += 1
            yield lines.number, row.fields
        lines.skip(row.lines)


def _skipped(lines: _Lines, delimiter: str, width: int, *, all_quoted: bool) -> int:
    """Return how many lines a row takes whose quotation marks are broken.

    A line of the rest of its article can look like a row. So the next row has to begin with a
    quotation mark, where all do; else it has to be followed by another row or the end.
    """
    offset = 1
    while (line := lines.peek(offset)) is not None and offset < _MOST_LINES:
        row = _parse_row(lines, offset, delimiter, width)
        if row.fields and not row.problem and (not all_quoted or line.startswith('"')):
            after = _parse_row(lines, offset + row.lines, delimiter, width)
            if all_quoted or lines.peek(offset + row.lines) is None or not after.problem:
                return offset
        offset += 1
    return offset


def _parse_row(lines: _Lines, offset: int, delimiter: str, width: int) -> _Parsed:
    row = _parse(lines, offset, delimiter)
    problem = row.problem or _wrong_width(row, width)
    text = "".join(lines.peek(offset + i) or "" for i in range(row.lines))
    if '\\"' in text and (problem or _unquoted_escapes(row, text, delimiter)):
        unescaped = _parse(lines, offset, delimiter, unescape=True)
        if not unescaped.problem and not _wrong_width(unescaped, width):
            return unescaped
    if any(map(_SPACE_BEFORE_QUOTE.match, row.fields)):
        spaced = _parse(lines, offset, delimiter, skip_spaces=True)
        if not spaced.problem and not _wrong_width(spaced, width):
            return spaced._replace(problem=_joined(spaced, delimiter))
    return row._replace(problem=problem or _joined(row, delimiter))


def _unquoted_escapes(row: _Parsed, text: str, delimiter: str) -> bool:
    """Return whether a field has escaped quotation marks although it is not enclosed in any."""
    fields = text.rstrip("\r\n").split(delimiter)
    return any('\\"' in field and field in fields for field in row.fields)


def _wrong_width(row: _Parsed, width: int) -> str:
    if row.fields and len(row.fields) != width:
        return f"{len(row.fields)} fields where the header has {width}"
    return ""


def _joined(row: _Parsed, delimiter: str) -> str:
    """Return what is wrong if a field holds rows of its own.

    In prose, white space follows a comma. A line "...,Short." within a field was a row.
    """
    mark = re.escape(delimiter)
    line = re.compile(rf"[^\s\d]{mark}[^\s\d][^{mark}\n]*\n")
    if any("\n" in field and line.search(field) for field in row.fields):
        return "several rows within one quoted field; is a quotation mark not closed?"
    return ""


def _parse(
    lines: _Lines,
    offset: int,
    delimiter: str,
    *,
    unescape: bool = False,
    skip_spaces: bool = False,
) -> _Parsed:
    used = 0

    def feed() -> Iterator[str]:
        nonlocal used
        while used < _MOST_LINES and (line := lines.peek(offset + used)) is not None:
            used += 1
            yield _ESCAPED.sub(lambda match: _STAND_INS[match[1]], line) if unescape else line

    try:
        reader = csv.reader(feed(), delimiter=delimiter, strict=True, skipinitialspace=skip_spaces)
        fields = next(reader, [])
    except csv.Error as error:
        problem = f"{error}; is a quotation mark not doubled or not closed?"
        return _Parsed([], max(1, used), problem)
    if unescape:
        fields = [field.translate(_UNESCAPED) for field in fields]
    return _Parsed(fields, max(1, used), "")
