"""YAML files with typed contents: inheritance, overrides, and errors that name file and key."""

import copy
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from highlighter.errors import ConfigError
from highlighter.settings import Settings

_Kind = TypeVar("_Kind", bound=Settings)
_Path = tuple[str, ...]

_EXTENDS = "extends"


@dataclass(frozen=True)
class Document:
    """Nested mappings from YAML, and the file or option that set each key.

    Attributes:
        values: the merged contents.
        origins: the file or option that last set the key at a path.
    """

    values: dict[str, Any]
    origins: dict[_Path, str]

    def layered(self, values: Mapping[str, Any], origin: str) -> "Document":
        """Return a copy in which `values` take precedence.

        Mappings merge key by key, except where both have a `kind` and the two differ: other keys
        belong to another kind, so the new mapping replaces the old one. Lists are replaced.

        Args:
            values: what a file holds.
            origin: the name of that file, for error messages.
        """
        merged = copy.deepcopy(self)
        _merge(merged.values, merged.origins, values, origin, ())
        return merged

    def with_value(self, key: str, value: Any, origin: str) -> "Document":
        """Return a copy in which one key has another value; a mapping is replaced as a whole.

        Args:
            key: the path of the key, joined by dots. Missing parents are created.
            value: the new value.
            origin: what sets the value, for error messages.

        Raises:
            ConfigError: a parent of the key holds a value, not keys.
        """
        changed = copy.deepcopy(self)
        *parents, last = key.split(".")
        place = changed.values
        for depth, parent in enumerate(parents, start=1):
            if place.get(parent) is None:
                place[parent] = {}
                changed.origins[tuple(parents[:depth])] = origin
            place = place[parent]
            if not isinstance(place, dict):
                raise ConfigError(f"{origin}: {'.'.join(parents[:depth])} holds a value, not keys.")
        _set(place, changed.origins, (*parents, last), value, origin)
        return changed

    def with_override(self, override: str) -> "Document":
        """Return a copy in which `dotted.key=value` holds; the value is read as YAML.

        Raises:
            ConfigError: the override is not of this form.
        """
        key, separator, text = override.partition("=")
        if not separator or not key:
            raise ConfigError(f"--set {override!r}: write it as dotted.key=value.")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {override!r}: the value is not YAML.") from error
        return self.with_value(key, value, f"--set {override}")

    def origin(self, path: Iterable[str]) -> str:
        """Return the file or option that set the key at `path`, or else its closest parent."""
        known = tuple(path)
        while known and known not in self.origins:
            known = known[:-1]
        return self.origins[known]

    def validated(self, kind: Any, path: _Path = ()) -> Any:
        """Return the value at `path` as `kind`, a type that pydantic can validate.

        Raises:
            ConfigError: a key is unknown or missing, or a value does not fit.
        """
        value: Any = self.values
        for key in path:
            value = value[key]
        try:
            return TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            raise ConfigError(self._explain(error, path, value, kind)) from error

    def _explain(self, error: ValidationError, path: _Path, value: Any, kind: Any) -> str:
        problems: dict[str, list[str]] = {}
        for problem in error.errors():
            place = (*path, *_path_in_file(problem["loc"], value))
            if problem["type"].startswith("union_tag"):
                place = (*place, "kind")
            message = _say(problem)
            if problem["type"] == "extra_forbidden":
                *parents, key = problem["loc"]
                message = f"unknown key. {suggestion(str(key), _keys_at(kind, parents))}"
            named = ".".join(place)
            problems.setdefault(self.origin(place), []).append(
                f"{named}: {message}" if named else message
            )
        texts = (f"{origin}: {'; '.join(texts)}" for origin, texts in problems.items())
        return " ".join(text if text.endswith((".", "?")) else f"{text}." for text in texts)


def read_document(file: Path) -> Document:
    """Read a YAML file on top of the one that its key `extends` names, if it has that key.

    Args:
        file: the YAML file. `extends` is a path relative to the folder of this file.

    Raises:
        ConfigError: a file cannot be read, holds no mapping, or extends itself.
    """
    layers: list[tuple[Path, dict[str, Any]]] = []
    pending: Path | None = file
    while pending is not None:
        if pending.resolve() in {known.resolve() for known, _ in layers}:
            raise ConfigError(f"{layers[-1][0]}: `extends` leads back to {pending}.")
        values = _read(pending, extended_by=layers[-1][0] if layers else None)
        base = values.pop(_EXTENDS, None)
        if not isinstance(base, str | None):
            raise ConfigError(f"{pending}: `extends` must be the path of one file, not {base!r}.")
        layers.append((pending, values))
        pending = None if base is None else pending.parent / base
    document = Document({}, {(): str(file)})
    for layer, values in reversed(layers):
        document = document.layered(values, str(layer))
    return document


