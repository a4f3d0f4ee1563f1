"""Stop a model's computation when its result is no longer needed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch


class ComputationCancelledError(Exception):
    """The computation was stopped before its end."""


class CancellationCheck:
    """Check before every forward pass of some modules whether the computation was cancelled.

    With a model's encoder and decoder, it checks once per batch of windows that is read and once
    per token that is generated.

    Args:
        modules: parts of a model that are called repeatedly, such as its decoder.
    """

    def __init__(self, *modules: torch.nn.Module) -> None:
        self._cancelled: Callable[[], bool] | None = None
        for module in modules:
            module.register_forward_pre_hook(self._check)

    @contextmanager
    def active(self, cancelled: Callable[[], bool] | None) -> Iterator[None]:
        """Raise `ComputationCancelledError` in the block's forward passes once `cancelled()`."""
        self._cancelled = cancelled
        try:
            yield
        finally:
            self._cancelled = None

    def _check(self, _module: torch.nn.Module, _arguments: Any) -> None:
        if self._cancelled and self._cancelled():
            raise ComputationCancelledError
