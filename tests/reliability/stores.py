"""Check a checkout's stores: after a kill, and after a run that has ended well."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import yaml
from mlflow.entities import RunStatus, ViewType
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from highlighter.data.fingerprint import hash_folder
from tests.checkout import Project

NAME = "news-highlighter"


def check_stores(project: Project) -> None:
    """Check what holds at every moment, whatever was killed: nothing is incomplete."""
    if not (project.folder / "mlflow.db").exists():
        return
    client = MlflowClient(project.tracking_uri)
    versions = {str(v.version): v for v in client.search_model_versions(f"name='{NAME}'")}
    for version in versions.values():
        assert hash_folder(_checkpoint(client, version)) == version.tags["checkpoint_hash"]
    for model in client.search_registered_models():
        assert {str(number) for number in model.aliases.values()} <= set(versions)
    for folder in _bento_folders(project):
        labels = _labels(folder)
        version = versions.get(labels["model_version"])
        assert version is not None, f"{folder}: its version is not registered"
        assert labels["mlflow_run_id"] == version.run_id
        registered = _checkpoint(client, version) / "model.safetensors"
        assert (folder / "model.safetensors").read_bytes() == registered.read_bytes()


def check_at_rest(project: Project) -> None:
    """Check what else holds after a run that has ended well: nothing is open or left over."""
    check_stores(project)
    client = MlflowClient(project.tracking_uri)
    [experiment] = client.search_experiments(filter_string="name = 'news_summarization'")
    runs = client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL)
    ended = [
        RunStatus.to_string(s) for s in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)
    ]
    status = {run.info.run_name: run.info.status for run in runs}
    assert set(status.values()) <= set(ended), status
    with closing(sqlite3.connect(_zenml_database(project))) as database:
        zenml = dict(database.execute("SELECT name, status FROM pipeline_run"))
        steps = {status for (status,) in database.execute("SELECT status FROM step_run")}
    assert set(zenml.values()) <= {"completed", "failed"}, zenml
    assert steps <= {"completed", "cached", "failed", "skipped"}, steps
    # `make clean-runs` may have removed a ZenML run whose MLflow run a version needs.
    for name in set(status) & set(zenml):
        assert (status[name] == "FINISHED") == (zenml[name] == "completed"), name
    pending = client.search_logged_models([experiment.experiment_id], "status = 'PENDING'")
    assert not pending
    champion = client.get_model_version_by_alias(NAME, "champion")
    models = _bento_home(project) / "models" / NAME
    served = _labels(models / (models / "latest").read_text())
    assert served["model_version"] == str(champion.version)
    assert served["mlflow_run_id"] == champion.run_id
    assert not list((_bento_home(project) / "staging").glob("*"))
    assert not list((project.folder / ".runs" / "unfinished").iterdir())
    scratch = Path(project.environment.get("TMPDIR", tempfile.gettempdir()))
    assert not list(scratch.glob("highlighter-*"))


def killed_runs(project: Project) -> list[str]:
    """Return the names of the runs that are marked as killed in MLflow."""
    client = MlflowClient(project.tracking_uri)
    [experiment] = client.search_experiments(filter_string="name = 'news_summarization'")
    runs = client.search_runs([experiment.experiment_id], "attributes.status = 'KILLED'")
    return [str(run.info.run_name) for run in runs]


def _checkpoint(client: MlflowClient, version: ModelVersion) -> Path:
    model = client.get_logged_model(version.source.rsplit("/", 1)[1])
    return Path(model.artifact_location.removeprefix("file://")) / "artifacts" / "checkpoint"


def _bento_home(project: Project) -> Path:
    return Path(project.environment["BENTOML_HOME"])


def _bento_folders(project: Project) -> list[Path]:
    return [p for p in (_bento_home(project) / "models" / NAME).glob("*") if p.is_dir()]


def _labels(folder: Path) -> dict[str, str]:
    record = folder / "model.yaml"
    assert record.is_file(), f"incomplete Bento model: {folder}"
    labels: dict[str, str] = yaml.safe_load(record.read_text())["labels"]
    return labels


def _zenml_database(project: Project) -> Path:
    [file] = Path(project.environment["ZENML_LOCAL_STORES_PATH"]).rglob("zenml.db")
    return file
