"""What the benchmarks' commands have in common: their options' types, and how they end."""

import argparse
import signal
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from highlighter.system.failures import exit_code_of


def run_command(command: Callable[[], None]) -> int:
    """Run it; return the exit code: 0, 1 after an error, 130 after Ctrl-C, 143 after SIGTERM."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it for background jobs
    return exit_code_of(command, "interrupted")


def positive(text: str) -> float:
    """An option's number above 0."""
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def positive_int(text: str) -> int:
    """An option's whole number above 0."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave by an exception, so that every `with` stops what it started."""
    raise SystemExit(128 + number)
