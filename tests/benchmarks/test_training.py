"""The contenders start from the same weights and see the same rows; the ratios are right."""

import json
import sys
import time
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizerBase, T5Config, T5ForConditionalGeneration

from benchmarks import contenders, training
from benchmarks.contenders import CONTENDERS, Clock, Task, encode, validation_loss
from benchmarks.inputs import SHAPES, Article
from benchmarks.training import Contender, check_batches, compare, count_work
from highlighter.errors import CorpusError
from highlighter.model.build import build_model
from highlighter.settings import ScratchModel, TextSettings
from tests.conftest import made_up_articles

TINY = ScratchModel(kind="scratch", d_model=16, d_kv=4, d_ff=32, num_layers=1, num_decoder_layers=1)


@pytest.fixture
def task(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Task:
    monkeypatch.setattr(contenders, "TEXT", TextSettings(max_source_tokens=256))
    weights = tmp_path / "weights"
    build_model(TINY, tokenizer, seed=1).save(weights)
    tokenizer.save_pretrained(weights)
    rows = [Article(row["article"], row["highlights"]) for row in made_up_articles(10, seed=1)]
    return Task(weights, rows[:6], rows[6:], batch_size=2, folder=tmp_path)


@pytest.mark.parametrize("system", CONTENDERS)
def test_a_contender_trains_these_weights_on_each_row_once(
    system: str,
    task: Task,
    tokenizer: PreTrainedTokenizerBase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    highlights, starts = [], []
    inside = T5ForConditionalGeneration.forward

    @wraps(inside)  # the trainer reads the signature
    def forward(self, *args, labels=None, **kwargs):  # type: ignore[no-untyped-def]
        if self.training and labels is not None:
            starts.append(self.shared.weight.detach().cpu().clone())
            highlights.extend(
                tokenizer.decode(ids[ids >= 0], skip_special_tokens=True) for ids in labels
            )
        return inside(self, *args, labels=labels, **kwargs)

    monkeypatch.setattr(T5ForConditionalGeneration, "forward", forward)
    clock = Clock()
    model = CONTENDERS[system](task, clock)
    before = T5ForConditionalGeneration.from_pretrained(task.weights)
    assert torch.equal(starts[0], before.shared.weight)
    assert sorted(highlights) == sorted(
        " ".join(row.highlights.replace(" .", ".").split()) for row in task.rows
    )
    assert len(clock.ends) == len(clock.begins) == 3
    assert all(begin < end for begin, end in zip(clock.begins, clock.ends, strict=True))
    assert clock.peak_rss > 100
    assert (clock.peak_gpu > 0) == torch.cuda.is_available()
    loss = validation_loss(model, tokenizer, task.validation)
    assert loss < validation_loss(before, tokenizer, task.validation)


def test_the_command_measures_a_contender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setitem(SHAPES, "tiny", {"d_model": 16, "d_ff": 32, "layers": 1, "num_heads": 2})
    words = "--shape tiny --contenders student:2 --examples 4 --validation 2 --rounds 1"
    monkeypatch.setattr(sys, "argv", ["training", *words.split(), "--output", str(tmp_path)])
    training.main()
    record = json.loads((tmp_path / "training.json").read_text())
    [row] = record["rows"]
    assert (record["shape"], record["examples"]) == ("tiny", 4)
    assert (row["contender"], row["steps"], row["/ student:2"]) == ("student:2", 1, 1)
    assert row["tokens/s"] > row["examples/s"] > 0
    assert 0 < row["% of peak"] < 100
    assert 0 < row["waiting %"] < 100


def test_speeds_are_medians_and_ratios_are_to_each_baseline() -> None:
    def run(*seconds: float, rss: float, loss: float) -> dict[str, Any]:
        waits = [second / 4 for second in seconds]
        return {
            "step_seconds": list(seconds), "wait_seconds": waits, "peak_rss": rss,
            "peak_gpu": 7.0, "loss": loss,
        }  # fmt: skip

    outcomes = {
        Contender("student", 4): [
            run(8.0, 100.0, rss=3000, loss=9.5),
            run(8.0, rss=3200, loss=9.5),
        ],
        Contender("summary", 8): [run(4.0, rss=2000, loss=9.4)],
    }
    first, second = compare(outcomes, tokens=500, flops=3e12, peak=6e12, price=3.6)
    assert first == {
        "contender": "student:4", "examples/s": 0.5, "tokens/s": 250, "TFLOP/s": 1.5,
        "% of peak": 25, "waiting %": 25, "$ per epoch": pytest.approx(0.002 * 287_113 * 0.5 / 0.5),
        "peak RSS MB": 3100, "peak GPU MB": 7, "loss": 9.5, "/ student:4": 1, "steps": 3,
    }  # fmt: skip
    assert second["examples/s"] == 2.0
    assert second["/ student:4"] == 4.0
    assert "/ summary:8" not in second


@pytest.mark.parametrize("feed_forward", ["relu", "gated-gelu"])
def test_the_work_is_the_mean_over_rows_cut_at_the_limits(
    feed_forward: str, tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = TextSettings(max_source_tokens=32, max_target_tokens=8, overlap_tokens=16)
    monkeypatch.setattr(training, "TEXT", limits)
    monkeypatch.setattr(contenders, "TEXT", limits)
    config = T5Config(
        vocab_size=384, d_model=48, d_kv=8, d_ff=80, num_layers=3, num_decoder_layers=2,
        num_heads=5, feed_forward_proj=feed_forward, decoder_start_token_id=0,
    )  # fmt: skip
    short = Article("The bridge .", "May .")
    long = Article("The bridge will close. " * 40, "It closes in May .\n" * 40)
    source = len(encode(tokenizer, [short], 99)["input_ids"][0])
    target = len(encode(tokenizer, [short], 99, targets=True)["input_ids"][0])
    assert source < 32
    assert target < 8
    tokens, flops = count_work(config, tokenizer, [short, long])
    assert tokens == (source + target + 32 + 8) / 2
    wide = (3 if feed_forward == "gated-gelu" else 2) * 48 * 80
    expected = 0
    for s, t in ((source, target), (32, 8)):
        encoder = s * (4 * 48 * 40 + wide) + 2 * s * s * 40
        decoder = t * (6 * 48 * 40 + wide) + s * 2 * 48 * 40 + 2 * t * (t + s) * 40
        expected += 3 * 2 * (3 * encoder + 2 * decoder + t * 48 * 384)
    assert flops == expected / 2


def test_a_step_ends_when_the_gpu_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda *_: now.__setitem__(0, now[0] + 3))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda *_: 7 * 2**20)
    clock = Clock()
    clock.on_step_end()
    clock.on_step_end()
    assert clock.ends == [3, 6]
    assert clock.peak_gpu == 7


def test_the_loss_is_taken_where_the_model_is(
    task: Task, tokenizer: PreTrainedTokenizerBase
) -> None:
    seen: dict[str, str] = {}

    class Elsewhere:
        device = torch.device("meta")

        def eval(self) -> None: ...

        def __call__(self, **inputs: torch.Tensor) -> Any:
            seen.update({name: part.device.type for name, part in inputs.items()})
            return SimpleNamespace(loss=torch.tensor(2.5))

    assert validation_loss(Elsewhere(), tokenizer, task.validation) == 2.5  # type: ignore[arg-type]
    assert seen == {"input_ids": "meta", "attention_mask": "meta", "labels": "meta"}


def test_batches_that_are_not_full_are_refused() -> None:
    for examples in (4, 6):
        with pytest.raises(CorpusError, match="summary:4 needs two or more full batches"):
            check_batches(examples, [Contender("summary", 4)])
    check_batches(4, [Contender("summary", 2)])
    check_batches(512, [Contender("summary", 32)])
