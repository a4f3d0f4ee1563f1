"""Memory of a process and all its descendants."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import psutil

Sample = tuple[float, float]  # seconds since the start, MB

_MB = 2**20


def process_tree(pid: int) -> list[psutil.Process]:
    """The process and its living descendants; empty if it is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []


def tree_rss(pid: int) -> float:
    """Resident memory of the process tree in MB (2**20 bytes); pages they share count each time."""
    return _sum_of_tree(pid, lambda info: info.rss)


def tree_own(pid: int) -> float:
    """As `tree_rss`, without the pages of files, which the system takes back when it needs them."""
    return _sum_of_tree(pid, lambda info: info.rss - info.shared)


def _sum_of_tree(pid: int, count: Callable[[Any], int]) -> float:
    total = 0
    for process in process_tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += count(process.memory_info())
    return total / _MB


def growth(samples: Sequence[Sample], leave_out: float) -> float:
    """Slope of the least-squares line in MB a minute, without the first `leave_out` seconds.

    NaN where fewer than two samples are left.
    """
    kept = [sample for sample in samples if sample[0] >= leave_out]
    if len(kept) < 2:
        return float("nan")
    seconds, megabytes = zip(*kept, strict=True)
    return float(np.polyfit(seconds, megabytes, 1)[0]) * 60


class MemoryWatch:
    """Samples a process tree's memory from a thread, as long as the `with` block lasts."""

    def __init__(
        self, pid: int, interval: float = 1.0, measure: Callable[[int], float] = tree_rss
    ) -> None:
        """`interval`: seconds between two samples; `measure`: MB of a process id's tree."""
        self.samples: list[Sample] = []
        self._pid = pid
        self._interval = interval
        self._measure = measure
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._start = time.perf_counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def peak(self) -> float:
        """The highest sample in MB."""
        return max((megabytes for _, megabytes in self.samples), default=float("nan"))

    def _watch(self) -> None:
        while True:
            self.samples.append((time.perf_counter() - self._start, self._measure(self._pid)))
            if self._over.wait(self._interval):
                break
