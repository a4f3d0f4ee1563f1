"""Processes that benchmarks start, watch and stop: servers, and functions measured alone."""

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx
import psutil

from benchmarks.command import run_command
from highlighter.errors import HighlighterError

ROOT = Path(__file__).resolve().parent.parent


class ProcessError(HighlighterError):
    """A process that could not be started, failed or did not become ready."""


class MemoryWatch:
    """Samples the memory of a process and its descendants while a `with` block runs.

    `samples` are (seconds, RSS, RSS without the pages of files) in MB of 2**20 bytes; pages that
    processes share count for each. The system reclaims pages of files when memory is short.
    """

    def __init__(self, pid: int, interval: float = 0.5) -> None:
        """`interval`: seconds between two samples."""
        self.samples: list[tuple[float, float, float]] = []
        self._pid, self._interval = pid, interval
        self._start, self._over = time.perf_counter(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def peak_rss(self) -> float:
        """The highest RSS in MB."""
        return max(rss for _, rss, _ in self.samples)

    def _watch(self) -> None:
        while True:
            rss = shared = 0
            for process in process_tree(self._pid):
                with contextlib.suppress(psutil.NoSuchProcess):
                    memory = process.memory_info()
                    rss, shared = rss + memory.rss, shared + memory.shared
            seconds = time.perf_counter() - self._start
            self.samples.append((seconds, rss / 2**20, (rss - shared) / 2**20))
            if self._over.wait(self._interval):
                break


class Server(NamedTuple):
    """A running server that answers."""

    process: subprocess.Popen[bytes]
    url: str


class Measured(NamedTuple):
    """What a function returned, and its process's peak memory in MB, with and without files."""

    result: Any
    peak_rss: float
    peak_without_files: float


def measure(function: str, log: Path, **arguments: Any) -> Measured:
    """Call a function in a new process and watch the process's memory.

    Args:
        function: "module:name"; its arguments and result must be JSON.
        log: file for the process's output; removed on success.

    Raises:
        ProcessError: the function failed; the message has the end of its output.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        text = json.dumps(arguments, default=str)
        command = python("benchmarks.processes", function, text, str(result))
        with start(command, log) as process, MemoryWatch(process.pid) as memory:
            if code := process.wait():
                raise ProcessError(f"{function} failed with code {code}:\n{last_lines(log)}")
        log.unlink()
        without_files = max(sample[2] for sample in memory.samples)
        return Measured(json.loads(result.read_bytes()), memory.peak_rss, without_files)


@contextlib.contextmanager
def serve(command: Sequence[str], log: Path, *, timeout: float = 180) -> Iterator[Server]:
    """Start a server; stop its whole process tree when the block ends.

    Args:
        command: the program; `--port` and a free port are added.
        log: file for the server's output.
        timeout: seconds until /readyz must answer with 200.

    Raises:
        ProcessError: the server cannot be started or does not become ready.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    end = time.monotonic() + timeout
    with start([*command, "--port", str(port)], log) as process:
        while not _is_ready(url):
            if process.poll() is not None or time.monotonic() > end:
                problem = f"not ready after {timeout:g} seconds"
                if process.poll() is not None:
                    code = process.returncode
                    problem = f"the server ended with code {code} before it was ready"
                raise ProcessError(f"{problem}:\n{last_lines(log)}")
            time.sleep(0.2)
        yield Server(process, url)


def _is_ready(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    return False


@contextlib.contextmanager
def start(
    command: Sequence[str],
    log: Path,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program in a session of its own; stop its process tree when the block ends.

    Raises:
        ProcessError: the program does not exist.
    """
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise ProcessError(f"cannot start {command[0]}: {error}") from error
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], grace: float = 20) -> None:
    """Send SIGTERM; after at most `grace` seconds kill what is left of the process tree.

    BentoML's workers lead sessions of their own, so a signal to our group does not reach them, and
    they lose their parent when it dies: the tree is listed first.
    """
    tree = process_tree(process.pid)
    try:
        process.terminate()
        process.wait(grace)
    except subprocess.TimeoutExpired:
        pass
    finally:
        for left in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                left.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def process_tree(pid: int) -> list[psutil.Process]:
    """Return the process and its living descendants; nothing if it has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []


def last_lines(log: Path) -> str:
    """Return the end of a program's output."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-30:]) or "(no output)"


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def _call() -> None:
    function, arguments, result = sys.argv[1:]
    module, _, name = function.partition(":")
    value = getattr(importlib.import_module(module), name)(**json.loads(arguments))
    Path(result).write_text(json.dumps(value), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run_command(_call))
