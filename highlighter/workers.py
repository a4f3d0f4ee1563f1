"""Worker processes that end with the process that forked them, however that ends."""

import os
import threading
import time


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
