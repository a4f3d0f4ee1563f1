"""Checkpoints that training resumes from: complete, verified by digest, and made on the way."""

import hashlib
import json
import logging
import os
import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from accelerate.utils import broadcast_object_list
from pydantic import BaseModel
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

if TYPE_CHECKING:
    from highlighter.training.trainer import HighlightTrainer

_SEAL = "seal.json"

logger = logging.getLogger(__name__)


class Progress(BaseModel):
    """What a process knows of its training that transformers' checkpoints leave out.

    `seconds` led to this checkpoint; what was done after it and lost is not among them.
    """

    seconds: float = 0.0
    resumed_from: list[int] = []
    finished: bool = False
    last_logged_step: int = 0
    loss: float = 0.0  # summed since that step
    losses: dict[str, tuple[float, float]] = {}  # sum and count of each of the two, since then

    @classmethod
    def read(cls, checkpoint: Path, process: int) -> Self:
        """The progress of one of the processes that made a checkpoint."""
        return cls.model_validate_json(_progress_file(checkpoint, process).read_text("utf-8"))

    def write(self, checkpoint: Path, process: int) -> None:
        """Put it beside transformers' files, before the checkpoint is sealed."""
        _progress_file(checkpoint, process).write_text(self.model_dump_json(), "utf-8")


def checkpoint_folder(work_folder: Path, step: int) -> Path:
    """Where transformers puts the checkpoint of a step."""
    return work_folder / f"{PREFIX_CHECKPOINT_DIR}-{step}"


def step_of(checkpoint: Path) -> int:
    """The optimizer step a checkpoint was made after."""
    return int(checkpoint.name.rsplit("-", 1)[-1])


def seal(checkpoint: Path) -> None:
    """Declare a checkpoint whole: note every file's digest, in one stroke, as the last thing."""
    digests = {name: _digest(checkpoint / name, sync=True) for name in _files(checkpoint)}
    fresh = checkpoint / f"{_SEAL}.new"
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(digests, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(checkpoint / _SEAL)


def sealed_at(checkpoint: Path) -> datetime:
    """When a checkpoint became whole, in local time."""
    return datetime.fromtimestamp((checkpoint / _SEAL).stat().st_mtime).astimezone()


def newest_whole(work_folder: Path) -> Path | None:
    """The last checkpoint to go on from; those after it, which can't be used, are removed."""
    found = work_folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*")
    for checkpoint in sorted(found, key=step_of, reverse=True):
        problem = _problem(checkpoint) or _problem_of_best(checkpoint)
        if problem is None:
            return checkpoint
        logger.warning("%s is left out: %s", checkpoint.name, problem)
        shutil.rmtree(checkpoint)
    return None


def _problem_of_best(checkpoint: Path) -> str | None:
    """Training ends with the best weights so far, which may be in an earlier checkpoint."""
    state = json.loads((checkpoint / TRAINER_STATE_NAME).read_text("utf-8"))
    step: int | None = state["best_global_step"]
    if step is None or step == step_of(checkpoint):
        return None
    best = checkpoint_folder(checkpoint.parent, step)
    problem = _problem(best) if best.is_dir() else "it is missing"
    return problem and f"its best weights are in {best.name}: {problem}"


def _problem(checkpoint: Path) -> str | None:
    try:
        digests = json.loads((checkpoint / _SEAL).read_text("utf-8"))
    except FileNotFoundError:
        return "the run ended while it was being written"
    except ValueError:
        return f"{_SEAL} is damaged"
    if missing := sorted(set(digests) - set(_files(checkpoint))):
        return f"{missing[0]} is missing"
    for name, digest in digests.items():
        if _digest(checkpoint / name) != digest:
            return f"{name} is damaged"
    return None


def _files(checkpoint: Path) -> list[str]:
    files = (p for p in checkpoint.rglob("*") if p.is_file() and not p.name.startswith(_SEAL))
    return sorted(str(p.relative_to(checkpoint)) for p in files)


def _digest(path: Path, sync: bool = False) -> str:
    with path.open("rb") as file:
        if sync:
            os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _progress_file(checkpoint: Path, process: int) -> Path:
    return checkpoint / f"progress_{process}.json"


class KeepState(TrainerCallback):
    """transformers saves model, optimizer, schedule and random states; this adds the rest.

    A checkpoint is made at each validation, and when the last is older than `minutes`.
    """

    def __init__(self, trainer: "HighlightTrainer", minutes: float, before: Progress) -> None:
        self._trainer = trainer
        self._interval = 60 * minutes
        self._before = before
        self._started = self._saved = time.perf_counter()

    @property
    def seconds(self) -> float:
        """All the time that went into the training's result so far."""
        return self._before.seconds + time.perf_counter() - self._started

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Losses that were not logged yet when the state was saved belong to the next entry."""
        if state.global_step:
            self._trainer.restore_unlogged(self._before)

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Order and draws depend on seed and epoch alone, so that a resumed epoch has the same."""
        epoch = int(state.epoch or 0)
        self._trainer.data_collator.draws.epoch = epoch
        # accelerate does not reach the sampler of several processes when batches are skipped.
        kwargs["train_dataloader"].set_epoch(epoch)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Ask for a checkpoint once the last one is old enough."""
        due = [time.perf_counter() - self._saved >= self._interval]
        if args.world_size > 1:  # all of them or none: they wait for each other while saving
            due = broadcast_object_list(due)
        if due[0]:
            control.should_save = True

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Add this process's part; when all have, the checkpoint is whole."""
        checkpoint = checkpoint_folder(Path(args.output_dir), state.global_step)
        progress = Progress(
            seconds=self.seconds,
            resumed_from=self._before.resumed_from,
            finished=control.should_training_stop,
            **self._trainer.unlogged(),
        )
        progress.write(checkpoint, args.process_index)
        self._trainer.accelerator.wait_for_everyone()
        if args.should_save:
            seal(checkpoint)
        self._saved = time.perf_counter()


def train_or_resume(trainer: "HighlightTrainer", minutes: float) -> Progress:
    """Train from the last whole checkpoint in the trainer's folder, or from the start.

    The best validated weights are in the model afterwards.
    """
    arguments = trainer.args
    with arguments.main_process_first():
        checkpoint = newest_whole(Path(arguments.output_dir))
    if checkpoint is None:
        keeper = KeepState(trainer, minutes, Progress())
        trainer.add_callback(keeper)
        trainer.train()
        return Progress(seconds=keeper.seconds, finished=True)
    step, saved = step_of(checkpoint), f"{sealed_at(checkpoint):%Y-%m-%d %H:%M:%S}"
    before = Progress.read(checkpoint, arguments.process_index)
    if before.finished:
        logger.info("fine_tune: an earlier run had finished training at %s", saved)
        _restore_finished(trainer, checkpoint)
        return before
    logger.info(
        "fine_tune: going on from step %d of %d; an earlier run was interrupted after %s",
        step, arguments.max_steps, saved,
    )  # fmt: skip
    before.resumed_from.append(step)
    keeper = KeepState(trainer, minutes, before)
    trainer.add_callback(keeper)
    trainer.train(resume_from_checkpoint=str(checkpoint))
    return before.model_copy(update={"seconds": keeper.seconds, "finished": True})


def _restore_finished(trainer: "HighlightTrainer", checkpoint: Path) -> None:
    # trainer.train would do one more step before it notices that none is left.
    trainer.state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    best = checkpoint_folder(checkpoint.parent, trainer.state.best_global_step)
    trainer.state.best_model_checkpoint = str(best)
    trainer.callback_handler.on_train_begin(trainer.args, trainer.state, trainer.control)
    trainer._load_best_model()