def read_settings_file(file: Path, kind: type[_Kind]) -> _Kind:
    """Return the settings in a YAML file.

    Raises:
        ConfigError: the file cannot be read, is not YAML, or a setting is unknown or out of range.
    """
    settings: _Kind = read_document(file).validated(kind)
    return settings


def suggestion(key: str, known: Sequence[str]) -> str:
    """Return a sentence that names the known key that is meant, or else all known keys."""
    close = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."


def _keys_at(kind: Any, location: Iterable[int | str]) -> list[str]:
    """Return the keys of the settings that are at pydantic's `location` in a type."""
    for part in location:
        classes = list(_classes(kind))
        tagged = [found for found in classes if _kind_of(found) == part]
        fields = [found.model_fields[part] for found in classes if part in found.model_fields]
        kind = tagged[0] if tagged else fields[0].annotation if fields else kind
    return list(dict.fromkeys(name for found in _classes(kind) for name in found.model_fields))


def _classes(kind: Any) -> Iterator[type[BaseModel]]:
    """Yield the class of settings that a type is, or those in its union or list."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for inner in get_args(kind):
        yield from _classes(inner)


def _kind_of(settings: type[BaseModel]) -> Any:
    field = settings.model_fields.get("kind")
    return None if field is None else next(iter(get_args(field.annotation)), None)


def _read(file: Path, extended_by: Path | None) -> dict[str, Any]:
    try:
        values = _Loader(file.read_text(encoding="utf-8")).get_single_data()
    except OSError as error:
        by = "" if extended_by is None else f", which {extended_by} extends"
        raise ConfigError(f"{file}{by}: cannot be read ({error.strerror}).") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{file}: not YAML ({' '.join(str(error).split())}).") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{file}: must be a mapping (`key: value` lines).")
    return values


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which keeps the last of equal keys, but refuses them as YAML does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node."""
        known = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in known:
                problem = f"the key {key.value!r} appears twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            known.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def _merge(
    target: dict[str, Any],
    origins: dict[_Path, str],
    values: Mapping[str, Any],
    origin: str,
    path: _Path,
) -> None:
    for key, value in values.items():
        place, known = (*path, key), target.get(key)
        if isinstance(known, dict) and isinstance(value, dict) and _same_kind(known, value):
            origins[place] = origin
            _merge(known, origins, value, origin, place)
        else:
            _set(target, origins, place, value, origin)


def _same_kind(known: dict[str, Any], value: dict[str, Any]) -> bool:
    return value.get("kind", known.get("kind")) == known.get("kind", value.get("kind"))


def _set(
    target: dict[str, Any], origins: dict[_Path, str], place: _Path, value: Any, origin: str
) -> None:
    for inside in [known for known in origins if known[: len(place)] == place]:
        del origins[inside]
    target[place[-1]] = copy.deepcopy(value)
    origins |= dict.fromkeys(_paths(place, value), origin)


def _paths(place: _Path, value: Any) -> Iterator[_Path]:
    yield place
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths((*place, key), inner)


def _path_in_file(location: tuple[int | str, ...], value: Any) -> list[str]:
    """Drop from pydantic's path the tag that it adds below each mapping chosen by its `kind`."""
    path = []
    for part in location:
        if isinstance(value, dict) and value.get("kind") == part and part not in value:
            continue
        path.append(str(part))
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            value = None
    return path


def _say(problem: Any) -> str:
    match problem["type"]:
        case "missing":
            return "is missing"
        case "union_tag_not_found":
            return "is missing; it decides which other keys are allowed"
        case "union_tag_invalid":
            return f"must be one of {problem['ctx']['expected_tags']}, not {problem['ctx']['tag']}"
        case "value_error":
            return str(problem["msg"].removeprefix("Value error, "))
    given = problem["input"]
    shown = "" if isinstance(given, dict | list) else f", not {given!r}"
    return f"{problem['msg'][:1].lower()}{problem['msg'][1:]}{shown}"
