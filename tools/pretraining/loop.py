"""The pretraining loop and the Muon optimizer."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import mlflow
import torch
from torch import Tensor
from tqdm.auto import tqdm

from highlighter.data.collator import IGNORED, Batch
from highlighter.model.model import HighlightModel
from tools.pretraining.batches import BatchMaker, batches_from
from tools.pretraining.progress import Progress, find_state, load_state, save_state
from tools.pretraining.recipe import Recipe, StringStage, TextStage

_QUINTIC = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_RMS = 0.2  # of a step, as AdamW's steps have it: both then learn at like rates


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal; for weights of two dimensions only."""

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].mul_(group["momentum"]).add_(weight.grad)
                step = weight.grad.add(state["momentum"], alpha=group["momentum"])
                alike[weight.shape].append((weight, step))
            for shape, pairs in alike.items():
                steps = orthogonalize(torch.stack([step for _, step in pairs]))
                length = _RMS * max(shape) ** 0.5
                for (weight, _), step in zip(pairs, steps, strict=True):
                    weight.add_(step, alpha=-group["lr"] * length)


def orthogonalize(matrices: Tensor) -> Tensor:
    """Matrices of (number, rows, columns) with all singular values near 1, by Newton-Schulz."""
    tall = matrices.size(1) > matrices.size(2)
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    first, second, third = _QUINTIC
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = first * x + (second * gram + third * gram @ gram) @ x
    made: Tensor = x.mT if tall else x
    return made


_LAST_RATE = 0.1  # of the peak, at the end of the decay
_LOG_EVERY = 20


def pretrain(
    model: HighlightModel, maker: BatchMaker, run_id: str, work_folder: Path, workers: int = 0
) -> Progress:
    """Train in place; goes on where an interrupted run in `work_folder` stood.

    `run_id` stands for the settings and the extra text, `workers` processes make the batches. Logs
    to the active MLflow run.
    """
    recipe = maker.recipe
    device = next(model.parameters()).device
    optimizers = _optimizers(model, recipe)
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
        for _, batch in zip(_steps(stage, progress), batches, strict=False):
            rate = _rate(recipe, progress)
            for group in [group for optimizer in optimizers for group in optimizer.param_groups]:
                group["lr"] = rate * group["peak"]
            moved = {name: tensor.to(device) for name, tensor in batch.items()}
            losses, accuracy = _step(model, moved, optimizers, recipe)
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


def _steps(stage: StringStage | TextStage, progress: Progress) -> Iterator[int]:
    """One item a step that is left of the stage, with a progress bar."""
    most = stage.most_steps
    with tqdm(total=most, initial=progress.step, desc=stage.name, unit="step") as bar:
        for step in count(progress.step):
            learned = isinstance(stage, StringStage) and progress.accuracy >= stage.until
            if step >= most or learned:
                return
            yield step
            bar.set_postfix_str(f"{100 * progress.accuracy:.1f} % right", refresh=False)
            bar.update()


def _optimizers(model: HighlightModel, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for all else."""
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

    adamw = [
        group(other, recipe.learning_rate),
        group(head, recipe.salience_learning_rate),
    ]
    matrices: Any = [group(layers, recipe.matrix_learning_rate)]
    return [
        torch.optim.AdamW(adamw, lr=recipe.learning_rate, weight_decay=0.0, fused=True),
        Muon(matrices, lr=recipe.matrix_learning_rate),
    ]


def _rate(recipe: Recipe, progress: Progress) -> float:
    """Share of the peak: a linear start, a plateau a stage, and a linear fall in the last one."""
    rate = min(1.0, (progress.total_steps + 1) / (recipe.warmup_steps + 1))
    rate *= recipe.stages[progress.stage].rate
    last = recipe.stages[-1]
    if progress.stage == len(recipe.stages) - 1 and isinstance(last, TextStage):
        left = last.steps - progress.step
        if left < recipe.decay_steps:
            rate *= _LAST_RATE + (1 - _LAST_RATE) * left / recipe.decay_steps
    return rate


def _step(
    model: HighlightModel,
    batch: Batch,
    optimizers: list[torch.optim.Optimizer],
    recipe: Recipe,
) -> tuple[dict[str, float], float]:
    """One optimizer step; its losses, and the share of target tokens that were right."""
    summary, salience, logits = model(**batch)
    assert logits is not None  # every row of pretraining has a target
    model.zero_grad()
    loss = summary + recipe.salience_weight * salience
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.max_gradient_norm)
    for optimizer in optimizers:
        optimizer.step()
    labels = batch["labels"]
    known = labels != IGNORED
    right = (logits.detach().argmax(-1) == labels) & known
    losses = {"summary_loss": float(summary.detach()), "salience_loss": float(salience.detach())}
    return losses, float(right.sum() / known.sum())
