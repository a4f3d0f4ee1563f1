"""A full disk, a closed folder, servers that are away: told from errors in the program."""

import errno
import http.server
import resource
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import huggingface_hub.constants
import huggingface_hub.utils
import mlflow
import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy
import torch
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from safetensors.torch import save_file

from highlighter.data import fingerprint
from highlighter.errors import HighlighterError, OutOfMemoryError, ServerError, StorageError
from highlighter.system.failures import OUTSIDE, explain


@pytest.fixture
def no_file_above_a_megabyte() -> Iterator[None]:
    """A limit of the kernel's that needs no right, unlike a small disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("no_file_above_a_megabyte")
@pytest.mark.parametrize("library", ["python", "arrow", "safetensors"])
def test_a_write_that_does_not_fit_is_explained(library: str, tmp_path: Path) -> None:
    file = tmp_path / "large"
    with pytest.raises(OUTSIDE) as caught:
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
def test_memory_that_runs_out_is_explained(library: str) -> None:
    with pytest.raises(OUTSIDE) as caught:
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


def test_a_full_or_closed_database_is_explained_through_the_library(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE t (x)")
        database.commit()
    for option, said in (("mode=ro", "can't be written"), ("mode=rw", "No space is left")):
        engine = sqlalchemy.create_engine(f"sqlite:///file:{file}?{option}&uri=true")
        with pytest.raises(OUTSIDE) as caught, engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 3")
            connection.exec_driver_sql("INSERT INTO t VALUES (?)", ("0" * 100_000,))
        assert said in str(explain(caught.value))
        # MLflow wraps such an error once more.
        wrapped = MlflowException("failed")
        wrapped.__cause__ = caught.value
        assert said in str(explain(wrapped))


def test_a_folder_that_may_not_be_written_is_named() -> None:
    for number in (errno.EROFS, errno.EACCES):
        explained = explain(OSError(number, "no", "/models/artifacts"))
        assert isinstance(explained, StorageError)
        assert "/models/artifacts" in str(explained)
        assert "writable" in str(explained)


def test_errors_of_the_program_are_not_explained_away(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "missing").read_text()
    assert explain(caught.value) is None
    assert explain(RuntimeError("shapes do not match")) is None
    assert explain(MlflowException("no such run")) is None


class Broken(http.server.BaseHTTPRequestHandler):
    """Answers 503 to everything."""

    def do_GET(self) -> None:
        self.send_error(503)

    def log_message(self, *arguments: object) -> None:
        """Not to the tests' output."""


@pytest.fixture(params=["refuses", "hangs", "fails"])
def bad_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that takes no connection, never answers, or answers 503."""
    if request.param == "fails":
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()
        return
    with socket.socket() as waiting:
        waiting.bind(("127.0.0.1", 0))
        if request.param == "hangs":
            waiting.listen()
        yield f"http://127.0.0.1:{waiting.getsockname()[1]}"


def test_a_tracking_server_that_is_away_is_explained(
    bad_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with pytest.raises(OUTSIDE) as caught:
        MlflowClient(bad_server).get_experiment_by_name("any")
    explained = explain(caught.value)
    assert isinstance(explained, ServerError)
    assert bad_server.rpartition(":")[2] in str(explained)
    assert "run the same command again" in str(explained)
    assert mlflow.get_tracking_uri() != bad_server


def test_a_hub_that_is_away_is_explained(bad_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", bad_server)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(fingerprint, "_HUB_SECONDS", 1)
    with pytest.raises(HighlighterError, match=r"google/t5 at 'main'.*hub does not.*local folder"):
        fingerprint.hub_commit("model", "google/t5", "main")
