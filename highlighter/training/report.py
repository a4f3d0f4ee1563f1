"""The record of a fine-tuning: its learning curves, in MLflow and for later steps."""

from typing import Any

import mlflow
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient
from mlflow.utils.time import get_current_time_millis
from mlflow.utils.validation import MAX_METRICS_PER_BATCH
from pydantic import BaseModel
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

# Names of the trainer's log entries in reports and in MLflow.
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
    """Result of a fine-tuning.

    `best_step` is the optimizer step whose weights were kept. `resumed_from` are the steps from
    which interrupted runs were resumed. `curves` holds (optimizer step, value) points of each
    metric, by its name in MLflow. `examples_per_second` counts rows of the training split.
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
    """Log the learning curves to MLflow during training.

    transformers' callback would also log about 150 parameters, most of them defaults.
    """

    def __init__(self, run_id: str) -> None:
        """Log to the run `run_id`, which another process may have started."""
        self._run_id = run_id

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Log the part of a resumed training that the interrupted run has logged to its own run."""
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
        """Log the entries in `CURVES` at their optimizer step."""
        metrics = {CURVES[key]: value for key, value in (logs or {}).items() if key in CURVES}
        if metrics and state.is_world_process_zero:
            mlflow.log_metrics(metrics, step=state.global_step, run_id=self._run_id)
