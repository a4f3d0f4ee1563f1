"""Errors of disk, memory and servers are explained; errors of the program keep their traceback."""

import errno
import http.server
import logging
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import huggingface_hub.constants
import mlflow
import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy
import torch
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from safetensors import SafetensorError
from safetensors.torch import save_file

from highlighter.data import hub
from highlighter.errors import HighlighterError, OutOfMemoryError, ServerError, StorageError
from highlighter.system import unsupported
from highlighter.system.failures import exit_code_of, explain
from tests.conftest import ROOT

RAISED = (OSError, RuntimeError, MemoryError, SafetensorError)


@pytest.fixture
def no_file_above_a_megabyte() -> Iterator[None]:
    """Set the kernel's limit of a file's size, which needs no privilege, unlike a small disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("no_file_above_a_megabyte")
@pytest.mark.parametrize("library", ["python", "arrow", "safetensors"])
def test_a_write_to_a_full_disk_is_explained(library: str, tmp_path: Path) -> None:
    file = tmp_path / "large"
    with pytest.raises(RAISED) as caught:
        match library:
            case "python":
                file.write_bytes(b"0" * 2_000_000)
            case "arrow":
                table = pa.table({"a": np.arange(1_000_000)})
                with pa.OSFile(str(file), "wb") as out, pa.ipc.new_file(out, table.schema) as new:
                    new.write_table(table)
            case "safetensors":
                save_file({"a": torch.zeros(1_000_000)}, file)
    explained = explain(caught.value)
    assert isinstance(explained, StorageError)
    assert "No space is left" in str(explained)
    assert "make clean-runs" in str(explained)


@pytest.mark.parametrize("library", ["python", "numpy", "torch"])
def test_exhausted_memory_is_explained(library: str) -> None:
    with pytest.raises(RAISED) as caught:
        match library:
            case "python":
                bytearray(2**60)
            case "numpy":
                np.empty(2**57)
            case "torch":
                torch.empty(2**50)
    explained = explain(caught.value)
    assert isinstance(explained, OutOfMemoryError)
    assert "batch_size" in str(explained)


def test_a_full_or_read_only_database_is_explained_through_its_library(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE t (x)")
        database.commit()
    for option, said in (("mode=ro", "cannot be written"), ("mode=rw", "No space is left")):
        engine = sqlalchemy.create_engine(f"sqlite:///file:{file}?{option}&uri=true")
        with pytest.raises(sqlalchemy.exc.SQLAlchemyError) as caught, engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 3")
            connection.exec_driver_sql("INSERT INTO t VALUES (?)", ("0" * 100_000,))
        assert said in str(explain(caught.value))
        # MLflow wraps such an error once more.
        wrapped = MlflowException("failed")
        wrapped.__cause__ = caught.value
        assert said in str(explain(wrapped))


def test_a_folder_that_cannot_be_written_is_named() -> None:
    for number in (errno.EROFS, errno.EACCES):
        explained = explain(OSError(number, "no", "/models/artifacts"))
        assert isinstance(explained, StorageError)
        assert "/models/artifacts" in str(explained)
        assert "writable" in str(explained)


def test_errors_of_the_program_are_not_explained(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "missing").read_text()
    assert explain(caught.value) is None
    assert explain(RuntimeError("shapes do not match")) is None
    assert explain(MlflowException("no such run")) is None


@contextmanager
def answering(status: int) -> Iterator[str]:
    """A server that answers every request with `status`; yields its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status)

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def silent(listening: bool) -> Iterator[str]:
    """A port that refuses connections, or accepts them and never answers."""
    with socket.socket() as waiting:
        waiting.bind(("127.0.0.1", 0))
        if listening:
            waiting.listen()
        yield f"http://127.0.0.1:{waiting.getsockname()[1]}"


