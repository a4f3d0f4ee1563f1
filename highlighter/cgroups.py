"""The control groups that limit this process."""

from collections.abc import Iterator
from pathlib import Path

MEMBERSHIP = Path("/proc/self/cgroup")
ROOT = Path("/sys/fs/cgroup")


def cgroup_folders(controller: str, membership: Path, root: Path) -> Iterator[tuple[int, Path]]:
    """The process's group and those around it, each with the version of cgroups it is of.

    In a container, its own group is often mounted as the root.
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
