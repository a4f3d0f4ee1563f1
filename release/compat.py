"""Workarounds for BentoML, checked with version 1.4.39."""

import os
import shutil
from pathlib import Path

import bentoml
from bentoml._internal.models import ModelStore


def bento_home() -> Path:
    """Return BentoML's folder: `BENTOML_HOME`, or `~/bentoml`."""
    return Path(os.path.expandvars(os.environ.get("BENTOML_HOME", "~/bentoml"))).expanduser()


def add_model(name: str, checkpoint: Path, labels: dict[str, str]) -> str:
    """Copy a checkpoint into the BentoML store, as the model that `name:latest` names.

    `bentoml.models.create` copies file by file into the store and truncates the file `latest`
    before it writes it. A process killed meanwhile leaves an incomplete model, and every later
    listing fails on it. So the model is created in a staging store on the same file system; renames
    bring it and `latest` into the store. No upstream issue is known. A test in
    `tests/release/test_deploy.py` fails once `create` can be used instead.

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
        (staging / name / model.tag.version).rename(folder / model.tag.version)
        (staging / name / "latest").replace(folder / "latest")
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return str(model.tag)


def remove_model(folder: Path, name: str) -> None:
    """Remove a model's folder from the BentoML store; a rename first, for the reason above."""
    staging = _empty_staging_folder(name)
    folder.rename(staging / folder.name)
    shutil.rmtree(staging)


def clear_staging(name: str) -> None:
    """Remove what a killed process left in the staging store."""
    shutil.rmtree(bento_home() / "staging" / name, ignore_errors=True)


def _empty_staging_folder(name: str) -> Path:
    clear_staging(name)
    staging = bento_home() / "staging" / name
    staging.mkdir(parents=True)
    return staging
