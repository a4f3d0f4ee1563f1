"""MLflow's model registry: versions, their aliases and their tags.

The registry is the record of what is registered and which version is the champion. Each write here
is one transaction, or can be repeated.
"""

import re
from typing import Literal

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models.model import ModelInfo
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.tracking import MlflowClient
from pydantic import BaseModel

from highlighter.errors import HighlighterError, RegistryError

SCORE_TAG = "score"
PREVIOUS_TAG = "previous_champion"
CHECKPOINT_TAG = "checkpoint_hash"
TEACHER_TAG = "teacher"
PROMOTED_TAG = "promoted_by"

_URI = re.compile(r"models:/(?P<name>[^/@]+)/(?P<version>\d+)")


class Lineage(BaseModel):
    """Where a version comes from: tags of the version, and labels of its Bento model."""

    mlflow_run_id: str
    zenml_run: str
    data_fingerprint: str
    git_commit: str


def use_stack_tracking() -> None:
    """Point MLflow at the active stack's server; ZenML itself does so only while a step runs.

    Raises:
        HighlighterError: the stack has no MLflow experiment tracker.
    """
    from zenml.client import Client

    tracker = Client().active_stack.experiment_tracker
    if tracker is None or tracker.flavor != "mlflow":
        raise HighlighterError(
            "The active ZenML stack has no MLflow experiment tracker: `python run_pipeline.py` "
            "makes a local stack with one."
        )
    tracker.configure_mlflow()


def uri(version: ModelVersion) -> str:
    """Return MLflow's URI of a version, which does not depend on aliases."""
    return f"models:/{version.name}/{version.version}"


def versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """Return all versions of `name`, the oldest first; none if no such model is registered."""
    found = client.search_model_versions(f"name='{name}'")
    return sorted(found, key=lambda version: int(version.version))


def find_version(version_uri: str) -> ModelVersion:
    """Return the version that a URI names.

    Raises:
        RegistryError: it is not written as models:/NAME/VERSION, or there is no such version.
    """
    named = _URI.fullmatch(version_uri)
    if named is None:
        raise RegistryError(f"{version_uri}: write it as models:/NAME/VERSION.")
    try:
        return MlflowClient().get_model_version(named["name"], named["version"])
    except MlflowException as error:
        if not is_missing(error):
            raise
        raise RegistryError(
            f"{version_uri}: no such version is registered. `python -m release list` shows all."
        ) from error


def named_version(name: str, version: str) -> ModelVersion:
    """Return the version with a number, or the one that the alias "champion" names.

    Raises:
        RegistryError: there is no such version.
    """
    if version != "champion":
        return find_version(f"models:/{name}/{version}")
    found = champion(MlflowClient(), name)
    if found is None:
        raise RegistryError(f"{name} has no champion yet: run `python run_pipeline.py` first.")
    return found


def champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """Return the version that the alias `champion` names, or None if there is none yet."""
    number = aliases(client, name).get("champion")
    return None if number is None else client.get_model_version(name, number)


def aliases(client: MlflowClient, name: str) -> dict[str, str]:
    """Return the version number of each alias; empty if no such model is registered."""
    try:
        model = client.get_registered_model(name)
    except MlflowException as error:
        if not is_missing(error):
            raise
        return {}
    return {alias: str(number) for alias, number in model.aliases.items()}


def create_version(
    client: MlflowClient, name: str, model: ModelInfo, run_id: str, tags: dict[str, str]
) -> ModelVersion:
    """Register a logged model as the next version of `name`, with its tags."""
    if not client.search_registered_models(f"name='{name}'"):
        client.create_registered_model(
            name, description="T5 that summarizes news; see the run of each version."
        )
    return client.create_model_version(
        name, source=model.model_uri, run_id=run_id, model_id=model.model_id, tags=tags
    )


def set_tags(client: MlflowClient, version: ModelVersion, tags: dict[str, str]) -> None:
    """Set tags of a version, one after the other."""
    for key, value in tags.items():
        client.set_model_version_tag(version.name, version.version, key, value)


def make_champion(
    client: MlflowClient, version: ModelVersion, by: Literal["gate", "hand", "rollback"]
) -> None:
    """Point the alias `champion` at a version; the tags that go with it are written first.

    A rollback leaves the tag of the previous champion, so that rolling back again goes further into
    the past.
    """
    before = aliases(client, version.name).get("champion")
    number = str(version.version)
    if before != number:
        tags: dict[str, str] = {PROMOTED_TAG: by}
        if before is not None and by != "rollback":
            tags[PREVIOUS_TAG] = before
        set_tags(client, version, tags)
        client.set_registered_model_alias(version.name, "champion", number)
    drop_challenger_that_is_champion(client, version.name)


def drop_challenger_that_is_champion(client: MlflowClient, name: str) -> None:
    """Remove the alias `challenger` if it names the champion."""
    current = aliases(client, name)
    if "challenger" in current and current["challenger"] == current.get("champion"):
        client.delete_registered_model_alias(name, "challenger")


def is_missing(error: MlflowException) -> bool:
    """Return whether MLflow says that what was asked for does not exist."""
    return bool(error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST))
