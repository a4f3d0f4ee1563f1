"""Less noise of libraries in the terminal."""

import logging

from transformers.utils import logging as transformers_logging

from highlighter.errors import HighlighterError
from highlighter.outside import explain


def quiet_libraries() -> None:
    """Silence progress bars of split seconds, and tracebacks of errors that explain themselves."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    for name in ("absl", "alembic", "mlflow.models.signature", "zenml.integrations.mlflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_without_traceback)


def _without_traceback(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if error and (isinstance(error, HighlighterError) or explain(error)):
        record.exc_info = None
    return True
