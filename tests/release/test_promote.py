"""Promotion and rollback by hand, and the command line."""

import shutil
from pathlib import Path
from typing import Any

import bentoml
import mlflow
import pytest
from mlflow.tracking import MlflowClient

from highlighter.errors import RegistryError
from release import __main__ as command_line
from release.deploy import deploy
from release.promote import promote, rollback
from tests.release.local_stores import INTERRUPTIONS, NAME, Stores, interrupt

FETCH: tuple[Any, str] = (mlflow.artifacts, "download_artifacts")
TAG: tuple[Any, str] = (MlflowClient, "set_model_version_tag")
ALIAS: tuple[Any, str] = (MlflowClient, "set_registered_model_alias")
DROP: tuple[Any, str] = (MlflowClient, "delete_registered_model_alias")
COPY: tuple[Any, str] = (shutil, "copytree")
MOVE: tuple[Any, str] = (Path, "rename")


def test_a_version_promoted_by_hand_is_served(stores: Stores) -> None:
    stores.publish(30)
    stores.publish(31)
    stores.publish(29)
    change = promote(NAME, "3")
    assert (change.deployment.version, change.before) == ("3", "2")
    assert stores.aliases() == {"champion": "3"}
    assert stores.served() == ("3", "weights 3")
    labels = stores.labels()
    assert labels["promoted_by"] == "hand"
    assert labels["git_commit"] == "commit-3"
    assert labels["mlflow_run_id"] == stores.client.get_model_version(NAME, "3").run_id
    promote(NAME, "1")
    assert stores.aliases() == {"champion": "1"}
    assert stores.served() == ("1", "weights 1")
    rollback(NAME)
    assert stores.served() == ("3", "weights 3")
    assert stores.labels()["promoted_by"] == "rollback"


def test_promoting_the_champion_fills_an_empty_store(stores: Stores) -> None:
    stores.publish(30)
    stores.publish(31)
    for model in bentoml.models.list():
        bentoml.models.delete(model.tag)
    promote(NAME, "2")
    assert stores.served() == ("2", "weights 2")
    assert stores.client.get_model_version(NAME, "2").tags["previous_champion"] == "1"


def test_rolling_back_goes_further_into_the_past_each_time(stores: Stores) -> None:
    for level in (30, 31, 32):
        stores.publish(level)
    for version in ("2", "1"):
        assert rollback(NAME).deployment.version == version
        assert stores.aliases() == {"champion": version}
        assert stores.served() == (version, f"weights {version}")
    before = stores.state()
    with pytest.raises(RegistryError, match="followed no other champion"):
        rollback(NAME)
    assert stores.state() == before


@pytest.mark.parametrize(("how", "after"), INTERRUPTIONS)
def test_an_interrupted_promotion_is_completed_by_repeating_it(
    stores: Stores, how: str | BaseException, after: bool
) -> None:
    stores.publish(30)
    stores.publish(29)
    before = stores.aliases()
    for write in (FETCH, TAG, ALIAS, DROP, COPY, MOVE):
        interrupt(how, *write, after, lambda: promote(NAME, "2"))
        stores.check_complete()
        changed = write in (DROP, COPY, MOVE) or (write == ALIAS and after)
        if not changed:
            assert stores.aliases() == before
        assert stores.aliases()["champion"] == ("2" if changed else "1")
        if write not in (COPY, MOVE):
            assert stores.served() == ("1", "weights 1")
        promote(NAME, "2")
        assert stores.aliases() == {"champion": "2"}
        assert stores.served() == ("2", "weights 2")
        assert stores.client.get_model_version(NAME, "2").tags["previous_champion"] == "1"
        for alias, version in before.items():
            stores.client.set_registered_model_alias(NAME, alias, version)
        deploy(NAME)


