"""A pytest plugin: the suite once more, on the stand-in for a GPU.

    PYTHONPATH=tests/standin python -m pytest -p plugin ...

Tensors and parameters that a test makes go to the "GPU"; what the tests look at may come back by itself, since a test is
no part of the package. What is about the CPU alone is left out, with its reason, in `left_out.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from left_out import LEFT_OUT  # noqa: E402


def pytest_configure(config):
    """Puts the stand-ins in their places before anything of the package is imported by a test."""
    from installed import install

    install()
    send_everything_to_the_gpu()


def send_everything_to_the_gpu() -> None:
    """Every new tensor lives on the GPU; nothing else is changed."""
    from tinygrad_llm.autograd import tensor
    from tinygrad_llm.backend import as_array, to_device

    tensor.as_array = lambda data, dtype=None: to_device(as_array(data, dtype), "cuda")


def pytest_collection_modifyitems(config, items):
    """Leaves out what has a reason."""
    kept, dropped = [], []
    for item in items:
        reason = next((why for part, why in LEFT_OUT.items() if item.nodeid.startswith(part)), None)
        (kept if reason is None else dropped).append(item)
    config.hook.pytest_deselected(items=dropped)
    items[:] = kept


@pytest.fixture(autouse=True)
def nothing_is_left_recording():
    """A test that fails while it records must not fail the next one."""
    yield
    from cupy._state import STATE

    STATE.recording, STATE.broken = None, False
    STATE.pinned.clear()
    STATE.pending.clear()
