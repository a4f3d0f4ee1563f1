"""The training loop, and the state on disk that an interrupted run resumes from."""

import shutil
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import mlflow
import torch
from pydantic import BaseModel
from safetensors.torch import load_file, save_file
from torch.optim import Optimizer
from tqdm.auto import tqdm

from highlighter.data.collator import IGNORED, Batch
from highlighter.errors import CheckpointError
from highlighter.model.model import HighlightModel
from tools.pretraining.batches import BatchMaker, batches_from
from tools.pretraining.recipe import Recipe, Stage, StringStage, TextStage

_RECENT_STEPS = 20  # that the accuracy is a mean of
_LAST_RATE = 0.1  # share of the peak learning rate at the end of the decay
_LOG_EVERY = 20  # steps


class FinishedStage(BaseModel):
    """A completed stage; `accuracy` is the mean of its last 20 steps."""

    stage: Stage
    steps: int
    seconds: float
    accuracy: float


class Progress(BaseModel):
    """Counters of a run; `run_id` identifies its settings and its text."""

    run_id: str
    stage: int = 0
    step: int = 0  # in the stage
    total_steps: int = 0
    seconds: float = 0.0
    recent: list[float] = []  # share of correct target tokens in each of the stage's last steps
    stages: list[FinishedStage] = []
    mlflow_run: str | None = None

    def observe(self, accuracy: float) -> None:
        """Count a completed step."""
        self.recent = [*self.recent[1 - _RECENT_STEPS :], accuracy]
        self.step += 1
        self.total_steps += 1

    @property
    def accuracy(self) -> float:
        """Mean share of correct target tokens in the last 20 steps; 0 in a stage's first 19."""
        return sum(self.recent) / _RECENT_STEPS if len(self.recent) == _RECENT_STEPS else 0.0

    def finish_stage(self, stage: Stage) -> None:
        """Record the stage as completed and move to the next."""
        seconds = self.seconds - sum(done.seconds for done in self.stages)
        self.stages.append(
            FinishedStage(stage=stage, steps=self.step, seconds=seconds, accuracy=self.accuracy)
        )
        self.stage, self.step, self.recent = self.stage + 1, 0, []


def pretrain(
    model: HighlightModel, maker: BatchMaker, run_id: str, work_folder: Path, workers: int = 0
) -> Progress:
    """Train the model in place, stage by stage, and log to the active MLflow run.

    Args:
        model: the model; its weights are replaced if the run is resumed.
        maker: batches of the recipe's stages.
        run_id: identifies settings and text; a state of another run is refused.
        work_folder: folder of the state. If it holds one, training resumes from it.
        workers: processes that make batches; 0: this process.

    Raises:
        CheckpointError: the state in `work_folder` belongs to another run.
    """
    recipe = maker.recipe
    device = next(model.parameters()).device
    optimizers = make_optimizers(model, recipe)
    state = find_state(work_folder)
    progress = Progress(run_id=run_id)
    if state:
        progress = load_state(state, run_id, recipe.stages, model, optimizers)
    active = mlflow.active_run()
    progress.mlflow_run = active.info.run_id if active else None
    model.train()
    while progress.stage < len(recipe.stages):
        stage = recipe.stages[progress.stage]
        batches = batches_from(maker, progress.stage, progress.step, workers)
        started = time.perf_counter()
        for _, batch in zip(_remaining_steps(stage, progress), batches, strict=False):
            rate = learning_rate_share(recipe, progress)
            for group in [group for optimizer in optimizers for group in optimizer.param_groups]:
                group["lr"] = rate * group["peak"]
            on_device = {name: tensor.to(device) for name, tensor in batch.items()}
            losses, accuracy = train_step(model, on_device, optimizers, recipe)
            progress.observe(accuracy)
            now = time.perf_counter()
            progress.seconds += now - started
            started = now
            if progress.total_steps % _LOG_EVERY == 0 and active:
                values = {**losses, "accuracy": accuracy, "stage": progress.stage}
                mlflow.log_metrics(values, step=progress.total_steps)
            if progress.total_steps % recipe.save_every == 0:
                save_state(work_folder, progress, model, optimizers)
        progress.finish_stage(stage)
        save_state(work_folder, progress, model, optimizers)
    model.eval()
    return progress


