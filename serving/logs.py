"""Write one JSON line for each event, without tracebacks and without text of articles."""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from highlighter.errors import HighlighterError

_LENGTH = 500  # of a text in a line
_FRAMES = 6
_NOISY = ("bentoml", "circus", "uvicorn", "uvicorn.error", "transformers", "py.warnings")


class _Formatter(JsonFormatter):
    def formatException(  # noqa: N802 -- logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """Return the exception's type and innermost frames; its message may hold an article."""
        kind, error, trace = ei
        if kind is None:
            return ""
        frames = traceback.extract_tb(trace)[-_FRAMES:]
        places = " > ".join(f"{f.filename[-60:]}:{f.lineno} {f.name}" for f in frames)
        message = f": {error}" if isinstance(error, HighlighterError) else ""
        return f"{kind.__name__}{message} at {places}"

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Return the line's fields with bounded texts."""
        return {
            name: value[:_LENGTH] if isinstance(value, str) else value
            for name, value in log_data.items()
        }


def configure_logging() -> None:
    """Send the log records of this process and its libraries to standard output as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        _Formatter(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    for name in _NOISY:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    logging.getLogger("news_highlighter").setLevel(logging.INFO)
