"""Send the service ten times what it can answer, and see whether it sheds, bounds and recovers.

Then clients that go away half-way, and SIGTERM while requests run. With --soak, only a steady load.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.articles import read_articles
from benchmarks.client import ask, new_session
from benchmarks.command import positive, run_command
from benchmarks.load import run_load
from benchmarks.memory import MemoryWatch
from benchmarks.overload_report import Overload, Recovery, outcomes
from benchmarks.processes import Server, ServerError, serve, service_command
from benchmarks.soak import Soak, soak
from benchmarks.stress import TIMEOUT, disconnect, send_at_rate, terminate

_CLIENTS = 16
_TIMES = 10
_TERMINATED_REQUESTS = 8


def main() -> None:
    """Start the service, stress it, print the figures, write them as JSON beside its output."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--articles", type=Path, required=True, help="JSON lines with `article`")
    parser.add_argument("--seconds", type=positive, default=60, help="of the overload")
    parser.add_argument("--soak", type=_soak_minutes, metavar="MINUTES", help="more than 1")
    parser.add_argument("--output", type=Path, default=Path("work/benchmarks"), help="folder")
    options = parser.parse_args()
    articles = [row.article for row in read_articles(options.articles)]
    output = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    name = "soak" if options.soak else "overload"
    result: Soak | Overload
    with serve(service_command(), output / f"{name}.log") as server:
        if options.soak:
            result = asyncio.run(soak(server, articles, options.soak, _CLIENTS))
        else:
            result = asyncio.run(overload(server, articles, options.seconds))
    print(result.text())
    (output / f"{name}.json").write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")


async def overload(
    server: Server,
    articles: Sequence[str],
    seconds: float,
    *,
    measure: float = 5.0,
    rest: float = 10.0,
) -> Overload:
    """All of it, in order; the server has ended then.

    Args:
        seconds: of the overload.
        measure: seconds for which one client, and all of them, are measured before and after.
        rest: seconds between the overload and the client that asks whether it is over.

    Raises:
        ServerError: nothing was answered before the overload, so that there is no capacity.
    """
    url = server.url
    _say(f"capacity, 1 and {_CLIENTS} clients ...")
    alone = await run_load(url, articles, clients=1, seconds=measure, warm_up=measure)
    full = await run_load(url, articles, clients=_CLIENTS, seconds=measure, warm_up=measure)
    if not full.latencies:
        raise ServerError(f"no answer with 200 from {_CLIENTS} clients: {full.errors}")
    with MemoryWatch(server.pid) as memory:
        async with new_session(TIMEOUT) as session:
            rate = _TIMES * full.requests_per_second
            _say(f"overload, {rate:.1f} requests/s for {seconds:g} s ...")
            tasks = await send_at_rate(session, url, articles, rate=rate, seconds=seconds)
            _say("recovery ...")
            await asyncio.sleep(rest)
            first = await ask(session, url, articles[0])
            after = await run_load(url, articles, clients=1, seconds=measure, warm_up=0)
            answers = await asyncio.gather(*tasks)
    _say("clients that go away, SIGTERM ...")
    return Overload(
        capacity=full.requests_per_second,
        offered=len(tasks) / seconds,
        seconds=seconds,
        outcomes=outcomes(answers),
        rss=memory.samples,
        recovery=Recovery(
            p50_before=alone.latency(50),
            first=first.seconds,
            first_status=first.status,
            p50_after=after.latency(50),
            errors_after=after.errors,
        ),
        disconnected=await disconnect(url, articles),
        terminated=await terminate(
            server,
            articles,
            requests=_TERMINATED_REQUESTS,
            after=max(0.05, alone.latency(50) / 2),
        ),
    )


def _say(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


def _soak_minutes(text: str) -> float:
    minutes = float(text)
    if not minutes > 1:
        raise argparse.ArgumentTypeError("the first minute is left out: give more than 1")
    return minutes


if __name__ == "__main__":
    sys.exit(run_command(main))
