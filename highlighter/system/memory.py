"""How much memory is available to a process, and how it keeps the memory that it frees."""

import ctypes
import platform
import resource
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch

from highlighter.system.cpu import MEMBERSHIP, ROOT, cgroup_folders

_CGROUP_FILES = {  # by version: limit, usage, and the reclaimable part of it in memory.stat
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("memory.max", "memory.current", "inactive_file"),
}
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # from glibc's malloc.h
_LARGEST = 2**31 - 1


def available_memory(device: torch.device) -> int:
    """Return the bytes that this process can still allocate on a device.

    On a GPU: its free memory. On a CPU: the machine's available memory, or what the limits of the
    cgroup or of `ulimit` leave if that is less.
    """
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    used = psutil.Process().memory_info()
    available: list[int] = [psutil.virtual_memory().available, *cgroup_headroom(MEMBERSHIP, ROOT)]
    # `ulimit -v` limits all addresses, `ulimit -d` those with data.
    for kind, taken in ((resource.RLIMIT_AS, used.vms), (resource.RLIMIT_DATA, used.data)):
        limit, _ = resource.getrlimit(kind)
        if limit != resource.RLIM_INFINITY:
            available.append(limit - taken)
    return max(0, min(available))


def cgroup_headroom(membership: Path, root: Path) -> Iterator[int]:
    """Yield the bytes that each memory limit of the process's cgroup and its parents leaves.

    Args:
        membership: such as /proc/self/cgroup.
        root: where the cgroups are mounted.
    """
    for version, folder in cgroup_folders("memory", membership, root):
        limit, usage, reclaimable = _CGROUP_FILES[version]
        if not (folder / limit).is_file():
            continue
        most = (folder / limit).read_text(encoding="utf-8").strip()
        if most != "max":
            used = int((folder / usage).read_text(encoding="utf-8"))
            lines = (folder / "memory.stat").read_text(encoding="utf-8").splitlines()
            # Files that were read count as used until the system needs their memory.
            cached = dict(line.split() for line in lines).get(reclaimable, 0)
            yield int(most) - used + int(cached)


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, if the C library is glibc.

    glibc returns large blocks to the system at once. A step of training or generation on a CPU
    frees and allocates hundreds of megabytes, and page faults took half of the time of a generation
    with 4 beams.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, _LARGEST)
