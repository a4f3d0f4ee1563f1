"""LoRA: which weights are trained, and the merged model."""

import subprocess
import sys
from pathlib import Path

import datasets
import pytest
import torch
from transformers import PreTrainedTokenizerBase, TrainerCallback

from highlighter.data.collator import Batch, WindowCollator
from highlighter.data.features import tokenize_splits
from highlighter.data.windows import encode_prefix
from highlighter.model.build import LowRankUpdates, build_model
from highlighter.model.checkpoint import save_checkpoint
from highlighter.model.model import HighlightModel
from highlighter.settings import (
    LoraSettings,
    MapSettings,
    ScratchModel,
    TextSettings,
    TrainingSettings,
)
from highlighter.training.train import train
from tests.conftest import ROOT

TEXT = TextSettings(max_source_tokens=256, max_target_tokens=32)
TINY = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64, dropout_rate=0.0)
LORA = LoraSettings(rank=4, alpha=8.0, targets=["q", "v", "wi"])
SETTINGS = TrainingSettings(
    max_steps=20, batch_size=8, learning_rate=1e-2, evaluations=2, device="cpu", lora=LORA,
    precision="fp32", gradient_checkpointing=True,
)  # fmt: skip


@pytest.fixture(scope="module")
def features(
    articles: datasets.DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    tmp_path_factory: pytest.TempPathFactory,
) -> datasets.DatasetDict:
    folder = tmp_path_factory.mktemp("features")
    return tokenize_splits(articles, tokenizer, TEXT, MapSettings(workers=1), folder)[0]


@pytest.fixture(scope="module")
def batch(features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase) -> Batch:
    collator = WindowCollator(
        text=TEXT, prefix=encode_prefix(tokenizer, TEXT), pad=0, end=tokenizer.eos_token_id,
        reading_windows=0, shuffle=False,
    )  # fmt: skip
    return collator([features["train"][i] for i in range(4)])


def weights(model: HighlightModel) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def targeted(name: str) -> bool:
    return name.split(".")[-2] in LORA.targets


def test_training_changes_only_the_head_and_by_low_rank_the_target_matrices(
    features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    seen = []

    class Watch(TrainerCallback):
        def on_step_end(self, args, state, control, model=None, **kwargs):  # type: ignore[no-untyped-def]
            seen.append({n for n, w in model.named_parameters() if w.grad is not None})

    model = build_model(TINY, tokenizer, seed=5)
    before = weights(model)
    report = train(
        model, tokenizer, features, text=TEXT, settings=SETTINGS, seed=5,
        work_folder=tmp_path, callbacks=[Watch()],
    )  # fmt: skip
    after = weights(model)
    assert list(after) == list(before)  # no adapter is left
    assert all(weight.requires_grad for weight in model.parameters())
    for name, weight in after.items():
        change = weight - before[name]
        if name.startswith("salience."):
            assert change.any(), name
        elif targeted(name):
            assert change.any(), name
            assert torch.linalg.matrix_rank(change, rtol=1e-3) <= LORA.rank, name
        else:
            assert not change.any(), name
    learning = set().union(*seen)
    assert not [name for name in learning if "lora_" not in name and "salience." not in name]
    curve = [value for _, value in report.curves["validation/loss"]]
    assert curve[-1] < curve[0]
    assert report.parameters == sum(weight.numel() for weight in before.values())


def test_the_merged_model_answers_as_the_adapted_one_did(
    tokenizer: PreTrainedTokenizerBase, batch: Batch
) -> None:
    model = build_model(TINY, tokenizer, seed=5).eval()
    with torch.no_grad():
        plain = model(**batch).logits
    updates = LowRankUpdates(model, LORA)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:  # zero in a new adapter
                weight.normal_(std=0.05)
        summary, salience, logits = model.eval()(**batch)
        updates.merge()
        merged_summary, merged_salience, merged = model(**batch)
    assert not torch.allclose(logits, plain, atol=1e-2)
    torch.testing.assert_close(merged, logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(merged_summary, summary)
    torch.testing.assert_close(merged_salience, salience)


def test_a_merged_checkpoint_loads_without_peft(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    model = build_model(TINY, tokenizer, seed=5)
    LowRankUpdates(model, LORA).merge()
    save_checkpoint(tmp_path, model, tokenizer, TEXT)
    program = (
        "import sys; sys.modules['peft'] = None\n"
        "from highlighter.model.model import load_model\n"
        "model = load_model(sys.argv[1])\n"
        "print(repr(float(sum(w.double().sum() for w in model.parameters()))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = float(sum(weight.detach().double().sum() for weight in model.parameters()))
    assert float(done.stdout) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("lora", [None, LORA])
def test_checkpointing_gives_the_same_gradients(
    tokenizer: PreTrainedTokenizerBase, batch: Batch, lora: LoraSettings | None
) -> None:
    """Of both losses, because the salience head is outside the checkpointed layers."""
    gradients = []
    for checkpointing in (False, True):
        model = build_model(TINY, tokenizer, seed=5).train()
        model.salience.dropout.p = 0.0
        if lora is not None:
            torch.manual_seed(1)
            LowRankUpdates(model, lora)
        if checkpointing:
            model.seq2seq.activation_checkpointing_enable()
        model.config.use_cache = not checkpointing
        summary, salience, _ = model(**batch)
        (summary + salience).backward()
        gradients.append({n: w.grad for n, w in model.named_parameters() if w.grad is not None})
    plain, checkpointed = gradients
    assert set(plain) == set(checkpointed)
    assert {"salience.output.weight", "salience.features.weight"} <= set(plain)
    for name, gradient in plain.items():
        torch.testing.assert_close(gradient, checkpointed[name], msg=name)
