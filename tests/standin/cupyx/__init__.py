"""What is used of CuPy's second package."""

from __future__ import annotations

import warnings
from contextlib import contextmanager

from cupy._state import STATE, DeviceSynchronized


@contextmanager
def allow_synchronize(allow):
    """Within this block, waiting for the GPU raises DeviceSynchronized if `allow` is False."""
    warnings.warn("cupyx.allow_synchronize will be removed in future releases", stacklevel=3)
    before, STATE.may_wait = STATE.may_wait, allow
    try:
        yield
    finally:
        STATE.may_wait = before


__all__ = ["DeviceSynchronized", "allow_synchronize"]
