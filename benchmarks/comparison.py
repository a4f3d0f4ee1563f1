"""The service's figures beside the baseline's, at each number of clients."""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel

from benchmarks.articles import Article
from benchmarks.figures import counts, number, ratio, table
from benchmarks.load import LoadResult
from highlighter.metrics.statistics import Interval, paired_difference

BASELINE, SERVICE = "baseline", "service"

_ROUGE = {"rouge1": "R-1", "rouge2": "R-2", "rougeLsum": "R-Lsum"}


class Measurement(NamedTuple):
    """One system under one load; the peak RSS of its process tree in MB."""

    system: str
    load: LoadResult
    peak_rss: float


class Row(BaseModel):
    """A measurement's figures; latencies in seconds, memory in MB, ROUGE F1 in percent.

    ROUGE is over the articles that both systems answered at this number of clients; empty where
    they have no highlights.
    """

    system: str
    clients: int
    requests_per_second: float
    p50: float
    p95: float
    p99: float
    errors: dict[str, int]
    unfinished: int
    peak_rss: float
    rouge: dict[str, float]


class Comparison(BaseModel):
    """Service by baseline: ratios, and the paired difference of ROUGE-Lsum in percent points."""

    clients: int
    requests_per_second: float
    p95: float
    articles: int
    rouge_lsum: Interval


class Report(BaseModel):
    """All that was measured."""

    rows: list[Row]
    comparisons: list[Comparison]

    def text(self) -> str:
        """The table, and below it a line of ratios for each number of clients."""
        header = ["system", "clients", "requests/s", "p50 s", "p95 s", "p99 s", "peak RSS MB"]
        cells = [
            [row.system, str(row.clients)]
            + [number(value) for value in (row.requests_per_second, row.p50, row.p95, row.p99)]
            + [number(row.peak_rss, 0)]
            + [number(row.rouge.get(name, float("nan")), 1) for name in _ROUGE]
            + [counts(row.errors)]
            for row in self.rows
        ]
        return "\n".join(
            [table([*header, *_ROUGE.values(), "errors"], cells), *map(_line, self.comparisons)]
        )


def compare(measurements: Sequence[Measurement], articles: Sequence[Article]) -> Report:
    """Rows in the order measured; a comparison for each number of clients both systems had."""
    rows: dict[tuple[str, int], Row] = {}
    comparisons = []
    by_place = {(each.system, each.load.clients): each for each in measurements}
    for clients in dict.fromkeys(each.load.clients for each in measurements):
        pair = [by_place[system, clients] for system in (BASELINE, SERVICE)]
        common = set.intersection(*(set(each.load.summaries) for each in pair))
        judged = sorted(index for index in common if articles[index].highlights)
        scores = [_score(each.load, judged, articles) for each in pair]
        for each, values in zip(pair, scores, strict=True):
            rows[each.system, clients] = _row(each, values)
        theirs, ours = (rows[system, clients] for system in (BASELINE, SERVICE))
        lsum = [values.get("rougeLsum", []) for values in scores]
        comparisons.append(
            Comparison(
                clients=clients,
                requests_per_second=ratio(ours.requests_per_second, theirs.requests_per_second),
                p95=ratio(ours.p95, theirs.p95),
                articles=len(judged),
                rouge_lsum=paired_difference(lsum[1], lsum[0], resamples=2000, seed=0),
            )
        )
    return Report(rows=[rows[place] for place in by_place], comparisons=comparisons)


def _score(
    load: LoadResult, judged: Sequence[int], articles: Sequence[Article]
) -> dict[str, list[float]]:
    if not judged:
        return {}
    from highlighter.metrics.rouge import score_rouge

    scores = score_rouge(
        [load.summaries[index] for index in judged],
        [articles[index].highlights or "" for index in judged],
    )
    return {name: [100 * value for value in scores[name]] for name in _ROUGE}


def _row(measurement: Measurement, scores: dict[str, list[float]]) -> Row:
    load = measurement.load
    return Row(
        system=measurement.system,
        clients=load.clients,
        requests_per_second=load.requests_per_second,
        p50=load.latency(50),
        p95=load.latency(95),
        p99=load.latency(99),
        errors=load.errors,
        unfinished=load.unfinished,
        peak_rss=measurement.peak_rss,
        rouge={name: sum(values) / len(values) for name, values in scores.items()},
    )


def _line(comparison: Comparison) -> str:
    lsum = comparison.rouge_lsum
    rouge = (
        f", ROUGE-Lsum {lsum.mean:+.1f} [{lsum.low:+.1f}, {lsum.high:+.1f}] "
        f"on the {comparison.articles} articles that both answered"
        if comparison.articles
        else ""
    )
    return (
        f"service by baseline, {comparison.clients} clients: "
        f"{number(comparison.requests_per_second)} x requests/s, {number(comparison.p95)} x p95"
        f"{rouge}"
    )
