"""Scratch folders, and folders that outlive a killed process so that the next run can resume."""

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


def temporary_folder(purpose: str) -> Path:
    """A new folder, removed when the process ends.

    Steps return paths and memory-mapped tables whose files must still stand when the framework
    stores them, so a `with TemporaryDirectory()` inside the step is too short.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"highlighter-{purpose}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def keep_scratch_in_one_place(root: Path) -> Path:
    """Send every temporary file of this process, and of libraries, to one folder, now empty.

    What a killed run left behind is gone so at the next start. Only for the holder of the
    checkout's lock, to whom the folder belongs.
    """
    folder = scratch_folder(root)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)  # an error if another user has put something in this place
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def scratch_folder(root: Path) -> Path:
    """Where the runs of a checkout keep their temporary files."""
    checkout = hashlib.sha256(str(root).encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"highlighter-{os.getuid()}-{checkout}"


_LOCK = "lock"
_OTHERS = 2  # unfinished work under other keys that is kept, the newest

logger = logging.getLogger(__name__)


@contextmanager
def kept_folder(parent: Path, key: str) -> Iterator[Path]:
    """`parent/key` for this process alone, with what an earlier one left there.

    A second process at the same work gets a temporary folder: it would overwrite the first one's.
    """
    folder = parent / key
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()  # the newest
    with _locked(folder) as mine:
        if mine:
            _remove_old(parent, folder)
            yield folder
        else:
            logger.warning(
                "Another run is at the same work; if this one is interrupted, it starts over."
            )
            yield temporary_folder(key)


def remove_kept(parent: Path, key: str) -> None:
    """Remove `parent/key`, if there is one and no process is at work in it."""
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
    """Whether the folder could be locked. The system frees a killed process's lock."""
    with (folder / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
