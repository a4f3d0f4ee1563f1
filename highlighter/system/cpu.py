"""Number of cores that this process may use, also inside a container."""

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

MEMBERSHIP = Path("/proc/self/cgroup")
ROOT = Path("/sys/fs/cgroup")


def cgroup_folders(controller: str, membership: Path, root: Path) -> Iterator[tuple[int, Path]]:
    """Yield the folders of the process's cgroup and its parents, each with its cgroup version.

    In a container, the process's group is often mounted as the root.

    Args:
        controller: `cpu` or `memory`.
        membership: /proc/self/cgroup.
        root: /sys/fs/cgroup.
    """
    if not membership.is_file():  # not Linux
        return
    for line in membership.read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            version, top = 2, root
        elif controller in controllers.split(","):
            version, top = 1, root / controller
        else:
            continue
        folder = top / path.strip("/")
        while folder.is_relative_to(top):
            yield version, folder
            folder = folder.parent


def usable_cores() -> int:
    """Return the cores in the affinity mask, or the CPU quota, rounded up, if less."""
    quotas = map(math.ceil, cpu_quotas(MEMBERSHIP, ROOT))
    return max(1, min([_cores_to_run_on(), *quotas]))


def cpu_quotas(membership: Path, root: Path) -> Iterator[float]:
    """Yield the CPU quotas, in cores, of the process's cgroup and its parents."""
    for version, folder in cgroup_folders("cpu", membership, root):
        names = ["cpu.max"] if version == 2 else ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
        files = [folder / name for name in names]
        if all(file.is_file() for file in files):
            quota, period = " ".join(file.read_text(encoding="utf-8") for file in files).split()
            if quota not in {"max", "-1"}:
                yield int(quota) / int(period)


def _cores_to_run_on() -> int:
    if sys.platform != "linux":
        return os.cpu_count() or 1
    return len(os.sched_getaffinity(0))


def keep_to_usable_cores() -> None:
    """Limit torch's threads to the usable cores.

    By default torch starts one thread per core of the machine. In a container with a smaller
    quota, these exhaust the quota at once and are throttled together.
    """
    torch.set_num_threads(min(torch.get_num_threads(), usable_cores()))
