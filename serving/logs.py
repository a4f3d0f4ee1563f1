"""Log one JSON line for each request; it never holds text of an article."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

_LOGGER = "news_highlighter"


def request_logger() -> logging.Logger:
    """Return the logger of requests, which writes to standard output."""
    logger = logging.getLogger(_LOGGER)
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stdout)
        fields = {"levelname": "level", "asctime": "time"}
        handler.setFormatter(
            JsonFormatter("%(asctime)s %(levelname)s %(message)s", rename_fields=fields)
        )
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger
