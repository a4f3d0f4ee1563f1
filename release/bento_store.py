"""Checkpoints in the BentoML model store; the newest is what `bentoml serve` loads."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import bentoml
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.models import ModelStore
from bentoml.exceptions import NotFound

from highlighter.errors import RegistryError
from highlighter.system.locks import exclusive


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Let no other process release a model of this name meanwhile."""

    def busy(holder: str) -> None:
        print(f"Another release of {name} is under way ({holder}): waiting.", file=sys.stderr)

    with exclusive(_store().parent / f"{name}.lock", busy):
        yield


def import_checkpoint(name: str, checkpoint: Path, labels: dict[str, str], undo: ExitStack) -> str:
    """Copy a checkpoint folder into the store as the newest model and return its tag.

    BentoML copies file by file into the store, where a kill would leave half a model that makes
    every listing fail. So it copies into a store beside it, and a rename brings the model in: by
    construction whole, or not at all. A second rename makes it the newest. Call it with `lock`.

    Raises:
        RegistryError: another model stays the newest.
    """
    beside = _store().parent / "incoming" / name
    shutil.rmtree(beside, ignore_errors=True)  # of an import that was killed
    beside.mkdir(parents=True)
    undo.callback(shutil.rmtree, beside, ignore_errors=True)
    with bentoml.models.create(name, labels=labels, _model_store=ModelStore(beside)) as model:
        shutil.copytree(checkpoint, model.path, dirs_exist_ok=True)
    tag, place = str(model.tag), model.tag.path()
    undo.callback(_serve_newest_if_any, name)
    undo.callback(delete, tag)
    (_store() / place).parent.mkdir(parents=True, exist_ok=True)
    (beside / place).rename(_store() / place)
    shutil.rmtree(beside)
    serve_newest(name)
    newest = bentoml.models.get(f"{name}:latest").tag
    if newest != model.tag:
        raise RegistryError(
            f"{newest} in the BentoML store is dated in the future, so it would still be served. "
            f"Delete it (`bentoml models delete {newest}`) and try again."
        )
    return tag


def models(name: str) -> list[bentoml.Model]:
    """Every model of this name, in no order."""
    try:
        return list(bentoml.models.list(name))
    except NotFound:
        return []


def serve_newest(name: str) -> None:
    """Write down which model is the newest, where BentoML reads it."""
    newest = max(models(name), key=lambda model: model.creation_time)
    # BentoML's own writing can be cut off, and an empty file makes every `get` fail.
    draft = _store().parent / "incoming" / f"{name}-latest"
    draft.parent.mkdir(exist_ok=True)
    draft.write_text(str(newest.tag.version))
    draft.replace(_store() / newest.tag.latest_path())


def served_labels(name: str) -> dict[str, str] | None:
    """Labels of the model that would be served now, or None if there is none."""
    try:
        return dict(bentoml.models.get(f"{name}:latest").info.labels)
    except NotFound:
        return None


def delete(tag: str) -> None:
    """Remove a model, if it is there.

    It leaves the store by a rename, for the same reason for which it came by one.
    """
    try:
        model = bentoml.models.get(tag)
    except NotFound:
        return
    name = model.tag.name
    beside = _store().parent / "outgoing" / name
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    Path(model.path).rename(beside / str(model.tag.version))
    shutil.rmtree(beside)
    _serve_newest_if_any(name)


def _serve_newest_if_any(name: str) -> None:
    if models(name):
        serve_newest(name)
    else:
        shutil.rmtree(_store() / name, ignore_errors=True)


def _store() -> Path:
    folder = Path(os.fspath(BentoMLContainer.model_store.get()._path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
