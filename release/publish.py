"""Register a checkpoint in MLflow: a version, the gate's decision on it, and its alias."""

from collections.abc import Callable
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient
from pydantic import BaseModel, ValidationError

from highlighter.data.fingerprint import hash_folder
from highlighter.errors import RegistryError
from highlighter.settings import GateSettings
from release import registry
from release.deploy import release_lock
from release.gate import Alias, CurrentChampion, GateDecision, Measured, TeacherResult, decide

_MEASURED_FOLDER, _MEASURED_FILE = "gate", "gate/measured.json"
_ALREADY_CHAMPION = GateDecision(
    alias="champion", reasons=["the champion already has the same files and the same scores"]
)


class Registration(BaseModel):
    """A registered version, and the gate's decision on it."""

    model_name: str
    version: str
    model_uri: str
    mlflow_run_id: str
    decision: GateDecision

    @property
    def alias(self) -> Alias:
        """The alias that the gate decided on."""
        return self.decision.alias


def publish(
    checkpoint: Path,
    log_model: Callable[[], ModelInfo],
    *,
    name: str,
    measured: Measured,
    gate: GateSettings,
    resamples: int,
    seed: int,
    lineage: registry.Lineage,
    teacher: TeacherResult | None = None,
) -> Registration:
    """Register a checkpoint and give it the alias that the gate decides on.

    Publishing the same files with the same scores again returns the version they already have, so
    a publication that was interrupted is completed by repeating it.

    Args:
        checkpoint: folder of the model's files.
        log_model: logs the checkpoint in MLflow; called only if it is not registered yet.
        name: name of the registered model.
        measured: scores of the checkpoint.
        gate: what the gate requires.
        resamples: number of resamples of the bootstrap that compares with the champion.
        seed: seed of that bootstrap.
        lineage: where the checkpoint comes from.
        teacher: the teacher and its scores if the checkpoint is a student, else None.
    """
    client = MlflowClient()
    store_measured(client, lineage.mlflow_run_id, measured)
    checkpoint_hash = hash_folder(checkpoint)
    # The lock: the champion must be the same in the comparison and in the promotion.
    with release_lock(name):
        champion = registry.champion(client, name)
        version = _find_equal(client, name, checkpoint_hash, measured)
        if version is not None and champion is not None and version.version == champion.version:
            return _registration(version, _ALREADY_CHAMPION)
        decision = decide(
            measured,
            champion and _compare_with(client, champion, teacher),
            gate,
            resamples,
            seed,
            teacher=teacher,
        )
        tags = _tags(measured, decision, teacher)
        if version is None:
            tags |= {registry.CHECKPOINT_TAG: checkpoint_hash, **lineage.model_dump()}
            version = registry.create_version(
                client, name, log_model(), lineage.mlflow_run_id, tags
            )
        else:
            registry.set_tags(client, version, tags)
        if decision.alias == "champion":
            registry.make_champion(client, version, "gate")
        else:
            client.set_registered_model_alias(name, "challenger", str(version.version))
    return _registration(version, decision)


def _find_equal(
    client: MlflowClient, name: str, checkpoint_hash: str, measured: Measured
) -> ModelVersion | None:
    """Return the newest version with the same files and the same scores, or None."""
    for version in reversed(registry.versions(client, name)):
        if version.tags.get(registry.CHECKPOINT_TAG) == checkpoint_hash:
            # Compared as JSON: NaN differs from itself.
            stored = load_measured(client, version).model_dump_json()
            if stored == measured.model_dump_json():
                return version
    return None


def _compare_with(
    client: MlflowClient, champion: ModelVersion, teacher: TeacherResult | None
) -> CurrentChampion:
    return CurrentChampion(
        version=str(champion.version),
        measured=load_measured(client, champion),
        is_teacher=teacher is not None and teacher.name == registry.uri(champion),
    )


def _registration(version: ModelVersion, decision: GateDecision) -> Registration:
    return Registration(
        model_name=version.name,
        version=str(version.version),
        model_uri=version.source,
        mlflow_run_id=version.run_id,
        decision=decision,
    )


def _tags(
    measured: Measured, decision: GateDecision, teacher: TeacherResult | None
) -> dict[str, str]:
    """Return tags that explain the version to a person who browses the registry."""
    tags = {
        "measure": f"{measured.metric} of {measured.system} summaries",
        "test_fingerprint": str(measured.test_fingerprint),
        "gate": "; ".join(decision.reasons),
    }
    if measured.score is not None:
        tags[registry.SCORE_TAG] = f"{measured.score:.4f}"
    if teacher is not None:
        tags[registry.TEACHER_TAG] = teacher.name
    return tags


def store_measured(client: MlflowClient, run_id: str, measured: Measured) -> None:
    """Store with an MLflow run what was measured, for the gate of later versions."""
    client.log_text(run_id, measured.model_dump_json(), _MEASURED_FILE)


def load_measured(client: MlflowClient, version: ModelVersion) -> Measured:
    """Return what was stored with a version's run; every field is None if nothing was.

    Raises:
        RegistryError: the stored file is not what `store_measured` writes.
    """
    try:
        files = client.list_artifacts(version.run_id, _MEASURED_FOLDER) if version.run_id else []
    except MlflowException as error:
        if not registry.is_missing(error):
            raise
        files = []  # the run was deleted permanently
    if _MEASURED_FILE not in {file.path for file in files}:
        return Measured()
    try:
        return Measured.model_validate_json(
            mlflow.artifacts.load_text(f"runs:/{version.run_id}/{_MEASURED_FILE}")
        )
    except ValidationError as error:
        raise RegistryError(
            f"{version.name} version {version.version}: {_MEASURED_FILE} of run {version.run_id} "
            "is not in the format of this project. Restore the file, or delete it: the version is "
            f"then treated as one without scores.\n{error}"
        ) from error
