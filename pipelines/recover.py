"""Close what a killed run left open, before the next one starts."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mlflow.entities import LoggedModelStatus, Run, RunStatus, ViewType
from mlflow.tracking import MlflowClient
from zenml.client import Client
from zenml.enums import ExecutionStatus
from zenml.models import PipelineRunUpdate, StepRunUpdate
from zenml.utils.string_utils import format_name_template

from release import bento_store
from release.recover import finish_or_undo, reconcile

FOLDER = ".runs"


class Journal:
    """One empty file a run, so that no kill can leave half an entry.

    By construction: a name stands here before anything of that name exists anywhere else, and goes
    when the run is whole. With the checkout's lock held, a name found here is that of a dead run.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER / "unfinished"

    @contextmanager
    def entry(self, name_template: str) -> Iterator[str]:
        """The name for a new run; after an error it stays, for the next start to close the run."""
        name = format_name_template(name_template)
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).touch()
        yield name
        self.close(name)

    def unfinished(self) -> list[str]:
        """The runs that have not ended well, the oldest first."""
        files = self._folder.glob("*") if self._folder.is_dir() else []
        return [file.name for file in sorted(files, key=lambda file: file.stat().st_mtime_ns)]

    def close(self, name: str) -> None:
        """Forget a run."""
        (self._folder / name).unlink()


logger = logging.getLogger(__name__)

_REASON = "Its process ended without a word: killed, or the machine went down."


def recover(journal: Journal, experiment: str, model_name: str) -> list[str]:
    """End the runs that the journal holds in ZenML and MLflow; return the names of those killed.

    Only for the holder of the checkout's lock: to anybody else, a run in the journal may be alive.
    What is done here can be done again, so that a kill here changes nothing: a name leaves the
    journal last. A run whose own process could still say how it ended keeps that.
    """
    client, killed = MlflowClient(), []
    for name in journal.unfinished():
        ended_by_itself = _end_in_zenml(name)
        for run in _mlflow_runs(client, name, experiment):
            _end_in_mlflow(client, run)
        journal.close(name)
        if not ended_by_itself:
            killed.append(name)
    # A promotion by hand may have been killed too.
    with bento_store.lock(model_name):
        reconcile(client, model_name)
    return killed


def _end_in_zenml(name: str) -> bool:
    """Fail the run and its open steps; return whether there was nothing to do."""
    client = Client()
    open_runs = [run for run in client.list_pipeline_runs(name=name) if not _ended(run.status)]
    for run in open_runs:
        for step in client.list_run_steps(pipeline_run_id=run.id, size=100):
            if not _ended(step.status):
                client.zen_store.update_run_step(
                    step.id,
                    StepRunUpdate(status=ExecutionStatus.FAILED, end_time=datetime.now(UTC)),
                )
        client.zen_store.update_run(
            run.id, PipelineRunUpdate(status=ExecutionStatus.FAILED, status_reason=_REASON)
        )
    return not open_runs


def _ended(status: ExecutionStatus) -> bool:
    return bool(status.is_finished)


def _mlflow_runs(client: MlflowClient, name: str, experiment: str) -> list[Run]:
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return []
    return list(
        client.search_runs(
            [found.experiment_id], f"tags.mlflow.runName = '{name}'", ViewType.ACTIVE_ONLY
        )
    )


def _end_in_mlflow(client: MlflowClient, run: Run) -> None:
    """Kill the run, also one called finished: ZenML calls it so between two steps."""
    run_id = run.info.run_id
    finish_or_undo(client, run_id)
    pending = client.search_logged_models(
        [run.info.experiment_id], f"source_run_id = '{run_id}' AND status = 'PENDING'"
    )
    for model in pending:
        client.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED)
    if run.info.status not in {"FAILED", "KILLED"}:
        client.set_terminated(run_id, RunStatus.to_string(RunStatus.KILLED))
