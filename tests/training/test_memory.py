"""The estimate of training's memory, and the message if it does not fit."""

import json
import logging
from pathlib import Path

import datasets
import pytest
import torch
from transformers import PreTrainedTokenizerBase

from benchmarks.processes import measure
from highlighter.data.features import tokenize_splits
from highlighter.errors import TrainingError
from highlighter.model.build import build_model
from highlighter.model.model import HighlightModel
from highlighter.settings import (
    LoraSettings,
    MapSettings,
    ScratchModel,
    TextSettings,
    TrainingSettings,
)
from highlighter.training import memory as memory_estimate
from highlighter.training.memory import Shape, estimate
from highlighter.training.train import train
from tests.conftest import made_up_articles

TEXT = TextSettings(max_source_tokens=256, max_target_tokens=32)
TINY = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64)
SHAPE = Shape(rows=8, written=8, source_tokens=256, target_tokens=64)


@pytest.fixture(scope="module")
def model(tokenizer: PreTrainedTokenizerBase) -> HighlightModel:
    return build_model(TINY, tokenizer, seed=1)


@pytest.mark.parametrize(
    "less",
    [
        {"batch_size": 4},
        {"gradient_checkpointing": True},
        {"optimizer": "adafactor"},
        {"precision": "bf16"},
        {"summary_weight": 0.0},
    ],
    ids=lambda less: next(iter(less)),
)
def test_each_remedy_lowers_the_estimate(model: HighlightModel, less: dict[str, object]) -> None:
    settings = TrainingSettings(batch_size=8, evaluation_batch_size=1)
    rows = 4 if "batch_size" in less else 8
    shape = Shape(rows, rows, SHAPE.source_tokens, SHAPE.target_tokens)
    precision = "bf16" if "precision" in less else "fp32"
    remedied = settings.model_copy(update=less)
    usual = estimate(model, SHAPE, settings, "fp32").total
    assert estimate(model, shape, remedied, precision).total < usual


def test_lora_spares_the_optimizers_state_and_gradients(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    from highlighter.model.build import LowRankUpdates

    model, settings = build_model(TINY, tokenizer, seed=1), TrainingSettings()
    plain = estimate(model, SHAPE, settings, "fp32")
    LowRankUpdates(model, LoraSettings(rank=2))
    adapted = estimate(model, SHAPE, settings, "fp32")
    # The salience head, as large as this tiny model, is trained completely.
    head = 4 * sum(weight.numel() for weight in model.salience.parameters())
    assert adapted.gradients - head < (plain.gradients - head) / 3
    assert adapted.optimizer - 2 * head < (plain.optimizer - 2 * head) / 3


def tune(tokenizer: PreTrainedTokenizerBase, folder: Path, settings: TrainingSettings) -> None:
    rows = datasets.Dataset.from_list(made_up_articles(8, 1))
    splits = datasets.DatasetDict({"train": rows, "validation": rows})
    features, _ = tokenize_splits(splits, tokenizer, TEXT, MapSettings(workers=1), folder)
    train(
        build_model(TINY, tokenizer, seed=1), tokenizer, features, text=TEXT, settings=settings,
        seed=1, work_folder=folder / "work", callbacks=[],
    )  # fmt: skip


def test_training_that_cannot_fit_is_refused_with_what_to_change(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_estimate, "available_memory", lambda device: 2**20)
    settings = TrainingSettings(device="cpu", batch_size=8, evaluation_batch_size=1)
    with pytest.raises(TrainingError) as error:
        tune(tokenizer, tmp_path, settings)
    for words in (
        "needs at least",
        "training.batch_size (8)",
        "gradient_accumulation_steps",
        "gradient_checkpointing: true",
        "training.lora",
    ):
        assert words in str(error.value)
    assert not (tmp_path / "work").exists()
    validating = settings.model_copy(update={"batch_size": 1, "evaluation_batch_size": 64})
    with pytest.raises(TrainingError, match=r"Lower training\.evaluation_batch_size \(64\)\.$"):
        tune(tokenizer, tmp_path, validating)


def test_a_warning_where_only_the_largest_batches_would_not_fit(
    model: HighlightModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = TrainingSettings(batch_size=8, evaluation_batch_size=1)
    rows = datasets.Dataset.from_dict(
        {"source_length": [60] * 9 + [999], "target_length": [20] * 10}
    )
    least, most = memory_estimate.estimate_range(model, rows, TEXT, settings, "fp32")
    # Lengths of 79 = (9 * 60 + 256) / 10 tokens on average; a long article adds a window.
    assert least == estimate(model, Shape(8, 8, 79, 20), settings, "fp32")
    assert most == estimate(model, Shape(16, 8, 256, 20), settings, "fp32")
    needs = [least.total, most.total]
    monkeypatch.setattr(memory_estimate, "available_memory", lambda device: sum(needs) // 2)
    arguments = {"text": TEXT, "settings": settings, "device": torch.device("cpu")}
    with caplog.at_level(logging.WARNING):
        memory_estimate.check_memory(model, rows, precision="fp32", **arguments)  # type: ignore[arg-type]
    assert "Memory may run out" in caplog.text
    caplog.clear()
    monkeypatch.setattr(memory_estimate, "available_memory", lambda device: 2 * needs[1])
    memory_estimate.check_memory(model, rows, precision="fp32", **arguments)  # type: ignore[arg-type]
    assert not caplog.text


@pytest.mark.parametrize("checkpointing", [False, pytest.param(True, marks=pytest.mark.long)])
def test_what_would_fit_is_not_refused(
    t5_vocabulary: Path, tmp_path: Path, checkpointing: bool
) -> None:
    file = tmp_path / "articles.jsonl"
    rows = made_up_articles(12, 1)
    for row in rows:
        row["article"] = "\n\n".join([row["article"]] * 5)
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    # Sizes with which activations are larger than what libraries allocate.
    vocabulary = {"kind": "folder", "path": str(t5_vocabulary)}
    model = {
        "kind": "scratch", "vocabulary": vocabulary, "d_model": 256, "d_kv": 32, "d_ff": 1024,
        "num_layers": 4, "num_decoder_layers": 2, "num_heads": 8,
    }  # fmt: skip
    training = {
        "max_steps": 2, "batch_size": 6, "evaluation_batch_size": 1, "evaluations": 1,
        "device": "cpu", "precision": "fp32", "learning_rate": 1e-4,
        "gradient_checkpointing": checkpointing,
    }  # fmt: skip
    trial = measure(
        "benchmarks.memory:run_trial", tmp_path / "log", model=model, articles=file, rows=12,
        training=training,
    ).result  # fmt: skip
    assert trial["added by training"] > 0.15  # GB, enough to be distinguished from noise
    assert trial["estimate, mean batch"] <= trial["added by training"]
