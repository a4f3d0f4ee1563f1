"""Temporary folders, and folders that are kept for the next run to resume from."""

import atexit
import fcntl
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = "lock"
_OTHERS = 2  # how many folders of other unfinished work are kept

logger = logging.getLogger(__name__)


def temporary_folder(purpose: str) -> Path:
    """Return a new folder that is removed when the process ends.

    ZenML stores the files that a step returns after the step has ended, when a `with
    TemporaryDirectory()` in the step would have removed them.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"highlighter-{purpose}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def keep_scratch_in_one_place(root: Path) -> Path:
    """Empty the checkout's scratch folder, and use it for all temporary files of this process.

    So the files of a killed run are removed by the next one. Call it only with the checkout's lock.

    Returns:
        The folder; it is removed when the process ends.
    """
    folder = scratch_folder(root)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)  # an error if another user has created it
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def scratch_folder(root: Path) -> Path:
    """Return the folder for temporary files of a checkout's runs."""
    checkout = hashlib.sha256(str(root).encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"highlighter-{os.getuid()}-{checkout}"


@contextmanager
def kept_folder(parent: Path, key: str) -> Iterator[Path]:
    """Yield `parent/key`, locked, with the files that an earlier process left in it.

    While another process holds it, a temporary folder is yielded instead.
    """
    folder = parent / key
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()  # marks it as the newest
    with _locked(folder) as mine:
        if mine:
            _remove_old(parent, folder)
            yield folder
        else:
            logger.warning(
                "Another run is doing the same work. If this one is interrupted, it cannot resume."
            )
            yield temporary_folder(key)


def remove_kept(parent: Path, key: str) -> None:
    """Remove `parent/key` if it exists and no process holds it."""
    folder = parent / key
    if not folder.is_dir():
        return
    with _locked(folder) as mine:
        if mine:
            shutil.rmtree(folder)


def _remove_old(parent: Path, current: Path) -> None:
    others = [p for p in parent.iterdir() if p.is_dir() and p != current]
    others.sort(key=lambda other: other.stat().st_mtime, reverse=True)
    for other in others[_OTHERS:]:
        remove_kept(parent, other.name)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Yield whether the folder could be locked; the kernel releases a killed process's lock."""
    with (folder / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
