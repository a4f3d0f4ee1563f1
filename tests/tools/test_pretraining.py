"""The pretraining command: losses, resuming, and the checkpoint it writes."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoTokenizer, T5ForConditionalGeneration

from highlighter.errors import CheckpointError, ConfigError, CorpusError
from highlighter.model.build import build_model
from tools.pretraining import __main__ as command
from tools.pretraining import training
from tools.pretraining.articles import generated_row, read_extra_texts
from tools.pretraining.recipe import Recipe, read_recipe

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


def test_the_first_losses_are_those_of_the_recipe(call, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """The recorded values depend on every part of the recipe; a change in them needs a reason."""
    step = training.train_step
    losses: list[float] = []

    def observed(*args):  # type: ignore[no-untyped-def]
        result = step(*args)
        losses.append(result[0]["summary_loss"])
        return result

    monkeypatch.setattr(training, "train_step", observed)
    call("made")
    strings, text = [7.6361, 7.4357, 7.4140, 7.4614, 7.5699, 7.5097, 7.3732], [7.2141, 7.3477]
    assert losses[:9] == pytest.approx(strings + text, abs=2e-3)


def test_muon_trains_the_layers_matrices_and_adamw_the_rest(tokenizer) -> None:  # type: ignore[no-untyped-def]
    recipe = Recipe.model_validate(RECIPE)
    model = build_model(recipe.model, tokenizer, recipe.seed)
    adamw, muon = training.make_optimizers(model, recipe)
    names = {weight: name for name, weight in model.named_parameters()}
    kinds = {
        kind: {names[weight] for group in optimizer.param_groups for weight in group["params"]}
        for kind, optimizer in (("adamw", adamw), ("muon", muon))
    }
    assert kinds["adamw"] | kinds["muon"] == set(names.values())
    assert not kinds["adamw"] & kinds["muon"]
    assert all(".block." in name and name.endswith(".weight") for name in kinds["muon"])
    assert any("shared" in name for name in kinds["adamw"])
    assert any("relative_attention_bias" in name for name in kinds["adamw"])


def test_a_muon_step_is_as_long_as_one_of_adamw_for_any_gradient(tokenizer) -> None:  # type: ignore[no-untyped-def]
    recipe = Recipe.model_validate(RECIPE)
    model = build_model(recipe.model, tokenizer, recipe.seed)
    _, muon = training.make_optimizers(model, recipe)
    (group,) = muon.param_groups
    for scale in (1e-4, 1e4):
        generator = torch.Generator().manual_seed(1)
        before = [weight.detach().clone() for weight in group["params"]]
        for weight in group["params"]:
            weight.grad = scale * torch.randn(weight.shape, generator=generator)
        group["lr"] = 0.5
        muon.step()
        muon.state.clear()
        for weight, old in zip(group["params"], before, strict=True):
            rms = float((weight.detach() - old).pow(2).mean().sqrt())
            assert 0.5 * 0.2 * 0.7 < rms < 0.5 * 0.2 * 1.2


def test_an_interrupted_run_resumes_to_the_same_weights(call, monkeypatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    whole = load_file(call("whole") / "model.safetensors")
    step, done = training.train_step, 0

    def killed(*args):  # type: ignore[no-untyped-def]
        nonlocal done
        done += 1
        if done == 12:  # two steps after the last saved state
            raise KeyboardInterrupt
        return step(*args)

    monkeypatch.setattr(training, "train_step", killed)
    with pytest.raises(KeyboardInterrupt):
        call("parts", work="state")
    assert not (tmp_path / "parts").exists()
    monkeypatch.setattr(training, "train_step", step)
    parts = load_file(call("parts", work="state") / "model.safetensors")
    assert parts.keys() == whole.keys()
    # Rounding depends on memory alignment, and Adam amplifies tiny gradients. Without the state of
    # the optimizers, nearly every weight would differ by 1e-3.
    difference = torch.cat(
        [(parts[name] - weight).abs().flatten() for name, weight in whole.items()]
    )
    assert difference.mean() < 1e-4


def test_transformers_loads_the_checkpoint(call) -> None:  # type: ignore[no-untyped-def]
    folder = call("made")
    files = {file.name for file in folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= files
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pkl", ".pth"))]
    t5 = T5ForConditionalGeneration.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert len(tokenizer) == 900 <= t5.config.vocab_size
    odd = "Zoë — 価格 £5"
    assert tokenizer.decode(tokenizer(odd)["input_ids"], skip_special_tokens=True) == odd


def test_a_completed_stage_cannot_be_changed_but_a_later_one_can(call, tmp_path) -> None:  # type: ignore[no-untyped-def]
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
        ("rows.jsonl", '{"article": "Rain."}\n', "no column 'highlights'"),
        ("rows.jsonl", '{"article": "Rain.", "highlights": "R."}\n{"article": 5, "highlights": ""}',
         "rows.jsonl, row 2: 'article' is int, not text"),
        ("rows.md", "Rain.", "no .txt, .jsonl, .csv or .parquet file"),
    ],
)  # fmt: skip
def test_an_unreadable_extra_text_is_named(
    name: str, content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        read_extra_texts(tmp_path)


def test_an_invalid_recipe_names_the_setting(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    stage = {"kind": "strings", "name": "s", "cues": 2}
    file.write_text(yaml.safe_dump({**RECIPE, "stages": [stage]}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"stages\.0.*cues must not exceed"):
        read_recipe(file)
