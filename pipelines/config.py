"""Read a run's YAML, apply overrides, and check every setting against its type.

ZenML is imported only for a configuration that uses other keys of ZenML than `parameters`: a wrong
setting is then reported in a fraction of a second.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from highlighter.errors import ConfigError
from highlighter.settings import (
    EmbeddedSource,
    EngineSettings,
    EvaluationSettings,
    GenerationSettings,
    HighlightSettings,
    MapSettings,
    MinimumRows,
    ModelSource,
    RegistrySettings,
    Settings,
    Source,
    TextSettings,
    TrainingSettings,
)
from highlighter.system.yaml_files import Document, read_document, suggestion

_Path = tuple[str, ...]
_SOURCE = ("steps", "ingest", "parameters", "source")


class _Shared(Settings):
    model: ModelSource
    seed: int = 13
    text: TextSettings = TextSettings()
    highlights: HighlightSettings = HighlightSettings()
    generation: GenerationSettings = GenerationSettings()


class _Ingest(Settings):
    source: Source = EmbeddedSource(kind="embedded")
    minimum_rows: MinimumRows = MinimumRows()
    maximum_malformed: float = 0.1
    workers: int | None = None


class _Tokenize(Settings):
    mapping: MapSettings = MapSettings()


class _FineTune(Settings):
    training: TrainingSettings = TrainingSettings()


class _Evaluate(Settings):
    engine: EngineSettings = EngineSettings()
    evaluation: EvaluationSettings = EvaluationSettings()


class _Register(Settings):
    registry: RegistrySettings = RegistrySettings()


# What the pipeline and its steps take besides artifacts; a test compares it with their signatures.
STEP_SETTINGS: dict[str, type[Settings]] = {
    "ingest": _Ingest,
    "tokenize": _Tokenize,
    "fine_tune": _FineTune,
    "evaluate": _Evaluate,
    "register": _Register,
}
SHARED_SETTINGS = _Shared


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
    _require_known_keys(document)
    document = _with_later_form_of_files(document)
    settings = {"parameters": _validated(document, ("parameters",), SHARED_SETTINGS)}
    for name, kind in STEP_SETTINGS.items():
        path = ("steps", name, "parameters")
        settings[".".join(path)] = _validated(document, path, kind)
    _require_constraints_of_engine(document, settings)
    _require_limits_allow_minimum(document, settings)
    return RunConfig(document, settings)


def _require_known_keys(document: Document) -> None:
    """Check the keys outside `parameters`: those of this project, or ZenML's."""
    _require_keys(document, ("steps",), STEP_SETTINGS)
    steps = [("steps", name) for name in STEP_SETTINGS if _at(document, ("steps", name))]
    others = set(document.values) - {"parameters", "steps"}
    if not others and all(set(_at(document, step)) <= {"parameters"} for step in steps):
        return
    from zenml.config.pipeline_run_configuration import PipelineRunConfiguration
    from zenml.config.step_configurations import StepConfigurationUpdate

    _require_keys(document, (), PipelineRunConfiguration.model_fields)
    for step in steps:
        _require_keys(document, step, StepConfigurationUpdate.model_fields)
    document.validated(PipelineRunConfiguration)


def _validated(document: Document, path: _Path, kind: type[BaseModel]) -> dict[str, Any]:
    """Return the settings at `path`, typed, defaults included."""
    if _at(document, path) is None:
        document = document.with_value(".".join(path), {}, document.origin(path))
    return dict(document.validated(kind, path))


def _at(document: Document, path: Iterable[str]) -> Any:
    value: Any = document.values
    for key in path:
        value = (value or {}).get(key)
    return value


def _with_later_form_of_files(document: Document) -> Document:
    """Return a copy without the files that a later layer replaced: three by `all`, or the reverse.

    Otherwise a file or option that names `all` would have to set the three of the configuration
    that it extends to null.
    """
    source = _at(document, _SOURCE)
    if not isinstance(source, dict) or source.get("kind") != "files":
        return document
    splits = [name for name in ("train", "validation", "test") if source.get(name) is not None]
    if source.get("all") is None or not splits:
        return document
    order = list(document.origins)
    single = (*_SOURCE, "all")
    several = [(*_SOURCE, name) for name in splits]
    if any(document.origin(path) == document.origin(single) for path in several):
        return document
    later = [order.index(path) > order.index(single) for path in several]
    if all(later) or not any(later):
        for path in [single] if all(later) else several:
            document = document.with_value(".".join(path), None, document.origin(path))
    return document


def _require_constraints_of_engine(document: Document, settings: dict[str, dict[str, Any]]) -> None:
    trust = settings["parameters"]["highlights"].trust
    engine = settings["steps.evaluate.parameters"]["engine"]
    if trust.names_from_article and engine.kind != "torch":
        key = ("steps", "evaluate", "parameters", "engine", "kind")
        raise ConfigError(
            f"{document.origin(key)}: parameters.highlights.trust.names_from_article needs "
            f"{'.'.join(key)}: torch; CTranslate2 has no constrained decoding."
        )


def _require_limits_allow_minimum(document: Document, settings: dict[str, dict[str, Any]]) -> None:
    ingest = settings["steps.ingest.parameters"]
    for split, limit in ingest["source"].limits:
        minimum = getattr(ingest["minimum_rows"], split)
        if limit is not None and limit < minimum:
            key = (*_SOURCE, "limits", split)
            raise ConfigError(
                f"{document.origin(key)}: {'.'.join(key)} is {limit}, but minimum_rows.{split} of "
                f"the step is {minimum}. Raise the limit or lower the minimum."
            )


def _require_keys(document: Document, path: _Path, known: Iterable[str]) -> None:
    given = _at(document, path)
    if given is None:
        return
    if not isinstance(given, dict):
        raise ConfigError(
            f"{document.origin(path)}: {'.'.join(path)} must hold keys, not {given!r}."
        )
    names = list(known)
    for key in map(str, given):
        if key not in names:
            place = (*path, key)
            raise ConfigError(
                f"{document.origin(place)}: unknown key {'.'.join(place)}. {suggestion(key, names)}"
            )
