"""What fine-tuning did: its learning curves, in MLflow and as a record for later steps."""

from typing import Any

import mlflow
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient
from mlflow.utils.time import get_current_time_millis
from mlflow.utils.validation import MAX_METRICS_PER_BATCH
from pydantic import BaseModel
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

# Trainer's log entries, and what they are called in reports and in MLflow.
CURVES = {
    "loss": "train/loss",
    "summary_loss": "train/summary_loss",
    "salience_loss": "train/salience_loss",
    "learning_rate": "train/learning_rate",
    "grad_norm": "train/gradient_norm",
    "eval_loss": "validation/loss",
    "eval_summary_loss": "validation/summary_loss",
    "eval_salience_loss": "validation/salience_loss",
    "eval_rougeLsum": "validation/rougeLsum",
}


class TrainingReport(BaseModel):
    """`best_step` is the optimizer step whose weights were kept; `resumed_from` are the steps from
    which training was taken up again after an interruption.

    `curves` has (optimizer step, value) points of each logged measure, by its name in MLflow.
    """

    steps: int
    best_step: int
    validation_loss: float
    seconds: float
    examples_per_second: float
    parameters: int
    precision: str
    device: str
    stopped_early: bool
    resumed_from: list[int] = []
    curves: dict[str, list[tuple[int, float]]]


class MlflowCurves(TrainerCallback):
    """Log the learning curves as they grow; settings are logged elsewhere, once.

    transformers' own callback would log about 150 parameters, most of them defaults.
    """

    def __init__(self, run_id: str) -> None:
        """`run_id`: of an MLflow run that may be another process's."""
        self._run_id = run_id

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A resumed training's first part is in the run that was interrupted: log it here too."""
        if not state.is_world_process_zero:
            return
        now = get_current_time_millis()
        points = [
            Metric(CURVES[key], value, now, entry["step"])
            for entry in state.log_history
            for key, value in entry.items()
            if key in CURVES
        ]
        for start in range(0, len(points), MAX_METRICS_PER_BATCH):
            MlflowClient().log_batch(self._run_id, points[start : start + MAX_METRICS_PER_BATCH])

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Log the known entries at the optimizer step they belong to."""
        metrics = {CURVES[key]: value for key, value in (logs or {}).items() if key in CURVES}
        if metrics and state.is_world_process_zero:
            mlflow.log_metrics(metrics, step=state.global_step, run_id=self._run_id)
