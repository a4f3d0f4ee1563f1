"""Checkpoints in the BentoML model store; the newest is what `bentoml serve` loads."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import bentoml
from bentoml.exceptions import NotFound

from highlighter.errors import RegistryError


def import_checkpoint(name: str, checkpoint: Path, labels: dict[str, str], undo: ExitStack) -> str:
    """Copy a checkpoint folder into the store as the newest model and return its tag.

    Raises:
        RegistryError: another model stays the newest.
    """
    with bentoml.models.create(name, labels=labels) as model:
        # The store cleans up after errors but not after Ctrl-C, and only until it has saved.
        undo.callback(_delete, str(model.tag))
        shutil.copytree(checkpoint, model.path, dirs_exist_ok=True)
    newest = bentoml.models.get(f"{name}:latest").tag
    if newest != model.tag:
        raise RegistryError(
            f"{newest} in the BentoML store is dated in the future, so it would still be served. "
            f"Delete it (`bentoml models delete {newest}`) and try again."
        )
    return str(model.tag)


def served_labels(name: str) -> dict[str, str] | None:
    """Labels of the model that would be served now, or None if there is none."""
    try:
        return dict(bentoml.models.get(f"{name}:latest").info.labels)
    except NotFound:
        return None


def _delete(tag: str) -> None:
    try:
        bentoml.models.delete(tag)
    except NotFound:
        return  # it was never saved
