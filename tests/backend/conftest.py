"""What compiles kernels is slow and needs g++: it runs with `make test-standin`, not with the plain suite."""

from __future__ import annotations

import pytest

KERNELS = (
    "test_cuda_on_cpu", "test_flash", "test_kernels", "test_nvrtc", "test_packs", "test_philox", "test_sample_kernel",
    "test_sanitizers",
)  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Marks them."""
    for item in items:
        if item.path.parent.name == "backend" and item.path.stem.startswith(KERNELS):
            item.add_marker(pytest.mark.kernels)
