"""A release killed at each of its writes: what stands is whole, and is finished or undone."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bentoml
import pytest
from mlflow.tracking import MlflowClient

from highlighter.settings import GateSettings
from release import bento_store
from release.promote import promote
from release.publish import publish
from release.recover import finish_or_undo, reconcile
from tests.release.test_release import NAME, Stores, empty_database, measured, stores

__all__ = ["empty_database", "stores"]  # fixtures

CREATE: tuple[Any, str] = (MlflowClient, "create_model_version")
IMPORT: list[tuple[Any, str]] = [(shutil, "copytree"), (Path, "rename"), (Path, "replace")]
ALIAS: tuple[Any, str] = (MlflowClient, "set_registered_model_alias")


def killed_at(owner: Any, name: str, after: bool, act: Callable[[], object]) -> bool:
    """Do `act` in a process that dies at a write; return whether it came to that write."""
    child = os.fork()
    if child == 0:
        works = getattr(owner, name)

        def die(*args: Any, **kwargs: Any) -> None:
            if after:
                works(*args, **kwargs)
            os._exit(9)

        setattr(owner, name, die)
        try:
            act()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def whole(stores: Stores) -> None:
    """No alias without its version, no version without its files, no Bento model by halves."""
    versions = {str(v.version): v for v in stores.client.search_model_versions()}
    for model in stores.client.search_registered_models():
        assert {str(number) for number in model.aliases.values()} <= set(versions)
    for number in versions:
        assert (stores.files_of(number) / "artifacts" / "checkpoint" / "config.json").is_file()
    for bento in bento_store.models(NAME):
        assert bento.info.labels["model_version"] in versions
        assert Path(bento.path, "model.safetensors").is_file()


def releasing(stores: Stores, level: float) -> tuple[str, Callable[[], object]]:
    """A release's MLflow run, and the release."""
    checkpoint, model, lineage = stores.log()

    def release() -> object:
        return publish(
            checkpoint, model, name=NAME, measured=measured(level), gate=GateSettings(),
            resamples=200, seed=13, lineage=lineage,
        )  # fmt: skip

    return lineage.mlflow_run_id, release


@pytest.mark.parametrize(
    ("level", "writes", "aliases", "served"),
    [
        (31, [CREATE, *IMPORT, ALIAS], {"champion", "challenger"}, "weights 3"),
        (28, [CREATE, ALIAS], {"champion", "challenger"}, "weights 1"),
    ],
    ids=["champion", "challenger"],
)
def test_a_killed_release_is_finished_or_undone(
    stores: Stores, level: float, writes: list[tuple[Any, str]], aliases: set[str], served: str
) -> None:
    stores.publish(30)
    stores.publish(29)
    run_id, release = releasing(stores, level)
    before = stores.state()
    for owner, name in writes:
        for after in (False, True):
            assert killed_at(owner, name, after, release), name
            whole(stores)
            finish_or_undo(stores.client, run_id)
            if (owner, name, after) != (*ALIAS, True):
                assert stores.state() == before, (name, after)
    [version] = stores.client.search_model_versions(f"run_id = '{run_id}'")
    now = stores.client.get_registered_model(NAME).aliases
    assert set(now) == aliases
    assert version.version in now.values()
    labels = stores.served()
    assert labels is not None
    assert labels[1] == served


def test_a_first_release_that_was_killed_leaves_no_version(stores: Stores) -> None:
    run_id, release = releasing(stores, 30)
    for owner, name in ((MlflowClient, "create_registered_model"), CREATE, IMPORT[1]):
        for after in (False, True):
            assert killed_at(owner, name, after, release)
            whole(stores)
            finish_or_undo(stores.client, run_id)
            _, versions, files = stores.state()
            assert (versions, files) == ({}, {}), (name, after)
    assert stores.publish(30).alias == "champion"


def test_a_killed_promotion_serves_the_champion_again(stores: Stores) -> None:
    stores.publish(30)
    stores.publish(29)
    for owner, name in (*IMPORT, ALIAS):
        for after in (False, True):
            assert killed_at(owner, name, after, lambda: promote(NAME, "2")), name
            whole(stores)
            with bento_store.lock(NAME):
                reconcile(stores.client, NAME)
            done = (name, after) == (ALIAS[1], True)
            served = ("2", "weights 2") if done else ("1", "weights 1")
            assert stores.served() == served, (name, after)
            assert stores.aliases()["champion"] == served[0]
    assert stores.aliases() == {"champion": "2"}


def test_models_that_another_registry_knows_are_left_alone(stores: Stores) -> None:
    stores.publish(30)
    with bentoml.models.create(NAME, labels={"model_version": "1", "mlflow_run_id": "x"}):
        pass
    before = stores.state()
    with bento_store.lock(NAME):
        reconcile(stores.client, NAME)
    assert stores.state() == before
