"""The check of shapes, and what every error of this package says and survives."""

from __future__ import annotations

import errno
import pickle

import numpy as np
import pytest

from tinygrad_llm import errors
from tinygrad_llm.errors import ShapeError, TinygradLLMError, reason
from tinygrad_llm.shapes import AXES, check_shape


def test_sizes_come_back_by_letter():
    x = np.zeros((2, 3, 4))
    assert check_shape("x", x, "BTD") == {"B": 2, "T": 3, "D": 4} == check_shape("x", x, "BTD", T=3, B=2)
    assert check_shape("x", x, "*D") == {"D": 4} == check_shape("x", np.zeros(4), "*D")
    assert check_shape("x", x, "*BTD")["B"] == 2 and check_shape("x", np.zeros((5, 5)), "TT") == {"T": 5}


@pytest.mark.parametrize(
    ("shape", "axes", "sizes"),
    [((2, 3), "BTD", {}), ((2, 3, 4, 5), "BTD", {}), ((2, 3, 4), "BTD", {"T": 4}), ((2, 3, 4), "BTD", {"B": 3}), ((2, 3, 4), "BTD", {"D": 3}),
     ((5, 6), "TT", {}), ((4,), "*TD", {}), ((), "*D", {}), ((2, 3), "*D", {"D": 2}), ((2, 6, 5), "*TT", {})],
)  # fmt: skip
def test_a_shape_that_does_not_fit_is_refused_with_symbols_and_numbers(shape, axes, sizes):
    with pytest.raises(ShapeError) as found:
        check_shape("logits", np.zeros(shape), axes, "Shift them.", **sizes)
    said = str(found.value)
    assert said.startswith("logits: expected (") and f"got {shape}. Shift them." in said
    assert all(letter in said for letter in axes.lstrip("*")) and all(str(size) in said for size in sizes.values())
    assert ("..." in said) is axes.startswith("*")


def test_only_letters_of_the_key_are_taken():
    assert set("BTSDHGKVFNCIO") == set(AXES)
    with pytest.raises(AssertionError):
        check_shape("x", np.zeros(3), "Z")


BUILT_IN = {
    "ShapeError": ValueError, "DtypeError": TypeError, "ArgumentError": ValueError, "ConfigError": ValueError,
    "GradientError": RuntimeError, "TokenError": ValueError, "DataError": ValueError, "CheckpointError": ValueError,
    "NonFiniteError": ArithmeticError, "StorageError": OSError, "DeviceError": RuntimeError,
}  # fmt: skip


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_error_is_what_a_reader_would_catch_and_says_four_things(name):
    kind = getattr(errors, name)
    assert issubclass(kind, TinygradLLMError) and issubclass(kind, BUILT_IN[name]) and name in errors.__all__
    error = kind("x", "two", "three", "Say two.")
    assert str(error) == "x: expected two, got three. Say two." and str(kind("x", 2, 3)) == "x: expected 2, got 3."
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and str(again) == str(error)
    assert (again.name, again.expected, again.got, again.next_step) == ("x", "two", "three", "Say two.")


def test_every_error_stands_in_the_list():
    kinds = {n for n, e in vars(errors).items() if isinstance(e, type) and issubclass(e, Exception)}
    assert kinds == set(BUILT_IN) | {"TinygradLLMError"} == set(errors.__all__) - {"reason"}


@pytest.mark.parametrize(
    ("error", "words"),
    [(FileNotFoundError(2, "No such file", "x"), "no such file"), (IsADirectoryError(21, "Is a directory"), "a folder"),
     (NotADirectoryError(20, "Not a directory"), "a path through something that is no folder"),
     (OSError(errno.ENOSPC, "No space left on device"), "no space left on device"), (ValueError("Bad number."), "bad number"),
     (ValueError("NaN in it"), "NaN in it"), (MemoryError(), "MemoryError"), (ValueError("A file"), "A file")],
)  # fmt: skip
def test_why_the_system_refused_stands_after_got(error, words):
    assert reason(error) == words
