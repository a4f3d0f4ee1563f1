from pathlib import Path

import pytest
import yaml

from highlighter.errors import ConfigError
from highlighter.settings import FileSource, HubSource, PretrainedModel, Settings
from pipelines.config import check_config, load_config
from serving.settings import ServingSettings, read_settings
from tests.conftest import ROOT

SERVING = ROOT / "configs" / "serving.yaml"
CONFIGS = sorted(set((ROOT / "configs").glob("*.yaml")) - {SERVING})
EMBEDDED = ROOT / "configs" / "embedded.yaml"


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.name)
def test_every_config_is_valid_and_headed_by_its_command(file: Path) -> None:
    load_config(file)
    first = file.read_text(encoding="utf-8").splitlines()[0]
    expected = "# python run_pipeline.py"
    if file != EMBEDDED:
        expected += f" --config configs/{file.name}"
    assert first == expected


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.name)
def test_every_option_is_written_out(file: Path) -> None:
    """A config names each key that its settings have, so that nothing must be looked up."""
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    for place, settings in load_config(file).settings.items():
        given = config
        for key in place.split("."):
            given = given[key]
        assert set(given) == set(settings), place
        for name, value in settings.items():
            if isinstance(value, Settings):
                _assert_written_out(given[name], value, f"{place}.{name}")


def _assert_written_out(given: dict[str, object], settings: Settings, place: str) -> None:
    assert set(given) == set(type(settings).model_fields), place
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Settings):
            inner = given[name]
            assert isinstance(inner, dict)
            _assert_written_out(inner, value, f"{place}.{name}")


def test_the_services_limits_are_all_written_out_and_the_defaults() -> None:
    given = yaml.safe_load(SERVING.read_text(encoding="utf-8"))
    settings = ServingSettings.model_validate(given)
    _assert_written_out(given, settings, "serving")
    assert settings == ServingSettings()


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
    with pytest.raises(ConfigError, match="names_from_article"):
        load_config(EMBEDDED, [engine])


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


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("parameterz.seed=1", "parameterz"),
        ("parameters.sed=1", "parameters.sed"),
        ("parameters.seed=many", "parameters.seed"),
        ("parameters.data_version=x", "parameters.data_version"),
        ("parameters.model.d_modle=12", "parameters.model.d_modle"),
        ("parameters.model.kind=remote", "parameters.model"),
        ("parameters.generation.num_beams=0", "parameters.generation.num_beams"),
        ("steps.finetune.parameters.training.epochs=1", "steps.finetune"),
        ("steps.fine_tune.params.training.epochs=1", "steps.fine_tune.params"),
        ("steps.fine_tune.parameters.features=1", "steps.fine_tune.parameters.features"),
        ("steps.fine_tune.parameters.seed=1", "steps.fine_tune.parameters.seed"),
        ("steps.fine_tune.parameters.training.precision=fp16", "training.precision"),
        ("steps.fine_tune.parameters.training.epochs=often", "training.epochs"),
        ("steps.ingest.parameters.source.limits.train=0", "source.limits.train"),
        ("steps.ingest.parameters.source.columns.title=x", "source.columns"),
        ("steps.ingest.enable_cache=perhaps", "steps.ingest.enable_cache"),
    ],
)
def test_an_unknown_key_or_wrong_type_is_named(override: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named.replace(".", r"\.")):
        load_config(EMBEDDED, [override])


def test_a_close_key_is_suggested() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'fine_tune'"):
        load_config(EMBEDDED, ["steps.finetune.parameters.training.epochs=1"])


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "files", "train": "a.csv"},
        {"kind": "files", "train": "a.csv", "validation": "b.csv", "test": "c.csv", "all": "d.csv"},
        {"kind": "files", "all": "d.csv", "fractions": {"validation": 0.6, "test": 0.4}},
    ],
)
def test_file_sources_must_name_three_files_or_one(source: dict[str, object]) -> None:
    config = yaml.safe_load(EMBEDDED.read_text(encoding="utf-8"))
    config["steps"]["ingest"]["parameters"]["source"] = source
    with pytest.raises(ConfigError, match=r"steps\.ingest\.parameters\.source"):
        check_config(config, "test")


@pytest.mark.parametrize("text", ["a: [1", "just words", "- a\n- b"])
def test_what_is_not_a_configuration_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"broken\.yaml"):
        load_config(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        load_config(tmp_path / "nowhere.yaml")
