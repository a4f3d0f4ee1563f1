"""A steady load for minutes: does the memory grow?"""

from collections.abc import Sequence

from pydantic import BaseModel

from benchmarks.figures import counts, number
from benchmarks.load import run_load
from benchmarks.memory import MemoryWatch, Sample, growth
from benchmarks.processes import Server

_LEFT_OUT = 60.0  # seconds in which caches and allocators fill


class Soak(BaseModel):
    """Seconds and MB; `growth` in MB a minute, without the first minute."""

    minutes: float
    clients: int
    requests_per_second: float
    p50: float
    p99: float
    errors: dict[str, int]
    growth: float
    rss: list[Sample]

    def text(self) -> str:
        """Four lines."""
        values = [megabytes for _, megabytes in self.rss]
        return (
            f"soak       {self.minutes:g} min, {self.clients} clients, "
            f"{number(self.requests_per_second)} requests/s\n"
            f"latency    p50 {number(self.p50)} s, p99 {number(self.p99)} s\n"
            f"errors     {counts(self.errors)}\n"
            f"RSS        start {values[0]:.0f}, max {max(values):.0f}, end {values[-1]:.0f} MB; "
            f"{self.growth:+.2f} MB a minute after the first"
        )


async def soak(server: Server, articles: Sequence[str], minutes: float, clients: int) -> Soak:
    """Load the server for so many minutes, sampling the RSS of its tree once a second."""
    with MemoryWatch(server.pid) as memory:
        load = await run_load(
            server.url, articles, clients=clients, seconds=60 * minutes, warm_up=0
        )
    return Soak(
        minutes=minutes,
        clients=clients,
        requests_per_second=load.requests_per_second,
        p50=load.latency(50),
        p99=load.latency(99),
        errors=load.errors,
        growth=growth(memory.samples, _LEFT_OUT),
        rss=memory.samples,
    )
