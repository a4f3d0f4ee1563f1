"""The machine: locks, folders, cores, memory, failures."""

import sys


def unsupported(platform: str, version: "tuple[int, ...]") -> str:
    """Return why the commands cannot run on a system, or "".

    Args:
        platform: as `sys.platform`.
        version: of Python.
    """
    if platform in ("win32", "cygwin"):
        return "This project needs Linux or macOS. On Windows, run it in WSL (`wsl --install`)."
    if not (3, 11) <= tuple(version[:2]) < (3, 14):
        found = ".".join(map(str, version[:2]))
        return (
            f"Python 3.11, 3.12 or 3.13 is needed; this is {found}. `make install` looks for one."
        )
    return ""


# Before other imports: they fail where `fcntl` or newer syntax is missing.
if _problem := unsupported(sys.platform, sys.version_info[:2]):
    sys.exit(_problem)
