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

from highlighter.errors import StorageError
from highlighter.system.locks import lock

_LOCK = "lock"
# Their default is a folder of the user's home.
_STORES = ("ZENML_CONFIG_PATH", "BENTOML_HOME")
# What a run writes in the checkout.
_WRITTEN = (".runs", ".runs/lock", ".zen", ".zen/config.yaml", "mlflow.db", "mlartifacts", "work")
_SOCKET = "pymp-12345678/listener-12345678"  # as multiprocessing names them
_LONGEST_SOCKET = 103  # bytes; on macOS, one less than sun_path
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


def require_home() -> None:
    """Require a folder for ZenML's and BentoML's stores, which are in the home folder by default.

    Raises:
        StorageError: there is none, as in a container whose user has no name.
    """
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path's raises an error if there is none
    unset = [name for name in _STORES if not os.environ.get(name)]
    if unset and not (home.is_absolute() and _writable(home)):
        raise StorageError(
            f"User {os.getuid()} has no home folder to write in (HOME is "
            f"{os.environ.get('HOME', 'not set')}). Set HOME to a writable folder, or "
            f"{' and '.join(unset)}."
        )


def require_writable(checkout: Path) -> None:
    """Require that this user can write the stores of a checkout.

    Raises:
        StorageError: the checkout is read-only, or another user's.
    """
    for place in (checkout, *(checkout / name for name in _WRITTEN)):
        if place.exists() and not os.access(place, os.W_OK):
            raise StorageError(
                f"{place} cannot be written by this user. A run keeps its records and models in "
                f"the checkout: copy {checkout} to a folder of your own and run it there."
            )


def _writable(folder: Path) -> bool:
    """Return whether files can be made in a folder, which may be made first."""
    while not folder.exists():
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def keep_scratch_in_one_place(root: Path) -> Path:
    """Empty the checkout's scratch folder, and use it for all temporary files of this process.

    So the files of a killed run are removed by the next one. Call it only with the checkout's lock.

    Returns:
        The folder; it is removed when the process ends.
    """
    folder = scratch_folder(root)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)  # an error if another user has created it
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(_name_for_sockets(folder))
    return folder


def _name_for_sockets(folder: Path) -> Path:
    """Return the folder, or a link to it if multiprocessing's sockets would get too long a name."""
    if len(os.fsencode(folder / _SOCKET)) <= _LONGEST_SOCKET:
        return folder
    link = Path(tempfile.mkdtemp(prefix="highlighter-", dir="/tmp")) / "t"
    link.symlink_to(folder)
    atexit.register(shutil.rmtree, link.parent, ignore_errors=True)
    return link


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
            lock(fcntl.flock, file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
