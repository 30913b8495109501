"""Threads that share the parameters and nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from tinygrad_llm.backend import blas_threads, together
from tinygrad_llm.errors import ArgumentError

T = TypeVar("T")

SWITCH_INTERVAL = 1e-5
"""Seconds."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_count(threads: int | str, examples: int) -> int:
    """`threads` as a number; "auto" is one a core, but never more than the batch has examples.

    Raises ArgumentError for anything but "auto" or a number of at least 1.
    """
    if threads == "auto":
        return max(1, min(cores(), examples))
    try:
        count = int(threads)
    except (TypeError, ValueError, OverflowError):
        count = 0
    if count < 1:
        raise ArgumentError("threads", "'auto' or a number of at least 1", repr(threads))
    return min(count, examples)


class Workers:
    """`count` threads, the caller's own among them. BLAS gets the cores that are left over, at least one each.

    NumPy's loops and BLAS let go of the interpreter's lock, so threads of Python do run at the same time. A thread that
    comes back from a loop asks for the lock again; the interpreter lets it wait up to the switch interval, 5 ms by
    default, as long as a whole layer takes. Shorter is faster here: 23 ms a step became 18.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.switch_interval = sys.getswitchinterval()
        if count > 1:
            sys.setswitchinterval(SWITCH_INTERVAL)
        self.pool = ThreadPoolExecutor(count - 1) if count > 1 else None
        self.blas = blas_threads(max(1, cores() // count))
        self.blas.__enter__()

    def run(self, task: Callable[[int], T]) -> list[T]:
        """[task(0), ..., task(count - 1)], at the same time; the first error, if any, after all have ended."""
        contexts = [copy_context() for _ in range(self.count)]  # no_grad and the like hold in its threads too
        return together(self.pool, lambda i: contexts[i].run(task, i), self.count)

    def close(self) -> None:
        """Ends the threads and gives BLAS its own back. What is run from now on runs in the caller's thread alone."""
        if self.pool is not None:
            self.pool.shutdown()
            self.pool = None
        self.blas.__exit__(None, None, None)
        sys.setswitchinterval(self.switch_interval)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
