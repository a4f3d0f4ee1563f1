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
    if _is_row(first):
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
    except ValueError:
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
    except ValueError:
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
                yield number, _checked(_DECODER.decode(line.strip()))
            except json.JSONDecodeError as error:
                yield number, f"not JSON: {error.msg} at column {error.colno}"
            except _RepeatedKeyError as error:
                yield number, str(error)


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
        yield 1, value
        return
    if len(names) > 1:
        raise CorpusError(
            f"{path}: lists of rows under {', '.join(map(repr, names))}. Save one of them to a "
            "file of its own."
        )
    yield from enumerate(value[names[0]], start=1)


def _decode(path: Path, text: str, position: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except json.JSONDecodeError as error:
        raise _broken(path, text, error.pos, error.msg) from error
    except _RepeatedKeyError as error:
        raise _broken(path, text, position, str(error)) from error


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
