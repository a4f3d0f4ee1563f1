"""Run the pipeline: python run_pipeline.py [--config FILE] [--set KEY=VALUE ...]"""

import argparse
import logging
import os
import sys
from pathlib import Path

from highlighter.system.failures import exit_code_of
from highlighter.system.folders import (
    keep_scratch_in_one_place,
    require_home,
    require_writable,
)
from highlighter.system.locks import end_workers_with_this_process, exclusive
from pipelines.config import load_config

ROOT = Path(__file__).resolve().parent
_INTERRUPTED = (
    "interrupted: run the same command again to continue; completed steps are reused, and "
    "fine-tuning resumes from its last checkpoint"
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code (see `exit_code_of`)."""
    parser = argparse.ArgumentParser(
        description="Fine-tune T5 on news, evaluate it, register it and deploy the champion.",
        epilog="Example: python run_pipeline.py --set steps.fine_tune.parameters.training.epochs=1",
    )
    parser.add_argument("--config", type=Path, default=ROOT / "configs" / "embedded.yaml")
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE",
        help="override one setting of the configuration, by its dotted key",
    )  # fmt: skip
    parser.add_argument("--no-cache", action="store_true", help="run every step again")
    options = parser.parse_args(arguments)

    os.environ.setdefault("ZENML_ANALYTICS_OPT_IN", "false")
    os.environ.setdefault("AUTO_OPEN_DASHBOARD", "false")
    # The tokenizer's threads deadlock in the forked workers of datasets.map.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true")
    # A run ends half a minute after its tracking server is gone. How long a request may take stays
    # MLflow's default: a server that keeps artifacts in S3 answers once it has stored them there.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # Given pickled weights, transformers asks the hub to convert them in a pull request.
    os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "true")
    if not sys.stderr.isatty():  # in a file, all states of all bars would be one line
        os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("alembic").setLevel(logging.WARNING)

    return exit_code_of(lambda: _run(options), _INTERRUPTED)


def _run(options: argparse.Namespace) -> None:
    config = load_config(options.config, options.overrides)
    # Imported late, as ZenML below: a wrong configuration is reported at once.
    from highlighter.settings import FileSource

    if isinstance(config.source, FileSource):
        from highlighter.data.files import require_files

        require_files(config.source)
    require_home()
    require_writable(ROOT)
    with exclusive(ROOT / ".runs" / "lock", _say_busy):
        keep_scratch_in_one_place(ROOT)
        end_workers_with_this_process()
        # ZenML takes seconds and reads the environment when it is imported.
        from pipelines.stack import ensure_database

        ensure_database()  # before the steps are imported, which reads the database
        from pipelines.run import run_pipeline

        run_pipeline(ROOT, config, use_cache=not options.no_cache)


def _say_busy(holder: str) -> None:
    print(
        f"Another run is in progress in this checkout ({holder}): waiting for it to end. "
        "Ctrl-C to give up.",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
