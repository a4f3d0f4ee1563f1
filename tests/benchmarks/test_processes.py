"""Servers start, are waited for, and leave nothing behind whatever ends the benchmark."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.memory import MemoryWatch, growth, tree_own, tree_rss
from benchmarks.processes import ServerError, python, serve, start, stop
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
        assert tree[0] == server.pid
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
        pytest.raises(ServerError, match=r"ended with code 3 (?s:.*)no model"),
        serve(command, tmp_path / "log"),
    ):
        raise AssertionError("it can't be ready")


def test_a_server_that_never_answers_is_an_error_and_is_stopped(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; print('hm', flush=True); time.sleep(600)"]
    began = time.monotonic()
    with (
        pytest.raises(ServerError, match=r"not ready after 0.5 seconds:\nhm"),
        serve(command, tmp_path / "log", timeout=0.5),
    ):
        raise AssertionError("it can't be ready")
    assert time.monotonic() - began < 5


def test_a_program_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(ServerError, match="can't start no-such-program"),
        serve(["no-such-program"], tmp_path / "log"),
    ):
        raise AssertionError("it can't be ready")


def test_memory_counts_children(tmp_path: Path) -> None:
    child = "b = bytearray(64 << 20); print('full', flush=True); input()"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "full\n"
        with MemoryWatch(process.pid, interval=0.05) as memory:
            time.sleep(0.2)
        assert psutil.Process(process.pid).memory_info().rss / 2**20 < 60
        assert 64 < memory.peak < 150
        assert len(memory.samples) >= 3
        process.communicate("\n")
    assert tree_rss(process.pid) == 0


def test_pages_of_a_mapped_file_are_not_a_process_s_own(tmp_path: Path) -> None:
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
        assert tree_rss(process.pid) > 64
        assert 0 < tree_own(process.pid) < 40
        process.communicate("\n")


def test_growth_leaves_the_first_seconds_out() -> None:
    settling = [(float(second), 100.0 + 50 * second) for second in range(10)]
    steady = [(float(second), 600.0 + second / 60) for second in range(10, 100)]
    assert growth(settling + steady, leave_out=10) == pytest.approx(1.0)
    assert growth(settling + steady, leave_out=0) > 10
    assert growth(steady[:1], leave_out=0) != growth(steady[:1], leave_out=0)  # NaN
