"""Scratch folders that outlive the function that fills them but not the process."""

import atexit
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
