"""A lock for the model: long computations let short ones in between two passes of the model."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LEAST_SECONDS = 0.25


class ModelLock:
    """Let one of two threads compute, of which one has short computations and the other long ones.

    A long computation gives way to a short one, which runs to its end. Then the long one computes
    for `least_seconds` before it gives way again, so that it ends however many short ones arrive.
    """

    def __init__(self, least_seconds: float = _LEAST_SECONDS) -> None:
        self._least_seconds = least_seconds
        self._changed = threading.Condition()
        self._held = False
        self._short_waits = False
        self._long_waits = False
        self._short_is_next = False  # of two that wait
        self._give_way_at = 0.0

    @contextmanager
    def short(self) -> Iterator[None]:
        """Hold the lock in the block."""
        with self._changed:
            self._short_waits = True
            self._changed.wait_for(
                lambda: not self._held and (self._short_is_next or not self._long_waits)
            )
            self._short_waits = self._short_is_next = False
            self._held = True
        try:
            yield
        finally:
            self._release()

    @contextmanager
    def long(self) -> Iterator[None]:
        """Hold the lock in the block, except during `give_way`."""
        with self._changed:
            self._take_for_long()
        try:
            yield
        finally:
            self._release()

    def give_way(self) -> None:
        """Let a short computation run if one waits; called within `long`, from any thread."""
        with self._changed:
            if self._short_waits and time.monotonic() >= self._give_way_at:
                self._short_is_next = True
                self._held = False
                self._changed.notify_all()
                self._take_for_long()

    def _take_for_long(self) -> None:
        self._long_waits = True
        self._changed.wait_for(lambda: not self._held and not self._short_is_next)
        self._long_waits = False
        self._held = True
        self._give_way_at = time.monotonic() + self._least_seconds

    def _release(self) -> None:
        with self._changed:
            self._held = False
            self._changed.notify_all()