def error_of_tracking(address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ask a tracking server; return the explanation of the error."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with pytest.raises(MlflowException) as caught:
        MlflowClient(address).get_experiment_by_name("any")
    explained = explain(caught.value)
    assert isinstance(explained, ServerError), repr(caught.value)
    assert "run the same command again" in str(explained)
    assert mlflow.get_tracking_uri() != address
    return str(explained)


@pytest.mark.parametrize("listening", [False, True])
def test_a_tracking_server_that_does_not_answer_is_explained(
    listening: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent(listening) as address:
        said = error_of_tracking(address, monkeypatch)
    assert "does not answer" in said
    assert address.rpartition(":")[2] in said


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_the_http_status_of_a_server_is_named(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(status) as address:
        said = error_of_tracking(address, monkeypatch)
    assert f"answered with HTTP status {status}" in said
    assert "does not answer" not in said


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (silent(listening=False), "the hub does not answer"),
        (silent(listening=True), "the hub does not answer"),
        (answering(503), "the hub answered with HTTP status 503"),
    ],
)
def test_a_hub_that_gives_no_commit_is_explained(
    server: AbstractContextManager[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "_SECONDS", 1)
    with server as address:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
        with pytest.raises(HighlighterError, match=f"google/t5 at 'main'.*{said}.*local folder"):
            hub.commit_of("model", "google/t5", "main")


def raising(error: BaseException) -> Callable[[], None]:
    """A command that ends with `error`."""

    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "printed"),
    [
        (HighlighterError("no such file"), 1, "error: no such file"),
        (
            HighlighterError("all='https://me:key@h.org/a.csv?X-Amz-Signature=key': wrong"),
            1,
            "error: all='https://h.org/a.csv': wrong",
        ),
        (OSError(errno.ENOSPC, "full"), 1, "error: No space is left"),
        (KeyboardInterrupt(), 130, "stopped by the user"),
    ],
)
def test_a_command_ends_with_one_message_and_its_code(
    error: BaseException, code: int, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(raising(error), "stopped by the user") == code
    output = capsys.readouterr().err
    assert printed in output
    assert "Traceback" not in output
    assert exit_code_of(lambda: None, "") == 0
    with pytest.raises(ZeroDivisionError):
        exit_code_of(raising(ZeroDivisionError()), "")


def test_only_zenmls_traceback_of_an_explained_error_is_hidden(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = ("zenml.orchestrators.local.local_orchestrator", "another.library")

    def command() -> None:
        for error in (HighlighterError("explained"), ZeroDivisionError("a defect")):
            for name in names:
                try:
                    raise error
                except (HighlighterError, ZeroDivisionError):
                    logging.getLogger(name).exception("step failed")

    assert exit_code_of(command, "") == 0
    hidden = [record.exc_info is None for record in caplog.records]
    assert hidden == [True, False, False, False]
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        try:
            raise HighlighterError("outside a command")
        except HighlighterError:
            logging.getLogger(names[0]).exception("step failed")
    assert caplog.records[0].exc_info is not None


def test_output_in_another_encoding_escapes_what_it_lacks() -> None:
    program = (
        "from highlighter.system.failures import exit_code_of\n"
        "from rich.console import Console\n"
        "def command():\n"
        "    print('é')\n"
        "    Console().print('ü – ✓')\n"
        "exit_code_of(command, '')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "\\xe9\n\\xfc \\u2013 \\u2713\n"


@pytest.mark.parametrize(
    ("platform", "version", "said"),
    [
        ("win32", (3, 11), "On Windows, run it in WSL"),
        ("cygwin", (3, 11), "WSL"),
        ("linux", (3, 10, 2), "Python 3.11, 3.12 or 3.13 is needed; this is 3.10"),
        ("darwin", (3, 14), "this is 3.14"),
    ],
)
def test_an_unsupported_system_is_one_line(
    platform: str, version: tuple[int, ...], said: str
) -> None:
    assert said in unsupported(platform, version)
    for supported in ((3, 11), (3, 12, 1), (3, 13)):
        assert unsupported("linux", supported) == unsupported("darwin", supported) == ""


@pytest.mark.parametrize(
    "command", [["run_pipeline.py"], ["-m", "release", "list"], ["-m", "pipelines.clean"]]
)
def test_windows_is_named_before_any_import_fails(command: list[str], tmp_path: Path) -> None:
    """Python's own start-up is that of this system; `fcntl` and `resource` are missing as there."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "sys.platform = 'win32'\n"
        "sys.modules |= dict.fromkeys(('fcntl', 'resource', 'pwd', 'grp'))\n"
    )
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "WSL" in line
