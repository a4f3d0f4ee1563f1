"""Find what ZenML, MLflow and the BentoML store hold that no version or recent run needs."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlparse

import bentoml
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient
from zenml.client import Client
from zenml.enums import ExecutionStatus
from zenml.models import PipelineRunResponse, StepRunResponse
from zenml.utils.pagination_utils import depaginate

from release import registry
from release.compat import remove_model
from release.deploy import is_model_of, models, served_model


class Removal(NamedTuple):
    """Something that can be removed, the bytes that it occupies, and how to remove it."""

    what: str
    size: int
    remove: Callable[[], object]


def old_versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """Return the versions without an alias, except the previous champion, for a rollback."""
    champion = registry.champion(client, name)
    needed = set(registry.aliases(client, name).values())
    if champion is not None:
        needed.add(champion.tags.get(registry.PREVIOUS_TAG, ""))
    return [v for v in registry.versions(client, name) if str(v.version) not in needed]


def version_removals(client: MlflowClient, old: list[ModelVersion]) -> Iterator[Removal]:
    """Yield a removal for each version; its files are removed with its run."""
    for version in old:
        delete = partial(client.delete_model_version, version.name, version.version)
        yield Removal(f"version {version.version} of {version.name}", 0, delete)


def bento_removals(client: MlflowClient, name: str) -> Iterator[Removal]:
    """Yield the Bento models of registered versions that are not served, after their Bentos.

    Only the served model is needed, because deploying another version copies its files from MLflow
    again. Models of versions that this registry does not know belong to another checkout: kept.
    """
    served, known = served_model(name), registry.versions(client, name)
    old = [
        model
        for model in models(name)
        if served is not None
        and model.tag != served.tag
        and any(is_model_of(model, version) for version in known)
    ]
    tags = {str(model.tag) for model in old}
    for bento in bentoml.list():
        if tags & {str(model.tag) for model in bento.info.all_models}:
            delete = partial(bentoml.delete, str(bento.tag))
            yield Removal(f"Bento {bento.tag}", size_of(Path(bento.path)), delete)
    for model in old:
        folder = Path(model.path)
        delete = partial(remove_model, folder, name)
        yield Removal(f"Bento model {model.tag}", size_of(folder), delete)


def mlflow_run_removals(
    client: MlflowClient, experiment: str, kept: set[str], removed: list[ModelVersion]
) -> Iterator[Removal]:
    """Yield the MLflow runs that no registered version needs.

    Args:
        client: client of the tracking server.
        experiment: name of the experiment.
        kept: names of runs to keep.
        removed: versions that are being removed, which therefore need no run.
    """
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return
    dropped = {(version.name, version.version) for version in removed}
    needed = {
        version.run_id
        for version in client.search_model_versions()
        if (version.name, version.version) not in dropped
    }
    page = client.search_runs([found.experiment_id])
    runs = list(page)
    while page.token:
        page = client.search_runs([found.experiment_id], page_token=page.token)
        runs.extend(page)
    for run in runs:
        if run.info.run_id not in needed and run.info.run_name not in kept:
            yield _mlflow_run_removal(client, run)


def _mlflow_run_removal(client: MlflowClient, run: Run) -> Removal:
    run_id = run.info.run_id
    logged = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run_id}'")
    folders = [run.info.artifact_uri, *(model.artifact_location for model in logged)]

    def remove() -> None:
        # The run last: its models are found through it.
        for model in logged:
            client.delete_logged_model(model.model_id)
        client.delete_run(run_id)

    size = sum(size_of(Path(unquote(urlparse(folder).path))) for folder in folders)
    return Removal(f"MLflow run {run.info.run_name}", size, remove)


def split_runs(
    pipeline: str, keep: int
) -> tuple[list[PipelineRunResponse], list[PipelineRunResponse]]:
    """Return the ZenML runs of this checkout to keep, and those to remove.

    Kept are the newest `keep` completed runs, all newer ones, and the runs in which their cached
    steps ran: the next run finds the results of those in the cache.
    """
    client = Client()
    runs = depaginate(
        client.list_pipeline_runs,
        pipeline_name=pipeline,
        stack_id=client.active_stack_model.id,
        sort_by="desc:created",
        hydrate=True,
    )
    completed = [n for n, run in enumerate(runs) if run.status == ExecutionStatus.COMPLETED]
    if len(completed) < keep:
        return runs, []
    newest = runs[: completed[keep - 1] + 1]
    needed = {run.id for run in newest} | {
        client.get_run_step(step.original_step_run_id).pipeline_run_id
        for run in newest
        for step in _steps(run)
        if step.original_step_run_id
    }
    return (
        [run for run in runs if run.id in needed],
        [run for run in runs if run.id not in needed],
    )


def _steps(run: PipelineRunResponse) -> Iterator[StepRunResponse]:
    yield from Client().list_run_steps(pipeline_run_id=run.id, size=100, hydrate=True)


def zenml_run_removal(run: PipelineRunResponse) -> Removal:
    """Return the removal of a ZenML run, the artifacts that its own steps made, and its logs."""
    client = Client()
    store = client.active_stack.artifact_store
    steps = list(_steps(run))
    made = [step for step in steps if step.status != ExecutionStatus.CACHED]
    versions = [version for step in made for found in step.outputs.values() for version in found]
    logs = [log.uri for holder in (run, *steps) for log in holder.log_collection or []]
    # Found by name: ZenML does not know the artifacts of a step that was killed.
    folders = [
        folder for step in made for folder in store.glob(f"{store.path}/{step.name}/*/{step.id}")
    ]

    def remove() -> None:
        client.delete_pipeline_run(run.id)
        for version in versions:
            if client.list_artifact_versions(id=version.id, only_unused=True, size=1).items:
                client.delete_artifact_version(version.id)
        for folder in filter(store.exists, folders):
            store.rmtree(folder)
        for log in filter(store.exists, logs):
            store.remove(log)

    size = sum(size_of(Path(str(place))) for place in (*folders, *logs))
    return Removal(f"ZenML run {run.name}", size, remove)


def delete_permanently(tracking_uri: str) -> None:
    """Delete the files and records of runs and models that were marked as deleted."""
    subprocess.run(
        [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", tracking_uri,
         "--tracking-uri", tracking_uri],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def size_of(place: Path) -> int:
    """Return the bytes of a file or of a folder's files; 0 if it does not exist."""
    if place.is_file():
        return place.stat().st_size
    return sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
