"""Workers of a process that was killed."""

import subprocess
import sys

import psutil

PROGRAM = """
import os, time
from highlighter.system.locks import end_workers_with_this_process
end_workers_with_this_process()
worker = os.fork()
if worker:
    print(worker, flush=True)
time.sleep(60)
"""


def test_a_worker_ends_when_its_process_is_killed() -> None:
    killed = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    worker = psutil.Process(int(killed.stdout.readline()))
    assert worker.is_running()
    killed.kill()
    killed.wait()
    _, left = psutil.wait_procs([worker], timeout=10)
    if left:
        worker.kill()
    assert not left
