"""A resumed training ends with the weights and curves of an uninterrupted one."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import datasets
import pytest
import torch
from transformers import PreTrainedTokenizerBase, TrainerCallback

from highlighter.data.features import tokenize_splits
from highlighter.model.build import build_model
from highlighter.model.model import HighlightModel
from highlighter.settings import MapSettings, ScratchModel, TextSettings, TrainingSettings
from highlighter.system.folders import kept_folder, remove_kept
from highlighter.training.report import TrainingReport
from highlighter.training.resume import checkpoint_folder, newest_complete, write_digests
from highlighter.training.train import train

# Articles of several windows, so that the collator draws; two epochs of four steps, and a half.
TEXT = TextSettings(max_source_tokens=48, max_target_tokens=16, overlap_tokens=8)
ROWS = {"train": 32, "validation": 8}
TINY = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64, dropout_rate=0.1)
SETTINGS = TrainingSettings(
    max_steps=10,
    batch_size=4,
    gradient_accumulation_steps=2,
    learning_rate=3e-3,
    warmup_steps=2,
    evaluations=3,
    logging_steps=3,
    device="cpu",
    checkpoint_minutes=1e-6,  # after each step
)


Run = tuple[HighlightModel, TrainingReport]


class KilledError(Exception):
    """Simulates SIGKILL."""


@dataclass
class KillAfter(TrainerCallback):
    """Raise after a step, before its checkpoint is saved."""

    step: int

    def on_step_end(self, args, state, control, **kwargs):  # type: ignore[no-untyped-def]
        if state.global_step >= self.step:
            raise KilledError


@dataclass
class Case:
    """Arguments that all trainings in this file share."""

    features: datasets.DatasetDict
    tokenizer: PreTrainedTokenizerBase

    def train(
        self, folder: Path, settings: TrainingSettings = SETTINGS, kill_after: int | None = None
    ) -> Run:
        model = build_model(TINY, self.tokenizer, seed=5)
        report = train(
            model, self.tokenizer, self.features, text=TEXT, settings=settings, seed=5,
            work_folder=folder, callbacks=[KillAfter(kill_after)] if kill_after else [],
        )  # fmt: skip
        return model, report

    def kill(self, folder: Path, after: int, settings: TrainingSettings = SETTINGS) -> None:
        with pytest.raises(KilledError):
            self.train(folder, settings, after)


@pytest.fixture(scope="module")
def case(
    articles: datasets.DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    tmp_path_factory: pytest.TempPathFactory,
) -> Case:
    folder = tmp_path_factory.mktemp("features")
    few = datasets.DatasetDict(
        {split: articles[split].select(range(rows)) for split, rows in ROWS.items()}
    )
    return Case(tokenize_splits(few, tokenizer, TEXT, MapSettings(), folder)[0], tokenizer)


@pytest.fixture(scope="module")
def uninterrupted(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return case.train(tmp_path_factory.mktemp("uninterrupted"))


def assert_same(one: Run, other: Run) -> None:
    """To the last digit."""
    assert other[1].curves == one[1].curves
    assert other[1].best_step == one[1].best_step
    assert other[1].stopped_early == one[1].stopped_early
    for left, right in zip(one[0].parameters(), other[0].parameters(), strict=True):
        assert torch.equal(left, right)


# In the first epoch, between logged steps; at an epoch's end; in the second epoch, after a
# validation; before the last step.
@pytest.mark.parametrize("killed_in", [3, 5, 7, 10])
def test_a_resumed_training_equals_the_uninterrupted_one(
    killed_in: int,
    case: Case,
    uninterrupted: Run,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    case.kill(tmp_path, killed_in)
    with caplog.at_level(logging.INFO):
        resumed = case.train(tmp_path)
    assert f"resuming from step {killed_in - 1} of 10" in caplog.text
    assert resumed[1].resumed_from == [killed_in - 1]
    assert uninterrupted[1].resumed_from == []
    assert_same(uninterrupted, resumed)


def test_an_interruption_loses_at_most_the_configured_minutes(
    case: Case, uninterrupted: Run, tmp_path: Path
) -> None:
    rarely = SETTINGS.model_copy(update={"checkpoint_minutes": 1000.0})
    case.kill(tmp_path, 3, rarely)
    assert newest_complete(tmp_path) is None  # no validation yet, so training restarts
    case.kill(tmp_path, 6, rarely)
    case.kill(tmp_path, 10, rarely)
    resumed = case.train(tmp_path, rarely)
    assert resumed[1].resumed_from == [4, 8]
    assert_same(uninterrupted, resumed)


def test_the_time_before_an_interruption_is_counted(case: Case, tmp_path: Path) -> None:
    case.kill(tmp_path, 9)
    file = checkpoint_folder(tmp_path, 8) / "progress_0.json"
    file.write_text(file.read_text().replace('"seconds":', '"seconds":1000'))
    write_digests(checkpoint_folder(tmp_path, 8))
    _, report = case.train(tmp_path)
    assert report.seconds > 1000
    assert report.examples_per_second == pytest.approx(80 / report.seconds)


def test_a_finished_training_is_not_repeated(
    case: Case,
    uninterrupted: Run,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    case.train(tmp_path)
    with caplog.at_level(logging.INFO):
        again = case.train(tmp_path, kill_after=1)  # which no step reaches
    assert "an earlier run finished training" in caplog.text
    assert_same(uninterrupted, again)


def test_early_stopping_counts_the_validations_before_an_interruption(
    case: Case, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(
        update={
            "learning_rate": 1e-12, "salience_learning_rate": 1e-12,
            "max_steps": 20, "evaluations": 20, "early_stopping_patience": 3,
        }
    )  # fmt: skip
    complete = case.train(tmp_path / "complete", settings)
    assert complete[1].stopped_early
    case.kill(tmp_path / "killed", complete[1].steps - 1, settings)
    assert_same(complete, case.train(tmp_path / "killed", settings))


def cut_in_half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip_a_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.fixture(scope="module")
def killed(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work folder of a training that was killed in step 8."""
    folder = tmp_path_factory.mktemp("killed")
    case.kill(folder, 8)
    return folder


