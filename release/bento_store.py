"""Checkpoints in the BentoML model store; the newest is what `bentoml serve` loads."""

import shutil
from pathlib import Path

import bentoml
from bentoml.exceptions import NotFound


def import_checkpoint(name: str, checkpoint: Path, labels: dict[str, str]) -> str:
    """Copy a checkpoint folder into the store and return its tag; on an error nothing is left."""
    with bentoml.models.create(name, labels=labels) as model:
        shutil.copytree(checkpoint, model.path, dirs_exist_ok=True)
    return str(model.tag)


def delete(tag: str) -> None:
    """Remove a model from the store."""
    bentoml.models.delete(tag)


def served_labels(name: str) -> dict[str, str] | None:
    """Labels of the model that would be served now, or None if there is none."""
    try:
        return dict(bentoml.models.get(f"{name}:latest").info.labels)
    except NotFound:
        return None
