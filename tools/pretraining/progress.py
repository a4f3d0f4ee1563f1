"""Where a pretraining run stands, on disk: weights, optimizer and counters, without pickles."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from pydantic import BaseModel
from safetensors.torch import load_file, save_file
from torch import nn

from highlighter.errors import CheckpointError
from tools.pretraining.recipe import Stage

_RECENT = 20


class FinishedStage(BaseModel):
    """A stage that is done, and the mean share of tokens right in its last 20 steps."""

    stage: Stage
    steps: int
    seconds: float
    accuracy: float


class Progress(BaseModel):
    """Counters of a run; `run_id` stands for what may not change on the way."""

    run_id: str
    stage: int = 0
    step: int = 0  # in the stage
    total_steps: int = 0
    seconds: float = 0.0
    recent: list[float] = []  # share of tokens right in the stage's last steps
    stages: list[FinishedStage] = []
    mlflow_run: str | None = None

    def observe(self, accuracy: float) -> None:
        """One more step is done."""
        self.recent = [*self.recent[1 - _RECENT :], accuracy]
        self.step += 1
        self.total_steps += 1

    @property
    def accuracy(self) -> float:
        """Mean share of tokens right in the last 20 steps; 0 before there are as many."""
        return sum(self.recent) / _RECENT if len(self.recent) == _RECENT else 0.0

    def finish_stage(self, stage: Stage) -> None:
        """Note the stage as done and go on to the next."""
        seconds = self.seconds - sum(done.seconds for done in self.stages)
        self.stages.append(
            FinishedStage(stage=stage, steps=self.step, seconds=seconds, accuracy=self.accuracy)
        )
        self.stage, self.step, self.recent = self.stage + 1, 0, []


def save_state(
    folder: Path,
    progress: Progress,
    model: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
) -> None:
    """Replace the state in `folder`; a run killed while saving leaves the one before."""
    fresh, old = folder / "state.new", folder / "state.old"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    names: dict[object, str] = {weight: name for name, weight in model.named_parameters()}
    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    save_file(weights, fresh / "weights.safetensors")
    moments = {
        f"{key}/{names[weight]}": value
        for optimizer in optimizers
        for weight, state in optimizer.state.items()
        for key, value in state.items()
    }
    save_file(moments, fresh / "optimizer.safetensors")
    (fresh / "progress.json").write_text(progress.model_dump_json(indent=2), encoding="utf-8")
    if (folder / "state").exists():
        # Until here, what a killed run left under this name may be all there is.
        shutil.rmtree(old, ignore_errors=True)
        (folder / "state").rename(old)
    fresh.rename(folder / "state")
    shutil.rmtree(old, ignore_errors=True)


def find_state(folder: Path) -> Path | None:
    """The newest whole state, if there is one."""
    for name in ("state", "state.old"):
        if (folder / name / "progress.json").is_file():
            return folder / name
    return None


def read_progress(state: Path) -> Progress:
    """The counters of a state."""
    return Progress.model_validate_json((state / "progress.json").read_text(encoding="utf-8"))


def load_state(
    state: Path,
    run_id: str,
    stages: Sequence[Stage],
    model: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
) -> Progress:
    """Fill model and optimizer. Stages that are not done yet may have changed since.

    Raises:
        CheckpointError: the state was made with other settings, stages or extra text.
    """
    progress = read_progress(state)
    done = [finished.stage for finished in progress.stages]
    if progress.run_id != run_id or done != list(stages[: len(done)]):
        raise CheckpointError(
            f"{state}: was made with another recipe or other extra text. Give --work another "
            "folder, or delete this one to start over."
        )
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, weight in load_file(state / "weights.safetensors").items():
            parameters[name].copy_(weight)
    owners = {
        weight: optimizer
        for optimizer in optimizers
        for group in optimizer.param_groups
        for weight in group["params"]
    }
    for place, value in load_file(state / "optimizer.safetensors").items():
        key, name = place.split("/", 1)
        weight = parameters[name]
        owners[weight].state[weight][key] = value.to(weight.device)
    return progress
