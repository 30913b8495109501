"""How many threads a product of matrices gets: one rule, for everything that runs on the CPU.

BLAS starts as many threads as there are cores for any product above 64 x 64 x 64, and they spin for some milliseconds
after it, ready for the next. A small model's products are over before a second core has woken up, and where another
process wants that core, each of them waits for it: a loop of small products then takes twenty times as long.

So within `with blas_threads():` BLAS has one thread, and more for large products alone. Steps, evaluation and
generation are such blocks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

T = TypeVar("T")

LARGE_PRODUCT = 1 << 27
"""Multiplications from which on a product is worth several threads: about a millisecond on one."""

_lock = threading.Lock()
_limits: list[int] = []
"""One entry for each block that is entered: the threads of its large products. The last one counts."""
_before: dict[int, int] = {}
"""Threads of each library outside of all blocks, by its place in `_libraries()`."""


@cache
def _libraries() -> list[Any]:
    """BLAS as NumPy has loaded it; asked for once, since the search takes milliseconds."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


@contextmanager
def blas_threads(most: int | None = None) -> Iterator[None]:
    """Within this block small products run on one thread, large ones on at most `most`; None: as many as outside.

    The setting is the process's: threads that overlap share it, and the last one to leave restores what was before.
    Entering and leaving takes some ten microseconds.
    """
    with _lock:
        if not _limits:
            _before.update(enumerate(library.get_num_threads() for library in _libraries()))
        limit = max(_before.values(), default=1) if most is None else most
        _limits.append(limit)
        _set(1)
    try:
        yield
    finally:
        with _lock:
            _limits.remove(limit)
            if not _limits:
                for i, library in enumerate(_libraries()):
                    _set_one(library, _before[i])


@contextmanager
def threads_for_large_product() -> Iterator[None]:
    """Within this block, inside of `blas_threads`, one large product may use all threads that are allowed to it."""
    _set(threads_here())
    try:
        yield
    finally:
        _set(1)


def threads_here() -> int:
    """How many threads the block allows that one is in, to a large product or to what divides its own work; else 1."""
    return _limits[-1] if _limits else 1


def is_large(rows: int, inner: int, columns: int) -> bool:
    """Whether a product (rows, inner) @ (inner, columns) gets more than the one thread of the block it is in."""
    return rows * inner * columns >= LARGE_PRODUCT and threads_here() > 1


def together(pool: ThreadPoolExecutor | None, task: Callable[[int], T], count: int) -> list[T]:
    """[task(0), ..., task(count - 1)] at the same time: the first in the caller's thread, the others in the pool's.

    All have ended when this returns or raises; it raises the first error.  Without a pool they run one after another.
    """
    if pool is None:
        return [task(i) for i in range(count)]
    futures = [pool.submit(task, i) for i in range(1, count)]
    try:
        first = task(0)
    finally:
        errors = [future.exception() for future in futures]
    for error in errors:
        if error is not None:
            raise error
    return [first, *(future.result() for future in futures)]


def _set(count: int) -> None:
    for library in _libraries():
        _set_one(library, count)


def _set_one(library: Any, count: int) -> None:
    library.set_num_threads(count)
    if hasattr(library, "clear_controlling_thread"):  # or else no other thread could set it while this one lives
        library.clear_controlling_thread()
