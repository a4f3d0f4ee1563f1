"""ZenML's old runs of this checkout, with their artifacts and logs."""

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from zenml.client import Client
from zenml.enums import ExecutionStatus
from zenml.models import PipelineRunResponse, StepRunResponse
from zenml.utils.pagination_utils import depaginate

from release.prune import Removal, size_of


def split_runs(
    pipeline: str, keep: int
) -> tuple[list[PipelineRunResponse], list[PipelineRunResponse]]:
    """The runs to keep and those to remove.

    Kept are the newest `keep` that ended well, whatever is newer, and the runs in which their
    cached steps were run: their stored results are what the next run finds in the cache.
    """
    client = Client()
    runs = depaginate(
        client.list_pipeline_runs,
        pipeline_name=pipeline,
        stack_id=client.active_stack_model.id,
        sort_by="desc:created",
        hydrate=True,
    )
    good = [n for n, run in enumerate(runs) if run.status == ExecutionStatus.COMPLETED]
    if len(good) < keep:
        return runs, []
    newest = runs[: good[keep - 1] + 1]
    needed = {run.id for run in newest} | _origins(newest)
    return (
        [run for run in runs if run.id in needed],
        [run for run in runs if run.id not in needed],
    )


def runs_to_remove(runs: list[PipelineRunResponse]) -> list[Removal]:
    """Runs with the artifacts that their own steps made, whole or not, and their logs."""
    return [_removal_of(run) for run in runs]


def _origins(runs: Iterable[PipelineRunResponse]) -> set[UUID]:
    client = Client()
    return {
        client.get_run_step(step.original_step_run_id).pipeline_run_id
        for run in runs
        for step in _steps(run)
        if step.original_step_run_id
    }


def _steps(run: PipelineRunResponse) -> list[StepRunResponse]:
    return list(Client().list_run_steps(pipeline_run_id=run.id, size=100, hydrate=True))


def _removal_of(run: PipelineRunResponse) -> Removal:
    client = Client()
    store = client.active_stack.artifact_store
    steps = _steps(run)
    made = [step for step in steps if step.status != ExecutionStatus.CACHED]
    versions = [version for step in made for found in step.outputs.values() for version in found]
    logs = [log.uri for holder in (run, *steps) for log in holder.log_collection or []]
    # A step that was killed has written artifacts of which ZenML does not know.
    folders = [
        folder
        for step in made
        for folder in (store.glob(f"{store.path}/{step.name}/*/{step.id}") if step.id else [])
    ]
    size = sum(size_of(Path(str(place))) for place in (*folders, *logs))

    def remove() -> None:
        client.delete_pipeline_run(run.id)
        for version in versions:
            if client.list_artifact_versions(id=version.id, only_unused=True, size=1).items:
                client.delete_artifact_version(version.id)
        for folder in folders:
            if store.exists(folder):
                store.rmtree(folder)
        for log in logs:
            if store.exists(log):
                store.remove(log)

    return Removal(f"ZenML run {run.name}", size, remove)
