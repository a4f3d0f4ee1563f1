"""Read a run's YAML, apply overrides, and check every setting against its type."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from zenml.config.pipeline_run_configuration import PipelineRunConfiguration
from zenml.config.step_configurations import StepConfigurationUpdate

from highlighter.errors import ConfigError
from highlighter.settings import ModelSource, Source
from highlighter.system.yaml_files import Document, read_document
from pipelines.summarization import STEPS, summarization

# Computed by the runner from the files and repositories themselves.
_COMPUTED = {"data_version", "model_version"}

_Path = tuple[str, ...]


@dataclass(frozen=True)
class RunConfig:
    """A checked configuration.

    Attributes:
        document: the configuration in ZenML's form (`pipeline.with_options(config_path=...)`).
        settings: the typed settings by the dotted path of the mapping that holds them
            (`parameters`, `steps.<name>.parameters`), defaults included.
    """

    document: Document
    settings: dict[str, dict[str, Any]]

    @property
    def zenml(self) -> dict[str, Any]:
        """The configuration as ZenML reads it from YAML."""
        return self.document.values

    @property
    def source(self) -> Source:
        """The source of the articles."""
        source: Source = self.settings["steps.ingest.parameters"]["source"]
        return source

    @property
    def model(self) -> ModelSource:
        """The model that is fine-tuned."""
        model: ModelSource = self.settings["parameters"]["model"]
        return model

    def with_value(self, key: str, value: Any) -> "RunConfig":
        """Return a checked copy in which one key has another value.

        Args:
            key: the path of the key, joined by dots (`steps.register.enable_cache`).
            value: the new value.

        Raises:
            ConfigError: the value does not fit.
        """
        return check_config(self.document.with_value(key, value, f"{key}={value}"))


def load_config(file: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a configuration and the files it extends, apply overrides, and check the result.

    Args:
        file: a YAML file in ZenML's run-configuration form.
        overrides: `dotted.key=value` assignments, applied in order after merging.

    Raises:
        ConfigError: a file is unreadable, a key is unknown, or a value does not fit. The message
            names the file or override, and the key.
    """
    document = read_document(file)
    for override in overrides:
        document = document.with_override(override)
    return check_config(document)


def check_config(document: Document) -> RunConfig:
    """Check a merged configuration.

    Raises:
        ConfigError: as for `load_config`.
    """
    config = document.values
    _require_known(document, (), PipelineRunConfiguration.model_fields)
    shared = _checked(document, summarization.entrypoint, ("parameters",))
    settings = {"parameters": shared}
    if config.get("steps") is not None:
        _require_known(document, ("steps",), STEPS)
    for name, step in STEPS.items():
        if (config.get("steps") or {}).get(name) is not None:
            _require_known(document, ("steps", name), StepConfigurationUpdate.model_fields)
        path = ("steps", name, "parameters")
        settings[".".join(path)] = _checked(document, step.entrypoint, path, without=shared)
    document.validated(PipelineRunConfiguration)
    _require_constraints_of_engine(document, settings)
    return RunConfig(document, settings)


def _require_constraints_of_engine(document: Document, settings: dict[str, dict[str, Any]]) -> None:
    trust = settings["parameters"]["highlights"].trust
    engine = settings["steps.evaluate.parameters"]["engine"]
    if trust.names_from_article and engine.kind != "torch":
        key = ("steps", "evaluate", "parameters", "engine", "kind")
        raise ConfigError(
            f"{document.origin(key)}: parameters.highlights.trust.names_from_article needs "
            f"{'.'.join(key)}: torch; CTranslate2 has no constrained decoding."
        )


def _checked(
    document: Document, function: Callable[..., Any], path: _Path, without: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the function's settings, typed: those at `path`, and the defaults of the others."""
    hints = get_type_hints(function, include_extras=True)
    settings = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in _COMPUTED
        and (parameter.default is not parameter.empty or path == ("parameters",))
        and name not in without
    }
    given: Any = document.values
    for key in path:
        given = (given or {}).get(key)
    if given is not None:
        _require_known(document, path, settings)
    values = {}
    for name, parameter in settings.items():
        if name in (given or {}):
            values[name] = document.validated(hints[name], (*path, name))
        elif parameter.default is parameter.empty:
            raise ConfigError(f"{document.origin(path)}: {'.'.join((*path, name))} is missing.")
        else:
            values[name] = parameter.default
    return values


def _require_known(document: Document, path: _Path, known: Iterable[str]) -> None:
    given: Any = document.values
    for key in path:
        given = given[key]
    if not isinstance(given, dict):
        raise ConfigError(
            f"{document.origin(path)}: {'.'.join(path)} must hold keys, not {given!r}."
        )
    names = list(known)
    for key in map(str, given):
        if key not in names:
            place = (*path, key)
            raise ConfigError(
                f"{document.origin(place)}: unknown key {'.'.join(place)}.{_hint(key, names)}"
            )


def _hint(key: str, names: list[str]) -> str:
    close = difflib.get_close_matches(key, names, n=1)
    return f" Did you mean {close[0]!r}?" if close else f" Known: {', '.join(names)}."
