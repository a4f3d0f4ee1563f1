"""Measure the service under ten times the load that it can answer, and under a long steady load.

Without --soak: overload, recovery, clients that disconnect, and SIGTERM with requests in flight.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np

from benchmarks.command import make_parser, parse, positive, run_command
from benchmarks.inputs import read_articles
from benchmarks.load import Answer, run_load
from benchmarks.processes import MemoryWatch, ProcessError, Server, serve
from benchmarks.report import format_value, percentile, report
from benchmarks.serving import SERVICE_COMMAND

_CLIENTS = 16
_OVERLOAD = 10  # times the capacity
_DISCONNECTED = 32
_TERMINATED = 8
_TIMEOUT = 120.0


def main() -> None:
    """Start the service, stress it, print the results, write overload.json or soak.json."""
    parser = make_parser("overload", __doc__, "articles")
    parser.add_argument("--seconds", type=positive, default=60, help="of the overload")
    parser.add_argument("--soak", type=_soak_minutes, metavar="MINUTES", help="more than 1")
    options = parse(parser)
    articles = [row.article for row in read_articles(options.articles)]
    name = "soak" if options.soak else "overload"
    with serve(SERVICE_COMMAND, options.output / f"{name}.log") as server:
        if options.soak:
            rows, facts = soak(server, articles, options.soak)
        else:
            rows, facts = overload(server, articles, options.seconds)
    report(name, rows, options.output, **facts)
    for fact, value in facts.items():
        print(f"{fact}: {format_value(value)}")


def overload(
    server: Server, articles: Sequence[str], seconds: float, *, measure_s: float = 5.0
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Overload the server, then see how it recovers; it has ended on return.

    Args:
        server: with capacity to answer at least one request in `measure_s`.
        articles: the texts to send.
        seconds: length of the overload.
        measure_s: length of the measurements before and after it.

    Returns:
        A row for each status of the answers, and the other results by name.

    Raises:
        ProcessError: nothing was answered before the overload.
    """
    url = server.url
    _say("capacity ...")
    alone = run_load(url, articles, seconds=measure_s)
    full = run_load(url, articles, seconds=measure_s, clients=_CLIENTS)
    capacity = full.requests_per_second
    if not capacity:
        raise ProcessError(f"no answer with 200 to {_CLIENTS} clients: {full.errors}")
    _say(f"{_OVERLOAD * capacity:.0f} requests/s for {seconds:g} s ...")
    with MemoryWatch(server.process.pid) as memory:
        flood = run_load(
            url, articles, seconds=seconds, rate=_OVERLOAD * capacity, warm_up=0, timeout=_TIMEOUT
        )
    after = run_load(url, articles, seconds=measure_s, warm_up=0)
    _say("disconnects, SIGTERM ...")
    rss = [rss for _, rss, _ in memory.samples]
    facts = {
        "capacity, requests/s": capacity,
        "offered, requests/s": len(flood.answers) / seconds,
        "RSS MB at the start": rss[0],
        "RSS MB at most": max(rss),
        "one client's p50 s before": alone.latency(50),
        "one client's p50 s after": after.latency(50),
        "one client's errors after": after.errors,
        f"seconds until an answer after {_DISCONNECTED} disconnects": disconnect(url, articles),
    }
    statuses, code, took = terminate(server, articles, after=alone.latency(50) / 2)
    facts |= {"answers at SIGTERM": statuses, "exit code": code, "seconds until exit": took}
    return _by_status(flood.answers), facts


def disconnect(url: str, articles: Sequence[str], after: float = 0.05) -> float:
    """Close many requests after `after` seconds; return the seconds until the next 200."""
    _send(url, articles, _DISCONNECTED, httpx.Timeout(_TIMEOUT, read=after))
    start = time.perf_counter()
    while time.perf_counter() < start + _TIMEOUT:
        if _send(url, articles, 1, httpx.Timeout(_TIMEOUT)) == ["200"]:
            return time.perf_counter() - start
        time.sleep(0.05)
    return float("nan")


def terminate(
    server: Server, articles: Sequence[str], after: float
) -> tuple[dict[str, int], int, float]:
    """Send requests, and SIGTERM `after` seconds.

    Returns:
        The number of answers of each status, the server's exit code, and the seconds from SIGTERM
        to its exit.
    """

    def send_sigterm() -> float:
        time.sleep(max(0.05, after))
        server.process.terminate()
        return time.perf_counter()

    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(send_sigterm)
        statuses = _send(server.url, articles, _TERMINATED, httpx.Timeout(_TIMEOUT))
        code = server.process.wait(_TIMEOUT)
        return dict(Counter(statuses)), code, time.perf_counter() - start.result()


def soak(
    server: Server, articles: Sequence[str], minutes: float
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Load the server steadily; return latencies in a row, and how its memory grew."""
    with MemoryWatch(server.process.pid, interval=1) as memory:
        load = run_load(server.url, articles, clients=_CLIENTS, seconds=60 * minutes, warm_up=0)
    rss = [rss for _, rss, _ in memory.samples]
    row = {
        "clients": _CLIENTS,
        "minutes": minutes,
        "requests/s": load.requests_per_second,
        "p50 s": load.latency(50),
        "p99 s": load.latency(99),
        "errors": load.errors,
    }
    growth = memory_growth([(seconds, rss) for seconds, rss, _ in memory.samples], skip_s=60)
    return [row], {
        "RSS MB at the start": rss[0],
        "RSS MB at most": max(rss),
        "RSS MB/min after the first minute": growth,
    }


def memory_growth(samples: Sequence[tuple[float, float]], skip_s: float) -> float:
    """Return the least-squares slope in MB/min of (seconds, MB), without the first seconds."""
    kept = [sample for sample in samples if sample[0] >= skip_s]
    if len(kept) < 2:
        return float("nan")
    seconds, megabytes = zip(*kept, strict=True)
    return 60 * float(np.polyfit(seconds, megabytes, 1)[0])


def _by_status(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    rows = []
    for status, count in sorted(Counter(answer.status for answer in answers).items()):
        seconds = [answer.seconds for answer in answers if answer.status == status]
        advised = sum(a.status == status and a.retry_after is not None for a in answers)
        rows.append(
            {
                "status": status,
                "answers": count,
                "% of all": 100 * count / len(answers),
                "p50 s": percentile(seconds, 50),
                "p99 s": percentile(seconds, 99),
                "% with Retry-After": 100 * advised / count,
            }
        )
    return rows


def _send(url: str, articles: Sequence[str], count: int, timeout: httpx.Timeout) -> list[str]:
    """Send requests at once; return each one's HTTP status, or the kind of its error."""

    def send(number: int) -> str:
        body = {"article": articles[number % len(articles)]}
        try:
            return str(httpx.post(f"{url}/summarize", json=body, timeout=timeout).status_code)
        except httpx.HTTPError as error:
            return type(error).__name__

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(send, range(count)))


def _say(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


def _soak_minutes(text: str) -> float:
    minutes = float(text)
    if not minutes > 1:
        raise argparse.ArgumentTypeError("give more than 1: the first minute is left out")
    return minutes


if __name__ == "__main__":
    sys.exit(run_command(main))
