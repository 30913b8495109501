"""What a wrong answer usually means. Each rule looks at one kind of mistake; the first that fits is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

FACTORS = {
    2.0: "Every entry is exactly twice what it should be: is a term added twice, or a 1/2 missing?",
    0.5: "Every entry is exactly half of what it should be: is a 2 missing (the square's), or a term left out?",
    -1.0: "Every entry has the wrong sign.",
}


def meaning(got: Any, expected: Any, rtol: float, atol: float) -> str:
    """One or two sentences on how `got` differs from `expected`, and the usual cause."""
    if got is None:
        return "The function returned None: is the `return` missing?"
    if isinstance(got, tuple) and not isinstance(expected, tuple):
        return f"A tuple of {len(got)} instead of one result."
    if isinstance(expected, np.ndarray | float | int) and not isinstance(expected, bool):
        try:
            array, wanted = np.asarray(got), np.asarray(expected)
        except ValueError:
            return "The rows have different lengths."
        if array.dtype.kind in "fiub" and wanted.dtype.kind in "fiub":
            return of_arrays(array, wanted, rtol, atol)
    return of_sequences(got, expected)


def of_arrays(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    """For numbers."""
    if got.shape != expected.shape:
        return _of_shapes(got, expected, rtol, atol)
    wrong = ~np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return _of_dtypes(got, expected)
    for rule in (_of_nans, _of_zeros, _of_factors, _of_order):
        if text := rule(got, expected, rtol, atol):
            return text
    worst = np.unravel_index(np.argmax(np.where(wrong, np.abs(got - expected), -1.0)), got.shape)
    where = f"at {_index(worst)} " if got.ndim else ""
    count = f" ({int(wrong.sum())} of {wrong.size} entries differ)" if got.ndim else ""
    return f"{where}{got[worst]:.6g} instead of {expected[worst]:.6g}{count}.".capitalize()


def of_sequences(got: Any, expected: Any) -> str:
    """For text, lists, and what is neither."""
    if type(got) is not type(expected) and not (isinstance(got, list | tuple) and isinstance(expected, list | tuple)):
        return f"The answer is of type {type(got).__name__} instead of {type(expected).__name__}."
    if isinstance(expected, list | tuple) and len(expected) > 1 and same(list(got)[::-1], list(expected)):
        return "The entries are right, but in the opposite order."
    if isinstance(expected, str | bytes | list | tuple):
        pairs = zip(got, expected)
        first = next((i for i, (a, b) in enumerate(pairs) if not same(a, b)), min(len(got), len(expected)))
        if first == min(len(got), len(expected)):
            return f"{len(got)} entries instead of {len(expected)}; the first {first} are right."
        if isinstance(expected[first], list | tuple | np.ndarray):
            return f"At place {first}: {meaning(got[first], expected[first], 1e-7, 1e-9)}"
        return f"The first difference is at place {first}: {got[first]!r} instead of {expected[first]!r}."
    if isinstance(expected, dict):
        different = [key for key in expected if key not in got or not same(got[key], expected[key])]
        different += [key for key in got if key not in expected]
        return f"The entry {different[0]!r} differs, or is missing ({len(different)} in all)."
    return "Another value."


def same(got: Any, expected: Any, rtol: float = 1e-7, atol: float = 1e-9) -> bool:
    """Whether two answers are equal: numbers to a tolerance, shapes and kinds exactly, float32 is not float64."""
    if isinstance(expected, list | tuple):
        alike = isinstance(got, list | tuple) and len(got) == len(expected)
        return alike and all(same(a, b, rtol, atol) for a, b in zip(got, expected))
    if isinstance(expected, dict):
        alike = isinstance(got, dict) and got.keys() == expected.keys()
        return alike and all(same(got[key], expected[key], rtol, atol) for key in expected)
    if isinstance(expected, np.ndarray):
        if not isinstance(got, np.ndarray | np.generic) or got.shape != expected.shape:
            return False
        if got.dtype.kind != expected.dtype.kind or (expected.dtype.kind == "f" and got.dtype != expected.dtype):
            return False
        return bool(np.allclose(got, expected, rtol=rtol, atol=atol, equal_nan=True))
    if isinstance(expected, float):
        number = isinstance(got, int | float | np.number | np.ndarray) and np.ndim(got) == 0
        return number and bool(np.isclose(float(got), expected, rtol=rtol, atol=atol, equal_nan=True))
    return (type(got) is type(expected) and got == expected) or (isinstance(got, np.generic) and got.item() == expected)


def _index(place: tuple) -> str:
    return "[" + ", ".join(str(int(i)) for i in place) + "]"


def _of_shapes(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    shapes = f"Shape {got.shape} instead of {expected.shape}"
    if got.size == expected.size and got.squeeze().shape == expected.squeeze().shape:
        return f"{shapes}: an axis of size 1 too {'few' if got.ndim < expected.ndim else 'many'} (keepdims?)."
    if got.shape == expected.shape[::-1]:
        return f"{shapes}: the axes are exchanged (transposed)."
    if sorted(got.shape) == sorted(expected.shape):
        return f"{shapes}: the axes are in another order."
    if got.ndim == expected.ndim and any(abs(a - b) == 1 for a, b in zip(got.shape, expected.shape)):
        return f"{shapes}: off by one."
    if not got.ndim:
        return f"{shapes}: one number, so all axes were summed (axis=?)."
    return f"{shapes}."


def _of_dtypes(got: np.ndarray, expected: np.ndarray) -> str:
    if expected.dtype == np.float32 and got.dtype == np.float64:
        return (
            "The numbers are right, but float32 became float64: a NumPy number such as np.sqrt(64), np.float64(2) or "
            "np.array(1.0) was mixed in, or an integer array. Python numbers do not do that."
        )
    return f"The numbers are right, but they are {got.dtype} instead of {expected.dtype}."


def _of_nans(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    bad = ~np.isfinite(got) & np.isfinite(expected)
    if not bad.any():
        return ""
    place = tuple(np.argwhere(bad)[0])
    where = f" at {_index(place)}" if got.ndim else ""
    what = str(got[place])
    count = f" ({int(bad.sum())} of {got.size} entries)"
    limit = 88 if got.dtype == np.float32 else 710
    cause = (
        f"exp({limit}) is already inf in {got.dtype}." if got.dtype.kind == "f" else ""
    ) + " nan comes from inf/inf, inf - inf, 0/0 or log of a negative number."
    return f"{what}{where} instead of {expected[place]:.6g}{count}. {cause.strip()}"


def _of_zeros(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    return "All entries are 0: is a term missing?" if not got.any() and expected.any() else ""


def _of_factors(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    usable = np.abs(expected) > max(atol, 1e-12)
    if usable.sum() < (2 if expected.size > 1 else 1) or got.dtype.kind == "b" or expected.dtype.kind == "b":
        return ""
    ratios = got[usable] / expected[usable]
    ratio = float(np.median(ratios))
    if not np.allclose(ratios, ratio, rtol=1e-6) or not np.allclose(got, ratio * expected, rtol=1e-5, atol=atol):
        return ""
    for factor, text in FACTORS.items():
        if abs(ratio - factor) < 1e-6:
            return text
    if expected.size == 1:
        return ""
    if ratio > 1.5 and abs(ratio - round(ratio)) < 1e-6:
        return f"Every entry is {round(ratio)} times what it should be: a sum instead of a mean?"
    if 0 < ratio < 0.7 and abs(1 / ratio - round(1 / ratio)) < 1e-6:
        return f"Every entry is 1/{round(1 / ratio)} of what it should be: a mean instead of a sum?"
    return f"Every entry is {ratio:.6g} times what it should be: a constant factor."


def _of_order(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    def equal(a: np.ndarray, b: np.ndarray) -> bool:
        return a.shape == b.shape and a.size > 0 and bool(np.allclose(a, b, rtol=rtol, atol=atol))

    def ones(array: np.ndarray, axis: int) -> bool:
        return array.ndim >= 2 and equal(array.sum(axis), np.ones_like(array.sum(axis)))

    tests: list[tuple[str, Callable[[], bool]]] = [
        ("The entries are right but transposed.", lambda: got.ndim == 2 and equal(got.T, expected)),
        (
            "The rows are right, but shifted by one: off by one.",
            lambda: len(got) > 2 and (equal(got[1:], expected[:-1]) or equal(got[:-1], expected[1:])),
        ),
        ("The entries are right, but in the opposite order.", lambda: equal(np.flip(got), expected)),
        ("The columns sum to 1 where the rows should: the wrong axis.", lambda: ones(got, -2) and ones(expected, -1)),
        ("The rows sum to 1 where the columns should: the wrong axis.", lambda: ones(got, -1) and ones(expected, -2)),
    ]
    if not got.ndim:
        return ""
    return next((text for text, test in tests if test()), "")
