"""Measure the service beside the one people would otherwise write (`benchmarks/baseline.py`).

Same weights (the newest model of the BentoML store), same articles, same load, one after the other.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import bentoml
from bentoml.exceptions import NotFound

from benchmarks.articles import read_articles
from benchmarks.command import positive, positive_int, run_command
from benchmarks.comparison import BASELINE, SERVICE, Measurement, compare
from benchmarks.load import LoadResult
from benchmarks.memory import MemoryWatch
from benchmarks.picture import plot_serving
from benchmarks.processes import ServerError, last_lines, python, serve, service_command, start
from highlighter.errors import RegistryError

_MODEL = "news-highlighter:latest"


class Plan(NamedTuple):
    """What both systems are measured with: `seconds` of each load, `output` the folder."""

    articles: Path
    clients: list[int]
    seconds: float
    output: Path


def main() -> None:
    """Measure both systems, print the table, write result.json, serving.png and the logs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument(
        "--articles",
        type=Path,
        required=True,
        help="JSON lines: `article`, and `highlights` or not",
    )
    parser.add_argument("--clients", type=positive_int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--seconds", type=positive, default=20, help="of each load")
    parser.add_argument("--output", type=Path, default=Path("work/benchmarks"), help="folder")
    options = parser.parse_args()
    articles = read_articles(options.articles)
    output = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    model = _stored_model()
    commands = {
        BASELINE: python("benchmarks.baseline", "--checkpoint", model.path),
        SERVICE: service_command(),
    }
    plan = Plan(options.articles.resolve(), options.clients, options.seconds, output)
    measurements = [
        measurement
        for system, command in commands.items()
        for measurement in _measure(system, command, plan)
    ]
    report = compare(measurements, articles)
    print(report.text())
    record = {
        "model": str(model.tag),
        "articles": len(articles),
        "seconds": options.seconds,
        "machine": f"{len(os.sched_getaffinity(0))} cores of {platform.machine()}",
        **report.model_dump(mode="json"),
    }
    (output / "result.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    plot_serving(report.rows).savefig(output / "serving.png", dpi=120)


def _measure(system: str, command: Sequence[str], plan: Plan) -> list[Measurement]:
    """One system under each load, on a server started for it."""
    measurements = []
    with serve(command, plan.output / f"{system}.log") as server:
        for clients in plan.clients:
            print(f"{system}, {clients} clients, {plan.seconds:g} s ...", file=sys.stderr)
            with MemoryWatch(server.pid) as memory:
                load = _load(server.url, clients, plan)
            measurements.append(Measurement(system, load, memory.peak))
    return measurements


def _load(url: str, clients: int, plan: Plan) -> LoadResult:
    """Run the load generator as a process of its own, and read what it writes."""
    log, result = plan.output / "load.log", plan.output / "load.json"
    options = {
        "--url": url,
        "--articles": plan.articles,
        "--clients": clients,
        "--seconds": plan.seconds,
        "--output": result,
    }
    words = [str(word) for option in options.items() for word in option]
    with start(python("benchmarks.load", *words), log) as process:
        if process.wait():
            raise ServerError(f"the load generator failed:\n{last_lines(log)}")
    load = LoadResult.model_validate_json(result.read_bytes())
    log.unlink()
    result.unlink()
    return load


def _stored_model() -> bentoml.Model:
    try:
        return bentoml.models.get(_MODEL)
    except NotFound as error:
        raise RegistryError(
            f"no model {_MODEL} in the BentoML store: run `python run_pipeline.py` first"
        ) from error


if __name__ == "__main__":
    sys.exit(run_command(main))
