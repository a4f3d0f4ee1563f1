"""What every tracked step records about its run, and where fine-tuning keeps its state."""

import json
from pathlib import Path
from typing import Any

import mlflow
from mlflow.data.dataset_source import DatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.sources import HuggingFaceDatasetSource, LocalArtifactDatasetSource
from mlflow.tracking import MlflowClient
from mlflow.utils.git_utils import get_git_commit
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE
from pydantic import TypeAdapter
from zenml import get_step_context
from zenml.models import PipelineRunResponse

from highlighter.embedded import CORPUS
from highlighter.errors import without_keys
from highlighter.settings import FileSource, HubSource, Source
from highlighter.system.folders import remove_kept

_ROOT = Path(__file__).resolve().parent.parent
FINE_TUNING = _ROOT / "work" / "fine_tune"

_CONTEXTS = {"train": "training", "validation": "validation", "test": "test"}

_EXPERIMENT_TAGS = {
    # Without it, MLflow's interface lists the experiment among those of chat applications.
    "mlflow.experimentKind": "custom_model_development",
    MLFLOW_RUN_NOTE: "Runs of `python run_pipeline.py`: a T5 with a salience head, fine-tuned on "
    "news, evaluated and registered.",
}


class _Split(MetaDataset):
    """A dataset of which MLflow stores the name, fingerprint, source and number of rows."""

    def __init__(self, source: DatasetSource, name: str, digest: str, rows: int) -> None:
        super().__init__(source, name, digest)
        self._rows = rows

    def to_dict(self) -> dict[str, str]:
        return {**super().to_dict(), "profile": json.dumps({"num_rows": self._rows})}


def log_settings() -> None:
    """Log the settings of all steps, also those of steps whose stored results are reused.

    Each step of a run calls this; logging the same values again changes nothing.
    """
    parameters: dict[str, Any] = {}
    for name, values in _parameters().items():
        parameters.update(_flatten(values, prefix=f"{name}."))
    mlflow.log_params(parameters)
    mlflow.set_tags({"zenml_run": zenml_run(), "git_commit": git_commit()})
    experiment = mlflow.active_run().info.experiment_id
    for key, value in _EXPERIMENT_TAGS.items():
        MlflowClient().set_experiment_tag(experiment, key, value)


def log_datasets(rows: dict[str, int], fingerprints: dict[str, str]) -> None:
    """Log the three splits as the run's datasets; doing so again changes nothing.

    Args:
        rows: number of valid rows by split.
        fingerprints: hash of these rows by split.
    """
    source: Source = TypeAdapter(Source).validate_python(_parameters()["ingest"]["source"])
    for split, context in _CONTEXTS.items():
        name, origin = _origin(source, split)
        dataset = _Split(origin, f"{name}-{split}", fingerprints[split], rows[split])
        mlflow.log_input(dataset, context=context)


def zenml_run() -> str:
    """Return the name of the pipeline run that the current step belongs to."""
    return str(get_step_context().pipeline_run.name)


def git_commit() -> str:
    """Return the commit that is checked out, or "none" outside a git checkout."""
    return get_git_commit(str(_ROOT)) or "none"


def forget_finished_work(run: PipelineRunResponse) -> None:
    """Remove the resumable state of a run's fine-tuning, whose checkpoint is now an artifact."""
    remove_kept(FINE_TUNING, str(run.steps["fine_tune"].cache_key))


def _parameters() -> dict[str, dict[str, Any]]:
    steps = get_step_context().pipeline_run.snapshot.step_configurations
    return {name: step.config.parameters for name, step in steps.items()}


def _flatten(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update(_flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = without_keys(value) if isinstance(value, str) else value
    return flat


def _origin(source: Source, split: str) -> tuple[str, DatasetSource]:
    match source:
        case HubSource(repository=repository, configuration=configuration, revision=revision):
            origin = HuggingFaceDatasetSource(
                repository, config_name=configuration, split=split, revision=revision
            )
            return repository.rsplit("/", maxsplit=1)[-1], origin
        case FileSource():
            file = without_keys(source.all or getattr(source, split))
            return Path(file).stem if source.all else "files", LocalArtifactDatasetSource(file)
        case _:
            return "embedded", LocalArtifactDatasetSource(str(CORPUS / f"{split}.parquet"))
