"""How operations run right now: whether they are recorded, and whether their numbers are watched.

A ContextVar, not a global: each thread and each task has its own, and a thread that is given a copy of the context
starts with the mode of the one who started it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Mode:
    """recording: ops whose inputs want a gradient join the graph. watching: each result must be finite."""

    recording: bool = True
    watching: bool = False


MODE: ContextVar[Mode] = ContextVar("tinygrad_llm_mode", default=Mode())  # noqa: B039 - frozen


@contextmanager
def _changed(**fields: bool) -> Iterator[None]:
    token = MODE.set(replace(MODE.get(), **fields))
    try:
        yield
    finally:
        MODE.reset(token)


def no_grad():
    """Within this block nothing is recorded: results do not require a gradient, and no memory is kept for one."""
    return _changed(recording=False)


def watch_numbers():
    """Within this block the first operation that makes a NaN or an infinity raises NonFiniteError with its name."""
    return _changed(watching=True)
