"""What MLflow and the BentoML store hold that no alias, version or newest run needs."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlparse

import bentoml
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from release import bento_store, registry


@dataclass(frozen=True)
class Removal:
    """A thing that can go, what it holds on the disk, and how it goes."""

    what: str
    size: int
    remove: Callable[[], object]


def old_versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """Versions without an alias, but for the champion's predecessor, which a rollback needs."""
    champion = registry.champion(client, name)
    needed = set(registry.aliases(client, name).values())
    if champion is not None:
        needed.add(champion.tags.get(registry.PREVIOUS_TAG, ""))
    return [v for v in registry.versions(client, name) if str(v.version) not in needed]


def versions_to_remove(client: MlflowClient, old: list[ModelVersion]) -> list[Removal]:
    """Versions themselves; their files go with their runs."""
    return [
        Removal(
            f"version {version.version} of {version.name}",
            0,
            partial(client.delete_model_version, version.name, version.version),
        )
        for version in old
    ]


def bento_models_to_remove(client: MlflowClient, name: str) -> list[Removal]:
    """Models of our versions but for the newest, and the Bentos packed with them.

    A promotion copies a version's model from MLflow again, so the newest one is enough.
    """
    ours = {(str(v.version), v.run_id) for v in registry.versions(client, name)}
    models = sorted(bento_store.models(name), key=lambda model: model.creation_time)
    old = [
        model
        for model in models[:-1]
        if (model.info.labels.get("model_version"), model.info.labels.get("mlflow_run_id")) in ours
    ]
    tags = {str(model.tag) for model in old}
    bentos = [
        bento
        for bento in bentoml.list()
        if tags & {str(model.tag) for model in bento.info.all_models}
    ]
    return [
        *(
            Removal(
                f"Bento {bento.tag}",
                size_of(Path(bento.path)),
                partial(bentoml.delete, str(bento.tag)),
            )
            for bento in bentos
        ),
        *(
            Removal(
                f"Bento model {model.tag}",
                size_of(Path(model.path)),
                partial(bento_store.delete, str(model.tag)),
            )
            for model in old
        ),
    ]


def mlflow_runs_to_remove(
    client: MlflowClient, experiment: str, names: set[str], gone: list[ModelVersion]
) -> list[Removal]:
    """Runs that no registered version (but for those `gone`) and none of `names` needs."""
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return []
    dropped = {(v.name, v.version) for v in gone}
    needed = {
        v.run_id for v in client.search_model_versions() if (v.name, v.version) not in dropped
    }
    runs = [
        run
        for run in _all_runs(client, found.experiment_id)
        if run.info.run_id not in needed and run.info.run_name not in names
    ]
    return [_removal_of(client, run) for run in runs]


def empty_bin(tracking_uri: str) -> None:
    """Remove for good, with their files, runs and models that were deleted."""
    subprocess.run(
        [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", tracking_uri,
         "--tracking-uri", tracking_uri],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def size_of(folder: Path) -> int:
    """Bytes in a folder's files, or in a file; 0 if there is none."""
    if folder.is_file():
        return folder.stat().st_size
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _all_runs(client: MlflowClient, experiment_id: str) -> list[Run]:
    runs: list[Run] = []
    token = None
    while True:
        page = client.search_runs([experiment_id], page_token=token)
        runs.extend(page)
        token = page.token
        if not token:
            return runs


def _removal_of(client: MlflowClient, run: Run) -> Removal:
    run_id = run.info.run_id
    models = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run_id}'")
    places = [run.info.artifact_uri, *(model.artifact_location for model in models)]

    def remove() -> None:
        # The models first: they are found by their run.
        for model in models:
            client.delete_logged_model(model.model_id)
        client.delete_run(run_id)

    return Removal(
        f"MLflow run {run.info.run_name}", sum(size_of(_local(place)) for place in places), remove
    )


def _local(uri: str) -> Path:
    return Path(unquote(urlparse(uri).path))
