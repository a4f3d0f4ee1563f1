"""How a command ends: errors of its environment explained, exit codes, less library noise."""

import errno
import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator

from httpx2 import HTTPError
from mlflow.exceptions import MlflowException
from safetensors import SafetensorError
from sqlalchemy.exc import SQLAlchemyError
from transformers.utils import logging as transformers_logging

from highlighter.errors import (
    HighlighterError,
    OutOfMemoryError,
    ServerError,
    StorageError,
    first_line,
)

# The kinds that reach the command's end; `explain` then looks at what caused them.
OUTSIDE = (
    OSError,
    RuntimeError,
    MemoryError,
    SQLAlchemyError,
    MlflowException,
    SafetensorError,
    HTTPError,
)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)
_SQLITE = {"database or disk is full": _FULL[0], "attempt to write a readonly database": _CLOSED[0]}
# torch tells by text only, on a GPU by this one.
_OUT_OF_MEMORY = (os.strerror(errno.ENOMEM), "CUDA out of memory")
_GO_ON = "Then run the same command again: it goes on from the last whole step."


def explain(error: BaseException) -> StorageError | OutOfMemoryError | ServerError | None:
    """What to do about a full disk or memory, a closed folder, a server that is away; else None.

    Libraries wrap such errors in their own, some keeping no more than the text.
    """
    for link in _chain(error):
        number, place = _storage(link)
        where = f" ({place})" if place else ""
        if number in _FULL:
            return StorageError(
                f"No space is left to write to{where}. Make room (`make clean-runs` removes what "
                f"old runs left) or lift the quota. {_GO_ON}"
            )
        if number in _CLOSED:
            return StorageError(
                f"A file can't be written{where}: {os.strerror(number).lower()}. Make its folder "
                f"writable for this user. {_GO_ON}"
            )
    for link in _chain(error):
        if isinstance(link, MemoryError) or any(text in str(link) for text in _OUT_OF_MEMORY):
            return OutOfMemoryError(
                f"Memory ran out: {first_line(link)}. Lower batch_size and evaluation_batch_size "
                "of the step that broke off; configs/small_machine.yaml has all settings that "
                f"save memory in fine-tuning. {_GO_ON}"
            )
        if type(link).__module__.startswith(("requests.", "urllib3.", "httpx")):
            return ServerError(
                f"A server does not answer: {first_line(link)}. Check that it runs and that the "
                f"network is up. {_GO_ON}"
            )
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _storage(error: BaseException) -> tuple[int | None, str | None]:
    """The error number, and the file where it is known."""
    if isinstance(error, OSError) and error.errno in (*_FULL, *_CLOSED):
        return error.errno, error.filename
    text = str(error)
    if isinstance(error, sqlite3.OperationalError):
        return _SQLITE.get(text), None
    # safetensors and torch write from other languages, and tell by text only.
    for number in (*_FULL, errno.EROFS):
        if os.strerror(number) in text:
            return number, None
    return None, None


def exit_code_of(command: Callable[[], None], interrupted: str) -> int:
    """Run it: 0 done, 1 an error that was explained, 130 Ctrl-C.

    Args:
        interrupted: what Ctrl-C has left, for the user.
    """
    try:
        command()
    except HighlighterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{interrupted}", file=sys.stderr)
        return 130
    return 0


def quiet_libraries() -> None:
    """Silence progress bars of split seconds, and tracebacks of errors that explain themselves."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    for name in (
        "absl",
        "alembic",
        "mlflow.models.signature",
        "mlflow.system_metrics",
        "zenml.integrations.mlflow",
    ):
        logging.getLogger(name).setLevel(logging.ERROR)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_without_traceback)


def _without_traceback(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if error and (isinstance(error, HighlighterError) or explain(error)):
        record.exc_info = None
    return True
