"""The pretraining command: it learns, resumes exactly, and leaves a checkpoint T5 can load."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoTokenizer, T5ForConditionalGeneration

from highlighter.errors import CheckpointError, ConfigError, CorpusError
from tools.pretraining import __main__ as command
from tools.pretraining import loop
from tools.pretraining.recipe import read_recipe
from tools.pretraining.texts import generated_row, read_extra_texts

RECIPE = {
    "seed": 3,
    "vocabulary_articles": 100,
    "model": {
        "kind": "scratch",
        "vocabulary": {"kind": "train", "size": 800},
        "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 1, "num_decoder_layers": 1,
        "num_heads": 2, "dropout_rate": 0.0,
    },
    "text": {"max_source_tokens": 128, "max_target_tokens": 32, "overlap_tokens": 16},
    "learning_rate": 1e-3,
    "warmup_steps": 5,
    "decay_steps": 4,
    "save_every": 5,
    "stages": [
        {"kind": "strings", "name": "copy", "batch_size": 8, "max_steps": 7},
        {"kind": "text", "name": "text", "batch_size": 4, "steps": 6,
         "tasks": {"gap_sentences": 1, "extract": 1, "corrupt_spans": 1, "summarize": 1}},
    ],
}  # fmt: skip


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Run the command in an empty folder with its own MLflow store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    extra = tmp_path / "extra"
    extra.mkdir()
    (extra / "note.txt").write_text("The tide was late. Nobody minded.", encoding="utf-8")
    row = {"article": "Rain fell on Ashford. Roads closed.", "highlights": "Rain closes roads."}
    (extra / "rows.jsonl").write_text(json.dumps(row), encoding="utf-8")

    def run(name: str, recipe: dict[str, object] = RECIPE, work: str | None = None) -> Path:
        (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
        state = tmp_path / (work or f"{name}.work")
        command.make_checkpoint(Path("recipe.yaml"), extra, state, tmp_path / name)
        return tmp_path / name

    return run


def test_a_killed_run_goes_on_to_the_same_weights(call, monkeypatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    whole = load_file(call("whole") / "model.safetensors")
    step, done = loop._step, 0

    def killed(*args):  # type: ignore[no-untyped-def]
        nonlocal done
        done += 1
        if done == 12:  # two steps after the last saved state
            raise KeyboardInterrupt
        return step(*args)

    monkeypatch.setattr(loop, "_step", killed)
    with pytest.raises(KeyboardInterrupt):
        call("parts", work="state")
    assert not (tmp_path / "parts").exists()
    monkeypatch.setattr(loop, "_step", step)
    parts = load_file(call("parts", work="state") / "model.safetensors")
    assert parts.keys() == whole.keys()
    # Sums round otherwise where memory lies otherwise, and Adam enlarges what is next to nothing; a
    # lost optimizer moves nearly every weight by a thousandth.
    difference = torch.cat(
        [(parts[name] - weight).abs().flatten() for name, weight in whole.items()]
    )
    assert difference.mean() < 1e-4


def test_the_checkpoint_is_one_of_the_hubs(call) -> None:  # type: ignore[no-untyped-def]
    folder = call("made")
    files = {file.name for file in folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= files
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pkl", ".pth"))]
    t5 = T5ForConditionalGeneration.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert len(tokenizer) == 900 <= t5.config.vocab_size
    odd = "Zoë — 価格 £5"
    assert tokenizer.decode(tokenizer(odd)["input_ids"], skip_special_tokens=True) == odd


def test_a_finished_stage_can_not_be_changed_but_a_later_one_can(call, tmp_path) -> None:  # type: ignore[no-untyped-def]
    call("first", work="state")
    shutil.rmtree(tmp_path / "first")
    strings, text = RECIPE["stages"]
    more = {**RECIPE, "stages": [strings, text, {**text, "name": "more", "steps": 2}]}
    assert (call("more", more, work="state") / "model.safetensors").is_file()
    other = {**RECIPE, "stages": [{**strings, "max_steps": 8}, text]}
    with pytest.raises(CheckpointError, match="another recipe"):
        call("other", other, work="state")


def test_generated_articles_are_in_no_split_and_use_no_held_out_name() -> None:
    row = generated_row(5)
    assert row.id == "newswire-train-04205"
    assert not row.unseen_names


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.jsonl", '{"article": "Rain."}\n', "row 1: 'highlights' is missing"),
        ("rows.jsonl", '{"article": "Rain.", "highlights": "R."}\n{"article": 5, "highlights": ""}',
         "rows.jsonl, row 2: 'article' is int, not text"),
        ("rows.md", "Rain.", "no .txt, .jsonl, .csv or .parquet file"),
    ],
)  # fmt: skip
def test_extra_text_that_can_not_be_read_is_named(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        read_extra_texts(tmp_path)


def test_a_recipe_with_a_mistake_names_the_setting(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    stage = {"kind": "strings", "name": "s", "cues": 2}
    file.write_text(yaml.safe_dump({**RECIPE, "stages": [stage]}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"stages\.0.*cues must not exceed"):
        read_recipe(file)
