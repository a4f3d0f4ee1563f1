"""Show what is registered and served, and change it: python -m release --help"""

import argparse
import logging
import os
import sys
from datetime import datetime
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from highlighter.errors import ConfigError
from highlighter.settings import MODEL_NAME, ArticleColumns, Columns
from highlighter.system.failures import exit_code_of, quiet_libraries
from highlighter.system.folders import require_home

ROOT = Path(__file__).resolve().parent.parent
_INTERRUPTED = (
    "interrupted: `python -m release list` shows the champion and what is served, "
    "`python -m release deploy` serves the champion"
)
_SCORE_INTERRUPTED = "interrupted: run the same command again to continue"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code (see `exit_code_of`)."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    parser.add_argument("--model-name", default=MODEL_NAME)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="show every registered version and what is served")
    commands.add_parser("deploy", help="copy the champion into the BentoML store, if needed")
    promote = commands.add_parser("promote", help="make a version the champion and deploy it")
    promote.add_argument("version", help="number of the version")
    commands.add_parser("rollback", help="make the previous champion the champion again")
    judge = commands.add_parser("judge", help="score a version on articles of your own")
    judge.add_argument("version", help="number of the version, or champion")
    judge.add_argument("file", type=Path, help="rows with an article and its highlights")
    judge.add_argument("--article", default="article", help="column of the articles")
    judge.add_argument("--highlights", default="highlights", help="column of the summaries")
    push = commands.add_parser("push", help="upload a version to the Hugging Face hub")
    push.add_argument("repository", help="OWNER/NAME; it is created if there is none")
    push.add_argument("--version", default="champion", help="number of the version")
    push.add_argument("--private", action="store_true", help="make a new repository private")
    push.add_argument("--tag", help="tag of the commit")
    score = commands.add_parser("score", help="summarize files of articles into parquet files")
    score.add_argument("input", help="path, address or pattern: parquet, JSON lines, CSV")
    score.add_argument("output", help="folder of the results; a path or an address")
    score.add_argument("--version", default="champion", help="number of the version, or champion")
    score.add_argument("--article", default="article", help="column of the articles")
    score.add_argument("--id", help="column of ids to copy into the results")
    score.add_argument("--batch-size", type=int, default=8, help="articles computed together")
    score.add_argument("--spark", metavar="MASTER", help="compute on Spark: local[2], spark://…")
    score.add_argument("--top-k", type=int, help="paragraphs to mark as important")
    score.add_argument("--threshold", type=float, help="minimum score of a marked paragraph")
    score.add_argument("--max-summary-tokens", type=int, help="maximum length of a summary")
    options = parser.parse_args(arguments)

    os.environ.setdefault("ZENML_ANALYTICS_OPT_IN", "false")
    os.environ.setdefault("ZENML_LOGGING_VERBOSITY", "WARN")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    if not sys.stderr.isatty():  # in a file, all states of all bars would be one line
        os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    interrupted = _SCORE_INTERRUPTED if options.command == "score" else _INTERRUPTED
    return exit_code_of(lambda: _run(options), interrupted)


def _run(options: argparse.Namespace) -> None:
    require_home()
    # Imported late: MLflow and ZenML take seconds and read the environment.
    from pipelines.stack import use_stores_of
    from release.deploy import deploy
    from release.promote import promote, rollback

    use_stores_of(ROOT)
    name = options.model_name
    match options.command:
        case "list":
            _list(name)
        case "judge":
            _judge(options)
        case "push":
            _push(options)
        case "score":
            _score(options)
        case "deploy":
            deployment = deploy(name)
            if deployment is None:
                print(f"{name} has no champion, so there is nothing to deploy.")
            else:
                print(deployment)
        case _:
            change = (
                promote(name, options.version) if options.command == "promote" else rollback(name)
            )
            before = "none" if change.before is None else f"version {change.before}"
            print(f"{change.deployment}\nChampion before: {before}.")


def _prepare_model() -> None:
    from highlighter.system.cpu import keep_to_usable_cores
    from highlighter.system.memory import keep_freed_memory

    quiet_libraries()
    keep_freed_memory()
    keep_to_usable_cores()


def _score(options: argparse.Namespace) -> None:
    from highlighter.inference.answers import Options
    from release.score import REJECTED_FILE, LocalScorer, print_progress, score
    from release.spark import SparkScorer

    if options.batch_size < 1:
        raise ConfigError("--batch-size: give a number of at least 1.")
    try:
        answers = Options(
            top_k=options.top_k,
            threshold=options.threshold,
            max_summary_tokens=options.max_summary_tokens,
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", "-")
        raise ConfigError(f"--{name} is {first['input']}: {first['msg']}.") from error
    _prepare_model()
    scored = score(
        options.input,
        options.output,
        name=options.model_name,
        version=options.version,
        columns=ArticleColumns(article=options.article, id=options.id),
        options=answers,
        scorer=(
            partial(SparkScorer, master=options.spark)
            if options.spark
            else partial(LocalScorer, batch_size=options.batch_size)
        ),
        report=print_progress,
    )
    print(
        f"{scored.found + scored.new:,} rows in {options.output}, {scored.new:,} of them new "
        f"({scored.rate:.1f} rows/s)."
    )
    if scored.rejected:
        print(f"{scored.rejected:,} rejected: {options.output.rstrip('/')}/{REJECTED_FILE}")


def _judge(options: argparse.Namespace) -> None:
    from highlighter.evaluation.report import print_scores
    from release.judge import judge_version

    _prepare_model()
    columns = Columns(article=options.article, highlights=options.highlights)
    print_scores(judge_version(options.model_name, options.version, options.file, columns))


def _push(options: argparse.Namespace) -> None:
    from release.push import push

    quiet_libraries()
    address = push(
        options.model_name,
        options.version,
        options.repository,
        private=options.private,
        tag=options.tag,
    )
    print(f"Uploaded: {address}")


def _list(name: str) -> None:
    from mlflow.tracking import MlflowClient

    from release import registry
    from release.deploy import is_model_of, served_model

    client = MlflowClient()
    aliases = registry.aliases(client, name).items()
    line = "{:>7}  {:<10}  {:>8}  {:<16}  {}"
    print(line.format("version", "alias", "score", "created", "MLflow run"))
    for version in registry.versions(client, name):
        number = str(version.version)
        created = datetime.fromtimestamp(version.creation_timestamp / 1000).astimezone()
        print(
            line.format(
                number,
                ", ".join(alias for alias, points_to in aliases if points_to == number),
                version.tags.get(registry.SCORE_TAG, "-"),
                f"{created:%Y-%m-%d %H:%M}",
                version.run_id,
            )
        )
    model, champion = served_model(name), registry.champion(client, name)
    served = "nothing" if model is None else f"version {model.info.labels.get('model_version')}"
    print(f"Served: {served}")
    if champion is not None and (model is None or not is_model_of(model, champion)):
        print("The champion is not served: run `python -m release deploy`.")


if __name__ == "__main__":
    sys.exit(main())
