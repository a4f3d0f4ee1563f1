"""Limit how many articles are in progress at once."""

from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from serving.errors import ApiError

_RETRY_SECONDS = 2


class Slots:
    """A fixed number of slots, one for each article; used from one event loop only.

    A client may hold `per_client / (total - per_client)` times as many slots as are free: alone
    `per_client`, beside others fewer as its articles end. So a few clients do not keep all slots
    from a client that has none (dynamic thresholds: Choudhury and Hahne 1998).

    Args:
        total: number of slots.
        per_client: number of slots that one client may hold if no other holds any.
        observe: called with the number of slots in use whenever it changes.
    """

    def __init__(self, total: int, per_client: int, observe: Callable[[int], None]) -> None:
        self._total = total
        self._per_client = per_client
        self._observe = observe
        self._used_by: Counter[str] = Counter()

    @property
    def used(self) -> int:
        """Return the number of slots in use."""
        return self._used_by.total()

    def take(self, client: str, articles: int = 1) -> "Reservation":
        """Reserve slots for a client until the reservation is released.

        Raises:
            ApiError: 429 if the client holds too many slots or too few are free.
        """
        if self._used_by[client] + articles > self._per_client:
            message = f"At most {self._per_client} articles of a client at once: try again later."
            raise ApiError(429, "too_many_requests", message, retry_after=_RETRY_SECONDS)
        held, free = self._used_by[client], self._total - self.used - articles
        reserve = max(0, self._total - self._per_client)
        if free < 0 or (held and (held + articles) * reserve > self._per_client * free):
            message = "The service is busy: try again later."
            raise ApiError(429, "too_busy", message, retry_after=_RETRY_SECONDS)
        self._change(client, articles)
        return Reservation(lambda: self._change(client, -articles))

    def _change(self, client: str, articles: int) -> None:
        self._used_by[client] += articles
        self._used_by += Counter()  # removes clients without slots
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
