"""Versions in MLflow's model registry, their aliases and tags; each change can be undone."""

from contextlib import ExitStack

from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.models.model import ModelInfo
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.tracking import MlflowClient

SCORE_TAG = "score"
PREVIOUS_TAG = "previous_champion"
CHECKPOINT_TAG = "checkpoint_hash"
TEACHER_TAG = "teacher"


def versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """All versions of `name`, the oldest first; none if no such model is registered."""
    found = client.search_model_versions(f"name='{name}'")
    return sorted(found, key=lambda version: int(version.version))


def champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """The version the alias `champion` points to, or None before the first one."""
    number = aliases(client, name).get("champion")
    return None if number is None else client.get_model_version(name, number)


def uri(version: ModelVersion) -> str:
    """MLflow's name for a version, whatever its aliases."""
    return f"models:/{version.name}/{version.version}"


def aliases(client: MlflowClient, name: str) -> dict[str, str]:
    """The version each alias points to; empty if no such model is registered."""
    model = _registered(client, name)
    return {} if model is None else {key: str(value) for key, value in model.aliases.items()}


def move_alias(client: MlflowClient, name: str, alias: str, version: str, undo: ExitStack) -> None:
    """Point `alias` at `version`, in one transaction."""
    before = aliases(client, name).get(alias)
    # Callbacks are set before the deed: Ctrl-C may come when it is done but not yet returned.
    undo.callback(_point_alias, client, name, alias, before)
    client.set_registered_model_alias(name, alias, version)


def drop_alias(client: MlflowClient, name: str, alias: str, of: set[str], undo: ExitStack) -> None:
    """Remove `alias` if it points to one of the versions `of`."""
    before = aliases(client, name).get(alias)
    if before in of:
        undo.callback(_point_alias, client, name, alias, before)
        client.delete_registered_model_alias(name, alias)


def set_tag(
    client: MlflowClient, version: ModelVersion, key: str, value: str, undo: ExitStack
) -> None:
    """Set a tag of a version."""
    if key in version.tags:
        undo.callback(
            client.set_model_version_tag, version.name, version.version, key, version.tags[key]
        )
    else:
        undo.callback(client.delete_model_version_tag, version.name, version.version, key)
    client.set_model_version_tag(version.name, version.version, key, value)


def create_version(
    client: MlflowClient,
    name: str,
    model: ModelInfo,
    run_id: str,
    *,
    tags: dict[str, str],
    undo: ExitStack,
) -> ModelVersion:
    """Register a logged model as the next version of `name`."""
    if _registered(client, name) is None:
        undo.callback(delete_if_empty, client, name)
        client.create_registered_model(
            name, description="T5 that summarizes news; see the run of each version."
        )
    known = {version.version for version in versions(client, name)}
    undo.callback(_delete_versions, client, name, model.model_uri, known)
    return client.create_model_version(
        name, source=model.model_uri, run_id=run_id, model_id=model.model_id, tags=tags
    )


def delete_if_empty(client: MlflowClient, name: str) -> None:
    """Remove a registered model that has no version."""
    if _registered(client, name) and not versions(client, name):
        client.delete_registered_model(name)


def _registered(client: MlflowClient, name: str) -> RegisteredModel | None:
    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
        return None


def _point_alias(client: MlflowClient, name: str, alias: str, version: str | None) -> None:
    if version is None:
        client.delete_registered_model_alias(name, alias)  # no error if there is none
    else:
        client.set_registered_model_alias(name, alias, version)


def _delete_versions(client: MlflowClient, name: str, source: str, known: set[object]) -> None:
    for version in versions(client, name):
        if version.source == source and version.version not in known:
            client.delete_model_version(name, version.version)
