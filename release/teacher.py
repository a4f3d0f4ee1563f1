"""The teacher of a student: a registered version, or a checkpoint folder."""

from functools import cache
from pathlib import Path

from mlflow.tracking import MlflowClient

from highlighter.data.fingerprint import hash_folder
from highlighter.errors import RegistryError
from highlighter.settings import ModelSource, StudentModel
from highlighter.system.folders import temporary_folder
from release import registry
from release.logged_model import fetch_checkpoint


def champion_as_teacher(name: str) -> str:
    """Return the URI of the version that the teacher `champion` means at the moment.

    If the champion is a student, that is the champion's teacher: the next run of the same
    configuration then makes the same student, not a student of a student.

    Raises:
        RegistryError: there is no champion yet.
    """
    champion = registry.champion(MlflowClient(), name)
    if champion is None:
        raise RegistryError(
            f"{name} has no champion to be a student's teacher: register one first "
            "(`python run_pipeline.py`), or set parameters.model.teacher to a checkpoint folder."
        )
    return champion.tags.get(registry.TEACHER_TAG) or registry.uri(champion)


def is_registered(teacher: str) -> bool:
    """Return whether a teacher is a URI of the registry, not a folder."""
    return teacher.startswith("models:/")


def fingerprint_teacher(teacher: str, folder: Path) -> str:
    """Return the hash of a registered teacher's files.

    They are fetched into `folder` if the version has no stored hash.
    """
    version = registry.find_version(teacher)
    stored = version.tags.get(registry.CHECKPOINT_TAG)
    return str(stored or hash_folder(fetch_checkpoint(version, folder)))


def with_files(model: ModelSource) -> ModelSource:
    """Return the model with a student's teacher replaced by its checkpoint folder."""
    if isinstance(model, StudentModel):
        return model.model_copy(update={"teacher": str(teacher_folder(model))})
    return model


def teacher_folder(model: StudentModel) -> Path:
    """Return the checkpoint folder of a student's teacher; a registered one is fetched."""
    return _fetch(model.teacher) if is_registered(model.teacher) else Path(model.teacher)


@cache
def _fetch(teacher: str) -> Path:
    return fetch_checkpoint(registry.find_version(teacher), temporary_folder("teacher"))
