"""What the runner derives from the model before the pipeline starts."""

from pathlib import Path

import pytest
from transformers import T5GemmaConfig

from highlighter.embedded import CHECKPOINT
from highlighter.errors import CheckpointError
from pipelines.config import RunConfig, load_config
from pipelines.run import fit_to_model
from tests.conftest import ROOT
from tests.model.tiny_checkpoints import KINDS

SOURCE = "parameters.text.max_source_tokens"


def config_for(model: str, *overrides: str) -> RunConfig:
    return load_config(
        ROOT / "configs" / "embedded.yaml", [f"parameters.model={model}", *overrides]
    )


def pretrained(folder: Path, kind: str) -> str:
    """A model of which only the configuration is there: nothing else may be read yet."""
    KINDS[kind].config().save_pretrained(folder)
    return f"{{kind: pretrained, name: {folder}}}"


def prefix_of(config: RunConfig) -> str:
    return str(fit_to_model(config).settings["parameters"]["text"].prefix)


def test_the_prefix_is_the_familys_unless_it_is_given(tmp_path: Path) -> None:
    short = ("parameters.generation.max_new_tokens=64", f"{SOURCE}=128")
    bart = pretrained(tmp_path / "bart", "bart")
    assert prefix_of(config_for(bart, *short)) == ""
    assert prefix_of(config_for(bart, *short, "parameters.text.prefix=News")) == "News"
    assert prefix_of(config_for(pretrained(tmp_path / "mt5", "mt5"))) == ""
    for own in ("{kind: embedded}", "{kind: scratch}", f"{{kind: student, teacher: {CHECKPOINT}}}"):
        assert prefix_of(config_for(own)) == "summarize: "


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (f"{SOURCE}=129", r"text\.max_source_tokens is 129"),
        ("parameters.text.max_target_tokens=200", r"text\.max_target_tokens is 200"),
        ("parameters.generation.max_new_tokens=200", r"generation\.max_new_tokens is 200"),
    ],
)
def test_lengths_beyond_the_models_positions_are_refused(
    tmp_path: Path, override: str, message: str
) -> None:
    config = config_for(pretrained(tmp_path, "bart"), f"{SOURCE}=128", override)
    with pytest.raises(CheckpointError, match=f"128 positions, but {message}"):
        fit_to_model(config)


def test_a_family_that_is_not_supported_is_refused(tmp_path: Path) -> None:
    T5GemmaConfig().save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="'t5gemma'.* Use for example FLAN-T5"):
        fit_to_model(config_for(f"{{kind: pretrained, name: {tmp_path}}}"))
