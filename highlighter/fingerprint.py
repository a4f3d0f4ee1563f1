"""Which version of a file, folder or hub repository a run reads."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from httpx2 import HTTPError
from huggingface_hub import HfApi
from huggingface_hub.errors import OfflineModeIsEnabled

from highlighter.errors import HighlighterError
from highlighter.settings import (
    EmbeddedModel,
    GivenVocabulary,
    ModelSource,
    PretrainedModel,
    ScratchModel,
    StudentModel,
)
from highlighter.shipped import CHECKPOINT

_HUB_SECONDS = 20


def hash_files(files: Iterable[Path]) -> str:
    """A hash of the files' contents, in the order given.

    Raises:
        HighlighterError: one of them does not exist.
    """
    digest = hashlib.sha256()
    for file in files:
        if not file.is_file():
            raise HighlighterError(f"{file}: no such file. Check the path in the configuration.")
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def hash_folder(folder: Path) -> str:
    """A hash of the contents of every file in the folder, but for git's own."""
    files = (p for p in folder.rglob("*") if p.is_file())
    return hash_files(sorted(p for p in files if ".git" not in p.relative_to(folder).parts))


def hub_commit(kind: Literal["dataset", "model"], repository: str, revision: str) -> str:
    """The commit that `revision` names today.

    Raises:
        HighlighterError: the hub does not answer, or has no such repository.
    """
    try:
        api = HfApi()
        info = (api.dataset_info if kind == "dataset" else api.model_info)(
            repository, revision=revision, timeout=_HUB_SECONDS
        )
    except (HTTPError, OfflineModeIsEnabled, OSError) as error:
        raise HighlighterError(
            f"{repository} at {revision!r}: no such {kind} folder here, and the hub does not "
            f"answer ({type(error).__name__}). Check the name and the network, or give a local "
            "folder with the same files."
        ) from error
    return str(info.sha)


def fingerprint_model(source: ModelSource) -> str:
    """What version of a checkpoint or vocabulary a model starts from; "" if from neither."""
    match source:
        case EmbeddedModel():
            return hash_folder(CHECKPOINT)
        case PretrainedModel(name=name, revision=revision):
            if Path(name).is_dir():
                return hash_folder(Path(name))
            return hub_commit("model", name, revision)
        case StudentModel(teacher=teacher):
            if not Path(teacher).is_dir():
                raise HighlighterError(
                    f"{teacher}: no such folder. Check parameters.model.teacher in the "
                    "configuration: `champion`, models:/NAME/VERSION or a checkpoint's folder."
                )
            return hash_folder(Path(teacher))
        case ScratchModel(vocabulary=GivenVocabulary(path=path)):
            return hash_folder(Path(path))
        case ScratchModel():
            return ""
