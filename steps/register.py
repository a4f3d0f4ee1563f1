"""Step 5: register the model, and make it the champion if it passes the gate."""

from pathlib import Path
from typing import Annotated

import mlflow
from datasets import DatasetDict
from zenml import step
from zenml.logger import get_logger

from highlighter.checkpoint import with_generation
from highlighter.corpus.validation import IngestReport
from highlighter.evaluation import Evaluation
from highlighter.settings import RegistrySettings
from highlighter.workspace import temporary_folder
from release.publish import Lineage, Registration, publish
from release.registry import log_checkpoint
from steps.caching import depends_on_code
from steps.run_record import git_commit, log_settings, zenml_run

logger = get_logger(__name__)


@step(experiment_tracker=True, cache_policy=depends_on_code(__file__))
def register(
    checkpoint: Path,
    articles: DatasetDict,
    evaluation: Evaluation,
    ingest_report: IngestReport,
    registry: RegistrySettings = RegistrySettings(),
) -> Annotated[Registration, "registration"]:
    """A new version in MLflow's registry; the champion is what `bentoml serve` serves."""
    log_settings()
    folder = temporary_folder("register") / "checkpoint"
    with_generation(checkpoint, evaluation.generation, folder)
    model = log_checkpoint(folder, registry.model_name, [articles["test"][0]["article"]])
    mlflow.log_metrics(evaluation.metrics(), model_id=model.model_id)
    registration = publish(
        folder,
        model,
        name=registry.model_name,
        score=evaluation.systems["summary"].rougeLsum,
        test_fingerprint=evaluation.test_fingerprint,
        lineage=Lineage(
            mlflow_run_id=mlflow.active_run().info.run_id,
            zenml_run=zenml_run(),
            data_fingerprint=ingest_report.data_version,
            git_commit=git_commit(),
        ),
    )
    mlflow.set_tags({"registered_version": registration.version, "alias": registration.alias})
    logger.info(
        "%s version %s is %s: %s",
        registration.model_name,
        registration.version,
        registration.alias,
        registration.reason,
    )
    return registration
