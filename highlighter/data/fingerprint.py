"""Identify versions of files, folders, models and the project's code."""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from highlighter.data.hub import commit_of
from highlighter.embedded import CHECKPOINT
from highlighter.errors import HighlighterError
from highlighter.settings import (
    EmbeddedModel,
    GivenVocabulary,
    ModelSource,
    PretrainedModel,
    ScratchModel,
    StudentModel,
)


def hash_files(files: Iterable[Path]) -> str:
    """Return a hash of the files' contents, in the given order.

    Raises:
        HighlighterError: a file does not exist.
    """
    digest = hashlib.sha256()
    for file in files:
        if not file.is_file():
            raise HighlighterError(f"{file}: no such file. Check the path in the configuration.")
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def hash_folder(folder: Path) -> str:
    """Return a hash of the contents of every file in the folder, except in `.git`."""
    files = (p for p in folder.rglob("*") if p.is_file())
    return hash_files(sorted(p for p in files if ".git" not in p.relative_to(folder).parts))


def fingerprint_model(source: ModelSource) -> str:
    """Return a hash of the checkpoint or vocabulary a model starts from; "" if none."""
    match source:
        case EmbeddedModel():
            return hash_folder(CHECKPOINT)
        case PretrainedModel(name=name, revision=revision):
            if Path(name).is_dir():
                return hash_folder(Path(name))
            return commit_of("model", name, revision)
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


def needed_files(module: Path, root: Path) -> list[Path]:
    """Return a module and all files below `root` that it imports, directly or indirectly, sorted.

    Imports inside functions and the `__init__` of packages are included.
    """
    found: set[Path] = set()
    pending = [module.resolve()]
    root = root.resolve()
    while pending:
        file = pending.pop()
        if file in found:
            continue
        found.add(file)
        pending.extend(_imported_files(file, root))
    return sorted(found)


def _imported_files(file: Path, root: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        match node:
            case ast.Import(names=names):
                dotted = [alias.name for alias in names]
            case ast.ImportFrom(module=str(name), names=names, level=0):
                dotted = [name, *(f"{name}.{alias.name}" for alias in names)]
            case _:
                continue
        for name in dotted:
            parts = name.split(".")
            for depth in range(1, len(parts) + 1):
                place = root.joinpath(*parts[:depth])
                candidates = (place.with_suffix(".py"), place / "__init__.py")
                yield from (found for found in candidates if found.is_file())
