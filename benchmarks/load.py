"""Closed-loop load: each client sends its next request when it has the answer to the last.

The window starts once every client has had an answer and the warm-up is over, and lasts as long as
told. An answer counts if it arrives within the window, whenever it was asked for; requests in
flight at the end are waited for and not counted, only their number is reported. A client that is
refused waits as long as Retry-After says (1 second without), as a polite one does.
"""

import argparse
import asyncio
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel

from benchmarks.articles import read_articles
from benchmarks.client import Answer, ask, new_session
from benchmarks.command import positive, positive_int, run_command
from benchmarks.figures import percentile


class LoadResult(BaseModel):
    """What a load met with. `latencies` (seconds) are those of the answers with 200."""

    clients: int
    seconds: float
    latencies: list[float]
    statuses: dict[str, int]
    unfinished: int
    summaries: dict[int, str]  # by the article's index: the first answer, warm-up included

    @property
    def requests_per_second(self) -> float:
        """Answers with 200 by the window's length."""
        return len(self.latencies) / self.seconds

    @property
    def errors(self) -> dict[str, int]:
        """How many answers of each status other than 200."""
        return {status: n for status, n in sorted(self.statuses.items()) if status != "200"}

    def latency(self, percent: float) -> float:
        """A percentile of the latencies in seconds; NaN without any."""
        return percentile(self.latencies, percent)


async def run_load(
    url: str,
    articles: Sequence[str],
    *,
    clients: int,
    seconds: float,
    warm_up: float = 3.0,
    seed: int = 0,
    timeout: float = 300.0,
) -> LoadResult:
    """Load the service with `clients` at once for `seconds`; they share one order of articles.

    `timeout`: seconds that one request may take.
    """
    order = list(range(len(articles)))
    random.Random(seed).shuffle(order)
    turns = itertools.cycle(order)
    answers: list[Answer] = []
    summaries: dict[int, str] = {}
    over = asyncio.Event()

    async def be_client(answered: asyncio.Event) -> None:
        while not over.is_set():
            index = next(turns)
            answer = await ask(session, url, articles[index])
            answers.append(answer)
            answered.set()
            if answer.summary is not None:
                summaries.setdefault(index, answer.summary)
            else:
                await _pause(answer, over)

    async with new_session(timeout) as session, asyncio.TaskGroup() as group:
        first_answers = [asyncio.Event() for _ in range(clients)]
        for answered in first_answers:
            group.create_task(be_client(answered))
        await asyncio.gather(asyncio.sleep(warm_up), *(event.wait() for event in first_answers))
        start = time.perf_counter()
        await asyncio.sleep(seconds)
        over.set()
        end = time.perf_counter()
    counted = [answer for answer in answers if start <= answer.finished < end]
    return LoadResult(
        clients=clients,
        seconds=end - start,
        latencies=[answer.seconds for answer in counted if answer.status == "200"],
        statuses=Counter(answer.status for answer in counted),
        unfinished=sum(answer.finished >= end for answer in answers),
        summaries=summaries,
    )


async def _pause(refused: Answer, over: asyncio.Event) -> None:
    wanted = refused.retry_after or ""
    with suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), float(wanted) if wanted.isdecimal() else 1.0)


def main() -> None:
    """Load a running service; write the result as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--url", required=True, help="of the service, without /summarize")
    parser.add_argument("--articles", type=Path, required=True, help="JSON lines with `article`")
    parser.add_argument("--clients", type=positive_int, default=16)
    parser.add_argument("--seconds", type=positive, default=20)
    parser.add_argument("--warm-up", type=float, default=3, help="seconds, at least")
    parser.add_argument("--seed", type=int, default=0, help="of the articles' order")
    parser.add_argument("--output", type=Path, help="file; else standard output")
    options = parser.parse_args()
    load = run_load(
        options.url,
        [row.article for row in read_articles(options.articles)],
        clients=options.clients,
        seconds=options.seconds,
        warm_up=options.warm_up,
        seed=options.seed,
    )
    result = asyncio.run(load).model_dump_json()
    if options.output:
        options.output.write_text(result, encoding="utf-8")
    else:
        print(result)


if __name__ == "__main__":
    sys.exit(run_command(main))
