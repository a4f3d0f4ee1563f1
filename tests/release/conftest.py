"""Fixtures of the release tests."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient

from highlighter.embedded import CHECKPOINT
from highlighter.model.checkpoint import finish_checkpoint
from highlighter.settings import GenerationSettings, HighlightSettings
from release.compat import bento_home
from release.logged_model import log_checkpoint
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


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the shipped checkpoint with the settings of an evaluation."""
    folder = tmp_path_factory.mktemp("final") / "checkpoint"
    finish_checkpoint(CHECKPOINT, GenerationSettings(), HighlightSettings(), folder)
    return folder


@pytest.fixture(scope="module")
def logged(
    checkpoint: Path, empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelInfo]:
    """Log that checkpoint in a database of the test file's."""
    folder = tmp_path_factory.mktemp("logged")
    before = mlflow.get_tracking_uri()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        patch.setenv("MLFLOW_TRACKING_URI", before)  # set_tracking_uri changes it
        shutil.copyfile(empty_database, folder / "mlflow.db")
        mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
        experiment = mlflow.create_experiment("t", artifact_location=(folder / "runs").as_uri())
        with mlflow.start_run(experiment_id=experiment):
            model = log_checkpoint(checkpoint, "news-highlighter", ["The bridge is closed."])
        yield model
        mlflow.set_tracking_uri(before)
