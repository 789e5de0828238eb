"""Keep freed memory in the process, on the CPU under glibc.

A training step frees its tensors and asks for the same sizes again. glibc hands large blocks back to the system at once
and the next step pays for every page anew; docs/LOG.md has what that costs.
"""

from __future__ import annotations

import ctypes
import platform

# From glibc's malloc.h. The values are the largest that mallopt takes: blocks above 32 MiB are always mapped.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_TRIM, _LARGEST_MMAP = 2**31 - 1, 32 * 2**20


def keep_freed_memory() -> None:
    """Ask malloc to keep what is freed; where the C library is not glibc nothing is done."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP)
        libc.mallopt(_M_TRIM_THRESHOLD, _LARGEST_TRIM)