def _remaining_steps(stage: Stage, progress: Progress) -> Iterator[int]:
    """Yield once per remaining step of the stage; a string stage ends once it is learned."""
    with tqdm(total=stage.most_steps, initial=progress.step, desc=stage.name, unit="step") as bar:
        for step in count(progress.step):
            learned = isinstance(stage, StringStage) and progress.accuracy >= stage.until
            if step >= stage.most_steps or learned:
                return
            yield step
            bar.set_postfix_str(f"{100 * progress.accuracy:.1f} % correct", refresh=False)
            bar.update()


def make_optimizers(model: HighlightModel, recipe: Recipe) -> list[Optimizer]:
    """Return AdamW for embeddings, norms and the salience head, and Muon for the layers' matrices.

    Each parameter group holds its peak learning rate as `peak`.
    """
    weights = dict(model.named_parameters())
    head = [name for name in weights if name.startswith("salience.")]
    layers = [
        name
        for name, weight in weights.items()
        if ".block." in name and weight.ndim == 2 and "relative_attention_bias" not in name
    ]
    other = [name for name in weights if name not in {*head, *layers}]

    def group(names: list[str], peak: float) -> dict[str, Any]:
        return {"params": [weights[name] for name in names], "peak": peak}

    adamw = [group(other, recipe.learning_rate), group(head, recipe.salience_learning_rate)]
    return [
        torch.optim.AdamW(adamw, lr=recipe.learning_rate, weight_decay=0.0, fused=True),
        torch.optim.Muon(
            [group(layers, recipe.matrix_learning_rate)],
            lr=recipe.matrix_learning_rate,
            weight_decay=0.0,
            adjust_lr_fn="match_rms_adamw",
        ),
    ]


def learning_rate_share(recipe: Recipe, progress: Progress) -> float:
    """Return the next step's share of the peak learning rates.

    It rises linearly during warm-up, is constant in a stage, and falls linearly at the end of the
    last stage.
    """
    share = min(1.0, (progress.total_steps + 1) / (recipe.warmup_steps + 1))
    share *= recipe.stages[progress.stage].rate
    last = recipe.stages[-1]
    if progress.stage == len(recipe.stages) - 1 and isinstance(last, TextStage):
        left = last.steps - progress.step
        if left < recipe.decay_steps:
            share *= _LAST_RATE + (1 - _LAST_RATE) * left / recipe.decay_steps
    return share


def train_step(
    model: HighlightModel, batch: Batch, optimizers: Sequence[Optimizer], recipe: Recipe
) -> tuple[dict[str, float], float]:
    """Do one optimizer step; return its losses and the share of correct target tokens."""
    output = model(**batch)
    assert output.logits is not None  # every row of pretraining has a target
    model.zero_grad()
    loss = output.summary_loss + recipe.salience_weight * output.salience_loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.max_gradient_norm)
    for optimizer in optimizers:
        optimizer.step()
    labels = batch["labels"]
    known = labels != IGNORED
    correct = (output.logits.detach().argmax(-1) == labels) & known
    losses = {
        "summary_loss": float(output.summary_loss.detach()),
        "salience_loss": float(output.salience_loss.detach()),
    }
    return losses, float(correct.sum() / known.sum())


def save_state(
    folder: Path, progress: Progress, model: HighlightModel, optimizers: Sequence[Optimizer]
) -> None:
    """Write weights, optimizer state and counters; the previous state survives a kill."""
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
        # Only now: after a kill between the two renames, state.old is the only state.
        shutil.rmtree(old, ignore_errors=True)
        (folder / "state").rename(old)
    fresh.rename(folder / "state")
    shutil.rmtree(old, ignore_errors=True)


def find_state(folder: Path) -> Path | None:
    """Return the newest complete state's folder, or None."""
    for name in ("state", "state.old"):
        if (folder / name / "progress.json").is_file():
            return folder / name
    return None


def read_progress(state: Path) -> Progress:
    """Return the counters of a state."""
    return Progress.model_validate_json((state / "progress.json").read_text(encoding="utf-8"))


def load_state(
    state: Path,
    run_id: str,
    stages: Sequence[Stage],
    model: HighlightModel,
    optimizers: Sequence[Optimizer],
) -> Progress:
    """Load weights and optimizer state; return the counters.

    Raises:
        CheckpointError: the state belongs to other settings, text or completed stages.
    """
    progress = read_progress(state)
    done = [finished.stage for finished in progress.stages]
    if progress.run_id != run_id or done != list(stages[: len(done)]):
        raise CheckpointError(
            f"{state}: written with another recipe or other extra text. Give --work another "
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
