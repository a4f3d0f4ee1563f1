"""Step 5: register the model in MLflow, as champion if it passes the gate."""

from pathlib import Path
from typing import Annotated

import mlflow
from datasets import Dataset
from mlflow.models.model import ModelInfo
from zenml import step
from zenml.logger import get_logger

from highlighter.data.validation import IngestReport
from highlighter.evaluation.record import Evaluation
from highlighter.model.checkpoint import write_card
from highlighter.settings import MODEL_NAME, RegistrySettings
from highlighter.system.folders import temporary_folder
from release.gate import measured_for_gate, teacher_for_gate
from release.logged_model import log_checkpoint
from release.publish import Registration, publish
from release.registry import Lineage
from steps.caching import depends_on_code
from steps.description import describe_registration
from steps.run_record import git_commit, log_datasets, log_settings, zenml_run

logger = get_logger(__name__)


@step(experiment_tracker=True, cache_policy=depends_on_code(__file__, on_registry=True))
def register(
    checkpoint: Path,
    evaluation: Evaluation,
    rows: Dataset,
    engine: Path,
    ingest_report: IngestReport,
    seed: int,
    registry: RegistrySettings = RegistrySettings(),
) -> Annotated[Registration, "registration"]:
    """Register the checkpoint; the same files with the same scores are registered only once."""
    from highlighter.inference.engines import copy_engine
    from highlighter.model.checkpoint import count_parameters, finish_checkpoint, read_engine

    log_settings()
    log_datasets(ingest_report.kept, ingest_report.fingerprints)
    folder = temporary_folder("register") / "checkpoint"
    finish_checkpoint(checkpoint, evaluation.generation, evaluation.highlights, folder)
    copy_engine(engine, folder)
    write_card(folder, evaluation.card(count_parameters(folder), read_engine(folder)))

    def log_model() -> ModelInfo:
        model = log_checkpoint(folder, MODEL_NAME, [rows[0]["article"]])
        mlflow.log_metrics(evaluation.metrics(), model_id=model.model_id)
        return model

    registration = publish(
        folder,
        log_model,
        name=MODEL_NAME,
        measured=measured_for_gate(evaluation, rows, registry.gate),
        teacher=teacher_for_gate(evaluation, rows, registry.gate),
        gate=registry.gate,
        resamples=registry.resamples,
        seed=seed,
        lineage=Lineage(
            mlflow_run_id=mlflow.active_run().info.run_id,
            zenml_run=zenml_run(),
            data_fingerprint=ingest_report.data_version,
            git_commit=git_commit(),
        ),
    )
    describe_registration(evaluation, registration)
    mlflow.log_dict(registration.decision.model_dump(mode="json"), "gate/decision.json")
    mlflow.set_tags({"registered_version": registration.version, "alias": registration.alias})
    logger.info(
        "%s version %s is %s: %s",
        registration.model_name,
        registration.version,
        registration.alias,
        "; ".join(registration.decision.reasons),
    )
    return registration
