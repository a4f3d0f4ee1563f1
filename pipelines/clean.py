"""Remove the files of old runs: python -m pipelines.clean --help

Kept: every registered version with its MLflow run and files, the served Bento model, and what ZenML
needs to find the newest run's steps in its cache.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from highlighter.settings import MODEL_NAME
from highlighter.system.failures import exit_code_of
from highlighter.system.folders import require_home, require_writable, scratch_folder
from highlighter.system.locks import exclusive

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code (see `exit_code_of`)."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.clean", description=__doc__)
    parser.add_argument("--model-name", default=MODEL_NAME)
    parser.add_argument("--keep", type=_at_least_one, default=1, help="newest runs; default 1")
    parser.add_argument(
        "--versions", action="store_true",
        help="also remove versions without an alias, except the previous champion",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="only list what would be removed")
    options = parser.parse_args(arguments)
    os.environ.setdefault("ZENML_ANALYTICS_OPT_IN", "false")
    os.environ.setdefault("ZENML_LOGGING_VERBOSITY", "WARN")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    return exit_code_of(
        lambda: _run(options), "interrupted: run the same command again to remove the rest"
    )


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least the newest run is kept")
    return number


def _run(options: argparse.Namespace) -> None:
    def busy(holder: str) -> None:
        print(
            f"Another run is in progress in this checkout ({holder}): waiting for it to end.",
            flush=True,
        )

    require_home()
    require_writable(ROOT)
    with exclusive(ROOT / ".runs" / "lock", busy):
        _clean(options)


def _clean(options: argparse.Namespace) -> None:
    """Remove users before what they use, so that this can be killed and repeated."""
    # Imported late: ZenML and MLflow take seconds and read the environment.
    from mlflow.tracking import MlflowClient

    from pipelines import prune
    from pipelines.recover import end_killed_runs
    from pipelines.stack import tracking_uri, use_stores_of
    from pipelines.summarization import summarization
    from release.deploy import release_lock

    use_stores_of(ROOT)
    client, name, experiment = MlflowClient(), options.model_name, summarization.name
    local = client.tracking_uri == tracking_uri(ROOT)
    if not options.dry_run:
        end_killed_runs(ROOT, experiment)
    kept, old_runs = prune.split_runs(experiment, options.keep)
    with release_lock(name):
        versions = prune.old_versions(client, name) if options.versions else []
        removals = [*prune.bento_removals(client, name), *prune.version_removals(client, versions)]
        if local:
            names = {str(run.name) for run in kept}
            removals += prune.mlflow_run_removals(client, experiment, names, versions)
        removals += [prune.zenml_run_removal(run) for run in old_runs]
        for removal in removals:
            print(f"{removal.size / 1e6:9.1f} MB  {removal.what}")
            if not options.dry_run:
                removal.remove()
    scratch = scratch_folder(ROOT)
    total = sum(removal.size for removal in removals) + prune.size_of(scratch)
    if not options.dry_run:
        shutil.rmtree(scratch, ignore_errors=True)
        if local:
            prune.delete_permanently(client.tracking_uri)
    if not local:
        print(f"Runs in {client.tracking_uri} are kept: others may need them (see `mlflow gc`).")
    print(f"{total / 1e6:9.1f} MB  {'would be freed' if options.dry_run else 'freed'}")


if __name__ == "__main__":
    sys.exit(main())
