"""Read JSON: one object per line, one array, objects over several lines, or rows under a key."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from highlighter.data.opening import open_text
from highlighter.errors import CorpusError


class _RepeatedKeyError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise _RepeatedKeyError(f"the key {repeated!r} appears twice")
    return fields


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def read_json(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield each row's line number with its fields, or with what is wrong.

    A file of one object per line is read line by line; any other is read as a whole.

    Raises:
        CorpusError: JSON that is not one object per line is broken, or holds no rows.
    """
    with open_text(path) as lines:
        first = next((line for line in lines if line.strip()), "")
        alone = next((False for line in lines if line.strip()), True)
    if _is_row(first) and not alone:
        yield from _lines(path)
        return
    with open_text(path) as stream:
        text = stream.read()
    start = len(text) - len(text.lstrip())
    if text[start : start + 1] == "[":
        yield from _array(path, text, start)
        return
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        yield from _lines(path)  # the first line is broken; others may not be
        return
    if text[end:].strip() or not isinstance(value, dict):
        yield from _objects(path, text, start)
        return
    yield from _wrapped(path, value)


def _is_row(line: str) -> bool:
    """Return whether a line is an object whose values are not the rows."""
    try:
        value = _DECODER.decode(line.strip())
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and not _row_lists(value)


def _row_lists(value: dict[str, Any]) -> list[str]:
    return [
        name
        for name, rows in value.items()
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)
    ]


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                fields = _checked(_DECODER.decode(line.strip()))
            except (ValueError, RecursionError) as error:
                fields = _what_is_wrong(error)
            yield number, fields


def _array(path: Path, text: str, start: int) -> Iterator[tuple[int, dict[str, Any] | str]]:
    position, number, counted = start + 1, 1, 0
    while True:
        position = _skip(text, position, " \t\r\n")
        if text[position : position + 1] == "]":
            if text[position + 1 :].strip():
                raise _broken(path, text, position + 1, "text after the array")
            return
        number += text.count("\n", counted, position)
        counted = position
        value, position = _decode(path, text, position)
        yield number, _checked(value)
        position = _skip(text, position, " \t\r\n")
        if text[position : position + 1] not in {",", "]"}:
            raise _broken(path, text, position, "no comma or end of the array")
        position += text[position] == ","


def _objects(path: Path, text: str, start: int) -> Iterator[tuple[int, dict[str, Any] | str]]:
    position, number, counted = start, 1, 0
    while position < len(text):
        number += text.count("\n", counted, position)
        counted = position
        value, position = _decode(path, text, position)
        yield number, _checked(value)
        position = _skip(text, position, " \t\r\n,")


def _wrapped(path: Path, value: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    names = _row_lists(value)
    if not names:
        yield from enumerate(_pandas_rows(value) or [value], start=1)
        return
    if len(names) > 1:
        raise CorpusError(
            f"{path}: lists of rows under {', '.join(map(repr, names))}. Save one of them to a "
            "file of its own."
        )
    yield from enumerate(value[names[0]], start=1)


def _pandas_rows(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of an object in one of the layouts of pandas' `to_json`; none if it is a row.

    The layouts: columns and rows apart ("split"), rows by number ("index"), columns of values by
    number ("columns", the default), and columns as lists, as `DataFrame.to_dict("list")` has them.
    """
    names, data = value.get("columns"), value.get("data")
    if isinstance(names, list) and isinstance(data, list):
        whole = all(isinstance(row, list) and len(row) == len(names) for row in data)
        return [dict(zip(map(str, names), row, strict=True)) for row in data] if whole else []
    parts = list(value.values())
    if parts and all(isinstance(part, dict) and part for part in parts):
        if all(map(str.isdecimal, value)):
            return parts
        numbers = list(parts[0])
        if all(map(str.isdecimal, numbers)) and all(list(part) == numbers for part in parts):
            return [{name: part[at] for name, part in value.items()} for at in numbers]
    if len(parts) > 1 and all(isinstance(part, list) for part in parts):
        # One row whose fields are lists of sentences has more of them in its article.
        counts = {len(part) for part in parts}
        if len(counts) == 1 and counts != {0}:
            return [dict(zip(value, row, strict=True)) for row in zip(*parts, strict=True)]
    return []


def _decode(path: Path, text: str, position: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except (ValueError, RecursionError) as error:
        at = error.pos if isinstance(error, json.JSONDecodeError) else position
        what = error.msg if isinstance(error, json.JSONDecodeError) else _what_is_wrong(error)
        raise _broken(path, text, at, what) from error


def _what_is_wrong(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"not JSON: {error.msg} at column {error.colno}"
        case RecursionError():
            return "lists or objects nested too deeply"
        case _RepeatedKeyError():
            return str(error)
    return "a number of too many digits"


def _broken(path: Path, text: str, position: int, what: str) -> CorpusError:
    line = text.count("\n", 0, position) + 1
    return CorpusError(
        f"{path}:{line}: unreadable ({what}). Is the file complete? One object per line is read "
        "best: a broken line is left out alone."
    )


def _checked(value: Any) -> dict[str, Any] | str:
    return value if isinstance(value, dict) else f"a JSON {type(value).__name__}, not an object"


def _skip(text: str, position: int, characters: str) -> int:
    while position < len(text) and text[position] in characters:
        position += 1
    return position
