"""Servers and functions in processes of their own; nothing is left when the benchmark ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.processes import (
    MemoryWatch,
    ProcessError,
    measure,
    process_tree,
    python,
    serve,
    start,
    stop,
)
from highlighter.errors import CorpusError
from tests.conftest import ROOT

FAKE = python("tests.benchmarks.fake_server")
BENCHMARK = f"""
import sys, time
from pathlib import Path
from benchmarks.command import run_command
from benchmarks.processes import serve

def main():
    with serve({FAKE!r}, Path(sys.argv[1])):
        print("ready", flush=True)
        time.sleep(600)

sys.exit(run_command(main))
"""


def pids(log: Path) -> list[int]:
    """The fake server's and its child's, as soon as it has printed them."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if len(words := log.read_text().split()) == 2:
            return [int(word) for word in words]
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def living(numbers: list[int]) -> list[int]:
    return [
        pid
        for pid in numbers
        if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    ]


def wait_until_gone(numbers: list[int]) -> None:
    end = time.monotonic() + 5
    while living(numbers) and time.monotonic() < end:
        time.sleep(0.02)
    assert living(numbers) == []


def test_the_tree_is_stopped_when_the_block_fails(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(ZeroDivisionError), serve(FAKE, log) as server:
        tree = pids(log)
        assert tree[0] == server.process.pid
        assert living(tree) == tree
        _ = 1 / 0
    wait_until_gone(tree)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_the_benchmark_stops_the_tree(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", BENCHMARK, str(log)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as benchmark:
        try:
            assert benchmark.stdout is not None
            assert benchmark.stdout.readline() == "ready\n"
            tree = pids(log)
            assert living(tree) == tree
            benchmark.send_signal(number)
            assert benchmark.wait(10) == code
        finally:
            benchmark.terminate()
    wait_until_gone(tree)


def test_a_server_that_does_not_heed_sigterm_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with start([*FAKE, "--port", "0", "--deaf"], log) as process:
        tree = pids(log)
        began = time.monotonic()
        stop(process, grace=0.3)
        assert 0.3 <= time.monotonic() - began < 3
    assert process.returncode == -signal.SIGKILL
    wait_until_gone(tree)


def test_a_server_that_ends_is_an_error_with_its_output(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no model'); raise SystemExit(3)"]
    with (
        pytest.raises(ProcessError, match=r"ended with code 3 (?s:.*)no model"),
        serve(command, tmp_path / "log"),
    ):
        raise AssertionError("the server must not become ready")


def test_a_server_that_never_answers_is_an_error_and_is_stopped(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; print('hm', flush=True); time.sleep(600)"]
    began = time.monotonic()
    with (
        pytest.raises(ProcessError, match=r"not ready after 0.5 seconds:\nhm"),
        serve(command, tmp_path / "log", timeout=0.5),
    ):
        raise AssertionError("the server must not become ready")
    assert time.monotonic() - began < 5


def test_a_program_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(ProcessError, match="cannot start no-such-program"),
        serve(["no-such-program"], tmp_path / "log"),
    ):
        raise AssertionError("the server must not become ready")


def test_memory_counts_children(tmp_path: Path) -> None:
    child = "b = bytearray(64 << 20); print('full', flush=True); input()"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "full\n"
        with MemoryWatch(process.pid, interval=0.05) as memory:
            time.sleep(0.5)
        assert psutil.Process(process.pid).memory_info().rss / 2**20 < 60
        assert 64 < memory.peak_rss < 150
        assert len(memory.samples) >= 3
        process.communicate("\n")
    assert process_tree(process.pid) == []


def test_pages_of_a_mapped_file_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "mapped"
    file.write_bytes(b"x" * (64 << 20))
    script = (
        f"import mmap; f = open({str(file)!r}, 'rb'); "
        "m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); sum(m[::4096]); "
        "print('read', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "read\n"
        with MemoryWatch(process.pid) as memory:
            time.sleep(0.1)
        _, rss, without_files = memory.samples[0]
        assert rss > 64
        assert 0 < without_files < 40
        process.communicate("\n")


def test_a_function_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    run = measure("tests.benchmarks.test_processes:fill", tmp_path / "log", megabytes=64)
    assert run.result["pid"] != os.getpid()
    assert run.result["megabytes"] == 64
    assert 64 < run.peak_without_files <= run.peak_rss
    assert not (tmp_path / "log").exists()


def test_a_function_that_fails_is_an_error_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match=r"failed with code 1:(?s:.*)no room for -1 MB"):
        measure("tests.benchmarks.test_processes:fill", tmp_path / "log", megabytes=-1)


def fill(megabytes: int) -> dict[str, int]:
    if megabytes < 0:
        raise CorpusError(f"no room for {megabytes} MB")
    block = bytearray(megabytes << 20)
    time.sleep(1.5)
    return {"megabytes": len(block) >> 20, "pid": os.getpid()}
