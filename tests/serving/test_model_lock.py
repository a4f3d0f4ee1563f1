"""Two threads take turns: a long computation gives way to short ones, but not for ever."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from serving.model_lock import ModelLock


class Log:
    """What the threads did, in order; two that compute at once fail the test."""

    def __init__(self) -> None:
        self.entries: list[str] = []
        self._busy = threading.Lock()

    @contextmanager
    def computing(self, name: str) -> Iterator[None]:
        assert self._busy.acquire(blocking=False), f"{name} beside another"
        try:
            self.entries.append(name)
            yield
        finally:
            self._busy.release()


def run_long(lock: ModelLock, log: Log, passes: int) -> None:
    with lock.long():
        for _ in range(passes):
            lock.give_way()
            with log.computing("long"):
                time.sleep(0.002)


def run_short(lock: ModelLock, log: Log) -> None:
    with lock.short(), log.computing("short"):
        time.sleep(0.002)


def test_a_long_computation_gives_way_to_a_short_one_at_its_next_pass() -> None:
    lock, log = ModelLock(least_seconds=0), Log()
    with lock.long():
        lock.give_way()  # to nobody
        short = threading.Thread(target=run_short, args=(lock, log))
        short.start()
        while not log.entries:
            lock.give_way()
        with log.computing("long"):
            pass
    short.join()
    assert log.entries == ["short", "long"]


def test_short_computations_cannot_keep_a_long_one_from_its_end() -> None:
    lock, log = ModelLock(least_seconds=0.01), Log()
    long = threading.Thread(target=run_long, args=(lock, log, 30))
    with lock.short():
        long.start()
        time.sleep(0.02)
    while long.is_alive():
        run_short(lock, log)
    assert log.entries.count("long") == 30
    # Without a rest between them, each short computation lets several passes of the long one run.
    assert 2 <= log.entries.count("short") <= 15


def test_a_long_computation_does_not_give_way_before_it_has_computed_for_a_while() -> None:
    lock, log = ModelLock(least_seconds=60), Log()
    with lock.long():
        short = threading.Thread(target=run_short, args=(lock, log))
        short.start()
        time.sleep(0.02)
        lock.give_way()
        assert log.entries == []
    short.join()
    assert log.entries == ["short"]
    run_short(lock, log)  # nobody else waits
