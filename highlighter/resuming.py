"""Save all of a training run's state on the way, and take it up again where it was left."""

import logging
import time
from pathlib import Path
from typing import Any

from accelerate.utils import broadcast_object_list
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from highlighter.trainer import HighlightTrainer
from highlighter.training_state import (
    Progress,
    checkpoint_folder,
    newest_whole,
    seal,
    sealed_at,
    step_of,
)

logger = logging.getLogger(__name__)


class KeepState(TrainerCallback):
    """transformers saves model, optimizer, schedule and random states; this adds the rest.

    A checkpoint is made at each validation, and when the last is older than `minutes`.
    """

    def __init__(self, trainer: HighlightTrainer, minutes: float, before: Progress) -> None:
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


def train_or_resume(trainer: HighlightTrainer, minutes: float) -> Progress:
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


def _restore_finished(trainer: HighlightTrainer, checkpoint: Path) -> None:
    # trainer.train would do one more step before it notices that none is left.
    trainer.state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    best = checkpoint_folder(checkpoint.parent, trainer.state.best_global_step)
    trainer.state.best_model_checkpoint = str(best)
    trainer.callback_handler.on_train_begin(trainer.args, trainer.state, trainer.control)
    trainer._load_best_model()
