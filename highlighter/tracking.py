"""Stream a training run to an MLflow run."""

from typing import Any

import mlflow
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient
from mlflow.utils.time import get_current_time_millis
from mlflow.utils.validation import MAX_METRICS_PER_BATCH
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from highlighter.training_report import CURVES


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
