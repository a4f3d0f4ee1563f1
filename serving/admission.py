"""Turn callers away at once when the service has as much as it can do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from serving.errors import ApiError

_RETRY_SECONDS = 2


class Admission:
    """A number of places; all of one event loop, so no lock is needed."""

    def __init__(self, places: int, observe: Callable[[int], None]) -> None:
        self._places = places
        self._observe = observe  # told how many are taken
        self.taken = 0

    @contextmanager
    def admit(self, articles: int = 1) -> Iterator[None]:
        """Hold places for some articles; they are free again afterwards, whatever happens.

        Raises:
            ApiError: 429, if there are not as many.
        """
        if self.taken + articles > self._places:
            raise full()
        self._take(articles)
        try:
            yield
        finally:
            self._take(-articles)

    def _take(self, articles: int) -> None:
        self.taken += articles
        self._observe(self.taken)


def full() -> ApiError:
    """The answer to those who come when there is no room."""
    return ApiError(
        429, "too_busy", "The service is busy: try again later.", retry_after=_RETRY_SECONDS
    )
