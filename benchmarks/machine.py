"""What a measurement ran on."""

import os
import platform
import time
from pathlib import Path

import torch

from highlighter.errors import TrainingError

PRODUCT_SIZE = 8192
_ROUNDS = 10
_PRODUCTS = 10


def describe_machine() -> str:
    """Cores, processor, its vector instructions, threads, torch, and the GPU, in a line."""
    cores = len(os.sched_getaffinity(0))
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return (
        f"{cores} cores of {_processor()} ({torch.backends.cpu.get_cpu_capability()}), "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}{gpu}"
    )


def choose_gpu(device: str) -> str:
    """The GPU for `auto`, `cpu` or `cuda`, as CUDA_VISIBLE_DEVICES names it; "" for none.

    One at most: a trainer that sees several puts a batch on each of them.

    Raises:
        TrainingError: `cuda`, and torch sees no GPU.
    """
    if device != "cpu" and torch.cuda.is_available():
        return os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    if device == "cuda":
        raise TrainingError("--device cuda: torch sees no GPU here. Leave it out to use the CPU.")
    return ""


def product_rate(device: torch.device, size: int = PRODUCT_SIZE) -> float:
    """FLOP/s of the product of two square bf16 matrices with `size` rows: the best round.

    The rows are random: a GPU multiplies zeros faster than it can multiply anything else.
    """
    left, right = (torch.randn(size, size, device=device).bfloat16() for _ in range(2))
    result = left @ right  # the library chooses its kernel at the first call
    best = float("inf")
    for _ in range(_ROUNDS):
        synchronize(device)
        start = time.perf_counter()
        for _ in range(_PRODUCTS):
            torch.matmul(left, right, out=result)
        synchronize(device)
        best = min(best, time.perf_counter() - start)
    return _PRODUCTS * 2 * size**3 / best


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
