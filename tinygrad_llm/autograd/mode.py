"""How operations run: whether they are recorded for backward(), and whether their results are checked.

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
    """grad_enabled: operations on tensors that require a gradient are recorded. detect_anomaly: every result, and every
    gradient in backward(), must be finite."""

    grad_enabled: bool = True
    detect_anomaly: bool = False


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
    return _changed(grad_enabled=False)


def detect_anomaly():
    """Within this block the first operation that makes a NaN or an infinity, in its value or its gradient, raises
    NonFiniteError with its name.  PyTorch's `torch.autograd.detect_anomaly`, which looks at gradients alone."""
    return _changed(detect_anomaly=True)
