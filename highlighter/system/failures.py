"""How a command ends: exit codes, and errors from disk, memory and servers explained."""

import errno
import io
import logging
import os
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from highlighter.errors import (
    HighlighterError,
    OutOfMemoryError,
    ServerError,
    StorageError,
    first_line,
    without_keys,
)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_SQLITE = {
    "database or disk is full": errno.ENOSPC,
    "attempt to write a readonly database": errno.EROFS,
}
# torch reports both by text only, the second on a GPU.
_OUT_OF_MEMORY = (os.strerror(errno.ENOMEM), "CUDA out of memory")
_HTTP_LIBRARIES = ("requests.", "urllib3.", "httpx.", "httpx2.")
# MLflow and urllib3 keep the status of an answer only in the message.
_STATUS = re.compile(r"failed with error code (\d{3})|too many (\d{3}) error responses")
_RETRY = "Then run the same command again: completed steps are reused."
# ZenML logs the traceback of a failed step here, before the error reaches the command.
_STEP_LOGGER = "zenml.orchestrators.local.local_orchestrator"


def exit_code_of(command: Callable[[], None], interrupted: str) -> int:
    """Run a command; print an error that the user can act on instead of its traceback.

    Any other error is raised: it is a defect of the program, and its traceback is needed.

    Args:
        command: does the work.
        interrupted: printed after Ctrl-C; says what is left and what to do.

    Returns:
        0 on success, 1 after an explained error, 130 after Ctrl-C.
    """
    _print_any_character()
    try:
        with _explained_tracebacks_hidden():
            command()
    except KeyboardInterrupt:
        print(f"\n{interrupted}", file=sys.stderr)
        return 130
    except Exception as error:
        explained = explain(error)
        if explained is None:
            raise
        print(f"\nerror: {without_keys(str(explained))}", file=sys.stderr)
        return 1
    return 0


def _print_any_character() -> None:
    """Escape characters that the output's encoding lacks, as Python does on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def explain(error: BaseException) -> HighlighterError | None:
    """Return an error whose message says what to do, or None for a defect of the program.

    Libraries wrap errors of disk, memory and network in their own, some keeping only the text, so
    the chain of causes is searched.
    """
    if isinstance(error, HighlighterError):
        return error
    chain = list(_chain(error))
    for explain_link in (_storage_error, _memory_error, _server_error):
        for link in chain:
            explained = explain_link(link)
            if explained is not None:
                return explained
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _storage_error(error: BaseException) -> StorageError | None:
    number, file = _error_number(error)
    where = f" ({file})" if file else ""
    if number in _FULL:
        return StorageError(
            f"No space is left to write{where}. Free some space (`make clean-runs` removes the "
            f"files of old runs) or raise the quota. {_RETRY}"
        )
    if number in _READ_ONLY:
        return StorageError(
            f"A file cannot be written{where}: {os.strerror(number).lower()}. Make its folder "
            f"writable for this user. {_RETRY}"
        )
    return None


def _error_number(error: BaseException) -> tuple[int, str | None]:
    """Return the error number and the file, where known; 0 for an error of another kind."""
    if isinstance(error, OSError) and error.errno in (*_FULL, *_READ_ONLY):
        return error.errno, error.filename
    text = str(error)
    if isinstance(error, sqlite3.OperationalError):
        return _SQLITE.get(text, 0), None
    # safetensors and torch write files in native code and report errors by text only.
    for number in (*_FULL, errno.EROFS):
        if os.strerror(number) in text:
            return number, None
    return 0, None


def _memory_error(error: BaseException) -> OutOfMemoryError | None:
    if isinstance(error, MemoryError) or any(text in str(error) for text in _OUT_OF_MEMORY):
        return OutOfMemoryError(
            f"Memory ran out: {first_line(error)}. Lower batch_size and evaluation_batch_size of "
            "the step that failed; configs/small_machine.yaml shows every setting that saves "
            f"memory in fine-tuning. {_RETRY}"
        )
    return None


def _server_error(error: BaseException) -> ServerError | None:
    module = type(error).__module__
    if not module.startswith((*_HTTP_LIBRARIES, "mlflow.exceptions")):
        return None
    found = _STATUS.search(str(error))
    status = getattr(getattr(error, "response", None), "status_code", None)
    if found:
        status = found[1] or found[2]
    if status is not None:
        return ServerError(
            f"A server answered with HTTP status {status}: {first_line(error)}. Check the address "
            f"and the credentials, and look into the server's log. {_RETRY}"
        )
    if module.startswith("mlflow.") or isinstance(error, ValueError):
        return None  # no failed request: MLflow or a URL was used wrongly
    return ServerError(
        f"A server does not answer: {first_line(error)}. Check that it runs and that the network "
        f"works. {_RETRY}"
    )


@contextmanager
def _explained_tracebacks_hidden() -> Iterator[None]:
    """Keep ZenML from logging the traceback of a step whose error the command explains."""

    def hide(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and explain(error) is not None:
            record.exc_info = None
        return True

    logger = logging.getLogger(_STEP_LOGGER)
    logger.addFilter(hide)
    try:
        yield
    finally:
        logger.removeFilter(hide)


def quiet_libraries() -> None:
    """Turn off the progress bars of short steps, and warnings that need no action."""
    from transformers.utils import logging as transformers_logging

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
