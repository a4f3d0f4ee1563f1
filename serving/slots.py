"""Limit how many articles are in progress at once."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from serving.errors import ApiError

_RETRY_SECONDS = 2


class Slots:
    """A fixed number of slots, one for each article; used from one event loop only.

    Args:
        total: number of slots.
        observe: called with the number of slots in use whenever it changes.
    """

    def __init__(self, total: int, observe: Callable[[int], None]) -> None:
        self._total = total
        self._observe = observe
        self.used = 0

    def take(self, articles: int = 1) -> "Reservation":
        """Reserve slots until the reservation is released.

        Raises:
            ApiError: 429 if too few slots are free.
        """
        if self.used + articles > self._total:
            raise ApiError(
                429, "too_busy", "The service is busy: try again later.", retry_after=_RETRY_SECONDS
            )
        self._change(articles)
        return Reservation(lambda: self._change(-articles))

    def _change(self, articles: int) -> None:
        self.used += articles
        self._observe(self.used)


class Reservation:
    """Slots of one request; released once, by `release` or at the end of a `with` block."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back

    def release(self) -> None:
        """Free the slots; further calls do nothing."""
        if self._give_back:
            self._give_back()
            self._give_back = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.release()
