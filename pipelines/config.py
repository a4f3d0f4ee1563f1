"""Read a run's YAML, apply overrides, and check every setting against its type."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError
from zenml.config.pipeline_run_configuration import PipelineRunConfiguration
from zenml.config.step_configurations import StepConfigurationUpdate

from highlighter.errors import ConfigError
from highlighter.settings import ModelSource, RegistrySettings, Source
from pipelines.summarization import STEPS, summarization

# Filled in by the runner, from the files and repositories themselves.
_FOUND_AT_RUN_TIME = {"data_version", "model_version"}
_KINDS = {"hub", "files", "embedded", "pretrained", "scratch", "student"}


@dataclass(frozen=True)
class RunConfig:
    """A checked configuration: in ZenML's form, and typed.

    `settings` has a mapping for `parameters` and for each `steps.<name>.parameters`.
    """

    zenml: dict[str, Any]
    settings: dict[str, dict[str, Any]]

    @property
    def source(self) -> Source:
        """Where the articles come from."""
        source: Source = self.settings["steps.ingest.parameters"]["source"]
        return source

    @property
    def registry(self) -> RegistrySettings:
        """Where the model is registered."""
        registry: RegistrySettings = self.settings["steps.register.parameters"]["registry"]
        return registry

    @property
    def model(self) -> ModelSource:
        """What is fine-tuned."""
        model: ModelSource = self.settings["parameters"]["model"]
        return model


def load_config(file: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read `file`, apply `dotted.key=value` overrides, and check the whole.

    Raises:
        ConfigError: unreadable YAML, an unknown key, or a value of a wrong type; it names the key.
    """
    config = _read(file)
    for override in overrides:
        _apply(config, override)
    return check_config(config, str(file))


def check_config(config: dict[str, Any], where: str) -> RunConfig:
    """Check a configuration in ZenML's form.

    Raises:
        ConfigError: as for `load_config`.
    """
    _known(config, PipelineRunConfiguration.model_fields, where, "")
    shared = _checked(config.get("parameters"), summarization.entrypoint, where, "parameters")
    settings = {"parameters": shared}
    steps = config.get("steps") or {}
    _known(steps, STEPS, where, "steps")
    for name, step in STEPS.items():
        body = steps.get(name) or {}
        place = f"steps.{name}"
        _known(body, StepConfigurationUpdate.model_fields, where, place)
        parameters = f"{place}.parameters"
        settings[parameters] = _checked(
            body.get("parameters"), step.entrypoint, where, parameters, without=shared
        )
    try:
        PipelineRunConfiguration.model_validate(config)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_explain(error, '')}") from error
    _require_constraints_of_engine(settings, where)
    return RunConfig(zenml=config, settings=settings)


def _require_constraints_of_engine(settings: dict[str, dict[str, Any]], where: str) -> None:
    trust = settings["parameters"]["highlights"].trust
    engine = settings["steps.evaluate.parameters"]["engine"]
    if trust.names_from_article and engine.kind != "torch":
        raise ConfigError(
            f"{where}: parameters.highlights.trust.names_from_article needs "
            "steps.evaluate.parameters.engine.kind: torch; CTranslate2 has no constrained "
            "decoding."
        )


def _read(file: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: can't be read ({error.strerror}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not YAML ({' '.join(str(error).split())}).") from error
    if not isinstance(config, dict):
        raise ConfigError(f"{file}: must hold keys such as `parameters` and `steps`.")
    return config


def _apply(config: dict[str, Any], override: str) -> None:
    key, separator, value = override.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set {override!r}: write it as dotted.key=value.")
    *parents, last = key.split(".")
    place = config
    for parent in parents:
        inner = place.setdefault(parent, {})
        if inner is None:
            inner = place[parent] = {}
        if not isinstance(inner, dict):
            raise ConfigError(f"--set {override!r}: {parent!r} holds a value, not keys.")
        place = inner
    place[last] = yaml.safe_load(value)


def _checked(
    given: dict[str, Any] | None,
    function: Callable[..., Any],
    where: str,
    place: str,
    without: Iterable[str] = (),
) -> dict[str, Any]:
    """The function's settings, typed: those given, and the defaults of the others."""
    given = {} if given is None else given
    hints = get_type_hints(function, include_extras=True)
    settings = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in _FOUND_AT_RUN_TIME
        and (parameter.default is not parameter.empty or place == "parameters")
        and name not in without
    }
    _known(given, settings, where, place)
    values = {}
    for name, parameter in settings.items():
        if name not in given:
            if parameter.default is parameter.empty:
                raise ConfigError(f"{where}: {place}.{name} is missing.")
            values[name] = parameter.default
            continue
        try:
            values[name] = TypeAdapter(hints[name]).validate_python(given[name])
        except ValidationError as error:
            raise ConfigError(f"{where}: {_explain(error, f'{place}.{name}')}") from error
    return values


def _known(given: Any, known: Iterable[str], where: str, place: str) -> None:
    if not isinstance(given, dict):
        raise ConfigError(f"{where}: {place} must hold keys, not {given!r}.")
    names = list(known)
    for key in given:
        if key not in names:
            raise ConfigError(
                f"{where}: unknown key {_dotted(place, str(key))}.{_hint(key, names)}"
            )


def _explain(error: ValidationError, place: str) -> str:
    messages = []
    for problem in error.errors():
        # Tags of a chosen kind ("hub") stand in pydantic's path, but not in the file.
        path = [str(p) for p in problem["loc"] if p not in _KINDS]
        message = "unknown key" if problem["type"] == "extra_forbidden" else problem["msg"]
        messages.append(f"{_dotted(place, '.'.join(path))}: {message}")
    return "; ".join(messages)


def _dotted(place: str, key: str) -> str:
    return ".".join(part for part in (place, key) if part)


def _hint(key: Any, names: list[str]) -> str:
    close = difflib.get_close_matches(str(key), names, n=1)
    return f" Did you mean {close[0]!r}?" if close else f" Known: {', '.join(names)}."
