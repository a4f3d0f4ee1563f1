"""Each checkout has stores of its own, wherever it was copied or moved."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient
from zenml.client import Client
from zenml.enums import StackComponentType

from highlighter.errors import HighlighterError, RegistryError
from highlighter.settings import PIPELINE_NAME
from pipelines.recover import end_killed_runs, recorded
from pipelines.stack import (
    ensure_database,
    ensure_stack,
    local_stack_name,
    tracking_uri,
    use_stores_of,
)

VARIABLES = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_REGISTRY_URI",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_RUN_ID",
    "ZENML_REPOSITORY_PATH",
    "ZENML_ACTIVE_STACK_ID",
)


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without the variables that the tests set; MLflow and ZenML are as before afterwards."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that it is restored
        monkeypatch.delenv(name)
    before, root = mlflow.get_tracking_uri(), Client().root
    ensure_database()
    yield
    mlflow.set_tracking_uri(before)
    Client().activate_root(root)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stores of a checkout with a registered version."""
    root = tmp_path_factory.mktemp("first") / "used"
    root.mkdir()
    ensure_stack(root)
    client = MlflowClient()
    experiment = client.get_experiment_by_name(PIPELINE_NAME)
    assert experiment is not None
    with mlflow.start_run(experiment_id=experiment.experiment_id) as run:
        mlflow.log_dict({"rows": 3}, "gate/decision.json")
    client.create_registered_model("m")
    client.create_model_version("m", f"{run.info.artifact_uri}/gate", run.info.run_id)
    return root


def copied(used: Path, target: Path) -> Path:
    shutil.copytree(used, target)
    return target


def log_run(root: Path) -> str:
    """Log a file in a new run with the checkout's stack; return the location of the file."""
    ensure_stack(root)
    mlflow.set_experiment(PIPELINE_NAME)
    with mlflow.start_run() as run:
        mlflow.log_dict({}, "new.json")
    return str(run.info.artifact_uri)


def content(root: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in root.rglob("*") if file.is_file()}


@pytest.mark.parametrize("moved", [False, True], ids=["copied", "moved"])
def test_another_folder_uses_its_own_stores(moved: bool, used: Path, tmp_path: Path) -> None:
    original = copied(used, tmp_path / "original")
    log_run(original)
    target = tmp_path / "target"
    if moved:
        original.rename(target)
    else:
        shutil.copytree(original, target)
    before = content(original)
    location = log_run(target)
    assert mlflow.get_tracking_uri() == tracking_uri(target)
    assert location.startswith(f"{(target / 'mlartifacts').as_uri()}/")
    assert content(original) == before
    assert original.exists() is not moved
    client = MlflowClient()
    [version] = client.search_model_versions("name='m'")
    assert version.source.startswith(f"{target.as_uri()}/mlartifacts/")
    shutil.rmtree(original, ignore_errors=True)
    [file] = client.list_artifacts(version.run_id, "gate")
    assert client.download_artifacts(version.run_id, file.path, str(tmp_path))


def test_a_copied_checkout_without_a_run_does_not_write_into_the_first(
    used: Path, tmp_path: Path
) -> None:
    first, second = copied(used, tmp_path / "a"), tmp_path / "b"
    shutil.rmtree(first / "mlartifacts")
    ensure_stack(first)
    shutil.copytree(first, second)
    before = content(first)
    assert log_run(second).startswith(second.as_uri())
    assert content(first) == before


def test_a_checkout_that_came_from_another_machine_uses_its_own_stores(
    used: Path, tmp_path: Path
) -> None:
    """ZenML does not know its stack there."""
    root = copied(used, tmp_path / "b")
    shutil.rmtree(root / ".zen")
    assert log_run(root).startswith(root.as_uri())


def test_the_release_commands_read_the_copys_registry(used: Path, tmp_path: Path) -> None:
    root = copied(used, tmp_path / "b")
    use_stores_of(root)
    assert mlflow.get_tracking_uri() == mlflow.get_registry_uri() == tracking_uri(root)
    with pytest.raises(RegistryError, match="No pipeline has run in .*/c yet"):
        use_stores_of(tmp_path / "c")


@pytest.mark.parametrize("name", ["a b", "a#b", "50% off", "été", "a&b=c;d", "[x] 'y' \"z\""])
def test_a_path_may_have_any_character(name: str, used: Path, tmp_path: Path) -> None:
    root = copied(used, tmp_path / name)
    log_run(root)
    client = MlflowClient(tracking_uri(root))
    [version] = client.search_model_versions("name='m'")
    assert client.download_artifacts(version.run_id, "gate/decision.json", str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "decision.json"])


