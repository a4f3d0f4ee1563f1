"""Bring registry and BentoML store in step again after a release that was killed half way.

What a kill can leave follows from the order of writes, in `publish` and `make_champion`:

1. MLflow's files, whole, before the version that needs them;
2. the version, before the Bento model that names it;
3. the Bento model, whole, before the alias `champion` (an alias is one transaction);
4. `challenger` is dropped last.

So a version always has its files, an alias its version, a Bento model its version. Undoing goes
the same way back. Killed between 2 and 3, a version has no alias; between 3 and the alias, the
newest Bento model is not the champion's. Both are mended here.
"""

from contextlib import ExitStack

from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from release import bento_store, registry


def finish_or_undo(client: MlflowClient, run_id: str) -> None:
    """Take back the versions that a dead run registered, unless they have their alias already."""
    for version in client.search_model_versions(f"run_id='{run_id}'"):
        with bento_store.lock(version.name):
            if str(version.version) not in registry.aliases(client, version.name).values():
                for model in bento_store.models(version.name):
                    if _is_of(model.info.labels, version):
                        bento_store.delete(str(model.tag))
                client.delete_model_version(version.name, version.version)
                registry.delete_if_empty(client, version.name)
            reconcile(client, version.name)


def reconcile(client: MlflowClient, name: str) -> None:
    """Let the champion's be the newest Bento model again, if it still is in the store.

    Call it with the lock of `bento_store`. Models that another checkout's registry knows stay.
    """
    champion = registry.champion(client, name)
    if champion is None:
        return
    known = registry.versions(client, name)
    newest_first = sorted(
        bento_store.models(name), key=lambda model: model.creation_time, reverse=True
    )
    if not any(_is_of(model.info.labels, champion) for model in newest_first):
        return
    for model in newest_first:
        if _is_of(model.info.labels, champion):
            break
        if any(_is_of(model.info.labels, version) for version in known):
            bento_store.delete(str(model.tag))
    bento_store.serve_newest(name)
    registry.drop_alias(client, name, "challenger", {str(champion.version)}, ExitStack())


def _is_of(labels: dict[str, str], version: ModelVersion) -> bool:
    return (labels.get("model_version"), labels.get("mlflow_run_id")) == (
        str(version.version),
        version.run_id,
    )