@pytest.fixture
def left(killed: Path, tmp_path: Path) -> Path:
    """A copy of `killed` to damage."""
    return Path(shutil.copytree(killed, tmp_path / "left"))


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("optimizer.pt", cut_in_half, "optimizer.pt is damaged"),
        ("model.safetensors", flip_a_byte, "model.safetensors is damaged"),
        ("scheduler.pt", Path.unlink, "scheduler.pt is missing"),
        ("digests.json", Path.unlink, "the run ended while it was being written"),
        ("digests.json", cut_in_half, "digests.json is damaged"),
    ],
)
def test_a_damaged_checkpoint_is_replaced_by_the_one_before(
    name: str,
    damage: Callable[[Path], None],
    said: str,
    left: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    damage(checkpoint_folder(left, 7) / name)
    assert newest_complete(left) == checkpoint_folder(left, 6)
    assert f"checkpoint-7 is not used: {said}" in caplog.text
    assert not checkpoint_folder(left, 7).exists()


def test_training_resumes_from_the_checkpoint_before_a_damaged_one(
    case: Case, uninterrupted: Run, left: Path
) -> None:
    flip_a_byte(checkpoint_folder(left, 7) / "model.safetensors")
    resumed = case.train(left)
    assert resumed[1].resumed_from == [6]
    assert_same(uninterrupted, resumed)


def test_checkpoints_without_their_best_weights_are_not_used(
    left: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = sorted(folder.name for folder in left.iterdir())
    assert kept == ["checkpoint-4", "checkpoint-6", "checkpoint-7"]  # 4 was validated
    flip_a_byte(checkpoint_folder(left, 4) / "model.safetensors")
    assert newest_complete(left) is None
    assert "checkpoint-7 is not used: its best weights are in checkpoint-4" in caplog.text


def test_a_work_folder_belongs_to_one_process_and_old_folders_are_removed(tmp_path: Path) -> None:
    for key in "abcd":
        with kept_folder(tmp_path, key) as folder:
            (folder / "state").write_text(key)
    assert {folder.name for folder in tmp_path.iterdir()} == {"b", "c", "d"}
    with kept_folder(tmp_path, "d") as first:
        assert (first / "state").read_text() == "d"
        with kept_folder(tmp_path, "d") as second:
            assert second.parent != tmp_path
        remove_kept(tmp_path, "d")
        assert (first / "state").exists()
    remove_kept(tmp_path, "d")
    assert not first.exists()