@pytest.mark.parametrize("name", ["a%20b", "what?", "%C3%A9"])
def test_a_path_that_mlflow_cannot_use_is_refused(name: str, used: Path, tmp_path: Path) -> None:
    root = copied(used, tmp_path / name)
    with pytest.raises(HighlighterError, match=re.escape(f"{name}: MLflow cannot") + ".*Rename"):
        ensure_stack(root)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_locations_that_the_user_chose_stay(used: Path, tmp_path: Path) -> None:
    root = tmp_path / "b"
    root.mkdir()
    shutil.copyfile(used / "mlflow.db", root / "mlflow.db")
    client = MlflowClient(tracking_uri(root))
    client.rename_experiment(client.get_experiment_by_name(PIPELINE_NAME).experiment_id, "old")
    client.create_experiment(PIPELINE_NAME, (tmp_path / "large" / "mlartifacts").as_uri())
    assert log_run(root).startswith((tmp_path / "large").as_uri())


@pytest.mark.parametrize("name", VARIABLES[:-1])
def test_a_variable_that_the_checkout_decides_is_not_used_and_named(
    name: str,
    used: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = copied(used, tmp_path / "b")
    monkeypatch.setenv(name, "http://user:secret@127.0.0.1:9")
    assert log_run(root).startswith(root.as_uri())
    assert mlflow.get_registry_uri() == tracking_uri(root)
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{name} is not used: ")
    assert "secret" not in line


def activate_own_stack(root: Path, name: str, tracker: str) -> str:
    """Make a stack with a tracker, activate it for the checkout, and return its id."""
    client = Client()
    client.create_stack_component(
        name, "mlflow", StackComponentType.EXPERIMENT_TRACKER, {"tracking_uri": tracker}
    )
    stack = client.create_stack(
        name,
        {
            StackComponentType.ORCHESTRATOR: "default",
            StackComponentType.ARTIFACT_STORE: "default",
            StackComponentType.EXPERIMENT_TRACKER: name,
        },
    )
    Client.initialize(root)
    client.activate_root(root)
    client.activate_stack(name)
    return str(stack.id)


def test_the_users_stack_keeps_its_tracker_and_the_registry_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker, registry = (f"sqlite:///{tmp_path / name}.db" for name in ("tracker", "registry"))
    activate_own_stack(tmp_path, "mine", tracker)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", registry)
    assert ensure_stack(tmp_path) == "mine"
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == (tracker, registry)
    assert not (tmp_path / "mlflow.db").exists()


def test_a_stack_of_the_environment_is_used_or_refused(
    used: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = f"sqlite:///{tmp_path / 'tracker'}.db"
    other = tmp_path / "other"
    other.mkdir()
    stack = activate_own_stack(other, "named", tracker)
    root = copied(used, tmp_path / "b")
    monkeypatch.setenv("ZENML_ACTIVE_STACK_ID", stack)
    assert ensure_stack(root) == "named"
    assert mlflow.get_tracking_uri() == tracker
    for refused in ("default", local_stack_name(used)):
        monkeypatch.setenv("ZENML_ACTIVE_STACK_ID", str(Client().get_stack(refused).id))
        with pytest.raises(HighlighterError, match="ZENML_ACTIVE_STACK_ID names .*Unset"):
            ensure_stack(root)


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # ZenML's filters
def test_a_copied_record_of_a_run_that_may_be_alive_is_dropped(used: Path, tmp_path: Path) -> None:
    root, copy, moved = copied(used, tmp_path / "a"), tmp_path / "b", tmp_path / "c"
    ensure_stack(root)
    with recorded(root, "run-1"):
        shutil.copytree(root, copy)
        assert end_killed_runs(copy, PIPELINE_NAME) == []
        assert not list((copy / ".runs" / "unfinished").iterdir())
        assert os.listdir(root / ".runs" / "unfinished") == ["run-1"]  # noqa: PTH208
        root.rename(moved)
        end_killed_runs(moved, PIPELINE_NAME)  # the run's own checkout: the record is used up
        assert not list((moved / ".runs" / "unfinished").iterdir())
        (moved / ".runs" / "unfinished" / "run-1").touch()
        moved.rename(root)
