"""Run the pipeline in a separate checkout, and kill it at a chosen or random moment."""

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.checkout import Project, cached_steps, copy_checkout
from tests.conftest import ROOT


def make_project(folder: Path) -> Project:
    """Copy the checkout into `folder`, with its own stores."""
    parts = [folder / name for name in ("checkout", "stores", "tmp")]
    for part in parts:
        part.mkdir(parents=True)
    return copy_checkout(ROOT, *parts)


class Run:
    """A running pipeline whose output is read continuously."""

    def __init__(self, project: Project, *arguments: str) -> None:
        self.started = time.monotonic()
        self.output = ""
        self.process = project.start("-u", "run_pipeline.py", "--config", "fast.yaml", *arguments)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, moment: Callable[[str], bool], seconds: float = 200) -> None:
        """Wait until `moment` is true of the output so far, or the run has ended."""
        deadline = time.monotonic() + seconds
        while not moment(self.output) and self.process.poll() is None:
            assert time.monotonic() < deadline, self.output
            time.sleep(0.001)

    def kill(self) -> bool:
        """`kill -9` the run but not its workers; return whether it was still alive."""
        alive = self.process.poll() is None
        workers = psutil.Process(self.process.pid).children(recursive=True) if alive else []
        self.process.kill()
        self.end()
        _, orphans = psutil.wait_procs(workers, timeout=30)
        assert not orphans, f"workers outlive the killed run: {orphans}"
        return alive

    def end(self, seconds: float = 300) -> int:
        """Wait for the end; return the exit code."""
        code = self.process.wait(timeout=seconds)
        self._reader.join(timeout=30)
        return code

    @property
    def step(self) -> str:
        """The step that started last."""
        begun = re.findall(r"Step (\w+) has started", self.output)
        return begun[-1] if begun else "start-up"

    @property
    def stored(self) -> set[str]:
        """The steps whose stored results were reused, according to the summary at the end."""
        return cached_steps(self.output)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += re.sub(r"\x1b\[[0-9;]*m", "", line)
