"""Stop or suspend a computation between two passes of the model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch


class ComputationCancelledError(Exception):
    """The computation was stopped before its end."""


class _Control(NamedTuple):
    cancelled: Callable[[], bool] | None = None
    pause: Callable[[], None] | None = None


# A context variable, because computations in several threads take turns. A thread that a
# computation starts has to run in a copy of its context.
_current: ContextVar[_Control | None] = ContextVar("control", default=None)


@contextmanager
def interruptible(
    cancelled: Callable[[], bool] | None, pause: Callable[[], None] | None
) -> Iterator[None]:
    """Make the block's computation stop or wait at each `interruption_point`.

    Args:
        cancelled: whether to stop.
        pause: waits while the model should compute something else.
    """
    _current.set(_Control(cancelled, pause))
    try:
        yield
    finally:
        _current.set(None)  # not reset: a generator may end in another context


def interruption_point() -> None:
    """Wait while the computation is paused.

    Raises:
        ComputationCancelledError: the computation was cancelled.
    """
    cancelled, pause = _current.get() or _Control()
    if pause:
        pause()
    if cancelled and cancelled():
        raise ComputationCancelledError


def cancellation() -> Callable[[], bool] | None:
    """Return the function that tells whether the computation is cancelled; it never waits."""
    return (_current.get() or _Control()).cancelled


def interrupt_before(*modules: torch.nn.Module) -> None:
    """Make every forward pass of the modules an interruption point.

    With a model's encoder and decoder, there is one per batch of windows that is read and one per
    token that is generated.
    """

    def check(_module: torch.nn.Module, _arguments: Any) -> None:
        interruption_point()

    for module in modules:
        module.register_forward_pre_hook(check)
