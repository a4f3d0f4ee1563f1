"""Servers of our own: started in a process group, waited for, and stopped with all they started."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

from benchmarks.memory import process_tree
from highlighter.errors import HighlighterError

ROOT = Path(__file__).resolve().parent.parent

_OUTPUT_LINES = 30


class ServerError(HighlighterError):
    """A server that did not start, or a helper that failed; the message has its output."""


class Server:
    """A running server that answers."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._log = log

    @property
    def pid(self) -> int:
        """The process that started all the others."""
        return self.process.pid

    def wait_until_ready(self, timeout: float) -> None:
        """Return once /readyz answers 200.

        Raises:
            ServerError: it ended, or did not answer within `timeout` seconds.
        """
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise ServerError(
                    f"the server ended with code {self.process.returncode} before it was ready:\n"
                    f"{last_lines(self._log)}"
                )
            if self._is_ready():
                return
            time.sleep(0.2)
        raise ServerError(f"not ready after {timeout:g} seconds:\n{last_lines(self._log)}")

    def _is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        with closing(connection), suppress(OSError, HTTPException):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        return False


@contextmanager
def serve(command: Sequence[str], log: Path, *, timeout: float = 180) -> Iterator[Server]:
    """Start a server from the repository's root; stop its whole tree when the block ends.

    Args:
        command: the program; `--port` and a free one are added.
        log: the file that its output goes to.
        timeout: seconds it may take until it is ready.

    Raises:
        ServerError: it can't be started or does not get ready.
    """
    port = _free_port()
    with start([*command, "--port", str(port)], log) as process:
        server = Server(process, port, log)
        server.wait_until_ready(timeout)
        yield server


@contextmanager
def start(
    command: Sequence[str],
    log: Path,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a process group of its own, so that Ctrl-C reaches only us and we stop it.

    It runs in `folder`, with our own environment if none is given.

    Raises:
        ServerError: there is no such program.
    """
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ServerError(f"can't start {command[0]}: {error}") from error
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], grace: float = 20) -> None:
    """SIGTERM to the process, then SIGKILL to all of its tree that is left after `grace` seconds.

    The tree is listed first: BentoML's workers lead sessions of their own, so that no signal to
    our group would reach them, and they lose their parent when it dies.
    """
    tree = process_tree(process.pid)
    try:
        process.terminate()
        process.wait(grace)
    except subprocess.TimeoutExpired:
        pass
    finally:
        for left in tree:
            with suppress(psutil.NoSuchProcess):
                left.kill()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def last_lines(log: Path) -> str:
    """The end of a program's output."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_OUTPUT_LINES:]) or "(it printed nothing)"


def service_command() -> list[str]:
    """The command that serves the newest model of the BentoML store."""
    return python("bentoml", "serve", "--host", "127.0.0.1")


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
