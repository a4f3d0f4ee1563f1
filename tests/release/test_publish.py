"""A checkpoint becomes a version of the registry, with the alias that the gate decides on."""

import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from highlighter.data.fingerprint import hash_folder
from highlighter.errors import RegistryError
from highlighter.metrics.statistics import Interval
from release.deploy import models
from release.gate import Measured, TeacherResult
from release.publish import Registration, load_measured, store_measured
from release.teacher import champion_as_teacher, fingerprint_teacher
from tests.release.local_stores import INTERRUPTIONS, NAME, ROWS, Stores, interrupt, measured

MODEL: tuple[Any, str] = (MlflowClient, "create_registered_model")
VERSION: tuple[Any, str] = (MlflowClient, "create_model_version")
TAG: tuple[Any, str] = (MlflowClient, "set_model_version_tag")
ALIAS: tuple[Any, str] = (MlflowClient, "set_registered_model_alias")


def test_the_first_version_becomes_champion(stores: Stores) -> None:
    registration = stores.publish(30)
    assert registration.version == "1"
    assert registration.alias == "champion"
    assert stores.aliases() == {"champion": "1"}
    assert stores.served() == ("1", "weights 1")
    tags = stores.client.get_model_version(NAME, "1").tags
    assert tags["score"] == "30.0000"
    assert tags["test_fingerprint"] == "rows-a"
    assert tags["promoted_by"] == "gate"
    assert tags["git_commit"] == "commit-1"
    assert "it is the first" in tags["gate"]
    assert Registration.model_validate_json(registration.model_dump_json()) == registration


def test_a_worse_version_is_challenger_and_the_store_is_unchanged(stores: Stores) -> None:
    stores.publish(30)
    registration = stores.publish(29)
    assert stores.aliases() == {"champion": "1", "challenger": "2"}
    assert stores.served() == ("1", "weights 1")
    assert len(models(NAME)) == 1
    assert registration.decision.difference is not None
    assert registration.decision.difference.mean == pytest.approx(-1)


def test_a_tie_is_promoted_and_knows_its_predecessor(stores: Stores) -> None:
    stores.publish(30)
    stores.publish(30)
    assert stores.aliases() == {"champion": "2"}
    assert stores.served() == ("2", "weights 2")
    assert stores.client.get_model_version(NAME, "2").tags["previous_champion"] == "1"


def test_minimums_and_other_test_rows_make_a_challenger(stores: Stores) -> None:
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


def test_the_same_checkpoint_with_the_same_scores_is_registered_once(stores: Stores) -> None:
    champion, challenger = stores.publication(30), stores.publication(29)
    assert champion().version == "1"
    assert challenger().version == "2"
    before = stores.state()
    again = champion()
    assert (again.version, again.alias) == ("1", "champion")
    assert "the same files and the same scores" in again.decision.reasons[0]
    again = challenger()
    assert (again.version, again.alias) == ("2", "challenger")
    assert stores.state() == before


def test_a_version_without_an_alias_gets_the_one_that_the_gate_decides_on(stores: Stores) -> None:
    first = stores.publication(30)
    first()
    stores.publish(31)
    again = first()
    assert (again.version, again.alias) == ("1", "challenger")
    assert stores.aliases() == {"champion": "2", "challenger": "1"}
    assert "significantly worse" in stores.client.get_model_version(NAME, "1").tags["gate"]


def test_the_same_checkpoint_with_other_scores_is_another_version(stores: Stores) -> None:
    stores.publish(30)
    training = stores.folder / "training-1" / "checkpoint"
    assert stores.publication(30, files=training)().version == "1"
    assert stores.publication(31, files=training)().version == "2"
    assert stores.publication(30, rows="rows-b", files=training)().version == "3"


@pytest.mark.parametrize(("how", "after"), INTERRUPTIONS)
@pytest.mark.parametrize(
    ("level", "alias", "writes"),
    [(31, "champion", [VERSION, TAG, ALIAS]), (20, "challenger", [VERSION, ALIAS])],
    ids=["champion", "challenger"],
)
def test_an_interrupted_publication_is_completed_by_repeating_it(
    stores: Stores,
    level: float,
    alias: str,
    writes: list[tuple[Any, str]],
    how: str | BaseException,
    after: bool,
) -> None:
    stores.publish(30)
    stores.publish(29)
    for number, (owner, name) in enumerate(writes, start=3):
        publication = stores.publication(level + number)
        before, served = stores.aliases(), stores.served()
        interrupt(how, owner, name, after, publication)
        stores.check_complete()
        assert stores.served() == served
        if (owner, name, after) != (*ALIAS, True):
            assert stores.aliases() == before
        registration = publication()
        assert (registration.version, registration.alias) == (str(number), alias)
        assert stores.versions() == {str(n) for n in range(1, number + 1)}
        assert stores.aliases()[alias] == str(number)


@pytest.mark.parametrize(("how", "after"), INTERRUPTIONS)
def test_an_interrupted_first_publication_is_completed_by_repeating_it(
    stores: Stores, how: str | BaseException, after: bool
) -> None:
    publication = stores.publication(30)
    for owner, name in (MODEL, VERSION, ALIAS):
        interrupt(how, owner, name, after, publication)
        stores.check_complete()
        assert publication().alias == "champion"
        assert stores.versions() == {"1"}
        assert stores.aliases() == {"champion": "1"}
        stores.client.delete_registered_model(NAME)


def test_stored_scores_keep_nan(stores: Stores) -> None:
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
    with pytest.raises(RegistryError, match="not in the format of this project"):
        load_measured(stores.client, version)


def taught_by(version: str, level: float) -> TeacherResult:
    scores = measured(level).scores
    assert scores is not None
    speed = Interval(mean=1.6, low=1.5, high=1.7)
    return TeacherResult(name=f"models:/{NAME}/{version}", scores=scores, speedup=speed)


def test_a_student_replaces_its_teacher_which_stays_the_teacher_of_the_next(
    stores: Stores,
) -> None:
    with pytest.raises(RegistryError, match=r"no champion to be a student's teacher"):
        champion_as_teacher(NAME)
    stores.publish(30)
    teacher = champion_as_teacher(NAME)
    assert teacher == f"models:/{NAME}/1"
    student = stores.publish(29, teacher=taught_by("1", 30), maximum_loss_to_teacher=1.5)
    assert student.alias == "champion"
    assert stores.aliases() == {"champion": "2"}
    # Its teacher is not a student, and the loss to the teacher is not allowed a second time.
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
