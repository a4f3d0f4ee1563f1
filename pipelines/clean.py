"""Remove what old runs left: python -m pipelines.clean --help

Kept: every registered version with its MLflow run and files, the Bento model that is served, and
what ZenML needs to find the newest run's steps in its cache.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from highlighter.settings import MODEL_NAME
from highlighter.system.failures import exit_code_of
from highlighter.system.folders import scratch_folder
from highlighter.system.locks import exclusive
from release.tracking import use_tracking_of

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Run and return the exit code: 0 done, 1 an error that was explained, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.clean", description=__doc__)
    parser.add_argument("--model-name", default=MODEL_NAME)
    parser.add_argument("--keep", type=_at_least_one, default=1, help="newest runs; default 1")
    parser.add_argument(
        "--versions", action="store_true",
        help="also versions without an alias, but for the champion's predecessor",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    options = parser.parse_args(arguments)
    os.environ.setdefault("ZENML_ANALYTICS_OPT_IN", "false")
    os.environ.setdefault("ZENML_LOGGING_VERBOSITY", "WARN")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    return exit_code_of(
        lambda: _clean_alone(options), "interrupted: what was removed is gone, the rest is whole"
    )


def _clean_alone(options: argparse.Namespace) -> None:
    """A run that is under way is neither old nor to be disturbed."""
    with exclusive(ROOT / ".runs" / "lock", _say_who_is_at_work):
        use_tracking_of(ROOT)
        _clean(options)


def _clean(options: argparse.Namespace) -> None:
    """By construction safe to kill: what needs something goes before what it needs."""
    from mlflow.tracking import MlflowClient

    from pipelines import old_runs as zenml_runs
    from pipelines.recover import Journal, recover
    from pipelines.stack import tracking_uri
    from pipelines.summarization import summarization
    from release import bento_store, prune

    client, name = MlflowClient(), options.model_name
    if not options.dry_run:
        recover(Journal(ROOT), summarization.name, name)
    kept, old = zenml_runs.split_runs(summarization.name, options.keep)
    with bento_store.lock(name):
        versions = prune.old_versions(client, name) if options.versions else []
        removals = prune.bento_models_to_remove(client, name)
        removals += prune.versions_to_remove(client, versions)
        local = client.tracking_uri == tracking_uri(ROOT)
        if local:
            names = {str(run.name) for run in kept}
            removals += prune.mlflow_runs_to_remove(client, summarization.name, names, versions)
        removals += zenml_runs.runs_to_remove(old)
        for removal in removals:
            print(f"{removal.size / 1e6:9.1f} MB  {removal.what}")
            if not options.dry_run:
                removal.remove()
    scratch = scratch_folder(ROOT)
    total = sum(removal.size for removal in removals) + prune.size_of(scratch)
    if not options.dry_run:
        shutil.rmtree(scratch, ignore_errors=True)
        if local:
            prune.empty_bin(client.tracking_uri)
    if not local:
        print(f"The runs in {client.tracking_uri} stay: others may need them (see `mlflow gc`).")
    print(f"{total / 1e6:9.1f} MB  {'would be freed' if options.dry_run else 'freed'}")


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least the newest run is kept")
    return number


def _say_who_is_at_work(holder: str) -> None:
    print(f"A run is at work in this checkout ({holder}): waiting for its end.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
