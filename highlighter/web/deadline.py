"""One wall-clock limit for everything a fetch does."""

import time

from highlighter.web.errors import UrlTimeoutError


class Deadline:
    """Runs from its construction."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, above 0.

        Raises:
            UrlTimeoutError: none are left.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.error()
        return left

    def error(self) -> UrlTimeoutError:
        """What to raise when an operation that was given the remaining time ran out of it."""
        return UrlTimeoutError(
            f"The page was not complete within {self._seconds:g} seconds. Try again later, or send "
            "the article's text."
        )
