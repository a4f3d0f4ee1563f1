"""Fine-tune in several processes of this machine, each with its own rows of every batch."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import datasets
import torch
from transformers import PreTrainedTokenizerBase

from highlighter import training_process
from highlighter.errors import TrainingError
from highlighter.model import T5ForHighlighting
from highlighter.settings import TextSettings, TrainingSettings
from highlighter.training_job import JobSettings, Tracking, TrainingJob
from highlighter.training_report import TrainingReport

_ROOT = Path(__file__).resolve().parent.parent
_GRACE_SECONDS = 10


def train_in_processes(
    model: T5ForHighlighting,
    tokenizer: PreTrainedTokenizerBase,
    features: datasets.DatasetDict,
    *,
    text: TextSettings,
    settings: TrainingSettings,
    seed: int,
    work_folder: Path,
    tracking: Tracking | None,
) -> TrainingReport:
    """As `training.train`, in `settings.processes` processes under torchrun.

    The processes end when this one does, however it ends.

    Raises:
        TrainingError: one of them failed, with its message; or there are fewer GPUs.
    """
    gpus = torch.cuda.device_count() if settings.device == "auto" else 0
    if 0 < gpus < settings.processes:
        raise TrainingError(
            f"training.processes: {settings.processes}, but there are {gpus} GPUs. Set it to at "
            "most that, or training.device: cpu."
        )
    with tempfile.TemporaryDirectory(prefix="highlighter-job-") as folder:
        job = TrainingJob(Path(folder))
        job.write(
            model,
            tokenizer,
            features,
            JobSettings(
                text=text, training=settings, seed=seed, work_folder=work_folder, tracking=tracking
            ),
        )
        with _torchrun(folder, settings.processes, job.errors) as process:
            code = process.wait()
        if code != 0:
            raise TrainingError(f"Fine-tuning in processes failed: {_message(job.errors)}")
        return job.read_result(model)


@contextlib.contextmanager
def _torchrun(folder: str, processes: int, errors: Path) -> Iterator[subprocess.Popen[bytes]]:
    threads = max(1, torch.get_num_threads() // processes)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--local-addr=127.0.0.1", f"--nproc-per-node={processes}"]
    process = subprocess.Popen(
        [*command, "-m", training_process.__name__, folder],
        stdin=subprocess.PIPE,  # its end tells the processes that we have ended
        start_new_session=True,  # Ctrl-C is for us; we stop it
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")]),
            "OMP_NUM_THREADS": str(threads),
            "TORCHELASTIC_ERROR_FILE": str(errors),
        },
    )
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
        process.kill()
        process.communicate()


def _message(errors: Path) -> str:
    """The first failed process's own words."""
    if not errors.is_file():
        return (
            "a process was killed before it could say why; the system does that when memory runs "
            "out. Lower training.batch_size or training.processes."
        )
    message = json.loads(errors.read_text(encoding="utf-8"))["message"]
    return str(message if isinstance(message, str) else message["message"])
