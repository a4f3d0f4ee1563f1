"""Releases against a real MLflow registry and a real BentoML store, both in temporary folders."""

import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bentoml
import mlflow
import pytest
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.models import ModelStore
from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient

from highlighter.data.fingerprint import hash_folder
from highlighter.errors import RegistryError
from highlighter.metrics.statistics import Interval
from highlighter.settings import GateSettings
from release import __main__ as command_line
from release import bento_store
from release.champion import Lineage
from release.gate import Measured, Teacher
from release.measurements import load_measured, store_measured
from release.promote import promote, rollback
from release.publish import Registration, publish, still_stands
from release.teacher import champion_as_teacher, fingerprint_teacher

NAME = "news-highlighter"
ROWS = 20
ECHO = """\
import mlflow

class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, model_input: list[str]) -> list[str]:
        return model_input

mlflow.models.set_model(Echo())
"""


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
    """A registry and a store of their own, and what they hold."""

    def __init__(self, folder: Path, bento: ModelStore, experiment: str) -> None:
        self.folder, self.bento, self.experiment = folder, bento, experiment
        self.client = MlflowClient()
        self.logged = 0

    def log(self) -> tuple[Path, ModelInfo, Lineage]:
        """A new checkpoint, logged in a run of its own."""
        self.logged += 1
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

    def publish(
        self, level: float, rows: str = "rows-a", teacher: Teacher | None = None, **gate: Any
    ) -> Registration:
        checkpoint, model, lineage = self.log()
        return publish(
            checkpoint,
            model,
            name=NAME,
            measured=measured(level, rows),
            gate=GateSettings(**gate),
            resamples=200,
            seed=13,
            lineage=lineage,
            teacher=teacher,
        )

    def served(self) -> tuple[str, str] | None:
        """Version and weights that `bentoml serve` would load."""
        labels = bento_store.served_labels(NAME)
        if labels is None:
            return None
        weights = Path(bentoml.models.get(f"{NAME}:latest").path, "model.safetensors")
        return labels["model_version"], weights.read_text()

    def aliases(self) -> dict[str, str]:
        found = self.client.get_registered_model(NAME).aliases
        return {alias: str(version) for alias, version in found.items()}

    def state(self) -> tuple[Any, Any, Any]:
        """All that a failed release must leave as it was."""
        files = Path(self.bento._path).rglob("*")
        return (
            {model.name: model.aliases for model in self.client.search_registered_models()},
            {str(v.version): (v.source, v.tags) for v in self.client.search_model_versions()},
            {str(file): file.read_bytes() for file in files if file.is_file()},
        )

    def files_of(self, version: str) -> Path:
        """The folder of a version's files in MLflow's artifact store."""
        source = self.client.get_model_version(NAME, version).source
        return Path(self.client.get_logged_model(source.rsplit("/", 1)[1]).artifact_location[7:])


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: MLflow takes seconds to create its tables."""
    file = tmp_path_factory.mktemp("mlflow") / "empty.db"
    MlflowClient(f"sqlite:///{file}").search_registered_models()
    return file


@pytest.fixture
def stores(
    tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stores]:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    monkeypatch.setattr(bentoml.models, "track", lambda event: None)  # usage statistics
    shutil.copyfile(empty_database, tmp_path / "mlflow.db")
    before, variable = mlflow.get_tracking_uri(), os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    bento = ModelStore(tmp_path / "bento")
    (tmp_path / "bento").mkdir()
    experiment = mlflow.create_experiment("t", artifact_location=(tmp_path / "runs").as_uri())
    try:
        with (
            BentoMLContainer.model_store.patch(bento),
            BentoMLContainer.bentoml_home.patch(str(tmp_path)),
        ):
            yield Stores(tmp_path, bento, experiment)
    finally:
        mlflow.set_tracking_uri(before)
        # set_tracking_uri writes the variable too, for child processes.
        if variable is None:
            os.environ.pop("MLFLOW_TRACKING_URI", None)


def failing(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, error: BaseException, after: bool
) -> None:
    """Let a function fail before or after it does its work, the first time it is called."""
    works: Callable[..., Any] = getattr(owner, name)

    def fail(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(owner, name, works)
        if after:
            works(*args, **kwargs)
        raise error

    monkeypatch.setattr(owner, name, fail)


ERRORS = [
    pytest.param(error, after, id=f"{type(error).__name__} {'after' if after else 'before'}")
    for error in (OSError("disk full"), KeyboardInterrupt())
    for after in (False, True)
]
IMPORT = [
    (shutil, "copytree"),  # inside the import into the BentoML store
    (ModelStore, "get"),  # when the store has saved the model
    (bento_store, "import_checkpoint"),
]
ALIAS = (MlflowClient, "set_registered_model_alias")


def test_the_first_version_becomes_champion_and_is_served(stores: Stores) -> None:
    registration = stores.publish(30)
    assert registration.version == "1"
    assert registration.alias == "champion"
    assert stores.aliases() == {"champion": "1"}
    assert stores.served() == ("1", "weights 1")
    assert still_stands(registration)
    labels = bento_store.served_labels(NAME)
    assert labels == {
        "model_version": "1",
        "mlflow_run_id": registration.mlflow_run_id,
        "zenml_run": "run",
        "data_fingerprint": "data",
        "git_commit": "commit-1",
    }
    tags = stores.client.get_model_version(NAME, "1").tags
    assert tags["score"] == "30.0000"
    assert tags["test_fingerprint"] == "rows-a"
    assert "it is the first" in tags["gate"]
    assert Registration.model_validate_json(registration.model_dump_json()) == registration


def test_a_worse_version_is_challenger_and_the_store_is_unchanged(stores: Stores) -> None:
    first = stores.publish(30)
    registration = stores.publish(29)
    assert stores.aliases() == {"champion": "1", "challenger": "2"}
    assert stores.served() == ("1", "weights 1")
    assert len(bentoml.models.list()) == 1
    assert registration.bento_tag is None
    assert registration.decision.difference is not None
    assert registration.decision.difference.mean == pytest.approx(-1)
    assert still_stands(first)
    assert still_stands(registration)


def test_a_tie_is_promoted_and_knows_its_predecessor(stores: Stores) -> None:
    stores.publish(30)
    stores.publish(30)
    assert stores.aliases() == {"champion": "2"}
    assert stores.served() == ("2", "weights 2")
    assert stores.client.get_model_version(NAME, "2").tags["previous_champion"] == "1"


def test_floors_and_other_test_rows_make_a_challenger(stores: Stores) -> None:
    stores.publish(30, minimum_gain_over_lead3=10.5)
    assert stores.aliases() == {"challenger": "1"}
    assert stores.served() is None
    stores.publish(30)
    stores.publish(35, rows="rows-b")
    assert stores.aliases() == {"champion": "2", "challenger": "3"}


def test_a_champion_without_stored_scores_stays(stores: Stores) -> None:
    stores.publish(30)
    shutil.rmtree(stores.folder / "runs" / stores.client.get_model_version(NAME, "1").run_id)
    registration = stores.publish(35)
    assert registration.alias == "challenger"
    assert "champion 1 has no stored score" in registration.decision.reasons[-1]


@pytest.mark.parametrize(("error", "after"), ERRORS)
def test_a_failed_release_leaves_everything_as_it_was(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: bool
) -> None:
    stores.publish(30)
    stores.publish(29)
    before = stores.state()
    checkpoint, model, lineage = stores.log()
    for level, owner, name in (
        (31, MlflowClient, "create_model_version"),
        *((31, owner, name) for owner, name in (*IMPORT, ALIAS)),
        (28, *ALIAS),
    ):
        failing(monkeypatch, owner, name, error, after)
        with pytest.raises(type(error)):
            publish(
                checkpoint, model, name=NAME, measured=measured(level), gate=GateSettings(),
                resamples=200, seed=13, lineage=lineage,
            )  # fmt: skip
        assert stores.state() == before, name


@pytest.mark.parametrize(("error", "after"), ERRORS)
def test_a_failed_first_release_leaves_nothing(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: bool
) -> None:
    before = stores.state()
    checkpoint, model, lineage = stores.log()
    for owner, name in ((MlflowClient, "create_registered_model"), *IMPORT, ALIAS):
        failing(monkeypatch, owner, name, error, after)
        with pytest.raises(type(error)):
            publish(
                checkpoint, model, name=NAME, measured=measured(30), gate=GateSettings(),
                resamples=200, seed=13, lineage=lineage,
            )  # fmt: skip
        assert stores.state() == before, name


@pytest.mark.parametrize(("error", "after"), ERRORS)
def test_a_failed_promotion_leaves_everything_as_it_was(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: bool
) -> None:
    stores.publish(30)
    stores.publish(29)
    before = stores.state()
    for owner, name in (
        (mlflow.artifacts, "download_artifacts"),
        *IMPORT,
        (MlflowClient, "set_model_version_tag"),
        (MlflowClient, "delete_registered_model_alias"),
        ALIAS,
    ):
        failing(monkeypatch, owner, name, error, after)
        # Files that can't be fetched are explained.
        with pytest.raises((type(error), RegistryError)):
            promote(NAME, "2")
        assert stores.state() == before, name


def test_a_version_promoted_by_hand_is_served(stores: Stores) -> None:
    stores.publish(30)
    stores.publish(31)
    stores.publish(29)
    done = promote(NAME, "3")
    assert (done.version, done.before) == ("3", "2")
    assert stores.aliases() == {"champion": "3"}
    assert stores.served() == ("3", "weights 3")
    labels = bento_store.served_labels(NAME)
    assert labels is not None
    assert labels["promoted_by"] == "hand"
    assert labels["git_commit"] == "commit-3"
    assert labels["mlflow_run_id"] == stores.client.get_model_version(NAME, "3").run_id
    promote(NAME, "1")
    assert stores.aliases() == {"champion": "1"}
    assert stores.served() == ("1", "weights 1")
    rollback(NAME)
    assert stores.served() == ("3", "weights 3")


def test_promoting_the_champion_fills_a_store_that_was_cleared(stores: Stores) -> None:
    stores.publish(30)
    registration = stores.publish(31)
    for model in bentoml.models.list():
        bentoml.models.delete(model.tag)
    assert not still_stands(registration)
    promote(NAME, "2")
    assert still_stands(registration)
    assert stores.served() == ("2", "weights 2")
    assert stores.client.get_model_version(NAME, "2").tags["previous_champion"] == "1"


def test_rolling_back_goes_further_into_the_past_each_time(stores: Stores) -> None:
    for level in (30, 31, 32):
        stores.publish(level)
    for version in ("2", "1"):
        assert rollback(NAME).version == version
        assert stores.aliases() == {"champion": version}
        assert stores.served() == (version, f"weights {version}")
    before = stores.state()
    with pytest.raises(RegistryError, match="followed no other champion"):
        rollback(NAME)
    assert stores.state() == before


def test_errors_say_what_to_do(stores: Stores) -> None:
    for act in (lambda: promote(NAME, "1"), lambda: rollback(NAME)):
        with pytest.raises(RegistryError, match="Run the pipeline"):
            act()
    stores.publish(30, minimum_faithfulness=0.99)
    with pytest.raises(RegistryError, match="no champion"):
        rollback(NAME)
    stores.publish(30)
    stores.publish(31)
    with pytest.raises(RegistryError, match=r"no version 9\. Promote one of: 1, 2, 3"):
        promote(NAME, "9")
    with pytest.raises(RegistryError, match="no version two"):
        promote(NAME, "two")
    stores.client.delete_model_version(NAME, "2")
    with pytest.raises(RegistryError, match=r"no version 2\."):
        rollback(NAME)


def test_a_version_whose_files_are_gone_or_changed_is_not_promoted(stores: Stores) -> None:
    stores.publish(30)
    stores.publish(31)
    before = stores.state()
    weights = stores.files_of("1") / "artifacts" / "checkpoint" / "model.safetensors"
    weights.write_text("other weights")
    with pytest.raises(RegistryError, match="not those that were registered"):
        promote(NAME, "1")
    weights.unlink()
    with pytest.raises(RegistryError, match="no weights left"):
        promote(NAME, "1")
    shutil.rmtree(stores.files_of("1"))
    with pytest.raises(RegistryError, match="no checkpoint left.*promote another version"):
        rollback(NAME)
    assert stores.state() == before


def test_what_was_measured_survives_with_nan(stores: Stores) -> None:
    _, model, lineage = stores.log()
    stores.client.create_registered_model(NAME)
    version = stores.client.create_model_version(NAME, model.model_uri, lineage.mlflow_run_id)
    assert load_measured(stores.client, version) == Measured()
    written = measured(30).model_copy(
        update={"scores": [math.nan, *range(1, ROWS)], "lead3": math.nan, "faithfulness": None}
    )
    store_measured(stores.client, lineage.mlflow_run_id, written)
    read = load_measured(stores.client, version)
    assert read.scores is not None
    assert math.isnan(read.scores[0])
    assert read.scores[1:] == list(range(1, ROWS))
    assert read.lead3 is not None
    assert math.isnan(read.lead3)
    assert read.faithfulness is None
    assert read.ids == written.ids
    stores.client.log_text(lineage.mlflow_run_id, '{"ids": 7}', "gate/measured.json")
    with pytest.raises(RegistryError, match="is not what this project writes"):
        load_measured(stores.client, version)


def test_a_model_from_the_future_is_not_silently_served(stores: Stores) -> None:
    stores.publish(30)
    record = Path(bentoml.models.get(f"{NAME}:latest").path, "model.yaml")
    record.write_text(record.read_text().replace("creation_time: '20", "creation_time: '30"))
    before = stores.state()
    with pytest.raises(RegistryError, match="dated in the future"):
        stores.publish(31)
    assert stores.state() == before


def test_the_command_line(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "use_tracking_of", lambda checkout: None)
    stores.publish(30)
    stores.publish(29)
    assert command_line.main(["promote", "2"]) == 0
    assert "Now served: news-highlighter version 2 (" in capsys.readouterr().out
    assert command_line.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:2] == ["1", "30.0000"]
    assert lines[2].split()[:3] == ["2", "champion", "29.0000"]
    assert lines[3] == "Served: version 2"
    bentoml.models.delete(f"{NAME}:latest")
    assert command_line.main(["list"]) == 0
    assert "`python -m release promote 2` mends that" in capsys.readouterr().out
    assert command_line.main(["rollback"]) == 0
    assert stores.served() == ("1", "weights 1")
    assert command_line.main(["rollback"]) == 1
    assert "error: news-highlighter version 1 followed no" in capsys.readouterr().err
    assert command_line.main(["--model-name", "other", "list"]) == 0
    assert "Served: nothing" in capsys.readouterr().out


def test_the_command_line_asks_the_active_stack_where_versions_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "ROOT", tmp_path)
    assert command_line.main(["list"]) == 1
    assert "run `python run_pipeline.py` first" in capsys.readouterr().err
    (tmp_path / ".zen").mkdir()
    roots: list[Path] = []
    client = SimpleNamespace(activate_root=roots.append)
    monkeypatch.setitem(sys.modules, "zenml.client", SimpleNamespace(Client=lambda: client))

    def use_stack_tracking() -> None:
        raise RegistryError("asked")

    monkeypatch.setattr("release.tracking.use_stack_tracking", use_stack_tracking)
    assert command_line.main(["list"]) == 1
    assert roots == [tmp_path]
    assert "asked" in capsys.readouterr().err


def taught_by(version: str, level: float) -> Teacher:
    scores = measured(level).scores
    assert scores is not None
    speed = Interval(mean=1.6, low=1.5, high=1.7)
    return Teacher(name=f"models:/{NAME}/{version}", scores=scores, speedup=speed)


def test_a_student_follows_its_teacher_which_stays_the_teacher_of_the_next(stores: Stores) -> None:
    with pytest.raises(RegistryError, match=r"no champion to be a student's teacher"):
        champion_as_teacher(NAME)
    stores.publish(30)
    teacher = champion_as_teacher(NAME)
    assert teacher == f"models:/{NAME}/1"
    student = stores.publish(29, teacher=taught_by("1", 30), maximum_loss_to_teacher=1.5)
    assert student.alias == "champion"
    assert stores.aliases() == {"champion": "2"}
    # Not a student's student, and not the teacher's loss once more.
    assert champion_as_teacher(NAME) == teacher
    again = stores.publish(28, teacher=taught_by("1", 30), maximum_loss_to_teacher=2.5)
    assert again.alias == "challenger"
    assert "significantly worse: -1.00 points to champion 2" in again.decision.reasons[-1]


def test_a_registered_teacher_is_known_by_its_files(stores: Stores, tmp_path: Path) -> None:
    stores.publish(30)
    training = stores.folder / "training-1" / "checkpoint"
    assert fingerprint_teacher(f"models:/{NAME}/1", tmp_path / "a") == hash_folder(training)
    stores.client.delete_model_version_tag(NAME, "1", "checkpoint_hash")
    assert fingerprint_teacher(f"models:/{NAME}/1", tmp_path / "b") == hash_folder(training)
    for name, message in ((f"models:/{NAME}/9", "no such version"), ("models:/x", "NAME/VERSION")):
        with pytest.raises(RegistryError, match=message):
            fingerprint_teacher(name, tmp_path)
