"""Measure the service next to FastAPI around transformers' `generate` (`benchmarks/baseline.py`).

Both serve the newest model of the BentoML store and get the same articles under the same load, one
system after the other.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import bentoml
from bentoml.exceptions import NotFound
from matplotlib.figure import Figure

from benchmarks.command import make_parser, parse, positive, positive_int, run_command
from benchmarks.inputs import Article, read_articles
from benchmarks.load import Load, run_load
from benchmarks.processes import MemoryWatch, python, serve
from benchmarks.report import format_value, ratio, report
from highlighter.errors import RegistryError
from highlighter.metrics.rouge import score_rouge
from highlighter.metrics.statistics import paired_difference

BASELINE, SERVICE = "baseline", "service"
SERVICE_COMMAND = python("bentoml", "serve", "--host", "127.0.0.1")
_MODEL = "news-highlighter:latest"
_ROUGE = {"rouge1": "R-1", "rouge2": "R-2", "rougeLsum": "R-Lsum"}
_COLORS = {BASELINE: "#888888", SERVICE: "#1f4e79"}


def main() -> None:
    """Measure both systems; print the table and ratios; write serving.json and serving.png."""
    parser = make_parser("serving", __doc__, "articles")
    parser.add_argument("--clients", type=positive_int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--seconds", type=positive, default=20, help="of each load")
    options = parse(parser)
    articles = read_articles(options.articles)
    try:
        model = bentoml.models.get(_MODEL)
    except NotFound as error:
        raise RegistryError(
            f"no model {_MODEL} in the BentoML store: run `python run_pipeline.py` first"
        ) from error
    commands = {
        BASELINE: python("benchmarks.baseline", "--checkpoint", model.path),
        SERVICE: SERVICE_COMMAND,
    }
    loads: dict[tuple[str, int], Load] = {}
    peaks: dict[tuple[str, int], float] = {}
    for system, command in commands.items():
        with serve(command, options.output / f"{system}.log") as server:
            for clients in options.clients:
                print(f"{system}, {clients} clients ...", file=sys.stderr, flush=True)
                with MemoryWatch(server.process.pid) as memory:
                    loads[system, clients] = run_load(
                        server.url,
                        [article.article for article in articles],
                        clients=clients,
                        seconds=options.seconds,
                    )
                peaks[system, clients] = memory.peak_rss
    rows, comparisons = compare(loads, peaks, articles)
    report(
        "serving", rows, options.output, model=str(model.tag), seconds=options.seconds,
        comparisons=comparisons,
    )  # fmt: skip
    print(*comparisons, sep="\n")
    plot_serving(rows).savefig(options.output / "serving.png", dpi=120)


def compare(
    loads: Mapping[tuple[str, int], Load],
    peaks: Mapping[tuple[str, int], float],
    articles: Sequence[Article],
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a row for each load, and a sentence with ratios for each number of clients.

    ROUGE F1 in percent is over the articles that both systems answered at that number of clients.

    Args:
        loads: by system and number of clients; both systems with the same numbers.
        peaks: of the server's memory in MB, likewise.
        articles: those that were sent.
    """
    rows, sentences = [], []
    scores: dict[tuple[str, int], dict[str, list[float]]] = {}
    for system, clients in loads:
        both = [loads[each, clients].summaries for each in (BASELINE, SERVICE)]
        common = sorted(both[0].keys() & both[1].keys())
        load, key = loads[system, clients], (system, clients)
        found = score_rouge(
            [load.summaries[index] for index in common],
            [articles[index].highlights for index in common],
        )
        scores[key] = {name: [100 * value for value in found[name]] for name in _ROUGE}
        rows.append(
            {
                "system": system,
                "clients": clients,
                "requests/s": load.requests_per_second,
                "p50 s": load.latency(50),
                "p95 s": load.latency(95),
                "p99 s": load.latency(99),
                "peak RSS MB": peaks[key],
                **{_ROUGE[name]: _mean(values) for name, values in scores[key].items()},
                "errors": load.errors,
            }
        )
    for clients in dict.fromkeys(clients for _, clients in loads):
        ours, theirs = loads[SERVICE, clients], loads[BASELINE, clients]
        lsum, base = (scores[each, clients]["rougeLsum"] for each in (SERVICE, BASELINE))
        gain = paired_difference(lsum, base, resamples=2000, seed=0)
        speed = ratio(ours.requests_per_second, theirs.requests_per_second)
        sentences.append(
            f"service / baseline, {clients} clients: {format_value(speed)} x requests/s, "
            f"{format_value(ratio(ours.latency(95), theirs.latency(95)))} x p95, ROUGE-Lsum "
            f"{gain.mean:+.1f} [{gain.low:+.1f}, {gain.high:+.1f}] on {len(lsum)} articles"
        )
    return rows, sentences


def plot_serving(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Return a figure of requests/s and p95 by clients, with a line for each system."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    clients = sorted({row["clients"] for row in rows})
    labels = {"requests/s": "requests/s", "p95 s": "p95 latency (s)"}
    for axes, (column, label) in zip(figure.subplots(1, 2), labels.items(), strict=True):
        for system, color in _COLORS.items():
            points = [(row["clients"], row[column]) for row in rows if row["system"] == system]
            axes.plot(*zip(*points, strict=True), marker="o", label=system, color=color)
        axes.set_xscale("log", base=2)
        axes.set_xticks(clients, [str(number) for number in clients])
        axes.set_ylim(bottom=0)
        axes.set(xlabel="clients", ylabel=label)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    return figure


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


if __name__ == "__main__":
    sys.exit(run_command(main))
