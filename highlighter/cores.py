"""How many cores this process can keep busy."""

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from highlighter.cgroups import MEMBERSHIP, ROOT, cgroup_folders


def usable_cores() -> int:
    """The cores that it may run on, or what a container's quota comes to, rounded up, if less."""
    quotas = map(math.ceil, cpu_quotas(MEMBERSHIP, ROOT))
    return max(1, min([_cores_to_run_on(), *quotas]))


def cpu_quotas(membership: Path, root: Path) -> Iterator[float]:
    """Seconds of work in a second that the process's cgroup, and those around it, are allowed."""
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
