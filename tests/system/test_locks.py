"""Locks that a file system lacks, and workers that end with the process that started them."""

import errno
import fcntl
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from highlighter.errors import StorageError
from highlighter.system.folders import kept_folder
from highlighter.system.locks import exclusive

PROGRAM = """
import os, time
from highlighter.system.locks import end_workers_with_this_process
end_workers_with_this_process()
worker = os.fork()
if worker:
    print(worker, flush=True)
time.sleep(60)
"""


def test_a_worker_ends_when_its_process_is_killed() -> None:
    killed = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    worker = psutil.Process(int(killed.stdout.readline()))
    assert worker.is_running()
    killed.kill()
    killed.wait()
    _, left = psutil.wait_procs([worker], timeout=10)
    if left:
        worker.kill()
    assert not left


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_lock(file: Any, flags: int) -> None:
        raise OSError(number, "no locks")

    for name in ("lockf", "flock"):
        monkeypatch.setattr(fcntl, name, no_lock)
    with (
        pytest.raises(StorageError, match=f"{tmp_path}/lock: this file system has no locks.*disk"),
        exclusive(tmp_path / "lock", lambda holder: None),
    ):
        pass
    with (
        pytest.raises(StorageError, match=f"{tmp_path}/key/lock: this file system has no locks"),
        kept_folder(tmp_path, "key"),
    ):
        pass
