"""Fine-tune in several processes of this machine, each with its own share of every batch."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import datasets
import mlflow
import torch
from accelerate import PartialState
from torch.distributed.elastic.multiprocessing.errors import record
from transformers import PreTrainedTokenizerBase

from highlighter.errors import TrainingError
from highlighter.model.checkpoint import save_checkpoint
from highlighter.model.model import HighlightModel, load_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import Settings, TextSettings, TrainingSettings
from highlighter.system.memory import keep_freed_memory
from highlighter.training.report import MlflowCurves, TrainingReport
from highlighter.training.train import train

_ROOT = Path(__file__).resolve().parents[2]
_GRACE_SECONDS = 10


class Tracking(Settings):
    """MLflow run that receives the learning curves."""

    uri: str
    run_id: str


class JobSettings(Settings):
    """The arguments of `train` that are stored in `settings.json`."""

    text: TextSettings
    training: TrainingSettings
    seed: int
    work_folder: Path
    tracking: Tracking | None


class TrainingJob:
    """Folder with the arguments and the result of a training in several processes.

    `start` and `result` are checkpoint folders.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def errors(self) -> Path:
        """File to which torchrun writes the error of a process that failed."""
        return self._folder / "error.json"

    def write(
        self,
        model: HighlightModel,
        tokenizer: PreTrainedTokenizerBase,
        features: datasets.DatasetDict,
        settings: JobSettings,
    ) -> None:
        """Write the arguments of `train`."""
        save_checkpoint(self._folder / "start", model, tokenizer, settings.text)
        features.save_to_disk(self._folder / "features")
        (self._folder / "settings.json").write_text(settings.model_dump_json(), encoding="utf-8")

    def read(
        self,
    ) -> tuple[HighlightModel, PreTrainedTokenizerBase, datasets.DatasetDict, JobSettings]:
        """Read the arguments of `train`."""
        start = str(self._folder / "start")
        settings = (self._folder / "settings.json").read_text(encoding="utf-8")
        return (
            load_model(start),
            load_tokenizer(start),
            datasets.DatasetDict.load_from_disk(self._folder / "features"),
            JobSettings.model_validate_json(settings),
        )

    def write_result(
        self,
        model: HighlightModel,
        tokenizer: PreTrainedTokenizerBase,
        text: TextSettings,
        report: TrainingReport,
    ) -> None:
        """Write the trained model and the report."""
        save_checkpoint(self._folder / "result", model, tokenizer, text)
        (self._folder / "report.json").write_text(report.model_dump_json(), encoding="utf-8")

    def read_result(self, model: HighlightModel) -> TrainingReport:
        """Load the trained weights into `model` and return the report."""
        model.load_state_dict(load_model(str(self._folder / "result")).state_dict())
        report = (self._folder / "report.json").read_text(encoding="utf-8")
        return TrainingReport.model_validate_json(report)


def train_in_processes(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    features: datasets.DatasetDict,
    *,
    text: TextSettings,
    settings: TrainingSettings,
    seed: int,
    work_folder: Path,
    tracking: Tracking | None,
) -> TrainingReport:
    """Train a model in place as `train` does, in `settings.processes` processes under torchrun.

    The processes end with this one, even if it is killed. `tracking` replaces the callbacks.

    Raises:
        TrainingError: a process failed, or there are fewer GPUs than processes.
    """
    gpus = torch.cuda.device_count() if settings.device == "auto" else 0
    if 0 < gpus < settings.processes:
        raise TrainingError(
            f"training.processes is {settings.processes}, but this machine has {gpus} GPUs. Lower "
            "it, or set training.device: cpu."
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
        [*command, "-m", "highlighter.training.processes", folder],
        stdin=subprocess.PIPE,  # closes when this process ends, see _end_with_launcher
        start_new_session=True,  # Ctrl-C reaches this process only, which stops the others
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
    """Return the error message of the process that failed first."""
    if not errors.is_file():
        return (
            "a process was killed without a message, as the system does if memory runs out. Lower "
            "training.batch_size or training.processes."
        )
    message = json.loads(errors.read_text(encoding="utf-8"))["message"]
    return str(message if isinstance(message, str) else message["message"])


@record
def main() -> None:
    """Run one process of the job in the folder given on the command line."""
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
    """End this process when standard input, a pipe from the launcher, closes."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
