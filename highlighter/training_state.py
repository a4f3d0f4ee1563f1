"""Checkpoints that training goes on from: sealed when they are whole, checked before use."""

import hashlib
import json
import logging
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

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
