"""Checkpoints that training resumes from: verified by digest, saved at fixed time intervals."""

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
from safetensors.torch import load_file
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR
from transformers.utils import SAFE_WEIGHTS_NAME

if TYPE_CHECKING:
    from highlighter.training.trainer import HighlightTrainer

_DIGESTS = "digests.json"

logger = logging.getLogger(__name__)


class Progress(BaseModel):
    """What transformers' checkpoints do not store, of one process.

    `seconds` is the training time up to the checkpoint; work after it that was lost is not counted.
    `loss` and `losses` are sums since `last_logged_step`; of each loss the weighted sum and the sum
    of the weights.
    """

    seconds: float = 0.0
    resumed_from: list[int] = []
    finished: bool = False
    last_logged_step: int = 0
    loss: float = 0.0
    losses: dict[str, tuple[float, float]] = {}

    @classmethod
    def read(cls, checkpoint: Path, process: int) -> Self:
        """Read the progress of one process from a checkpoint."""
        return cls.model_validate_json(_progress_file(checkpoint, process).read_text("utf-8"))

    def write(self, checkpoint: Path, process: int) -> None:
        """Write it into a checkpoint, before `write_digests`."""
        _progress_file(checkpoint, process).write_text(self.model_dump_json(), "utf-8")


def checkpoint_folder(work_folder: Path, step: int) -> Path:
    """Return the folder that transformers uses for the checkpoint of a step."""
    return work_folder / f"{PREFIX_CHECKPOINT_DIR}-{step}"


def step_of(checkpoint: Path) -> int:
    """Return the optimizer step after which a checkpoint was saved."""
    return int(checkpoint.name.rsplit("-", 1)[-1])


def write_digests(checkpoint: Path) -> None:
    """Mark a checkpoint complete: write the digests of all its files atomically, last."""
    digests = {name: _digest(checkpoint / name, sync=True) for name in _files(checkpoint)}
    fresh = checkpoint / f"{_DIGESTS}.new"
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(digests, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(checkpoint / _DIGESTS)


def _saved_at(checkpoint: Path) -> datetime:
    """Return the local time at which a checkpoint was completed."""
    return datetime.fromtimestamp((checkpoint / _DIGESTS).stat().st_mtime).astimezone()


def newest_complete(work_folder: Path) -> Path | None:
    """Return the last usable checkpoint, if any, and remove the unusable ones after it."""
    found = work_folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*")
    for checkpoint in sorted(found, key=step_of, reverse=True):
        problem = _problem(checkpoint) or _problem_of_best(checkpoint)
        if problem is None:
            return checkpoint
        logger.warning("%s is not used: %s", checkpoint.name, problem)
        shutil.rmtree(checkpoint)
    return None


def _problem_of_best(checkpoint: Path) -> str | None:
    """Check the earlier checkpoint with the best weights so far, which training ends with."""
    state = json.loads((checkpoint / TRAINER_STATE_NAME).read_text("utf-8"))
    step: int | None = state["best_global_step"]
    if step is None or step == step_of(checkpoint):
        return None
    best = checkpoint_folder(checkpoint.parent, step)
    problem = _problem(best) if best.is_dir() else "it is missing"
    return problem and f"its best weights are in {best.name}: {problem}"


def _problem(checkpoint: Path) -> str | None:
    try:
        digests = json.loads((checkpoint / _DIGESTS).read_text("utf-8"))
    except FileNotFoundError:
        return "the run ended while it was being written"
    except ValueError:
        return f"{_DIGESTS} is damaged"
    if missing := sorted(set(digests) - set(_files(checkpoint))):
        return f"{missing[0]} is missing"
    for name, digest in digests.items():
        if _digest(checkpoint / name) != digest:
            return f"{name} is damaged"
    return None


def _files(checkpoint: Path) -> list[str]:
    files = (p for p in checkpoint.rglob("*") if p.is_file() and not p.name.startswith(_DIGESTS))
    return sorted(str(p.relative_to(checkpoint)) for p in files)


def _digest(path: Path, sync: bool = False) -> str:
    with path.open("rb") as file:
        if sync:
            os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _progress_file(checkpoint: Path, process: int) -> Path:
    return checkpoint / f"progress_{process}.json"


class ResumableState(TrainerCallback):
    """Add to each checkpoint what resuming needs beyond transformers' own files.

    transformers saves the model, the optimizer, the schedule and the random states. A checkpoint is
    saved at each validation, and when the last one is older than `minutes`.
    """

    def __init__(self, trainer: "HighlightTrainer", minutes: float, before: Progress) -> None:
        self._trainer = trainer
        self._interval = 60 * minutes
        self._before = before
        self._started = self._saved = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Training time so far, with that of the runs it was resumed from."""
        return self._before.seconds + time.perf_counter() - self._started

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Restore the losses that were not logged yet."""
        if state.global_step:
            self._trainer.restore_unlogged(self._before)

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Set the epoch that order and draws depend on, so that a resumed epoch repeats them."""
        epoch = int(state.epoch or 0)
        self._trainer.data_collator.draws.epoch = epoch
        # accelerate does not set the epoch of the sampler of several processes if it skips batches.
        kwargs["train_dataloader"].set_epoch(epoch)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Request a checkpoint if the last one is old enough."""
        due = [time.perf_counter() - self._saved >= self._interval]
        if args.world_size > 1:  # saving synchronizes all processes, so all must decide alike
            due = broadcast_object_list(due)
        if due[0]:
            control.should_save = True

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Write the progress of this process; the main one then completes the checkpoint."""
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
            write_digests(checkpoint)
        self._saved = time.perf_counter()


def train_or_resume(trainer: "HighlightTrainer", minutes: float) -> Progress:
    """Train from the last complete checkpoint in the trainer's output folder, or from the start.

    The model ends with the best validated weights.

    Args:
        trainer: the trainer.
        minutes: largest age of the last checkpoint, while training.

    Returns:
        The progress at the end of the training.
    """
    arguments = trainer.args
    with arguments.main_process_first():
        checkpoint = newest_complete(Path(arguments.output_dir))
    if checkpoint is None:
        state = ResumableState(trainer, minutes, Progress())
        trainer.add_callback(state)
        trainer.train()
        return Progress(seconds=state.seconds, finished=True)
    step, saved = step_of(checkpoint), f"{_saved_at(checkpoint):%Y-%m-%d %H:%M:%S}"
    before = Progress.read(checkpoint, arguments.process_index)
    if before.finished:
        logger.info("fine_tune: an earlier run finished training at %s", saved)
        _restore_finished(trainer, checkpoint)
        return before
    logger.info(
        "fine_tune: resuming from step %d of %d; an earlier run was interrupted after %s",
        step, arguments.max_steps, saved,
    )  # fmt: skip
    before.resumed_from.append(step)
    state = ResumableState(trainer, minutes, before)
    trainer.add_callback(state)
    trainer.train(resume_from_checkpoint=str(checkpoint))
    return before.model_copy(update={"seconds": state.seconds, "finished": True})


def _restore_finished(trainer: "HighlightTrainer", checkpoint: Path) -> None:
    # trainer.train would run one more step before it notices that none is left.
    trainer.state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    best = checkpoint_folder(checkpoint.parent, trainer.state.best_global_step)
    trainer.state.best_model_checkpoint = str(best)
    trainer.callback_handler.on_train_begin(trainer.args, trainer.state, trainer.control)
    trainer.model.load_state_dict(load_file(best / SAFE_WEIGHTS_NAME))
