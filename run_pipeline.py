"""Run the pipeline: python run_pipeline.py [--config FILE] [--set KEY=VALUE ...]"""

import argparse
import logging
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main(arguments: list[str] | None = None) -> int:
    """Run and return the exit code: 0 done, 1 an error that was explained, 130 interrupted."""
    parser = argparse.ArgumentParser(
        description="Fine-tune T5 on news, judge it, register it.",
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
    # The tokenizer's threads and the workers of datasets.map don't mix.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true")
    # A tracking server that is away ends the run in half a minute, one that hangs in two minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    logging.getLogger("alembic").setLevel(logging.WARNING)

    # Imported late: ZenML reads the environment when it is imported, which takes seconds.
    from highlighter.errors import HighlighterError
    from highlighter.system.failures import OUTSIDE, explain
    from highlighter.system.folders import keep_scratch_in_one_place
    from highlighter.system.locks import end_workers_with_this_process, exclusive

    try:
        with exclusive(ROOT / ".runs" / "lock", _say_who_is_at_work):
            keep_scratch_in_one_place(ROOT)
            end_workers_with_this_process()
            from pipelines.first_start import ensure_store

            ensure_store()  # the import of a step already asks ZenML's database
            from pipelines.run import run_pipeline

            run_pipeline(ROOT, options.config, options.overrides, use_cache=not options.no_cache)
    except HighlighterError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    except OUTSIDE as error:
        explained = explain(error)
        if explained is None:
            raise
        print(f"\nerror: {explained}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\ninterrupted: nothing was registered; the next run goes on from the last whole step, "
            "fine-tuning from its last checkpoint"
        )
        return 130
    return 0


def _say_who_is_at_work(holder: str) -> None:
    print(
        f"Another run is at work in this checkout ({holder}): waiting for its end. "
        "Ctrl-C to give up.",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
