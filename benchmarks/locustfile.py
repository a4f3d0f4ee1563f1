"""The users of a summarization service that `benchmarks.load` has locust simulate.

`Client` sends its next request when it has the answer to its last; after a refusal it waits as long
as Retry-After says. `Arrivals` sends requests at a given rate and does not wait for answers.
"""

import argparse
import itertools
import json
import random
import time
from pathlib import Path

import gevent
from gevent.pool import Pool
from locust import FastHttpUser, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from benchmarks.load import Answer, Load


class Run:
    """What the users share during one run of locust: the order of articles, and the answers."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.articles: list[str] = json.loads(options.articles.read_text(encoding="utf-8"))
        order = list(range(len(self.articles)))
        random.Random(options.seed).shuffle(order)
        self.turns = itertools.cycle(order)
        self.answers: list[Answer] = []
        self.answered: set[int] = set()  # the users that had an answer
        self.window = (0.0, 0.0)

    def measure(self, environment: Environment) -> None:
        """Wait for the warm-up and each user's first answer, time the window, end the run."""
        gevent.sleep(self.options.warm_up)
        closed = self.options.rate is None
        while closed and len(self.answered) < self.options.num_users:
            gevent.sleep(0.02)
        start = time.perf_counter()
        gevent.sleep(self.options.seconds)
        self.window = (start, time.perf_counter())
        assert environment.runner is not None  # once a test runs
        environment.runner.quit()


run: Run


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    """Add the options that `benchmarks.load.run_load` passes."""
    parser.add_argument("--articles", type=Path, required=True, help="JSON list of texts")
    parser.add_argument("--result", type=Path, required=True, help="file for the answers")
    parser.add_argument("--seconds", type=float, required=True, help="length of the window")
    parser.add_argument("--warm-up", type=float, default=0.0, help="seconds before the window")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds of one request")
    parser.add_argument("--rate", type=float, help="requests/s of Arrivals")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the articles")


@events.test_start.add_listener
def begin(environment: Environment, **_: object) -> None:
    """Start to measure."""
    global run  # noqa: PLW0603 - locust creates its users without arguments
    assert environment.parsed_options is not None  # on the command line
    run = Run(environment.parsed_options)
    SummarizeUser.network_timeout = run.options.timeout
    gevent.spawn(run.measure, environment)


@events.quit.add_listener
def write(**_: object) -> None:
    """Write the window's bounds and all answers."""
    load = Load(window=run.window, answers=run.answers)
    run.options.result.write_text(load.model_dump_json(), encoding="utf-8")


class SummarizeUser(FastHttpUser):
    """Sends articles and notes what it gets."""

    abstract = True

    def ask(self) -> float:
        """Send the next article; return the seconds to wait before the next request."""
        index = next(run.turns)
        body = {"article": run.articles[index]}
        start = time.perf_counter()
        with self.client.post("/summarize", json=body, catch_response=True) as response:
            seconds = time.perf_counter() - start
            response.success()  # locust's own count of failures is not used
        status, summary = str(response.status_code), None
        if response.status_code == 0:
            cause = getattr(response.error, "original", response.error)
            status = "timeout" if isinstance(cause, TimeoutError) else "connection"
        elif response.status_code == 200:
            summary = _summary(response.content)
            status = "malformed" if summary is None else status
        retry_after = (response.headers or {}).get("Retry-After")
        run.answers.append(
            Answer(
                status=status,
                finished=start + seconds,
                seconds=seconds,
                article=index,
                summary=summary,
                retry_after=retry_after,
            )  # fmt: skip
        )
        run.answered.add(id(self))
        if summary is not None:
            return 0.0
        return float(retry_after) if retry_after and retry_after.isdecimal() else 1.0


class Client(SummarizeUser):
    """Closed loop: one request at a time."""

    pause = 0.0

    def wait_time(self) -> float:
        """Return the seconds to wait after a request."""
        return self.pause

    @task
    def summarize(self) -> None:
        """Send one request."""
        self.pause = self.ask()


class Arrivals(SummarizeUser):
    """Open loop: requests arrive in a Poisson process, whether or not earlier ones are answered."""

    concurrency = 100_000

    def on_start(self) -> None:
        """Prepare the rate and the requests in flight."""
        self.draw = random.Random(run.options.seed)
        self.due = time.perf_counter()
        self.in_flight = Pool()

    def wait_time(self) -> float:
        """Return the seconds until the next request is due."""
        self.due += self.draw.expovariate(run.options.rate)
        return max(0.0, self.due - time.perf_counter())

    @task
    def summarize(self) -> None:
        """Start one request."""
        self.in_flight.spawn(self.ask)

    def on_stop(self) -> None:
        """Wait for the answers of all requests."""
        self.in_flight.join()


def _summary(content: bytes) -> str | None:
    try:
        summary = json.loads(content)["summary"]
    except (ValueError, KeyError, TypeError):
        return None
    return summary if isinstance(summary, str) else None
