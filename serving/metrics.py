"""The service's own Prometheus metrics, beside BentoML's at /metrics."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

from serving.requests import SummarizeResponse

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Observed by the web service's process; get it from `metrics`, as names must be unique."""

    def __init__(self) -> None:
        self._requests = Counter(
            "highlighter_requests", "Requests by path and outcome", ["path", "outcome"]
        )
        self._seconds = Histogram(
            "highlighter_request_seconds", "Time to answer, by path", ["path"], buckets=_SECONDS
        )
        self._steps = Histogram(
            "highlighter_step_seconds",
            "Time of an article in fetch, queue, read (encode) and write (decode)",
            ["step"],
            buckets=_SECONDS,
        )
        self._batches = Histogram(
            "highlighter_batch_size",
            "Articles that the model was given at once",
            buckets=range(1, 9),
        )
        self._words = Histogram(
            "highlighter_article_words",
            "Words of an article",
            buckets=(50, 100, 200, 400, 800, 1600, 3200, 6400, 12800),
        )
        self._windows = Histogram(
            "highlighter_article_windows", "Windows of an article", buckets=(1, 2, 3, 5, 8, 13, 21)
        )
        self._summaries = Counter(
            "highlighter_summaries", "Summaries, by why they were extracted, or none", ["doubt"]
        )
        self._gone = Counter("highlighter_clients_gone", "Callers who left before their answer")
        self._places = Gauge(
            "highlighter_articles_in_work",
            "Articles in work or waiting",
            multiprocess_mode="livesum",
        )

    def request(self, path: str, status: int, seconds: float) -> None:
        """One request is answered."""
        outcome = "ok" if status < 400 else str(status)
        self._requests.labels(path, outcome).inc()
        self._seconds.labels(path).observe(seconds)

    def answered(self, answer: SummarizeResponse) -> None:
        """One article is highlighted."""
        for step in ("fetch", "queue", "read", "write"):
            milliseconds = getattr(answer.timing, f"{step}_ms")
            self._steps.labels(step).observe(milliseconds / 1000)
        self._words.observe(answer.counts.words)
        self._windows.observe(answer.counts.windows)
        self._summaries.labels(answer.doubt or "none").inc()

    def batch(self, articles: int) -> None:
        """The model is given so many articles."""
        self._batches.observe(articles)

    def gone(self) -> None:
        """A caller has left."""
        self._gone.inc()

    def places(self, taken: int) -> None:
        """So many articles are in work or waiting."""
        self._places.set(taken)


@cache
def metrics() -> Metrics:
    """The process's metrics."""
    return Metrics()
