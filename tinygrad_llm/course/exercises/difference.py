"""In what an answer differs from the right one.  Only what can be seen from the two: no cause is guessed here.

A pattern ("Every entry is exactly twice what it should be.") is said where undoing it would make the answer right, and
no other pattern would. Where two would, nobody can tell which it was: then the entry that is farthest off is named.
Where a cause is known for certain, reasons.py says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinygrad_llm.course.exercises.show import apart, safe_repr

TIMES = {2.0: "exactly twice", 0.5: "exactly half of"}
UNSAID = "another pattern"
"""Stands for one that would explain the answer as well, and that has no sentence."""
MOST_ROLLED = 64
"""Rows or columns up to which all turns are tried."""


def difference(got: Any, expected: Any, rtol: float, atol: float, place: str = "") -> str:
    """A sentence on how `got` differs from `expected`; `place` is where both stand in what was returned: "[0][1]"."""
    with np.errstate(all="ignore"):  # of inf - inf: it is our doing
        said = _of_any(got, expected, rtol, atol, place)
    if not place or said.startswith("In ["):
        return said
    return f"In {place}: {said if said.startswith(('None', 'True', 'False')) else said[0].lower() + said[1:]}"


def _of_any(got: Any, expected: Any, rtol: float, atol: float, place: str) -> str:
    if got is None:
        return f"None instead of {type(expected).__name__}." if place else "It returned None."
    if isinstance(got, tuple) and not isinstance(expected, list | tuple):
        return f"A tuple of {len(got)} instead of one result."
    if isinstance(expected, np.ndarray | float | int) and not isinstance(expected, bool):
        try:
            array, wanted = np.asarray(got), np.asarray(expected)
        except Exception:  # of whatever object a learner returns
            ragged = isinstance(got, list | tuple) and np.ndim(expected) > 0
            return _of_ragged(got) if ragged else of_sequences(got, expected, rtol, atol, place)
        if array.dtype.kind in "fiub" and wanted.dtype.kind in "fiub":
            if array.shape == wanted.shape and _close(array, wanted, rtol, atol):
                return _of_kinds(got, expected, array, wanted)
            return of_arrays(array, wanted, rtol, atol)
    return of_sequences(got, expected, rtol, atol, place)


def of_arrays(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    """For numbers that are not equal."""
    if got.shape != expected.shape:
        return _of_shapes(got, expected, rtol, atol)
    for rule in (_of_nans, _of_zeros, _of_patterns):
        if text := rule(got, expected, rtol, atol):
            return text
    wrong = ~np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
    far = np.abs(got.astype(float) - expected.astype(float))
    worst = np.unravel_index(np.argmax(np.where(wrong, far, -1.0)), got.shape)
    where = f"At {_index(worst)} " if got.ndim else ""
    count = f" ({int(wrong.sum())} of {wrong.size} entries differ)" if got.ndim else ""
    mine, right = _apart(got[worst], expected[worst])
    return f"{where}{mine} instead of {right}{count}."


def of_sequences(got: Any, expected: Any, rtol: float = 1e-7, atol: float = 1e-9, place: str = "") -> str:
    """For text, lists, and what is neither."""
    got = got.item() if isinstance(got, np.generic) and got.ndim == 0 else got  # NumPy's bool is called bool, too
    if type(got) is not type(expected) and not (isinstance(got, list | tuple) and isinstance(expected, list | tuple)):
        what = "entry" if place else "answer"
        return f"The {what} is of type {type(got).__name__} instead of {type(expected).__name__}."
    if isinstance(expected, list | tuple) and _is_reversed(got, expected, rtol, atol):
        return "The entries are right, but in the opposite order."
    if isinstance(expected, str | bytes | list | tuple):
        pairs = zip(got, expected)
        least = min(len(got), len(expected))
        first = next((i for i, (a, b) in enumerate(pairs) if not same(a, b, rtol, atol)), least)
        if first == least:
            return _of_lengths(got, expected)
        if isinstance(expected[first], list | tuple | np.ndarray | float):
            return difference(got[first], expected[first], rtol, atol, f"{place}[{first}]")
        mine, right = safe_repr(got[first]), safe_repr(expected[first])
        return f"The first difference is at place {first}: {mine} instead of {right}."
    if isinstance(expected, dict):
        return _of_entries(got, expected, rtol, atol)
    return "Another value."


def _is_reversed(got: Any, expected: Any, rtol: float, atol: float) -> bool:
    """Whether the one is the other from its end, and could be nothing else: three or more, all different, no signs."""
    if len(expected) < 3 or not same(list(got)[::-1], list(expected), rtol, atol):
        return False
    numbers = all(isinstance(entry, int | float) for entry in expected)
    if numbers and same([-entry for entry in got], list(expected), rtol, atol):
        return False
    return len(set(map(repr, expected))) == len(expected)


def _of_lengths(got: Any, expected: Any) -> str:
    """Where one of the two is the beginning of the other."""
    least = min(len(got), len(expected))
    one, many = "entry", "entries"
    if isinstance(expected, str | bytes):
        one, many = ("character", "characters") if isinstance(expected, str) else ("byte", "bytes")
    right = "" if not least else f"; the first {least} are right" if least > 1 else "; the first is right"
    return f"{len(got)} {one if len(got) == 1 else many} instead of {len(expected)}{right}."


def _of_entries(got: dict, expected: dict, rtol: float, atol: float) -> str:
    """Where a dictionary lacks an entry, has one too many, or has another value for it."""
    missing = [key for key in expected if key not in got]
    more = [key for key in got if key not in expected]
    other = [key for key in expected if key in got and not same(got[key], expected[key], rtol, atol)]
    for keys, what in ((missing, "is missing"), (more, "should not be there"), (other, "differs")):
        if keys:
            count = len(missing) + len(more) + len(other)
            return f"The entry {safe_repr(keys[0])} {what}" + (f" ({count} entries in all)." if count > 1 else ".")
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


def _apart(got: np.generic, expected: np.generic) -> tuple[str, str]:
    """Two entries, so that they read differently."""
    mine, right = apart(got.item(), expected.item())
    return (str(got) if got.dtype == bool else mine), (str(expected) if expected.dtype == bool else right)


def _of_ragged(got: list | tuple) -> str:
    """What NumPy makes no array of."""
    rows = (row.tolist() if isinstance(row, np.ndarray) else row for row in got)
    lengths = {len(row) if isinstance(row, list | tuple) else None for row in rows}
    if None not in lengths and len(lengths) > 1:
        return "The rows have different lengths."
    if None in lengths and len(lengths) > 1:
        return "Some entries are single values, and others are lists."
    return "It is no array: the entries have different shapes."


def _of_kinds(got: Any, expected: Any, array: np.ndarray, wanted: np.ndarray) -> str:
    """Of the same numbers: a list instead of an array, or another precision."""
    if isinstance(got, list):
        if not wanted.size:
            return "An empty list instead of an empty array."
        return "The numbers are right, but they are a list instead of an array."
    right, they = ("The number is right", "it is") if wanted.ndim == 0 else ("The numbers are right", "they are")
    both = isinstance(got, np.ndarray | np.generic) and isinstance(expected, np.ndarray | np.generic)
    if array.dtype == wanted.dtype or not both:
        return f"{right}, but of type {type(got).__name__} instead of {type(expected).__name__}."
    return f"{right}, but {they} {array.dtype} instead of {wanted.dtype}."


def _of_shapes(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    """The shapes, and how the numbers would be right, where just one of three ways makes them so."""
    shapes = f"Shape {got.shape} instead of {expected.shape}"

    def right(array: np.ndarray, wanted: np.ndarray) -> bool:
        return array.shape == wanted.shape and array.size > 0 and _close(array, wanted, rtol, atol)

    if right(got.squeeze(), expected.squeeze()):
        if got.size == 1:
            return f"{shapes}; the number is right."
        return f"{shapes}; with the axes of size 1 left out the numbers are right."
    turned, in_order = right(got.T, expected), right(got.ravel(), expected.ravel())
    if turned and not in_order:
        way = "transposed" if got.ndim == 2 else "with its axes in the opposite order"
        return f"{shapes}; {way} it has the right numbers."
    if in_order and not turned:
        return f"{shapes}; the numbers are right, and in the right order."
    return f"{shapes}."


def _of_nans(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    bad = ~np.isfinite(got) & np.isfinite(expected)
    if not bad.any():
        return ""
    place = tuple(np.argwhere(bad)[0])
    where = f" at {_index(place)}" if got.ndim else ""
    count = f" ({int(bad.sum())} of {got.size} entries)" if got.ndim else ""
    return f"{got[place]}{where} instead of {_apart(got[place], expected[place])[1]}{count}."


def _of_zeros(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    if got.size < 2 or got.any() or not expected.any():
        return ""
    return f"All entries are {'False' if got.dtype == bool else '0'}."


def _of_patterns(got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    """The only pattern that fits; "" where there is none, or more than one."""

    def equal(one: np.ndarray, other: np.ndarray) -> bool:
        return one.shape == other.shape and one.size > 0 and _close(one, other, rtol, atol)

    found = [*_scaled(got, expected, equal, atol), *_moved(got, expected, equal), *_others(got, expected, equal)]
    if not found:
        return _of_sums(got, expected, equal)
    return found[0] if len(found) == 1 and found[0] != UNSAID else ""


Equal = Callable[[np.ndarray, np.ndarray], bool]


def _scaled(got: np.ndarray, expected: np.ndarray, equal: Equal, atol: float) -> Iterator[str]:
    """One number that all entries are multiplied by.  Of a single entry only a change of sign is worth saying."""
    if got.dtype == bool or expected.dtype == bool:
        return
    mine, right = got.astype(float), expected.astype(float)
    used = np.isfinite(right) & (np.abs(right) > max(atol, 1e-12))
    values = right[used]
    if not values.size or np.abs(values).max() < 1000 * atol or not np.isfinite(mine).all():
        return  # of numbers near the tolerance any factor is right
    whole = expected.dtype.kind in "iu"
    if equal(-mine, right):
        if expected.size == 1:
            yield "The sign is wrong." if not whole else UNSAID
        elif values.size == 1 or (whole and np.ptp(np.abs(values)) == 0):
            yield UNSAID
        else:
            yield "Every entry has the wrong sign." if used.all() else "Every entry that is not 0 has the wrong sign."
        return
    ratio, largest = float(np.median(mine[used] / values)), np.abs(values).max()
    if not ratio or np.ptp(values) <= 1e-6 * largest:
        return  # of equal entries: it may as well be a number that was added

    def is_times(factor: float) -> bool:
        undone = mine / factor
        near = abs(ratio / factor - 1) < 1e-6 and np.allclose(undone, right, rtol=1e-6, atol=atol)
        return near and equal(undone, right)

    if is_times(ratio):
        text = _times(ratio, is_times)
        pair = np.ptp(np.abs(values)) <= 1e-6 * largest  # v and -v: any wrong u and -u would fit
        sure = (text in TIMES.values() or not pair) and np.abs(mine).max() > max(atol, 1e-12)
        yield f"Every entry is {text} what it should be." if sure else UNSAID


def _times(ratio: float, is_times: Callable[[float], bool]) -> str:
    """A factor in words: "exactly twice", "1/3 of", "1.3 times"."""
    for factor, text in TIMES.items():
        if is_times(factor):
            return text
    near, below = round(ratio), round(1 / ratio) if abs(ratio) > 1e-3 else 0
    if below > 1 and is_times(1 / below):
        return f"1/{below} of"
    return f"{near if near and is_times(near) else apart(ratio, float(near or 1))[0]} times"


def _moved(got: np.ndarray, expected: np.ndarray, equal: Equal) -> Iterator[str]:
    """The right entries in other places."""
    if not got.ndim:
        return
    told_apart = len(np.unique(expected)) > 2  # else chance, or the other way round, would do
    if got.ndim == 2 and equal(got.T, expected):
        yield "The entries are right but transposed." if told_apart else UNSAID
    elif equal(np.flip(got), expected):
        long = sum(side > 1 for side in got.shape)
        order = "in the opposite order" + ("" if long < 2 else " along both axes" if long == 2 else " along every axis")
        yield f"The entries are right, but {order}." if told_apart else UNSAID
    if len(got) <= (3 if got.size == len(got) else 2):
        return
    what = {1: "entries", 2: "rows"}.get(got.ndim, "entries along the first axis")
    ways = (
        (got[1:], expected[:-1], "each but the first is the one that should stand before it"),
        (got[:-1], expected[1:], "each but the last is the one that should stand behind it"),
    )
    for here, there, how in ways:
        if equal(here, there):
            alike = len(np.unique(there.reshape(len(there), -1), axis=0)) < len(there)
            yield UNSAID if alike else f"The {what} are shifted by one: {how}."


def _others(got: np.ndarray, expected: np.ndarray, equal: Equal) -> Iterator[str]:
    """Patterns that have no sentence of their own, and that make one of the others doubtful."""
    if got.size < 3:
        return
    mine, right = got.astype(float), expected.astype(float)
    apart_by = mine - right
    if equal(apart_by, np.full_like(apart_by, apart_by.flat[0])) and not equal(-mine, right):
        yield UNSAID  # a number that was added
    for axis, side in enumerate(got.shape if got.ndim > 1 else ()):
        if side > 1 and side < got.size and equal(np.flip(got, axis), expected):
            yield UNSAID
    for axis, side in enumerate(got.shape):
        turns = range(1 if axis else 2, side if axis else side - 1)  # by one row: see `_moved`
        if 2 < side <= MOST_ROLLED and any(equal(np.roll(got, turn, axis), expected) for turn in turns):
            yield UNSAID
    wrong = np.flatnonzero(mine != right)
    exchanged = len(wrong) == 2 and equal(mine.flat[wrong[::-1]], right.flat[wrong])
    if exchanged and got.size > 3 and got.shape != (2, 2):
        yield UNSAID


def _of_sums(got: np.ndarray, expected: np.ndarray, equal: Equal) -> str:
    """Shares of the wrong axis: all sums along the one are 1, and not a single one along the other."""
    if got.ndim < 2 or min(got.shape[-2:]) < 2 or not (_are_shares(got) and _are_shares(expected)):
        return ""

    def along(array: np.ndarray, axis: int, other: int) -> bool:
        ones = np.isclose(array.sum(axis), 1.0, rtol=1e-6)
        return equal(array.sum(axis), np.ones(ones.shape)) and not np.isclose(array.sum(other), 1.0, rtol=1e-6).any()

    if along(got, -2, -1) and along(expected, -1, -2):
        return "The columns sum to 1 where the rows should."
    if along(got, -1, -2) and along(expected, -2, -1):
        return "The rows sum to 1 where the columns should."
    return ""


def _are_shares(array: np.ndarray) -> bool:
    """Neither marks, 0 and 1, nor negative."""
    return array.dtype.kind == "f" and not (array < 0).any() and bool((array != np.round(array)).any())
