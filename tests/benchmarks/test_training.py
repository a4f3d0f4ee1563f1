"""The contenders start from the same weights and see the same rows; the ratios are right."""

from functools import wraps
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedTokenizerBase, T5ForConditionalGeneration

from benchmarks import contenders
from benchmarks.articles import Article
from benchmarks.contenders import CONTENDERS, Outcome, Task, validation_loss
from benchmarks.training import check_rows
from benchmarks.training_table import Contender, plot_training, show, summarize
from highlighter.errors import CorpusError
from highlighter.model import build_model
from highlighter.settings import ScratchModel, TextSettings
from tests.conftest import made_up_articles

TINY = ScratchModel(kind="scratch", d_model=16, d_kv=4, d_ff=32, num_layers=1, num_decoder_layers=1)


@pytest.fixture
def task(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Task:
    monkeypatch.setattr(contenders, "TEXT", TextSettings(max_source_tokens=256))
    weights = tmp_path / "weights"
    build_model(TINY, tokenizer, seed=1).save_pretrained(weights)
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
            starts.append(self.shared.weight.detach().clone())
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
    rows = summarize(outcomes, [theirs])
    assert [row.examples_per_second for row in rows] == [0.5, 2.0]
    assert [row.ratios for row in rows] == [{"student, batch 4": 1.0}, {"student, batch 4": 4.0}]
    assert [row.peak_rss for row in rows] == [3100, 2000]
    header, first, second = show(rows).splitlines()
    assert " ".join(header.split()) == "examples/s peak RSS MB loss x student, batch 4 steps"
    assert " ".join(first.split()) == "student, batch 4 0.50 3100 9.500 1.00 3"
    assert " ".join(second.split()) == "summary, batch 8 2.00 2000 9.400 4.00 1"
    plot_training(rows).savefig(tmp_path / "training.png")


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
