"""What is registered and served, and changes by hand: python -m release --help"""

import argparse
import logging
import os
import sys
from datetime import datetime
from pathlib import Path

from highlighter.settings import MODEL_NAME
from highlighter.system.failures import exit_code_of
from release.tracking import use_tracking_of

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Run and return the exit code: 0 done, 1 an error that was explained, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    parser.add_argument("--model-name", default=MODEL_NAME)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every registered version, and what is served")
    promote = commands.add_parser("promote", help="make a version the champion and serve it")
    promote.add_argument("version")
    commands.add_parser("rollback", help="back to the champion before today's")
    judge = commands.add_parser("judge", help="a version's scores on articles of yours")
    judge.add_argument("version", help="its number, or champion")
    judge.add_argument("file", type=Path, help="rows with `article` and `highlights`")
    options = parser.parse_args(arguments)

    os.environ.setdefault("ZENML_ANALYTICS_OPT_IN", "false")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return exit_code_of(lambda: _run(options), "interrupted: nothing has changed")


def _run(options: argparse.Namespace) -> None:
    use_tracking_of(ROOT)
    from release.promote import promote, rollback

    if options.command == "list":
        _list(options.model_name)
        return
    if options.command == "judge":
        _judge(options)
        return
    if options.command == "promote":
        done = promote(options.model_name, options.version)
    else:
        done = rollback(options.model_name)
    print(
        f"Now served: {done.model_name} version {done.version} ({done.bento_tag}); "
        f"before: {'none' if done.before is None else f'version {done.before}'}.\n"
        "A service that is running keeps its model until it is started again."
    )


def _judge(options: argparse.Namespace) -> None:
    from highlighter.evaluation.report import print_scores
    from highlighter.system.cpu import keep_to_usable_cores
    from highlighter.system.failures import quiet_libraries
    from highlighter.system.memory import keep_freed_memory
    from release.judge import judge_version

    quiet_libraries()
    keep_freed_memory()
    keep_to_usable_cores()
    print_scores(judge_version(options.model_name, options.version, options.file))


def _list(name: str) -> None:
    from mlflow.tracking import MlflowClient

    from release import bento_store, registry

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
    served = (bento_store.served_labels(name) or {}).get("model_version")
    print(f"Served: {'nothing' if served is None else f'version {served}'}")
    champion = dict(aliases).get("champion")
    if champion not in {None, served}:
        print(f"The champion is not served: `python -m release promote {champion}` mends that.")


if __name__ == "__main__":
    sys.exit(main())
