"""The one table of tolerances. Integers and bytes are compared exactly."""

from __future__ import annotations

import numpy as np

SINGLE_OP = {"float64": {"rtol": 1e-12, "atol": 1e-12}, "float32": {"rtol": 1.3e-6, "atol": 1e-5}}
"""One operation, forward. float32's are PyTorch's own defaults."""
GRADIENT = {"float64": {"rtol": 1e-10, "atol": 1e-10}, "float32": {"rtol": 1e-3, "atol": 1e-5}}
WHOLE_MODEL = {"rtol": 1e-10, "atol": 1e-10}
"""float64, logits, loss and every gradient."""


def assert_close(found, expected, table: dict[str, dict[str, float]]) -> None:
    """Values within the table's tolerance for the dtype of `found`, and the shape equal."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{found.shape} instead of {expected.shape}"
    np.testing.assert_allclose(found, expected, **table[str(found.dtype)])
