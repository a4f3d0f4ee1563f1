"""The registered version that a student is made from, and its files."""

import re
from functools import cache
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from highlighter.data.fingerprint import hash_folder
from highlighter.errors import RegistryError
from highlighter.settings import ModelSource, StudentModel
from highlighter.system.folders import temporary_folder
from release import registry
from release.logged_model import fetch_checkpoint

_URI = re.compile(r"models:/(?P<name>[^/@]+)/(?P<version>\d+)")


def champion_as_teacher(name: str) -> str:
    """The teacher that `champion` means today: a URI of its version.

    A champion that is a student itself gives its own teacher, so that the next run of the same
    configuration makes the same student, not a student's student.

    Raises:
        RegistryError: there is no champion yet.
    """
    today = registry.champion(MlflowClient(), name)
    if today is None:
        raise RegistryError(
            f"{name} has no champion to be a student's teacher: register one first "
            "(`python run_pipeline.py`), or name a folder as parameters.model.teacher."
        )
    return today.tags.get(registry.TEACHER_TAG) or registry.uri(today)


def is_registered(teacher: str) -> bool:
    """Whether a teacher is named by a URI of the registry, not by a folder."""
    return teacher.startswith("models:/")


def find_version(teacher: str) -> ModelVersion:
    """The version that a URI names.

    Raises:
        RegistryError: there is none.
    """
    named = _URI.fullmatch(teacher)
    if named is None:
        raise RegistryError(f"{teacher}: write it as models:/NAME/VERSION.")
    try:
        return MlflowClient().get_model_version(named["name"], named["version"])
    except MlflowException as error:
        raise RegistryError(
            f"{teacher}: no such version is registered. `python -m release list` has them all."
        ) from error


def fingerprint_teacher(teacher: str, folder: Path) -> str:
    """A hash of a registered teacher's files; fetched into `folder` if none was stored."""
    version = find_version(teacher)
    stored = version.tags.get(registry.CHECKPOINT_TAG)
    return str(stored or hash_folder(fetch_checkpoint(version, folder)))


def with_files(model: ModelSource) -> ModelSource:
    """The same model; a student's teacher is the folder of its checkpoint."""
    if isinstance(model, StudentModel):
        return model.model_copy(update={"teacher": str(teacher_folder(model))})
    return model


def teacher_folder(model: StudentModel) -> Path:
    """The checkpoint of a student's teacher."""
    return _fetch(model.teacher) if is_registered(model.teacher) else Path(model.teacher)


@cache
def _fetch(teacher: str) -> Path:
    return fetch_checkpoint(find_version(teacher), temporary_folder("teacher"))
