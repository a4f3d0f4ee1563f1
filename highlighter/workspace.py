"""Scratch folders that outlive the function that fills them but not the process."""

import atexit
import hashlib
import os
import shutil
import tempfile
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
