"""Workarounds for BentoML, checked with version 1.4.39."""

import errno
import os
import shutil
from pathlib import Path

import bentoml
from bentoml._internal.models import ModelStore

_RECORD = "model.yaml"


def bento_home() -> Path:
    """Return BentoML's folder: `BENTOML_HOME`, or `~/bentoml`."""
    return Path(os.path.expandvars(os.environ.get("BENTOML_HOME", "~/bentoml"))).expanduser()


def add_model(name: str, checkpoint: Path, labels: dict[str, str]) -> str:
    """Copy a checkpoint into the BentoML store, as the model that `name:latest` names.

    `bentoml.models.create` copies file by file into the store and truncates the file `latest`
    before it writes it. A process killed meanwhile leaves an incomplete model, and every later
    listing fails on it. So the model is created in a staging store; renames bring it and `latest`
    into the store, or copies if the store's `models` is a mount or link to another file system.
    No upstream issue is known. A test in `tests/release/test_deploy.py` fails once `create` can be
    used instead.

    Returns:
        The new model's tag, "NAME:VERSION".
    """
    staging = _empty_staging_folder(name)
    try:
        store = ModelStore(staging)
        with bentoml.models.create(name, labels=labels, _model_store=store) as model:
            shutil.copytree(checkpoint, model.path, dirs_exist_ok=True)
        folder = bento_home() / "models" / name
        folder.mkdir(parents=True, exist_ok=True)
        _move_model(staging / name / model.tag.version, folder / model.tag.version)
        _copy_at_once(staging / name / "latest", folder / "latest")
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return str(model.tag)


def remove_model(folder: Path, name: str) -> None:
    """Remove a model's folder from the BentoML store; a rename first, for the reason above."""
    staging = _empty_staging_folder(name)
    try:
        folder.rename(staging / folder.name)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        (folder / _RECORD).unlink(missing_ok=True)  # incomplete now, so `deploy` removes the rest
        shutil.rmtree(folder)
    shutil.rmtree(staging)


def clear_staging(name: str) -> None:
    """Remove what a killed process left in the staging store."""
    shutil.rmtree(bento_home() / "staging" / name, ignore_errors=True)


def _move_model(source: Path, target: Path) -> None:
    """Rename a model's folder; to another file system, copy it with its record last.

    A process killed during the copy leaves a folder without a record, which `deploy` removes.
    """
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(_RECORD))
        _copy_at_once(source / _RECORD, target / _RECORD)


def _copy_at_once(source: Path, target: Path) -> None:
    """Copy a file so that the target is either as before or complete."""
    draft = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, draft)
    draft.replace(target)


def _empty_staging_folder(name: str) -> Path:
    clear_staging(name)
    staging = bento_home() / "staging" / name
    staging.mkdir(parents=True)
    return staging
