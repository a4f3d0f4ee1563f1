"""How much memory is available, and what a process keeps of what it has used."""

import ctypes
import mmap
import platform
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import torch

from highlighter.system.cpu import MEMBERSHIP, ROOT, cgroup_folders

_FILES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("memory.max", "memory.current", "inactive_file"),
}


def available_memory(device: torch.device) -> int:
    """Free bytes of a GPU; or of this machine's memory, below the limits of container and shell."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    used = psutil.Process().memory_info()
    rooms: list[int] = [psutil.virtual_memory().available, *cgroup_rooms(MEMBERSHIP, ROOT)]
    # What `ulimit` sets: all addresses, or only those with data.
    for kind, taken in ((resource.RLIMIT_AS, used.vms), (resource.RLIMIT_DATA, used.data)):
        limit, _ = resource.getrlimit(kind)
        if limit != resource.RLIM_INFINITY:
            rooms.append(limit - taken)
    return max(0, min(rooms))


def cgroup_rooms(membership: Path, root: Path) -> Iterator[int]:
    """What each limit of the process's cgroup, and of those around it, leaves."""
    for version, folder in cgroup_folders("memory", membership, root):
        yield from _room(folder, *_FILES[version])


def _room(folder: Path, limit: str, use: str, cache: str) -> Iterator[int]:
    if not (folder / limit).is_file():
        return
    most = (folder / limit).read_text(encoding="utf-8").strip()
    if most != "max":
        used = int((folder / use).read_text(encoding="utf-8"))
        lines = (folder / "memory.stat").read_text(encoding="utf-8").splitlines()
        # Files that were read stay in memory until it is wanted.
        given_back = dict(line.split() for line in lines).get(cache, 0)
        yield int(most) - used + int(given_back)


_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of glibc's malloc.h
_MOST = 2**31 - 1
_MAPS = Path("/proc/self/maps")  # of Linux; a line: "from-to rights ... file"


def keep_freed_memory() -> None:
    """Let this process keep what it frees, where the C library is glibc.

    glibc hands large blocks back to the system at once. A step of training or generation on a CPU
    frees and takes hundreds of megabytes, and would fault every page in again: with 4 beams, half
    of the time went there.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, _MOST)


def give_back_mapped_tables() -> None:
    """Let go of what this process has read of Arrow files that are mapped, where this is Linux.

    Else each page stays until the system runs short of memory: after one pass over a corpus, all of
    it. The system's cache still has what was given back, so to read it again is cheap.
    """
    if not _MAPS.exists():
        return
    madvise = ctypes.CDLL(None).madvise
    for line in _MAPS.read_text(encoding="utf-8", errors="replace").splitlines():
        # What was written to a private mapping would be lost; in a read-only one there is nothing.
        if line.endswith(".arrow") and " r--" in line:
            start, end = (int(address, 16) for address in line.split(maxsplit=1)[0].split("-"))
            madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)


@contextmanager
def few_mapped_pages(seconds: float = 0.3) -> Iterator[None]:
    """Give mapped tables back every so often meanwhile, where a library reads one to its end."""
    done = threading.Event()

    def give_back() -> None:
        while not done.wait(seconds):
            give_back_mapped_tables()

    thread = threading.Thread(target=give_back, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        give_back_mapped_tables()
