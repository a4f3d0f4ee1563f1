"""Mark runs whose process was killed as ended, before the next run starts.

Each run has a file named after it in `.runs/unfinished`, written before anything else of the run
and removed when it has ended without an error. Only one run at a time holds the checkout's lock, so
the process of any run found there by the lock's holder has ended.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mlflow.entities import LoggedModelStatus, RunStatus
from mlflow.tracking import MlflowClient
from zenml.client import Client
from zenml.enums import ExecutionStatus
from zenml.models import PipelineRunResponse, PipelineRunUpdate, StepRunUpdate

_REASON = "Its process ended without reporting a result: it was killed, or the machine went down."


def _folder(root: Path) -> Path:
    return root / ".runs" / "unfinished"


@contextmanager
def recorded(root: Path, name: str) -> Iterator[None]:
    """Record a run as unfinished; the record stays if the run ends with an error."""
    file = _folder(root) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(str(root), encoding="utf-8")
    yield
    file.unlink()


def end_killed_runs(root: Path, experiment: str) -> list[str]:
    """Mark recorded runs as ended in ZenML and MLflow; return the names of those killed.

    Call it only with the checkout's lock: without it, a recorded run may be alive. It can be
    repeated, because the record of a run is removed last.

    Args:
        root: folder of the checkout.
        experiment: name of the MLflow experiment.
    """
    records = _folder(root).glob("*")
    killed = []
    for record in sorted(records, key=lambda file: file.stat().st_mtime_ns):
        if _is_of_another_checkout(record, root):
            record.unlink()
            continue
        runs = Client().list_pipeline_runs(name=record.name).items
        open_runs = [run for run in runs if not run.status.is_finished]
        for run in open_runs:
            _end_in_zenml(run)
        if not any(run.status == ExecutionStatus.COMPLETED for run in runs):
            _end_in_mlflow(record.name, experiment)
        record.unlink()
        if open_runs:
            killed.append(record.name)
    return killed


def _is_of_another_checkout(record: Path, root: Path) -> bool:
    """Return whether a record was copied with the checkout, whose run may be alive."""
    made_in = Path(record.read_text(encoding="utf-8"))
    return made_in != root and (_folder(made_in) / record.name).exists()


def _end_in_zenml(run: PipelineRunResponse) -> None:
    store = Client().zen_store
    for step in Client().list_run_steps(pipeline_run_id=run.id, size=100):
        if not step.status.is_finished:
            failed = StepRunUpdate(status=ExecutionStatus.FAILED, end_time=datetime.now(UTC))
            store.update_run_step(step.id, failed)
    store.update_run(
        run.id, PipelineRunUpdate(status=ExecutionStatus.FAILED, status_reason=_REASON)
    )


def _end_in_mlflow(name: str, experiment: str) -> None:
    """Mark a run as killed unless it failed by itself, and its incomplete models as failed.

    ZenML sets the status FINISHED after each step, so that of a killed run may be wrong.
    """
    client = MlflowClient()
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return
    for run in client.search_runs([found.experiment_id], f"tags.mlflow.runName = '{name}'"):
        run_id = run.info.run_id
        for model in client.search_logged_models(
            [found.experiment_id], f"source_run_id = '{run_id}' AND status = 'PENDING'"
        ):
            client.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED)
        if run.info.status not in {"FAILED", "KILLED"}:
            client.set_terminated(run_id, RunStatus.to_string(RunStatus.KILLED))
