"""Register a checkpoint: a new version, the gate's decision, and the champion's Bento model."""

from contextlib import ExitStack
from pathlib import Path

from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient
from pydantic import BaseModel

from highlighter.data.fingerprint import hash_folder
from highlighter.settings import GateSettings
from release import bento_store, measurements, registry
from release.champion import Lineage, make_champion
from release.gate import Alias, Champion, GateDecision, Measured, Teacher, decide
from release.recover import reconcile


class Registration(BaseModel):
    """What was registered. `bento_tag` is set when this version became the champion."""

    model_name: str
    version: str
    model_uri: str
    mlflow_run_id: str
    decision: GateDecision
    bento_tag: str | None

    @property
    def alias(self) -> Alias:
        """The alias the gate gave."""
        return self.decision.alias


def publish(
    checkpoint: Path,
    model: ModelInfo,
    *,
    name: str,
    measured: Measured,
    gate: GateSettings,
    resamples: int,
    seed: int,
    lineage: Lineage,
    teacher: Teacher | None = None,
) -> Registration:
    """Register `model`, whose files are `checkpoint`. An error or Ctrl-C undoes all of it.

    Only `measured.json` stays with the run, whose record it is.
    """
    client = MlflowClient()
    measurements.store_measured(client, lineage.mlflow_run_id, measured)
    # Nobody else may promote between the comparison with today's champion and its succession.
    with bento_store.lock(name), ExitStack() as undo:
        reconcile(client, name)
        today = registry.champion(client, name)
        champion = None
        if today is not None:
            champion = Champion(
                version=str(today.version),
                measured=measurements.load_measured(client, today),
                is_teacher=teacher is not None and teacher.name == registry.uri(today),
            )
        decision = decide(measured, champion, gate, resamples, seed, teacher=teacher)
        tags = {
            registry.CHECKPOINT_TAG: hash_folder(checkpoint),
            **_tags(measured, decision, teacher),
            **lineage.model_dump(),
        }
        bento_tag = None
        version = registry.create_version(
            client, name, model, lineage.mlflow_run_id, tags=tags, undo=undo
        )
        if decision.alias == "champion":
            labels = lineage.model_dump()
            bento_tag = make_champion(client, version, checkpoint, labels, undo)
        else:
            registry.move_alias(client, name, "challenger", str(version.version), undo)
        undo.pop_all()
    return Registration(
        model_name=name,
        version=str(version.version),
        model_uri=model.model_uri,
        mlflow_run_id=lineage.mlflow_run_id,
        decision=decision,
        bento_tag=bento_tag,
    )


def still_stands(registration: Registration) -> bool:
    """Whether the registered version exists, and the served model is the champion's."""
    client = MlflowClient()
    versions = registry.versions(client, registration.model_name)
    if registration.version not in {str(version.version) for version in versions}:
        return False
    today = registry.champion(client, registration.model_name)
    if today is None:
        return False
    served = bento_store.served_labels(registration.model_name)
    return served is not None and served.get("model_version") == str(today.version)


def _tags(measured: Measured, decision: GateDecision, teacher: Teacher | None) -> dict[str, str]:
    """What a person who browses the registry wants to see."""
    tags = {
        "measure": f"{measured.metric} of {measured.system} summaries",
        "test_fingerprint": str(measured.test_fingerprint),
        "gate": "; ".join(decision.reasons),
    }
    if measured.score is not None:
        tags[registry.SCORE_TAG] = f"{measured.score:.4f}"
    if decision.alias == "champion" and decision.champion_version is not None:
        tags[registry.PREVIOUS_TAG] = decision.champion_version
    if teacher is not None:
        tags[registry.TEACHER_TAG] = teacher.name
    return tags
