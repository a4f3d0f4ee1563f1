"""Prometheus metrics of the service."""

import os
from functools import cache

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from serving.schemas import SummarizeResponse

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The process's metrics; use `metrics()`, because a name can be registered only once."""

    def __init__(self) -> None:
        self._requests = Counter(
            "highlighter_requests", "Requests by route and outcome", ["path", "outcome"]
        )
        self._seconds = Histogram(
            "highlighter_request_seconds",
            "Duration of requests by route",
            ["path"],
            buckets=_SECONDS,
        )
        self._steps = Histogram(
            "highlighter_step_seconds",
            "Duration of an article's steps: fetch, queue, read (encode), write (decode)",
            ["step"],
            buckets=_SECONDS,
        )
        self._batches = Histogram(
            "highlighter_batch_size",
            "Articles per batch",
            buckets=range(1, 9),
        )
        self._words = Histogram(
            "highlighter_article_words",
            "Words per article",
            buckets=(50, 100, 200, 400, 800, 1600, 3200, 6400, 12800),
        )
        self._windows = Histogram(
            "highlighter_article_windows", "Windows per article", buckets=(1, 2, 3, 5, 8, 13, 21)
        )
        self._summaries = Counter(
            "highlighter_summaries",
            "Summaries by the reason for extracting them, or none if written",
            ["doubt"],
        )
        self._disconnects = Counter(
            "highlighter_client_disconnects", "Clients that disconnected before their answer"
        )
        self._slots = Gauge(
            "highlighter_articles_in_progress",
            "Articles that are fetched, queued or processed",
            multiprocess_mode="mostrecent",  # there is one worker; a killed one leaves its value,
        )

    def observe_request(self, path: str, outcome: str, seconds: float) -> None:
        """Count a finished request."""
        self._requests.labels(path, outcome).inc()
        self._seconds.labels(path).observe(seconds)

    def observe_answer(self, answer: SummarizeResponse) -> None:
        """Count a summarized article."""
        for step in ("fetch", "queue", "read", "write"):
            milliseconds = getattr(answer.timing, f"{step}_ms")
            self._steps.labels(step).observe(milliseconds / 1000)
        self._words.observe(answer.counts.words)
        self._windows.observe(answer.counts.windows)
        self._summaries.labels(answer.doubt or "none").inc()

    def observe_batch(self, articles: int) -> None:
        """Count a batch by its size."""
        self._batches.observe(articles)

    def count_disconnect(self) -> None:
        """Count a client that disconnected before its answer."""
        self._disconnects.inc()

    def set_slots(self, used: int) -> None:
        """Set the number of articles in progress."""
        self._slots.set(used)


def render_metrics() -> bytes:
    """Return the metrics in Prometheus's text format."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # set by BentoML: counters outlive a worker
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


@cache
def metrics() -> Metrics:
    """Return the process's metrics."""
    return Metrics()
