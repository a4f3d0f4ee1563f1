"""A real MLflow registry and a real BentoML store in temporary folders, and interrupted writes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient

from highlighter.settings import GateSettings
from release.compat import bento_home
from release.deploy import deploy, models, served_model
from release.gate import Measured, TeacherResult
from release.publish import Registration, publish
from release.registry import Lineage

NAME = "news-highlighter"
ROWS = 20
ECHO = """\
import mlflow

class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, model_input: list[str]) -> list[str]:
        return model_input

mlflow.models.set_model(Echo())
"""
# How a write is interrupted, and whether after its work or before.
INTERRUPTIONS = [
    pytest.param("kill -9", False, id="kill before"),
    pytest.param("kill -9", True, id="kill after"),
    pytest.param(OSError("disk full"), False, id="error before"),
    pytest.param(KeyboardInterrupt(), True, id="Ctrl-C after"),
]


def measured(level: float, rows: str = "rows-a") -> Measured:
    return Measured(
        system="abstractive",
        metric="rougeLsum",
        test_fingerprint=rows,
        ids=[f"id-{row}" for row in range(ROWS)],
        scores=[level + 0.5 * (-1) ** row for row in range(ROWS)],
        faithfulness=0.9,
        lead3=20.0,
    )


class Stores:
    """The registry and the store of one test."""

    def __init__(self, folder: Path, experiment: str) -> None:
        self.folder, self.experiment = folder, experiment
        self.client = MlflowClient()
        self.logged = 0

    def log(self, checkpoint: Path | None = None) -> tuple[Path, ModelInfo, Lineage]:
        """Log a checkpoint, or else a new one without contents, in its own run."""
        self.logged += 1
        if checkpoint is None:
            checkpoint = self.folder / f"training-{self.logged}" / "checkpoint"
            checkpoint.mkdir(parents=True)
            (checkpoint / "config.json").write_text("{}")
            (checkpoint / "model.safetensors").write_text(f"weights {self.logged}")
        code = self.folder / "echo.py"
        code.write_text(ECHO)
        with mlflow.start_run(experiment_id=self.experiment) as run:
            model = mlflow.pyfunc.log_model(
                name=NAME,
                python_model=str(code),
                artifacts={"checkpoint": str(checkpoint)},
                pip_requirements=["mlflow"],
            )
        lineage = Lineage(
            mlflow_run_id=run.info.run_id,
            zenml_run="run",
            data_fingerprint="data",
            git_commit=f"commit-{self.logged}",
        )
        return checkpoint, model, lineage

    def publication(
        self,
        level: float,
        rows: str = "rows-a",
        teacher: TeacherResult | None = None,
        files: Path | None = None,
        **gate: Any,
    ) -> Callable[[], Registration]:
        """Log a new checkpoint; return a function that publishes it, as often as it is called.

        `files` is an earlier checkpoint to publish in the new one's place.
        """
        checkpoint, model, lineage = self.log()
        return lambda: publish(
            files or checkpoint,
            lambda: model,
            name=NAME,
            measured=measured(level, rows),
            gate=GateSettings(**gate),
            resamples=200,
            seed=13,
            lineage=lineage,
            teacher=teacher,
        )

    def publish(self, level: float, **options: Any) -> Registration:
        """Publish a new checkpoint and deploy the champion, as a run of the pipeline does."""
        registration = self.publication(level, **options)()
        deploy(NAME)
        return registration

    def served(self) -> tuple[str, str] | None:
        """Version and weights that `bentoml serve` would load."""
        model = served_model(NAME)
        if model is None:
            return None
        weights = Path(model.path, "model.safetensors")
        return model.info.labels["model_version"], weights.read_text()

    def labels(self) -> dict[str, str]:
        model = served_model(NAME)
        assert model is not None
        return dict(model.info.labels)

    def aliases(self) -> dict[str, str]:
        found = self.client.search_registered_models()
        return {alias: str(v) for model in found for alias, v in model.aliases.items()}

    def versions(self) -> set[str]:
        return {str(version.version) for version in self.client.search_model_versions()}

    def state(self) -> tuple[Any, Any, Any]:
        """Everything that a command which fails at once must leave as it was."""
        files = (bento_home() / "models").rglob("*")
        return (
            self.aliases(),
            {str(v.version): (v.source, v.tags) for v in self.client.search_model_versions()},
            {str(file): file.read_bytes() for file in files if file.is_file()},
        )

    def files_of(self, version: str) -> Path:
        """The folder of a version's files in MLflow's artifact store."""
        source = self.client.get_model_version(NAME, version).source
        return Path(self.client.get_logged_model(source.rsplit("/", 1)[1]).artifact_location[7:])

    def check_complete(self) -> None:
        """Aliases have their version, versions their files, and Bento models all of theirs."""
        assert set(self.aliases().values()) <= self.versions()
        for number in self.versions():
            assert (self.files_of(number) / "artifacts" / "checkpoint" / "config.json").is_file()
        for model in models(NAME):
            assert model.info.labels["model_version"] in self.versions()
            assert Path(model.path, "model.safetensors").is_file()


def interrupt(
    how: str | BaseException, owner: Any, name: str, after: bool, act: Callable[[], object]
) -> None:
    """Do `act` until it calls a function, which is interrupted before or after its work.

    It is interrupted by an error, or by the death of a process of its own.
    """
    works = getattr(owner, name)

    def fail(*args: Any, **kwargs: Any) -> None:
        setattr(owner, name, works)
        if after:
            works(*args, **kwargs)
        if isinstance(how, BaseException):
            raise how
        os._exit(9)

    def attempt() -> bool:
        setattr(owner, name, fail)
        try:
            act()
        except BaseException as error:  # noqa: BLE001
            # Libraries wrap an OSError in errors of their own.
            return error is how or (isinstance(how, OSError) and isinstance(error, Exception))
        finally:
            setattr(owner, name, works)
        return False

    if isinstance(how, BaseException):
        assert attempt(), f"{name} was not called"
        return
    child = os.fork()
    if child == 0:
        try:
            attempt()
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9, f"{name} was not called"
