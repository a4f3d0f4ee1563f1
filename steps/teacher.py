"""The files of a student's teacher, for the steps that read them."""

from functools import cache
from pathlib import Path

from highlighter.settings import ModelSource, StudentModel
from highlighter.workspace import temporary_folder
from release.logged_model import fetch_checkpoint
from release.teacher import find_version, is_registered


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
