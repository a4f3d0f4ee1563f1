"""What became of a service under too much load."""

from collections.abc import Sequence

from pydantic import BaseModel

from benchmarks.client import Answer
from benchmarks.figures import counts, number, percentile, table
from benchmarks.memory import Sample
from benchmarks.stress import Disconnected, Terminated


class Outcome(BaseModel):
    """The answers of one status: share of all, seconds until they came.

    `retry_after`: the share of them with that header.
    """

    status: str
    answers: int
    share: float
    p50: float
    p99: float
    retry_after: float


class Recovery(BaseModel):
    """One client alone, before the overload and after it: seconds.

    `first` and `first_status` are of its first request after the overload.
    """

    p50_before: float
    first: float
    first_status: str
    p50_after: float
    errors_after: dict[str, int]


class Overload(BaseModel):
    """Rates in requests a second, memory in MB; `capacity` by closed-loop clients."""

    capacity: float
    offered: float
    seconds: float
    outcomes: list[Outcome]
    rss: list[Sample]
    recovery: Recovery
    disconnected: Disconnected
    terminated: Terminated

    def text(self) -> str:
        """A table of the answers, and a line for each of the other questions."""
        cells = [
            [outcome.status, str(outcome.answers), f"{outcome.share:.1%}"]
            + [number(outcome.p50, 3), number(outcome.p99, 3), f"{outcome.retry_after:.0%}"]
            for outcome in self.outcomes
        ]
        values = [megabytes for _, megabytes in self.rss]
        recovery, gone, ended = self.recovery, self.disconnected, self.terminated
        lines = {
            "capacity": f"{number(self.capacity)} requests/s",
            "offered": f"{number(self.offered)} requests/s for {self.seconds:.0f} s",
            "RSS": f"start {values[0]:.0f}, max {max(values):.0f}, end {values[-1]:.0f} MB",
            "one client": (
                f"p50 {number(recovery.p50_before, 3)} s before, {number(recovery.p50_after, 3)} s "
                f"after; its first request after: {recovery.first_status} in "
                f"{number(recovery.first, 3)} s; errors after: {counts(recovery.errors_after)}"
            ),
            "gone clients": (
                f"{gone.requests} went away, the next was answered after {number(gone.seconds, 3)}"
                f" s and {gone.refusals} refusals"
            ),
            "SIGTERM": (
                f"requests on their way: {counts(ended.statuses)}; exit code {ended.exit_code} "
                f"after {number(ended.seconds, 1)} s"
            ),
        }
        return "\n".join(
            [
                table(["status", "answers", "share", "p50 s", "p99 s", "Retry-After"], cells),
                *(f"{name:<12}  {line}" for name, line in lines.items()),
            ]
        )


def outcomes(answers: Sequence[Answer]) -> list[Outcome]:
    """Figures of the answers by status."""
    found = []
    for status in sorted({answer.status for answer in answers}):
        group = [answer for answer in answers if answer.status == status]
        seconds = [answer.seconds for answer in group]
        found.append(
            Outcome(
                status=status,
                answers=len(group),
                share=len(group) / len(answers),
                p50=percentile(seconds, 50),
                p99=percentile(seconds, 99),
                retry_after=sum(answer.retry_after is not None for answer in group) / len(group),
            )
        )
    return found
