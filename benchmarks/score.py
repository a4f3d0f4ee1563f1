"""Measure `python -m release score` beside a plain loop: rows/s, CPU time and memory.

The rows repeat articles, each after a first sentence of its own. The model is the shipped T5 with
the settings of an evaluation, registered in an MLflow database of the benchmark's. Each way is a
process of its own; its seconds are those of reading, answering and writing, without loading the
model. On a machine with other work, compare the rows per second of CPU time.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from benchmarks.command import make_parser, parse, positive_int, run_command
from benchmarks.inputs import read_articles
from benchmarks.processes import measure
from benchmarks.report import report
from highlighter.embedded import CHECKPOINT
from highlighter.inference.answers import HighlightRequest, Options
from highlighter.inference.summarizer import Summarizer
from highlighter.model.checkpoint import finish_checkpoint
from highlighter.settings import MODEL_NAME, ArticleColumns, GenerationSettings, HighlightSettings
from release import registry
from release.logged_model import log_checkpoint
from release.score import LocalScorer, score

_WAYS = {"plain loop": "loop", "release score": "score_rows"}


def main() -> None:
    """Measure each way, print the table, write score.json."""
    parser = make_parser("score", __doc__, "articles")
    parser.add_argument("--rows", type=positive_int, default=2000)
    options = parse(parser)
    articles = [row.article for row in read_articles(options.articles)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _write_rows(articles, options.rows, place / "rows.jsonl")
        _register(place)
        rows = []
        for way, function in _WAYS.items():
            print(f"{way} ...", file=sys.stderr, flush=True)
            run = measure(
                f"benchmarks.score:{function}", options.output / "score.log", folder=place
            )
            rows.append(
                {
                    "way": way,
                    "rows": options.rows,
                    "seconds": run.result["seconds"],
                    "CPU s": run.result["cpu"],
                    "rows/s": options.rows / run.result["seconds"],
                    "rows/CPU s": options.rows / run.result["cpu"],
                    "peak RSS MB": run.peak_rss,
                }
            )
    report("score", rows, options.output)


def _write_rows(articles: list[str], count: int, file: Path) -> None:
    with file.open("w", encoding="utf-8") as stream:
        for number in range(count):
            text = f"This is report number {number}. {articles[number % len(articles)]}"
            stream.write(json.dumps({"article": text}) + "\n")


def _register(folder: Path) -> None:
    """Register the shipped checkpoint as the champion of a database in the folder."""
    finish_checkpoint(CHECKPOINT, GenerationSettings(), HighlightSettings(), folder / "checkpoint")
    mlflow.set_tracking_uri(_database(folder))
    experiment = mlflow.create_experiment("score", artifact_location=(folder / "runs").as_uri())
    with mlflow.start_run(experiment_id=experiment) as run:
        logged = log_checkpoint(folder / "checkpoint", MODEL_NAME, ["The bridge is closed."])
    client = MlflowClient()
    version = registry.create_version(client, MODEL_NAME, logged, run.info.run_id, {})
    client.set_registered_model_alias(MODEL_NAME, "champion", version.version)


def _database(folder: Path) -> str:
    return f"sqlite:///{folder / 'mlflow.db'}"


class _Clock:
    def __init__(self) -> None:
        self._began, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        return {
            "seconds": time.perf_counter() - self._began,
            "cpu": time.process_time() - self._cpu,
        }


def loop(folder: str) -> dict[str, float]:
    """Answer one article after the other, keeping the answers; return what it took."""
    summarizer = Summarizer.load(Path(folder, "checkpoint"))
    clock = _Clock()
    with Path(folder, "rows.jsonl").open(encoding="utf-8") as lines:
        requests = (HighlightRequest(article=json.loads(line)["article"]) for line in lines)
        answers = [summarizer.summarize([request])[0].model_dump() for request in requests]
    Path(folder, "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    return clock.read()


def score_rows(folder: str) -> dict[str, float]:
    """Score the rows as the command does; return what it took."""
    mlflow.set_tracking_uri(_database(Path(folder)))
    clocks = []

    def load(version: ModelVersion, options: Options) -> LocalScorer:
        scorer = LocalScorer(version, options)
        clocks.append(_Clock())
        return scorer

    score(
        str(Path(folder, "rows.jsonl")),
        str(Path(folder, "results")),
        name=MODEL_NAME,
        version="champion",
        columns=ArticleColumns(),
        options=Options(),
        scorer=load,
    )
    return clocks[0].read()


if __name__ == "__main__":
    sys.exit(run_command(main))
