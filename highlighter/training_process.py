"""One of the processes that fine-tune together; torchrun starts them (see `launch`)."""

import os
import sys
import threading
from pathlib import Path

import mlflow
from accelerate import PartialState
from torch.distributed.elastic.multiprocessing.errors import record

from highlighter.memory import keep_freed_memory
from highlighter.tracking import MlflowCurves
from highlighter.training import train
from highlighter.training_job import TrainingJob


@record
def main() -> None:
    """Do the job in the folder that the command line names; the first process writes the result."""
    threading.Thread(target=_end_with_launcher, daemon=True).start()
    keep_freed_memory()
    job = TrainingJob(Path(sys.argv[1]))
    model, tokenizer, features, settings = job.read()
    callbacks = []
    if settings.tracking is not None:
        mlflow.set_tracking_uri(settings.tracking.uri)
        callbacks.append(MlflowCurves(settings.tracking.run_id))
    report = train(
        model,
        tokenizer,
        features,
        text=settings.text,
        settings=settings.training,
        seed=settings.seed,
        work_folder=settings.work_folder,
        callbacks=callbacks,
    )
    state = PartialState()
    if state.is_main_process:
        job.write_result(model, tokenizer, settings.text, report)
    state.destroy_process_group()


def _end_with_launcher() -> None:
    """Standard input is a pipe that nobody writes to; it ends when the launcher does."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
