"""The options that benchmarks share, and how their commands end."""

import argparse
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from highlighter.embedded import CHECKPOINT, CORPUS
from highlighter.system.failures import exit_code_of


def make_parser(name: str, description: str | None, *options: str) -> argparse.ArgumentParser:
    """Return a parser with --output and those of the shared options that are named.

    Args:
        name: of the benchmark's module.
        description: shown by --help.
        options: of "articles" and "vocabulary".
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    parser.add_argument(
        "--output", type=Path, default=Path("work/benchmarks"), help="folder for results and logs"
    )
    shared = {
        "articles": (CORPUS / "test.parquet", "file with the columns `article` and `highlights`"),
        "vocabulary": (CHECKPOINT, "folder with `spiece.model`"),
    }
    for option in options:
        default, text = shared[option]
        parser.add_argument(
            f"--{option}", type=Path, default=default, help=f"{text}; default: {default.name}"
        )
    return parser


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Parse the command line and create the folder that --output names."""
    options = parser.parse_args()
    options.output = options.output.resolve()
    options.output.mkdir(parents=True, exist_ok=True)
    return options


def positive(text: str) -> float:
    """Return an option's number; raise ArgumentTypeError unless it is above 0."""
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def positive_int(text: str) -> int:
    """Return an option's integer; raise ArgumentTypeError unless it is above 0."""
    return int(positive(str(int(text))))


def run_command(command: Callable[[], None]) -> int:
    """Run a command; return 0, 1 after an error, 130 after Ctrl-C or 143 after SIGTERM."""
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it for background jobs
    return exit_code_of(command, "interrupted")


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    """Raise SystemExit, so that every `with` block stops the processes it started."""
    raise SystemExit(128 + number)
