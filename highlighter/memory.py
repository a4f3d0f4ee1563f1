"""How the C library treats freed memory."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of glibc's malloc.h
_MOST = 2**31 - 1


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
