"""The BentoML store follows the champion of the registry, whatever state it is in."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bentoml
import pytest
from bentoml.exceptions import BentoMLException

from highlighter.errors import RegistryError
from release.compat import bento_home
from release.deploy import deploy, models
from tests.release.local_stores import INTERRUPTIONS, NAME, Stores, interrupt

COPY: list[tuple[Any, str]] = [(shutil, "copytree"), (Path, "rename"), (Path, "replace")]


def place() -> Path:
    """The folder of the served model."""
    return Path(bentoml.models.get(f"{NAME}:latest").path)


def latest() -> Path:
    return bento_home() / "models" / NAME / "latest"


def test_the_champion_is_copied_once(stores: Stores) -> None:
    assert deploy(NAME) is None
    registration = stores.publication(30)()
    assert stores.served() is None
    first = deploy(NAME)
    assert first is not None
    assert (first.version, first.copied) == ("1", True)
    assert stores.served() == ("1", "weights 1")
    assert stores.labels() == {
        "model_version": "1",
        "mlflow_run_id": registration.mlflow_run_id,
        "zenml_run": "run",
        "data_fingerprint": "data",
        "git_commit": "commit-1",
        "promoted_by": "gate",
    }
    before = stores.state()
    again = deploy(NAME)
    assert again is not None
    assert (again.bento_tag, again.copied) == (first.bento_tag, False)
    assert stores.state() == before
    assert not list((bento_home() / "staging").iterdir())


def incomplete_model() -> None:
    (bento_home() / "models" / NAME / "half").mkdir()


def truncated_record() -> None:
    (place() / "model.yaml").write_text("name: news-high")


def empty_record() -> None:
    (place() / "model.yaml").write_text("")


def empty_latest() -> None:
    latest().write_text("")


def latest_of_a_missing_model() -> None:
    latest().write_text("missing")


def latest_of_another_version() -> None:
    latest().write_text(str(models(NAME)[0].tag.version))


def changed_weights() -> None:
    (place() / "model.safetensors").write_text("other weights")


def missing_weights() -> None:
    (place() / "model.safetensors").unlink()


def missing_model() -> None:
    bentoml.models.delete(f"{NAME}:latest")


def empty_store() -> None:
    shutil.rmtree(bento_home() / "models" / NAME)


@pytest.mark.parametrize(
    "damage",
    [
        incomplete_model,
        truncated_record,
        empty_record,
        empty_latest,
        latest_of_a_missing_model,
        latest_of_another_version,
        changed_weights,
        missing_weights,
        missing_model,
        empty_store,
    ],
)
def test_a_damaged_store_is_repaired(stores: Stores, damage: Callable[[], None]) -> None:
    stores.publish(30)
    stores.publish(31)
    damage()
    deployment = deploy(NAME)
    assert deployment is not None
    assert stores.served() == ("2", "weights 2")
    stores.check_complete()
    again = deploy(NAME)
    assert again is not None
    assert not again.copied


@pytest.mark.parametrize(("how", "after"), INTERRUPTIONS)
@pytest.mark.parametrize("before", [None, ("1", "weights 1")], ids=["first", "second"])
def test_an_interrupted_copy_is_never_served_and_is_repeated(
    stores: Stores, before: tuple[str, str] | None, how: str | BaseException, after: bool
) -> None:
    if before:
        stores.publish(30)
    new = stores.publication(31)()
    expected = (new.version, f"weights {new.version}")
    for owner, name in COPY:
        interrupt(how, owner, name, after, lambda: deploy(NAME))
        stores.check_complete()
        assert stores.served() in (before, expected)
        if (name, after) == ("copytree", False):
            assert stores.served() == before
        assert deploy(NAME) is not None
        assert stores.served() == expected
        assert not list((bento_home() / "staging").iterdir())
        stores.client.set_registered_model_alias(NAME, "champion", new.version)
        for model in models(NAME):
            if model.info.labels["model_version"] == new.version:
                bentoml.models.delete(model.tag)


@pytest.fixture(params=["models", f"models/{NAME}"])
def other_file_system(request: pytest.FixtureRequest, stores: Stores) -> Iterator[Path]:
    """Part of the BentoML store on another file system than the rest, as a mounted volume."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == bento_home().stat().st_dev:
        pytest.skip("no second file system")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        place = bento_home() / request.param
        shutil.rmtree(place, ignore_errors=True)
        place.symlink_to(folder)
        yield place
        place.unlink()


def test_the_store_may_be_on_another_file_system(stores: Stores, other_file_system: Path) -> None:
    stores.publish(30)
    stores.publish(31)
    assert stores.served() == ("2", "weights 2")
    changed_weights()
    assert deploy(NAME) is not None
    assert stores.served() == ("2", "weights 2")
    stores.check_complete()
    assert len(models(NAME)) == 2
    folder = other_file_system / NAME if other_file_system.name == "models" else other_file_system
    assert {path.name for path in folder.iterdir() if not path.is_dir()} == {"latest"}


def test_an_interrupted_copy_to_another_file_system_is_repeated(
    stores: Stores, other_file_system: Path
) -> None:
    stores.publish(30)
    stores.publication(31)()
    for owner, name in ((shutil, "copytree"), (shutil, "copyfile"), (Path, "replace")):
        interrupt("kill -9", owner, name, True, lambda: deploy(NAME))
        assert stores.served() in (("1", "weights 1"), ("2", "weights 2"))
        assert deploy(NAME) is not None
        assert stores.served() == ("2", "weights 2")
        bentoml.models.delete(f"{NAME}:latest")
    assert other_file_system.is_symlink()


def test_a_model_dated_in_the_future_is_not_served(stores: Stores) -> None:
    stores.publish(30)
    record = place() / "model.yaml"
    record.write_text(record.read_text().replace("creation_time: '20", "creation_time: '30"))
    stores.publish(31)
    assert stores.served() == ("2", "weights 2")


def test_models_of_another_registry_are_kept(stores: Stores) -> None:
    stores.publish(30)
    with bentoml.models.create(NAME, labels={"model_version": "1", "mlflow_run_id": "x"}) as other:
        pass
    assert deploy(NAME) is not None
    assert stores.served() == ("1", "weights 1")
    assert Path(bentoml.models.get(other.tag).path).is_dir()


def test_a_champion_whose_files_are_missing_is_not_deployed(stores: Stores) -> None:
    stores.publish(30)
    stores.publication(31)()
    shutil.rmtree(stores.files_of("2"))
    before = stores.state()
    with pytest.raises(RegistryError, match="version 2: its checkpoint is missing"):
        deploy(NAME)
    assert stores.state() == before


def test_bentoml_still_needs_the_workaround(stores: Stores) -> None:
    """When this fails, `bentoml.models.create` can replace `release.compat.add_model`."""
    stores.publish(30)

    def create() -> None:
        with bentoml.models.create(NAME) as model:
            Path(model.path, "model.safetensors").write_text("weights")

    interrupt("kill -9", shutil, "copytree", False, create)
    with pytest.raises(BentoMLException):
        bentoml.models.list(NAME)
