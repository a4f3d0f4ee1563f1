"""Locks between processes, and workers that end with their parent."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path


@contextmanager
def exclusive(file: Path, busy: Callable[[str], None]) -> Iterator[None]:
    """Hold `file`'s lock; while another process has it, call `busy` with who that is and wait.

    The kernel drops the lock at `kill -9`, so a lock that is free is the sign that whoever had it
    is dead. A process id alone may be another program's by now, or of another container. It is
    POSIX's lock and not flock's, which a forked worker inherits and may hold on to.

    The file stays: a lock on a file that somebody removes would let two in.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    # Never open the file a second time in the same process: closing that would drop the lock.
    with file.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            busy(stream.read() or "another process")
            fcntl.lockf(stream, fcntl.LOCK_EX)
        stream.truncate(0)
        stream.write(f"process {os.getpid()}, at work since {datetime.now():%Y-%m-%d %H:%M:%S}")
        stream.flush()
        yield


def end_workers_with_this_process() -> None:
    """Let every process forked from now on end itself when its parent is gone.

    Pools end their workers in an orderly end only. After a `kill -9` some would wait for ever, with
    the memory they hold: who holds both ends of a pipe is never told that it was closed.
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
