"""How far a result on a GPU may be from what float64 says."""

from __future__ import annotations

import numpy as np

BOUND = {"float32": 4e-5, "bfloat16": 2.0**-8}
"""One rounding to eight bits moves a number by 2^-9 of itself; twice that is allowed, since the float arithmetic before it
may fall onto the other side of a boundary. float32: sums of some thousand terms, and the GPU's quick exponential; TF32
would be ten times further off."""


def error(found: np.ndarray, exact: np.ndarray, floor: float = 1e-30) -> float:
    """The largest |found - exact|, each measured by |exact| + the root mean square of all + floor; infinite for a NaN."""
    found, exact = np.asarray(found, np.float64), np.asarray(exact, np.float64)
    assert found.shape == exact.shape, f"{found.shape} instead of {exact.shape}"
    if not found.size:
        return 0.0
    off = np.abs(found - exact)
    off /= np.abs(exact) + np.sqrt(np.mean(exact * exact)) + floor
    return float(off.max()) if np.isfinite(off).all() else float("inf")


def distance(found: np.ndarray, exact: np.ndarray) -> float:
    """||found - exact|| / ||exact||: what rounding does to the whole, where `error` looks for its worst place."""
    found, exact = np.asarray(found, np.float64), np.asarray(exact, np.float64)
    return float(np.linalg.norm(found - exact) / (np.linalg.norm(exact) + 1e-30))


def assert_near(label: str, found: np.ndarray, exact: np.ndarray, bound: float, floor: float = 1e-30) -> None:
    """Fails with how many times the bound the error is."""
    got = error(found, exact, floor)
    assert got <= bound, f"{label}: {got:.3g} from what float64 says, {got / bound:.3g} times the bound {bound:.3g}"
