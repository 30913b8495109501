"""Keeping freed pages: a quarter of a NumPy training step, won by one setting of the C library.

glibc takes every array over 128 KB straight from the kernel and gives it back when it is freed, so the next array of
that size costs a page fault for every 4 KB again. With higher thresholds the pages stay with the process.
"""

from __future__ import annotations

import ctypes
import platform

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -2, -3, -8  # <malloc.h>


def keep_freed_pages(threads: int = 1) -> bool:
    """Tells glibc to keep what is freed; False (and nothing done) on any other C library.

    Called once by the trainer before its threads start, never at import. 32 MB is the highest mapping threshold that
    glibc accepts (HEAP_MAX_SIZE / 2). Source: mallopt(3).
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = (
        (M_MMAP_THRESHOLD, 32 << 20),
        (M_TRIM_THRESHOLD, 2**31 - 1),
        (M_TOP_PAD, 64 << 20),
        (M_ARENA_MAX, 2 * threads),  # one pool for two threads made a step of 20 ms one of 22
    )
    accepted = [mallopt(key, value) == 1 for key, value in settings]  # each is tried, whatever the others say
    return all(accepted)
