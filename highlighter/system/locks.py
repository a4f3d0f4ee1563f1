"""Locks between processes, and worker processes that end with their parent."""

import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from highlighter.errors import StorageError

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


def lock(call: Callable[[Any, int], None], stream: Any, flags: int) -> None:
    """Lock an open file by `fcntl.lockf` or `fcntl.flock`.

    Raises:
        BlockingIOError: `flags` has LOCK_NB, and another process holds the lock.
        StorageError: the file system has no locks.
    """
    try:
        call(stream, flags)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise StorageError(
            f"{stream.name}: this file system has no locks ({os.strerror(error.errno).lower()}), "
            "as some network mounts. Move the folder to a local disk."
        ) from error


@contextmanager
def exclusive(file: Path, busy: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a file; wait while another process holds it.

    The kernel releases the lock when a process ends, also by `kill -9`. This is a POSIX lock:
    a forked worker inherits the lock of `flock` and may keep it after its parent has ended. The
    file is never removed: two processes could then each lock a file of that name.

    Args:
        file: created if it is missing. Do not lock it twice in one process: closing it the first
            time releases the lock.
        busy: called with a description of the holder before waiting.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as stream:
        try:
            lock(fcntl.lockf, stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            busy(stream.read() or "another process")
            lock(fcntl.lockf, stream, fcntl.LOCK_EX)
        stream.truncate(0)
        stream.write(f"process {os.getpid()}, running since {datetime.now():%Y-%m-%d %H:%M:%S}")
        stream.flush()
        yield


def end_workers_with_this_process() -> None:
    """Make every process that is forked from now on end when its parent has ended.

    A pool ends its workers only if its process ends normally. After `kill -9` a worker would wait
    forever on a pipe of which it holds both ends, and keep its memory.
    """
    parent = [0]

    def before() -> None:
        parent[0] = os.getpid()

    def in_child() -> None:
        threading.Thread(target=_end_with, args=(parent[0],), daemon=True).start()

    os.register_at_fork(before=before, after_in_child=in_child)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
