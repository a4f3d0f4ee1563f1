"""The shipped configurations, and what a wrong one is answered with."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml

from highlighter.errors import ConfigError
from highlighter.settings import FileSource, HubSource, PretrainedModel, Settings
from highlighter.system.yaml_files import Document, read_document
from pipelines.config import SHARED_SETTINGS, STEP_SETTINGS, check_config, load_config
from pipelines.summarization import STEPS, summarization
from serving.settings import ServingSettings, read_settings
from tests.conftest import ROOT

SERVING = ROOT / "configs" / "serving.yaml"
CONFIGS = sorted(set((ROOT / "configs").glob("*.yaml")) - {SERVING})
REFERENCE = ROOT / "configs" / "embedded.yaml"


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.name)
def test_each_configuration_loads_and_starts_with_its_command(file: Path) -> None:
    load_config(file)
    first = file.read_text(encoding="utf-8").splitlines()[0]
    expected = "# python run_pipeline.py"
    if file != REFERENCE:
        expected += f" --config configs/{file.name}"
    assert first == expected


def test_the_reference_writes_out_every_shared_and_step_setting() -> None:
    values = read_document(REFERENCE).values
    for place, settings in load_config(REFERENCE).settings.items():
        given = values
        for key in place.split("."):
            given = given[key]
        assert set(given) == set(settings), place


def test_the_reference_writes_out_every_field_of_every_settings_class() -> None:
    """As a live mapping, or as an alternative in comments, which must be valid itself."""
    written = {frozenset(mapping) for mapping in _mappings(read_document(REFERENCE).values)}
    text = REFERENCE.read_text(encoding="utf-8")
    for block in _alternatives(text):
        written |= {frozenset(mapping) for mapping in _mappings(block)}
    for inline in re.findall(r"# or (\{.*\})$", text, re.MULTILINE):
        written.add(frozenset(yaml.safe_load(inline)))
    classes = {kind for hints in _entry_points() for kind in _settings_classes(hints)}
    assert len(classes) > 20
    for kind in classes:
        assert frozenset(kind.model_fields) in written, kind.__name__


def test_the_alternatives_in_the_reference_are_valid() -> None:
    places = {
        "rank": "steps.fine_tune.parameters.training.lora",
        "model": "steps.evaluate.parameters.evaluation.entailment",
        "slope": "parameters.highlights.calibration",
    }
    places |= dict.fromkeys(("hub", "files"), "steps.ingest.parameters.source")
    places |= dict.fromkeys(("pretrained", "student", "scratch"), "parameters.model")
    blocks = _alternatives(REFERENCE.read_text(encoding="utf-8"))
    kinds = [block.get("kind") or next(iter(block)) for block in blocks]
    assert set(kinds) == set(places)
    for kind, block in zip(kinds, blocks, strict=True):
        check_config(read_document(REFERENCE).with_value(places[kind], block, "the comment"))


@pytest.mark.parametrize("file", sorted(set(CONFIGS) - {REFERENCE}), ids=lambda file: file.name)
def test_the_other_configurations_hold_only_differences(file: Path) -> None:
    given = yaml.safe_load(file.read_text(encoding="utf-8"))
    base = read_document(file.parent / given.pop("extends"))
    for path, value in _leaves(given):
        known: Any = base.values
        for key in path:
            known = known.get(key, "absent") if isinstance(known, dict) else "absent"
        parent: Any = base.values
        own: Any = given
        for key in path[:-1]:
            parent = parent.get(key) if isinstance(parent, dict) else None
            own = own[key]
            if isinstance(parent, dict) and own.get("kind", 0) != parent.get("kind", 0):
                parent = None  # replaced as a whole, so that it must be complete
        assert parent is None or value != known, ".".join(path)


def _leaves(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _entry_points() -> list[dict[str, Any]]:
    functions = [summarization.entrypoint, *(step.entrypoint for step in STEPS.values())]
    return [get_type_hints(function, include_extras=True) for function in functions]


def _settings_classes(hint: Any) -> Iterator[type[Settings]]:
    """The settings classes in a type, and in the types of their fields."""
    if isinstance(hint, dict):
        for name, inner in hint.items():
            if name != "return":
                yield from _settings_classes(inner)
    elif isinstance(hint, type) and issubclass(hint, Settings):
        yield hint
        yield from _settings_classes(get_type_hints(hint, include_extras=True))
    else:
        for inner in get_args(hint):
            yield from _settings_classes(inner)


def _alternatives(text: str) -> list[dict[str, Any]]:
    """The commented blocks that follow a line "Or ...", as mappings."""
    blocks: list[list[str]] = []
    for line in text.splitlines():
        if re.match(r" +# Or ", line):
            blocks.append([])
        elif blocks and (match := re.match(r" +#   (.*)", line)):
            blocks[-1].append(match[1])
    return [yaml.safe_load("\n".join(block)) for block in blocks]


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _mappings(inner)


def test_the_services_limits_are_all_written_out_and_the_defaults() -> None:
    given = yaml.safe_load(SERVING.read_text(encoding="utf-8"))
    written = {frozenset(mapping) for mapping in _mappings(given)}
    for kind in _settings_classes(ServingSettings):
        assert frozenset(kind.model_fields) in written
    assert ServingSettings.model_validate(given) == ServingSettings()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("limits: {top: 1}", "limits.top"),
        ("limits: {timeout_seconds: 0}", "limits.timeout_seconds"),
        ("web: {ports: [0]}", "web.ports"),
        ("{", "not YAML"),
    ],
)
def test_wrong_limits_are_named(
    content: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text(content)
    monkeypatch.setenv("HIGHLIGHTER_SERVING_CONFIG", str(file))
    with pytest.raises(ConfigError, match=f"limits.yaml: .*{named}"):
        read_settings()


def test_a_constrained_model_cannot_be_converted() -> None:
    engine = "steps.evaluate.parameters.engine.kind=ctranslate2"
    with pytest.raises(ConfigError, match=f"--set {engine}: .*names_from_article"):
        load_config(REFERENCE, [engine])


def test_the_hub_configuration_is_cnn_dailymail_with_t5_base() -> None:
    config = load_config(ROOT / "configs" / "cnn_dailymail.yaml")
    assert isinstance(config.source, HubSource)
    assert (config.source.repository, config.source.configuration) == (
        "abisee/cnn_dailymail",
        "3.0.0",
    )
    assert isinstance(config.model, PretrainedModel)
    assert config.model.name == "google-t5/t5-base"


def test_an_override_replaces_one_setting_and_leaves_the_others() -> None:
    config = load_config(
        ROOT / "configs" / "files.yaml",
        ["steps.ingest.parameters.source.train=mine.csv", "parameters.seed=7"],
    )
    assert isinstance(config.source, FileSource)
    assert config.source.train == "mine.csv"
    assert config.source.test == "data/test.jsonl"
    assert config.zenml["parameters"]["seed"] == 7
    assert config.zenml["steps"]["evaluate"]["parameters"]["evaluation"]["samples"] == 20


def test_a_changed_copy_of_a_configuration_is_checked_and_leaves_the_original() -> None:
    config = load_config(REFERENCE)
    changed = config.with_value("steps.register.enable_cache", False)
    assert changed.zenml["steps"]["register"]["enable_cache"] is False
    assert "enable_cache" not in config.zenml["steps"]["register"]
    with pytest.raises(ConfigError, match=r"parameters\.seed"):
        config.with_value("parameters.seed", "many")


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("parameterz.seed=1", "parameterz"),
        ("parameters.sed=1", "parameters.sed"),
        ("parameters.seed=many", "parameters.seed"),
        ("parameters.data_version=x", "parameters.data_version"),
        ("parameters.model.d_modle=12", "parameters.model.d_modle"),
        ("parameters.model.kind=remote", "parameters.model.kind"),
        ("parameters.generation.num_beams=0", "parameters.generation.num_beams"),
        ("parameters.model={kind: scratch, vocabulary: {kind: train, size: 1}}",
         "parameters.model.vocabulary.size"),
        ("parameters.model={kind: scratch, vocabulary: {kind: folder}}",
         "parameters.model.vocabulary.path"),
        ("parameters.model={kind: scratch, vocabulary: {size: 500}}",
         "parameters.model.vocabulary.kind"),
        ("steps.finetune.parameters.training.epochs=1", "steps.finetune"),
        ("steps.fine_tune.params.training.epochs=1", "steps.fine_tune.params"),
        ("steps.fine_tune.parameters.features=1", "steps.fine_tune.parameters.features"),
        ("steps.fine_tune.parameters.seed=1", "steps.fine_tune.parameters.seed"),
        ("steps.fine_tune.parameters.training.precision=fp16",
         "steps.fine_tune.parameters.training.precision"),
        ("steps.fine_tune.parameters.training.epochs=often",
         "steps.fine_tune.parameters.training.epochs"),
        ("steps.fine_tune.parameters.training.lora={targets: [q, x]}",
         "steps.fine_tune.parameters.training.lora.targets.1"),
        ("steps.ingest.parameters.source.limits.train=0",
         "steps.ingest.parameters.source.limits.train"),
        ("steps.ingest.parameters.source.columns.title=x",
         "steps.ingest.parameters.source.columns"),
        ("steps.ingest.enable_cache=perhaps", "steps.ingest.enable_cache"),
        ("steps.register.parameters.registry.model_name=other",
         "steps.register.parameters.registry.model_name"),
        ("steps.evaluate=none", "steps.evaluate"),
    ],
)  # fmt: skip
def test_an_unknown_key_or_wrong_type_is_named_as_the_file_has_it(
    override: str, named: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(REFERENCE, [override])
    assert re.search(rf"(^|[ :]){re.escape(named)}[:. ]", str(error.value)), str(error.value)
    assert f"--set {override}: " in str(error.value)


@pytest.mark.parametrize("override", ["parameters.seed", "=1", "parameters.seed=[1"])
def test_an_override_of_another_form_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(override)):
        load_config(REFERENCE, [override])


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("parameter.seed=1", "parameters"),
        ("parameters.sed=1", "seed"),
        ("parameters.text.max_sourc_tokens=64", "max_source_tokens"),
        ("parameters.highlights.trust.minimum_confidenc=0.5", "minimum_confidence"),
        ("parameters.model={kind: pretrained, nam: x}", "name"),
        ("parameters.model={kind: scratch, vocabulary: {kind: train, siz: 500}}", "size"),
        ("steps.finetune.parameters.training.epochs=1", "fine_tune"),
        ("steps.fine_tune.parameter.training.epochs=1", "parameters"),
        ("steps.fine_tune.parameters.trainin.epochs=1", "training"),
        ("steps.fine_tune.parameters.training.epoch=1", "epochs"),
        ("steps.fine_tune.parameters.training.lora={rang: 1}", "rank"),
        ("steps.ingest.parameters.source={kind: files, all: a, colums: {}}", "columns"),
        ("steps.ingest.parameters.source.limits.trian=1", "train"),
        ("steps.register.parameters.registry.gate.metrik=rouge1", "metric"),
    ],
)
def test_a_close_key_is_suggested_at_any_depth(override: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f"Did you mean '{meant}'"):
        load_config(REFERENCE, [override])


def test_without_a_close_key_all_are_named() -> None:
    with pytest.raises(ConfigError, match="unknown key. Known: num_beams, length_penalty"):
        load_config(REFERENCE, ["parameters.generation.zzz=1"])


def test_the_settings_are_those_of_the_pipelines_and_steps_functions() -> None:
    shared = _signature(summarization.entrypoint, {"data_version", "model_version"})
    assert _fields(SHARED_SETTINGS) == shared
    assert set(STEP_SETTINGS) == set(STEPS)
    for name, step in STEPS.items():
        given = _signature(step.entrypoint, set())
        own = {
            key: value for key, value in given.items() if value[1] is not inspect.Parameter.empty
        }
        assert _fields(STEP_SETTINGS[name]) == own, name


def _signature(function: Any, computed: set[str]) -> dict[str, tuple[Any, Any]]:
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.items()
    return {name: (hints[name], p.default) for name, p in parameters if name not in computed}


def _fields(settings: type[Settings]) -> dict[str, tuple[Any, Any]]:
    hints = get_type_hints(settings, include_extras=True)
    empty = inspect.Parameter.empty
    return {
        name: (hints[name], empty if field.is_required() else field.default)
        for name, field in settings.model_fields.items()
    }


def test_a_wrong_setting_is_reported_before_anything_large_is_imported(tmp_path: Path) -> None:
    """Not even the checkout's lock is taken."""
    program = (
        "import sys, run_pipeline\n"
        "code = run_pipeline.main(['--set', 'parameters.sed=1'])\n"
        "large = {'zenml', 'torch', 'mlflow', 'transformers', 'datasets'}\n"
        "print(code, sorted(large & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "1 []\n"
    assert "Did you mean 'seed'" in done.stderr


@pytest.mark.parametrize("how", ["option", "file"])
def test_all_replaces_the_three_files_of_the_configuration_that_it_extends(
    how: str, tmp_path: Path
) -> None:
    files = ROOT / "configs" / "files.yaml"
    if how == "option":
        config = load_config(files, ["steps.ingest.parameters.source.all=mine.csv"])
    else:
        mine = tmp_path / "mine.yaml"
        source = {"kind": "files", "all": "mine.csv"}
        content = {"extends": str(files), "steps": {"ingest": {"parameters": {"source": source}}}}
        mine.write_text(yaml.safe_dump(content))
        config = load_config(mine)
    source = config.source
    assert isinstance(source, FileSource)
    assert (source.all, source.train, source.validation, source.test) == ("mine.csv", *[None] * 3)
    given = config.zenml["steps"]["ingest"]["parameters"]["source"]
    assert (given["all"], given["train"]) == ("mine.csv", None)


def test_three_files_replace_all() -> None:
    place = "steps.ingest.parameters.source"
    splits = [f"{place}.{split}={split}.csv" for split in ("train", "validation", "test")]
    one = f"{place}={{kind: files, all: mine.csv}}"
    source = load_config(REFERENCE, [one, *splits]).source
    assert isinstance(source, FileSource)
    assert (source.all, source.train) == (None, "train.csv")
    with pytest.raises(ConfigError, match="not both"):
        load_config(REFERENCE, [one, splits[0], f"{place}.all=other.csv", *splits[1:]])


def test_a_limit_below_the_minimum_is_named() -> None:
    limit = "steps.ingest.parameters.source.limits.train=50"
    with pytest.raises(ConfigError, match=f"^--set {limit}: .*limits.train is 50.*train.*is 100"):
        load_config(ROOT / "configs" / "files.yaml", [limit])


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "files", "train": "a.csv"},
        {"kind": "files", "train": "a.csv", "validation": "b.csv", "test": "c.csv", "all": "d.csv"},
        {"kind": "files", "all": "d.csv", "fractions": {"validation": 0.6, "test": 0.4}},
    ],
)
def test_file_sources_must_name_three_files_or_one(source: dict[str, object]) -> None:
    document = Document(yaml.safe_load(REFERENCE.read_text(encoding="utf-8")), {(): "test"})
    document.values["steps"]["ingest"]["parameters"]["source"] = source
    with pytest.raises(ConfigError, match=r"test: steps\.ingest\.parameters\.source"):
        check_config(document)


@pytest.mark.parametrize("text", ["a: [1", "just words", "- a\n- b"])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"broken\.yaml"):
        load_config(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        load_config(tmp_path / "nowhere.yaml")
