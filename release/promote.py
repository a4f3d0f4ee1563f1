"""Promotion by hand, and the way back."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient
from pydantic import BaseModel

from highlighter.errors import RegistryError
from release import bento_store, registry
from release.champion import Lineage, make_champion
from release.logged_model import fetch_checkpoint
from release.recover import reconcile


class Promotion(BaseModel):
    """What is served now, and the champion before it, if there was one."""

    model_name: str
    version: str
    bento_tag: str
    before: str | None


def promote(name: str, version: str) -> Promotion:
    """Make any registered version the champion and serve it; an error or Ctrl-C undoes it all.

    Promoting the champion itself puts its checkpoint back into the BentoML store.

    Raises:
        RegistryError: no such version, or its files are gone.
    """
    client = MlflowClient()
    with bento_store.lock(name), ExitStack() as undo:
        chosen = _version(client, name, version)
        reconcile(client, name)
        before = registry.aliases(client, name).get("champion")
        if before not in {None, str(chosen.version)}:
            registry.set_tag(client, chosen, registry.PREVIOUS_TAG, str(before), undo)
        return _serve(client, chosen, before, "hand", undo)


def rollback(name: str) -> Promotion:
    """Back to the champion before today's; an error or Ctrl-C undoes it all.

    The version gone back to keeps the predecessor it had, so that rolling back again goes one
    champion further into the past, not forth to the one that was just left.

    Raises:
        RegistryError: there is no champion, or none before it, or its files are gone.
    """
    client = MlflowClient()
    with bento_store.lock(name):
        return _rollback(client, name)


def _rollback(client: MlflowClient, name: str) -> Promotion:
    _require_model(client, name)
    reconcile(client, name)
    today = registry.champion(client, name)
    if today is None:
        raise RegistryError(
            f"{name} has no champion to roll back from: promote a version "
            "(`python -m release promote VERSION`)."
        )
    previous = today.tags.get(registry.PREVIOUS_TAG)
    if previous is None:
        raise RegistryError(
            f"{name} version {today.version} followed no other champion. To serve another "
            "version, promote it by hand (`python -m release promote VERSION`)."
        )
    with ExitStack() as undo:
        chosen = _version(client, name, previous)
        return _serve(client, chosen, str(today.version), "rollback", undo)


def _serve(
    client: MlflowClient, chosen: ModelVersion, before: str | None, by: str, undo: ExitStack
) -> Promotion:
    """Fetch a version's files and make it the champion, for good when this returns."""
    lineage = {key: chosen.tags.get(key, "unknown") for key in Lineage.model_fields}
    if chosen.run_id:
        lineage["mlflow_run_id"] = chosen.run_id
    with tempfile.TemporaryDirectory(prefix="highlighter-promote-") as folder:
        checkpoint = fetch_checkpoint(chosen, Path(folder))
        tag = make_champion(client, chosen, checkpoint, {**lineage, "promoted_by": by}, undo)
    promotion = Promotion(
        model_name=chosen.name, version=str(chosen.version), bento_tag=tag, before=before
    )
    undo.pop_all()
    return promotion


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
