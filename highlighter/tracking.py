"""Stream a training run to the active MLflow run."""

from typing import Any

import mlflow
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

_NAMES = {
    "loss": "train/loss",
    "learning_rate": "train/learning_rate",
    "grad_norm": "train/gradient_norm",
    "eval_loss": "validation/loss",
    "eval_rougeLsum": "validation/rougeLsum",
}


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
        metrics = {_NAMES[key]: value for key, value in (logs or {}).items() if key in _NAMES}
        if metrics:
            mlflow.log_metrics(metrics, step=state.global_step)
