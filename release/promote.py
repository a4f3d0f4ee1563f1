"""Promote a version by hand, or roll back to the previous champion."""

import sys
import tempfile
from pathlib import Path
from typing import Literal, NamedTuple

from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from highlighter.errors import RegistryError
from release import registry
from release.deploy import Deployment, deploy, release_lock
from release.logged_model import fetch_checkpoint


class Promotion(NamedTuple):
    """What is served now, and the number of the champion before it, if there was one."""

    deployment: Deployment
    before: str | None


def promote(name: str, version: str) -> Promotion:
    """Make any registered version the champion, and deploy it.

    Promoting the champion itself only deploys it.

    Raises:
        RegistryError: there is no such version, or its files are missing or changed. The champion
            is then as before.
    """
    client = MlflowClient()
    with release_lock(name):
        before = registry.aliases(client, name).get("champion")
        _promote(client, _version(client, name, version), "hand")
    return Promotion(_deploy(name), before)


def rollback(name: str) -> Promotion:
    """Make the previous champion the champion again, and deploy it.

    The version keeps its own predecessor, so rolling back again goes one champion further into the
    past, not back to the one that was just left.

    Raises:
        RegistryError: there is no champion or none before it, or its files are missing or changed.
            The champion is then as before.
    """
    client = MlflowClient()
    with release_lock(name):
        _require_model(client, name)
        current = registry.champion(client, name)
        if current is None:
            raise RegistryError(
                f"{name} has no champion to roll back from: promote a version "
                "(`python -m release promote VERSION`)."
            )
        previous = current.tags.get(registry.PREVIOUS_TAG)
        if previous is None:
            raise RegistryError(
                f"{name} version {current.version} followed no other champion. To serve another "
                "version, promote it by hand (`python -m release promote VERSION`)."
            )
        _promote(client, _version(client, name, previous), "rollback")
    return Promotion(_deploy(name), str(current.version))


def _promote(client: MlflowClient, version: ModelVersion, by: Literal["hand", "rollback"]) -> None:
    with tempfile.TemporaryDirectory(prefix="highlighter-promote-") as folder:
        fetch_checkpoint(version, Path(folder))  # fails before anything has changed
    registry.make_champion(client, version, by)


def _deploy(name: str) -> Deployment:
    try:
        deployment = deploy(name)
    except BaseException:
        print(
            f"The champion of {name} has changed in MLflow, but is not served yet. Run "
            "`python -m release deploy` when the cause below is removed.",
            file=sys.stderr,
        )
        raise
    if deployment is None:
        raise RegistryError(f"{name} lost its champion while it was being deployed.")
    return deployment


def _version(client: MlflowClient, name: str, version: str) -> ModelVersion:
    _require_model(client, name)
    known = {str(found.version): found for found in registry.versions(client, name)}
    if version not in known:
        raise RegistryError(f"{name} has no version {version}. Promote one of: {', '.join(known)}.")
    return known[version]


def _require_model(client: MlflowClient, name: str) -> None:
    if not registry.versions(client, name):
        raise RegistryError(
            f"No version of {name!r} is registered in {client.tracking_uri}. Run the pipeline "
            "first (`python run_pipeline.py`), or check --model-name."
        )
