"""In what an answer differs from the right one.  Only what can be seen from the two: no cause is guessed here.

Where a cause is known for certain, reasons.py says it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_llm.course.exercises.show import apart, safe_repr

TIMES = {2.0: "exactly twice", 0.5: "exactly half of"}


def difference(got: Any, expected: Any, rtol: float, atol: float, place: str = "") -> str:
    """A sentence on how `got` differs from `expected`; `place` is where both stand in what was returned: "[0][1]"."""
    said = _of_any(got, expected, rtol, atol, place)
    return said if not place or said.startswith("In [") else f"In {place}: {said[0].lower() + said[1:]}"


def _of_any(got: Any, expected: Any, rtol: float, atol: float, place: str) -> str:
    if got is None:
        return "It returned None."
    if isinstance(got, tuple) and not isinstance(expected, list | tuple):
        return f"A tuple of {len(got)} instead of one result."
    if isinstance(expected, np.ndarray | float | int) and not isinstance(expected, bool):
        try:
            array, wanted = np.asarray(got), np.asarray(expected)
        except ValueError:
            return "The rows have different lengths."
        if array.dtype.kind in "fiub" and wanted.dtype.kind in "fiub":
            if isinstance(got, list) and array.shape == wanted.shape and _close(array, wanted, rtol, atol):
                return "The numbers are right, but they are a list instead of an array."
            return of_arrays(array, wanted, rtol, atol)
    return of_sequences(got, expected, rtol, atol, place)


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
    far = np.abs(got.astype(float) - expected.astype(float))
    worst = np.unravel_index(np.argmax(np.where(wrong, far, -1.0)), got.shape)
    where = f"At {_index(worst)} " if got.ndim else ""
    count = f" ({int(wrong.sum())} of {wrong.size} entries differ)" if got.ndim else ""
    mine, right = apart(got[worst].item(), expected[worst].item())
    return f"{where}{mine} instead of {right}{count}."


def of_sequences(got: Any, expected: Any, rtol: float = 1e-7, atol: float = 1e-9, place: str = "") -> str:
    """For text, lists, and what is neither."""
    if type(got) is not type(expected) and not (isinstance(got, list | tuple) and isinstance(expected, list | tuple)):
        return f"The answer is of type {type(got).__name__} instead of {type(expected).__name__}."
    if isinstance(expected, list | tuple) and len(expected) > 1 and same(list(got)[::-1], list(expected)):
        return "The entries are right, but in the opposite order."
    if isinstance(expected, str | bytes | list | tuple):
        pairs = zip(got, expected)
        least = min(len(got), len(expected))
        first = next((i for i, (a, b) in enumerate(pairs) if not same(a, b, rtol, atol)), least)
        if first == least:
            return f"{len(got)} entries instead of {len(expected)}; the first {first} are right."
        if isinstance(expected[first], list | tuple | np.ndarray | float):
            return difference(got[first], expected[first], rtol, atol, f"{place}[{first}]")
        mine, right = safe_repr(got[first]), safe_repr(expected[first])
        return f"The first difference is at place {first}: {mine} instead of {right}."
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
        if not isinstance(got, np.ndarray | np.generic):
            return False
        got = np.asarray(got)  # no subclass, which could say anything of itself
        if got.shape != expected.shape or got.dtype.kind != expected.dtype.kind:
            return False
        if expected.dtype.kind == "f" and got.dtype != expected.dtype:
            return False
        return _close(got, expected, rtol, atol)
    if isinstance(expected, float):
        number = isinstance(got, int | float | np.number | np.ndarray) and np.ndim(got) == 0
        return number and bool(np.isclose(float(got), expected, rtol=rtol, atol=atol, equal_nan=True))
    equal = got == expected if type(got) is type(expected) else isinstance(got, np.generic) and got.item() == expected
    return equal is True or (isinstance(equal, np.bool_) and bool(equal))


def _close(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> bool:
    return bool(np.allclose(got, expected, rtol=rtol, atol=atol, equal_nan=True))


def _index(place: tuple) -> str:
    return "[" + ", ".join(str(int(i)) for i in place) + "]"


def _of_shapes(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    """The shapes, and how the numbers would be right, where one of three ways makes them so."""
    shapes = f"Shape {got.shape} instead of {expected.shape}"
    ways = {
        "with the axes of size 1 left out the numbers are right": (got.squeeze(), expected.squeeze()),
        "transposed it is right": (got.T, expected),
        "the numbers are right, in one row after the other": (got.ravel(), expected.ravel()),
    }
    for text, (array, wanted) in ways.items():
        if array.shape == wanted.shape and array.size and np.allclose(array, wanted, rtol=rtol, atol=atol):
            return f"{shapes}; {text}."
    return f"{shapes}."


def _of_dtypes(got: np.ndarray, expected: np.ndarray) -> str:
    if expected.dtype == np.float32 and got.dtype == np.float64:
        return "The numbers are right, but float32 became float64."
    return f"The numbers are right, but they are {got.dtype} instead of {expected.dtype}."


def _of_nans(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    bad = ~np.isfinite(got) & np.isfinite(expected)
    if not bad.any():
        return ""
    place = tuple(np.argwhere(bad)[0])
    where = f" at {_index(place)}" if got.ndim else ""
    count = f" ({int(bad.sum())} of {got.size} entries)"
    return f"{got[place]}{where} instead of {expected[place]:.6g}{count}."


def _of_zeros(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    return "All entries are 0." if got.size > 1 and not got.any() and expected.any() else ""


def _of_factors(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    """One number that all entries are multiplied by.  Of a single entry only a change of sign is worth saying."""
    usable = np.abs(expected) > max(atol, 1e-12)
    if not usable.any() or got.dtype.kind == "b" or expected.dtype.kind == "b":
        return ""
    ratios = got[usable] / expected[usable]
    ratio = float(np.median(ratios))
    if not np.allclose(ratios, ratio, rtol=1e-6) or not np.allclose(got, ratio * expected, rtol=1e-5, atol=atol):
        return ""
    if abs(ratio + 1) < 1e-6:
        return "Every entry has the wrong sign." if expected.size > 1 else "The sign is wrong."
    if usable.sum() < 2:
        return ""
    if 0 < ratio < 0.7 and ratio not in TIMES and abs(1 / ratio - round(1 / ratio)) < 1e-6:
        return f"Every entry is 1/{round(1 / ratio)} of what it should be."
    size = next((text for factor, text in TIMES.items() if abs(ratio - factor) < 1e-6), f"{ratio:.6g} times")
    return f"Every entry is {size} what it should be."


def _of_order(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    def equal(a: np.ndarray, b: np.ndarray) -> bool:
        return a.shape == b.shape and a.size > 0 and bool(np.allclose(a, b, rtol=rtol, atol=atol))

    def ones(array: np.ndarray, axis: int) -> bool:
        return array.ndim >= 2 and equal(array.sum(axis), np.ones_like(array.sum(axis)))

    tests: list[tuple[str, Callable[[], bool]]] = [
        ("The entries are right but transposed.", lambda: got.ndim == 2 and equal(got.T, expected)),
        (
            "The rows are right, but shifted by one.",
            lambda: len(got) > 2 and (equal(got[1:], expected[:-1]) or equal(got[:-1], expected[1:])),
        ),
        ("The entries are right, but in the opposite order.", lambda: equal(np.flip(got), expected)),
        ("The columns sum to 1 where the rows should.", lambda: ones(got, -2) and ones(expected, -1)),
        ("The rows sum to 1 where the columns should.", lambda: ones(got, -1) and ones(expected, -2)),
    ]
    if not got.ndim:
        return ""
    return next((text for text, test in tests if test()), "")
