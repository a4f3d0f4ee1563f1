"""Memory that this process can still take, whoever limits it."""

import resource
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch

from highlighter.cgroups import MEMBERSHIP, ROOT, cgroup_folders

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
