"""Fixtures of the release tests."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from release.compat import bento_home
from tests.release.local_stores import Stores


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without data, created once: MLflow takes seconds to create its tables."""
    file = tmp_path_factory.mktemp("mlflow") / "empty.db"
    MlflowClient(f"sqlite:///{file}").search_registered_models()
    return file


@pytest.fixture
def stores(
    tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stores]:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # killed processes leave files there
    shutil.copyfile(empty_database, tmp_path / "mlflow.db")
    for name in ("models", "bentos", "staging"):
        shutil.rmtree(bento_home() / name, ignore_errors=True)
    (bento_home() / "models").mkdir()
    before, variable = mlflow.get_tracking_uri(), os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = mlflow.create_experiment("t", artifact_location=(tmp_path / "runs").as_uri())
    try:
        yield Stores(tmp_path, experiment)
    finally:
        mlflow.set_tracking_uri(before)
        # set_tracking_uri also sets the variable, for child processes.
        if variable is None:
            os.environ.pop("MLFLOW_TRACKING_URI", None)
