"""What a measurement ran on."""

import os
import platform
from pathlib import Path

import torch


def describe_machine() -> str:
    """Cores, processor, its vector instructions, threads and torch, in a line."""
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores of {_processor()} ({torch.backends.cpu.get_cpu_capability()}), "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}"
    )


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