@pytest.mark.parametrize("write", [DROP, COPY, MOVE], ids=lambda write: write[1])
def test_an_interrupted_rollback_is_completed_by_a_deployment(
    stores: Stores, write: tuple[Any, str], capsys: pytest.CaptureFixture[str]
) -> None:
    stores.publish(30)
    stores.publish(31)
    stores.client.set_registered_model_alias(NAME, "challenger", "1")
    interrupt(OSError("disk full"), *write, False, lambda: rollback(NAME))
    assert stores.aliases()["champion"] == "1"
    if write != DROP:
        assert "Run `python -m release deploy`" in capsys.readouterr().err
    deploy(NAME)
    assert stores.aliases() == {"champion": "1"}
    assert stores.served() == ("1", "weights 1")


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


def test_a_version_whose_files_are_missing_or_changed_is_not_promoted(stores: Stores) -> None:
    stores.publish(30)
    stores.publish(31)
    before = stores.state()
    weights = stores.files_of("1") / "artifacts" / "checkpoint" / "model.safetensors"
    weights.write_text("other weights")
    with pytest.raises(RegistryError, match="differ from those that were registered"):
        promote(NAME, "1")
    weights.unlink()
    with pytest.raises(RegistryError, match="weights are missing"):
        promote(NAME, "1")
    shutil.rmtree(stores.files_of("1"))
    with pytest.raises(RegistryError, match="checkpoint is missing.*promote another version"):
        rollback(NAME)
    assert stores.state() == before


def test_the_command_line(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipelines.stack.use_stores_of", lambda checkout: None)
    assert command_line.main(["deploy"]) == 0
    assert "has no champion" in capsys.readouterr().out
    stores.publish(30)
    stores.publish(29)
    assert command_line.main(["promote", "2"]) == 0
    output = capsys.readouterr().out
    assert "Now served: news-highlighter version 2 (" in output
    assert "Champion before: version 1." in output
    assert command_line.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:2] == ["1", "30.0000"]
    assert lines[2].split()[:3] == ["2", "champion", "29.0000"]
    assert lines[3] == "Served: version 2"
    bentoml.models.delete(f"{NAME}:latest")
    assert command_line.main(["list"]) == 0
    assert "The champion is not served: run `python -m release deploy`" in capsys.readouterr().out
    assert command_line.main(["deploy"]) == 0
    assert "Now served: news-highlighter version 2 (" in capsys.readouterr().out
    assert command_line.main(["deploy"]) == 0
    assert "already in the BentoML store" in capsys.readouterr().out
    assert command_line.main(["rollback"]) == 0
    assert stores.served() == ("1", "weights 1")
    assert command_line.main(["rollback"]) == 1
    assert "error: news-highlighter version 1 followed no" in capsys.readouterr().err
    assert command_line.main(["--model-name", "other", "list"]) == 0
    assert "Served: nothing" in capsys.readouterr().out


def test_the_command_line_uses_the_stores_of_its_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "ROOT", tmp_path)
    assert command_line.main(["list"]) == 1
    assert "run `python run_pipeline.py` first" in capsys.readouterr().err
    roots: list[Path] = []

    def use_stores_of(root: Path) -> None:
        roots.append(root)
        raise RegistryError("asked")

    monkeypatch.setattr("pipelines.stack.use_stores_of", use_stores_of)
    assert command_line.main(["list"]) == 1
    assert roots == [tmp_path]
    assert "asked" in capsys.readouterr().err


def test_judge_reads_the_columns_that_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipelines.stack.use_stores_of", lambda checkout: None)
    rows: list[Any] = []

    def evaluate(checkpoint: Path, given: Any, **settings: Any) -> Any:
        rows.extend(given)
        raise RegistryError("enough")

    monkeypatch.setattr("release.judge.evaluate_checkpoint", evaluate)
    monkeypatch.setattr("release.judge.named_version", lambda name, version: None)
    monkeypatch.setattr("release.judge.fetch_checkpoint", lambda version, folder: folder)
    file = tmp_path / "mine.csv"
    file.write_text("body,points\nIt rained.,Rain.\n")
    assert command_line.main(["judge", "1", str(file)]) == 1
    assert "options `--article` and so on" in capsys.readouterr().err
    options = ["--article", "body", "--highlights", "points"]
    assert command_line.main(["judge", "1", str(file), *options]) == 1
    assert "enough" in capsys.readouterr().err
    assert [(row["article"], row["highlights"]) for row in rows] == [("It rained.", "Rain.")]
