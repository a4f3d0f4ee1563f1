"""Register a checkpoint: a new version, the gate's decision, and the champion's Bento model."""

from contextlib import ExitStack
from pathlib import Path

from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient
from pydantic import BaseModel

from highlighter.gate import Alias, Candidate, GateDecision, decide
from release import bento_store, registry


class Registration(BaseModel):
    """What was registered. `bento_tag` is set when this version is the champion."""

    model_name: str
    version: str
    model_uri: str
    mlflow_run_id: str
    alias: Alias
    reason: str
    bento_tag: str | None


class Lineage(BaseModel):
    """Where a version comes from; the labels of its Bento model."""

    mlflow_run_id: str
    zenml_run: str
    data_fingerprint: str
    git_commit: str


def publish(
    checkpoint: Path,
    model: ModelInfo,
    *,
    name: str,
    score: float,
    test_fingerprint: str,
    lineage: Lineage,
) -> Registration:
    """Register `model`, whose files are `checkpoint`. An error or Ctrl-C undoes all of it."""
    client = MlflowClient()
    with ExitStack() as undo:
        version = registry.create_version(
            client,
            name,
            model,
            lineage.mlflow_run_id,
            tags={
                registry.SCORE_TAG: str(score),
                registry.TEST_TAG: test_fingerprint,
                **lineage.model_dump(),
            },
        )
        undo.callback(client.delete_model_version, name, version.version)
        decision = _ask_gate(client, name, score, test_fingerprint, str(version.version))
        bento_tag = None
        if decision.alias == "champion":
            labels = {"model_version": str(version.version), **lineage.model_dump()}
            bento_tag = bento_store.import_checkpoint(name, checkpoint, labels)
            undo.callback(bento_store.delete, bento_tag)
        # The alias moves last, in one transaction: until then nothing points to this version.
        client.set_registered_model_alias(name, decision.alias, version.version)
        undo.pop_all()
    return Registration(
        model_name=name,
        version=str(version.version),
        model_uri=model.model_uri,
        mlflow_run_id=lineage.mlflow_run_id,
        alias=decision.alias,
        reason=decision.reason,
        bento_tag=bento_tag,
    )


def still_stands(registration: Registration) -> bool:
    """Whether the registered version exists, and the served model if it is the champion's."""
    client = MlflowClient()
    versions = client.search_model_versions(f"name='{registration.model_name}'")
    if registration.version not in {str(v.version) for v in versions}:
        return False
    today = registry.champion(client, registration.model_name)
    if today is None:
        return False
    served = bento_store.served_labels(registration.model_name)
    return served is not None and served.get("model_version") == str(today.version)


def _ask_gate(
    client: MlflowClient, name: str, score: float, test_fingerprint: str, version: str
) -> GateDecision:
    today = registry.champion(client, name)
    return decide(
        Candidate(version=version, score=score, test_fingerprint=test_fingerprint),
        None if today is None else registry.as_candidate(today),
    )
