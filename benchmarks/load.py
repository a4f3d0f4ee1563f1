"""Load a summarization service with locust, in a process of its own."""

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from benchmarks.processes import ROOT, ProcessError, last_lines, python, start
from benchmarks.report import percentile

_IN_FLIGHT_S = 600  # after a run, requests in flight are waited for this long


class Answer(BaseModel):
    """The answer to one request; `finished` in seconds on the load generator's clock.

    `status`: the HTTP status, "timeout", "connection" (refused, reset or closed without an answer)
    or "malformed" (a 200 without a summary).
    """

    status: str
    finished: float
    seconds: float
    article: int
    summary: str | None
    retry_after: str | None


class Load(BaseModel):
    """All answers of a run, and the window (start, end) in which an answer counts.

    An answer counts if it arrived within the window, whenever it was asked for.
    """

    window: tuple[float, float]
    answers: list[Answer]

    @property
    def counted(self) -> list[Answer]:
        """The answers within the window."""
        return [a for a in self.answers if self.window[0] <= a.finished < self.window[1]]

    @property
    def requests_per_second(self) -> float:
        """Answers with 200 divided by the window's length."""
        return len(self._latencies()) / (self.window[1] - self.window[0])

    def latency(self, percent: float) -> float:
        """Return a percentile of the answers with 200 in seconds; NaN without any."""
        return percentile(self._latencies(), percent)

    @property
    def errors(self) -> dict[str, int]:
        """The number of answers of each status other than 200."""
        statuses = Counter(answer.status for answer in self.counted)
        return {status: count for status, count in sorted(statuses.items()) if status != "200"}

    @property
    def summaries(self) -> dict[int, str]:
        """The first summary of each article by its index, the warm-up included."""
        return {a.article: a.summary for a in reversed(self.answers) if a.summary is not None}

    def _latencies(self) -> list[float]:
        return [answer.seconds for answer in self.counted if answer.status == "200"]


def run_load(
    url: str,
    articles: Sequence[str],
    *,
    seconds: float,
    clients: int = 1,
    rate: float | None = None,
    warm_up: float = 3.0,
    seed: int = 0,
    timeout: float = 300.0,
) -> Load:
    """Load a service for a while; return once all requests have been answered.

    The window starts when the warm-up is over and each client has had an answer.

    Args:
        url: of the service, without /summarize.
        articles: sent in an order that depends on `seed`, again and again.
        seconds: length of the window.
        clients: users that each send one request at a time.
        rate: requests/s that arrive whether or not earlier ones are answered; replaces `clients`.
        warm_up: seconds before the window, at least.
        timeout: seconds until a request without an answer is given up.

    Raises:
        ProcessError: locust failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        texts, result, log = (Path(folder) / name for name in ("articles.json", "result", "log"))
        texts.write_text(json.dumps(list(articles)), encoding="utf-8")
        options = {
            "locustfile": ROOT / "benchmarks" / "locustfile.py",
            "host": url,
            "users": 1 if rate else clients,
            "spawn-rate": clients,
            "stop-timeout": _IN_FLIGHT_S,
            "articles": texts,
            "result": result,
            "seconds": seconds,
            "warm-up": warm_up,
            "seed": seed,
            "timeout": timeout,
        }
        if rate:
            options["rate"] = rate
        words = [f"--{name}={value}" for name, value in options.items()]
        user = "Arrivals" if rate else "Client"
        with start(python("locust", user, "--headless", "--only-summary", *words), log) as process:
            if process.wait():
                raise ProcessError(f"locust failed:\n{last_lines(log)}")
        return Load.model_validate_json(result.read_bytes())
