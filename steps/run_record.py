"""What every tracked step records about its run, and where fine-tuning keeps its state."""

from pathlib import Path
from typing import Any

import mlflow
from mlflow.utils.git_utils import get_git_commit
from zenml import get_step_context
from zenml.models import PipelineRunResponse

from highlighter.system.folders import remove_kept

_ROOT = Path(__file__).resolve().parent.parent
FINE_TUNING = _ROOT / "work" / "fine_tune"


def log_settings() -> None:
    """Log the settings of all steps to MLflow, so that a run whose first steps were cached has
    them too. The same values again change nothing."""
    steps = get_step_context().pipeline_run.snapshot.step_configurations
    parameters: dict[str, Any] = {}
    for name, step in steps.items():
        parameters.update(_flatten(step.config.parameters, prefix=f"{name}."))
    mlflow.log_params(parameters)
    mlflow.set_tags({"zenml_run": zenml_run(), "git_commit": git_commit()})


def zenml_run() -> str:
    """The name of the pipeline run this step belongs to."""
    return str(get_step_context().pipeline_run.name)


def git_commit() -> str:
    """The checked-out commit, or "none" outside a git checkout."""
    return get_git_commit(str(_ROOT)) or "none"


def _flatten(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update(_flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def forget_finished_work(run: PipelineRunResponse) -> None:
    """Remove the state of a run's fine-tuning: its checkpoint is stored as an artifact."""
    remove_kept(FINE_TUNING, str(run.steps["fine_tune"].cache_key))
