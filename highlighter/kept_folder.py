"""Folders that outlive a killed process, so that the next run can go on in them."""

import fcntl
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from highlighter.workspace import temporary_folder

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
