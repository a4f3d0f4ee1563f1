"""Stream a training run to the active MLflow run."""

from typing import Any

import mlflow
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from highlighter.training_report import CURVES


class MlflowCurves(TrainerCallback):
    """Log the learning curves as they grow; settings are logged elsewhere, once.

    transformers' own callback would log about 150 parameters, most of them defaults.
    """

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
        if metrics:
            mlflow.log_metrics(metrics, step=state.global_step)
