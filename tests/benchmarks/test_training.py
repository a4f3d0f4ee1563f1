"""The contenders start from the same weights and see the same rows; the ratios are right."""

import time
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizerBase, T5Config, T5ForConditionalGeneration

from benchmarks import contenders
from benchmarks.articles import Article
from benchmarks.contenders import CONTENDERS, Clock, Outcome, Task, validation_loss
from benchmarks.flops import Work
from benchmarks.shapes import random_weights
from benchmarks.training import check_rows
from benchmarks.training_table import Contender, plot_training, show, summarize
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
    rows = [
        Article(article=row["article"], highlights=row["highlights"])
        for row in made_up_articles(10, seed=1)
    ]
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
    outcome = CONTENDERS[system](task)
    before = T5ForConditionalGeneration.from_pretrained(task.weights)
    assert torch.equal(starts[0], before.shared.weight)
    assert sorted(highlights) == sorted(
        " ".join((row.highlights or "").replace(" .", ".").split()) for row in task.rows
    )
    assert len(outcome.step_seconds) == 2  # three steps, the first not timed
    assert outcome.peak_rss > 100
    assert (outcome.peak_gpu is not None) == torch.cuda.is_available()
    assert outcome.loss < validation_loss(before, tokenizer, task.validation)


def test_speeds_are_medians_and_ratios_are_to_each_baseline(tmp_path: Path) -> None:
    theirs, ours = Contender("student", 4), Contender("summary", 8)
    outcomes = {
        theirs: [
            Outcome(step_seconds=[8.0, 100.0], peak_rss=3000, loss=9.5),
            Outcome(step_seconds=[8.0], peak_rss=3200, loss=9.5),
        ],
        ours: [Outcome(step_seconds=[4.0], peak_rss=2000, loss=9.4)],
    }
    rows = summarize(outcomes, [theirs], Work(tokens=500, flops=3e12), peak=None)
    assert [row.examples_per_second for row in rows] == [0.5, 2.0]
    assert [row.ratios for row in rows] == [{"student, batch 4": 1.0}, {"student, batch 4": 4.0}]
    assert [row.peak_rss for row in rows] == [3100, 2000]
    header, first, second = show(rows).splitlines()
    assert words(header) == "examples/s tokens/s peak RSS MB loss x student, batch 4 steps"
    assert words(first) == "student, batch 4 0.50 250 3100 9.500 1.00 3"
    assert words(second) == "summary, batch 8 2.00 1000 2000 9.400 4.00 1"
    plot_training(rows).savefig(tmp_path / "training.png")


def test_on_a_gpu_the_table_has_its_memory_and_the_share_of_its_rate(tmp_path: Path) -> None:
    outcomes = {
        Contender("student", 4): [
            Outcome(step_seconds=[8.0], peak_rss=3000, peak_gpu=memory, loss=9.5)
            for memory in (900.0, 1100.0)
        ]
    }
    rows = summarize(outcomes, [], Work(tokens=500, flops=3e12), peak=6e12)
    assert (rows[0].of_peak, rows[0].peak_gpu) == (0.25, 1000)
    header, only = show(rows).splitlines()
    assert words(header) == (
        "examples/s tokens/s % of measured bf16 peak peak RSS MB peak GPU MB loss steps"
    )
    assert words(only) == "student, batch 4 0.50 250 25.0 3000 1000 9.500 2"
    figure = plot_training(rows)
    assert [axes.get_xlabel() for axes in figure.axes] == ["examples/s", "peak GPU (MB)"]
    figure.savefig(tmp_path / "training.png")


def words(line: str) -> str:
    return " ".join(line.split())


def test_a_step_ends_when_the_gpu_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _: now.__setitem__(0, now[0] + 3))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 7 * 2**20)
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


@pytest.mark.parametrize(("shape", "millions"), [("t5-small", 60.5), ("t5-base", 222.9)])
def test_shapes_have_the_parameters_of_the_published_models(shape: str, millions: float) -> None:
    sizes = random_weights(shape, Path("vocabulary")).model_dump(exclude={"kind", "vocabulary"})
    with torch.device("meta"):
        model = T5ForConditionalGeneration(T5Config(vocab_size=32128, **sizes))
    assert round(model.num_parameters() / 1e6, 1) == millions


def test_too_few_rows_or_rows_without_highlights_are_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"article": "a", "highlights": "a"}\n' * 9 + '{"article": "a"}\n')
    with pytest.raises(CorpusError, match=r"10 rows; 8 \+ 4 are needed"):
        check_rows(file, 8, 4, [Contender("summary", 4)])
    with pytest.raises(CorpusError, match="row 10: no highlights"):
        check_rows(file, 8, 2, [Contender("summary", 4)])
    file.write_text('{"article": "a", "highlights": "a"}\n' * 9)
    for examples in (4, 6):
        with pytest.raises(CorpusError, match="summary, batch 4 needs two whole batches"):
            check_rows(file, examples, 2, [Contender("summary", 4)])
    check_rows(file, 4, 2, [Contender("summary", 2)])
    file.write_text('{"article": "a", "highlights": "a"}\n' * 897)
    check_rows(file, 512, 48, [Contender("summary", 32)])
