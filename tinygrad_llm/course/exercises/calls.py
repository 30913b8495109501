"""What a check is made of: call the learner's function, and say what should come.

    def test_two_equal_scores_share(mine):
        call(mine.softmax, np.array([0.0, 0.0])).gives(np.array([0.5, 0.5]))

A failing call is shown so that it can be pasted. For an operation, which returns (y, vjp) as the package's do:

    call(mine.softmax, x).value(y)                  # the first of the pair
    call(mine.softmax, x).gradient(g, dx)           # vjp(g, needs)
    call(mine.softmax, x).follows_differences()     # vjp against (f(x + h) - f(x - h)) / 2h, random cotangent
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_llm.course.exercises.difference import difference, same
from tinygrad_llm.course.exercises.show import Seeded, Spelled, call_text, literal, summaries, summary

RTOL, ATOL = 1e-7, 1e-9
STEP = 1e-5
"""h of the differences: in float64 the formula's error, h², and rounding's, 1e-16/h, are both small."""


class Expectation(AssertionError):
    """An answer that is not what it should be: the call, the answer, what was expected, and how the two differ.

    answer  what was got, itself.
    warned  NumPy's warnings during this call: (file, line, text).
    """

    def __init__(
        self, called: str, got: str, expected: str, differs: str, answer: Any = None, warned: list | None = None
    ) -> None:
        self.called, self.got, self.expected, self.differs = called, got, expected, differs
        self.answer, self.warned = answer, warned or []
        super().__init__(f"{called}: expected {expected}, got {got}. {differs}")


class Raised(AssertionError):
    """The learner's function raised; `__cause__` is what."""

    def __init__(self, called: str, warned: list | None = None) -> None:
        self.called, self.warned = called, warned or []
        super().__init__(called)


def call(function: Callable[..., Any], *args: Any, **options: Any) -> Call:
    """A call of the learner's function with these arguments, to be held against something."""
    return Call(function, *args, **options)


class Call:
    """A call of the learner's function, made once, when its result is first asked for."""

    def __init__(self, function: Callable[..., Any], *args: Any, **options: Any) -> None:
        self.function, self.args, self.options = function, args, options
        self.text = call_text(getattr(function, "__name__", "it"), args, options)
        self.done = False
        self.answer: Any = None
        self.warned: list[tuple[str, int, str]] = []

    @property
    def result(self) -> Any:
        """What the function returned.  Raises Expectation where it wrote into its arguments."""
        if not self.done:
            args, options = self._made(copy.deepcopy(self.args)), self._made(copy.deepcopy(self.options))
            self.answer = self._run(self.text, lambda: self.function(*args, **options))
            self.done = True
            self._check_untouched(args)
        return self.answer

    def gives(self, expected: Any, rtol: float = RTOL, atol: float = ATOL) -> None:
        """The result equals `expected`: numbers to the tolerance, all else exactly."""
        self._hold(self.text, self.result, expected, rtol, atol)

    def then(self, text: str, function: Callable[[Any], Any]) -> Call:
        """Something made from the result; `text` is what a learner would type after the call: ".sum()"."""
        after = Call(lambda: function(self.result))
        after.text, after.warned = self.text + text, self.warned
        return after

    def value(self, expected: Any, rtol: float = RTOL, atol: float = ATOL) -> None:
        """The first of the pair (y, vjp) equals `expected`."""
        self._hold(f"{self.text}[0]", self._pair()[0], expected, rtol, atol)

    def gradient(
        self, g: Any, *expected: Any, needs: tuple[bool, ...] | None = None, rtol: float = RTOL, atol: float = ATOL
    ) -> None:
        """vjp(g, needs) gives the gradient of each array argument; None stands for one that is not looked at."""
        needs = needs or (True,) * len(expected)
        text = f"y, vjp = {self.text}; vjp({literal(g)}, {needs})"
        gradients = self._gradients(g, needs, text)
        for got, wanted, place in zip(gradients, expected, range(len(expected))):
            if wanted is not None:
                self._hold(text + (f"[{place}]" if len(expected) > 1 else ""), got, wanted, rtol, atol)

    def follows_differences(self, seed: int = 0, rtol: float = 1e-5, atol: float = 1e-7) -> None:
        """vjp equals central differences for every float64 argument, with random g.

        With g all ones a softmax would pass with any gradient that sums to zero.
        """
        arrays = [a for a in self.args if isinstance(a, np.ndarray) and a.dtype == np.float64]
        assert arrays, "follows_differences needs float64 arguments"
        y = np.asarray(self._pair()[0])
        g = np.round(np.random.default_rng(seed).normal(size=y.shape), 2)
        needs = (True,) * len(arrays)
        text = f"y, vjp = {self.text}; vjp({literal(g)}, {needs})"
        gradients = self._gradients(g, needs, text)
        for place, (array, got) in enumerate(zip(arrays, gradients)):
            wanted = np.zeros_like(array)
            for index in np.ndindex(array.shape):
                wanted[index] = self._difference(array, index, g)
            self._hold(text + (f"[{place}]" if len(arrays) > 1 else ""), got, wanted, rtol, atol)

    def raises(self, kind: type[BaseException], words: str = "") -> None:
        """The call raises `kind`, with `words` in its message."""
        try:
            result = self.result
        except Raised as raised:
            error = raised.__cause__
            if isinstance(error, kind) and words.lower() in str(error).lower():
                return
            got = f"{type(error).__name__}: {error}"
            right = isinstance(error, kind)
            explained = "The message does not say so." if right else "It raised an error of another kind."
        else:
            got, explained = summary(result), "Wrong input should be refused by name, not computed with."
        wanted = kind.__name__ + (f" that says {words!r}" if words else "")
        raise self._wrong(self.text, got, wanted, explained, got)

    def _pair(self) -> tuple[Any, Callable[..., Any]]:
        result = self.result
        if not (isinstance(result, tuple) and len(result) == 2 and callable(result[1])):
            explained = "An operation returns its value and the function that turns dL/dy into dL/dx."
            raise self._wrong(self.text, summary(result), "a pair (y, vjp)", explained, result)
        return result

    def _gradients(self, g: Any, needs: tuple[bool, ...], text: str) -> tuple:
        vjp, given = self._pair()[1], copy.deepcopy(g)
        gradients = self._run(text, lambda: vjp(given, needs))
        if not same(given, g, 0, 0):
            raise self._wrong(text, "a changed g", "g as it was", "A vjp never writes into g: others still need it.")
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        if len(gradients) != len(needs):
            wanted = f"{len(needs)}, one an argument"
            raise self._wrong(text, f"{len(gradients)} gradients", wanted, "In their order.", len(gradients))
        return gradients

    def _difference(self, array: np.ndarray, index: tuple, g: np.ndarray) -> float:
        def at(shift: float) -> float:
            moved = [a.copy() if a is array else a for a in self.args]
            place = next(i for i, a in enumerate(self.args) if a is array)
            moved[place][index] += shift
            return float((np.asarray(self.function(*moved, **self.options)[0]) * g).sum())

        return (at(STEP) - at(-STEP)) / (2 * STEP)

    def _made(self, given: Any) -> Any:
        if isinstance(given, dict):
            return {key: self._made(value) for key, value in given.items()}
        if isinstance(given, tuple):
            return tuple(map(self._made, given))
        return given.make() if isinstance(given, Seeded | Spelled) else given

    def _check_untouched(self, args: tuple) -> None:
        for place, (before, after) in enumerate(zip(self.args, args)):
            if isinstance(before, np.ndarray | list | dict) and not same(after, before, 0, 0):
                explained = "Something wrote into the argument (`x -= …`, `x[…] = …`, sort()): make a new one instead."
                raise self._wrong(self.text, f"a changed argument {place}", "the argument as it was", explained)

    def _run(self, text: str, function: Callable[[], Any]) -> Any:
        """What the function returns.  Raises Raised for whatever it raises: also for an exit, or an interrupt."""
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                return function()
            except (Expectation, Raised, NotImplementedError):
                raise
            except BaseException as error:
                raise Raised(text, self.warned) from error
            finally:
                self.warned += [(str(w.filename), w.lineno, str(w.message)) for w in said]

    def _hold(self, text: str, got: Any, expected: Any, rtol: float, atol: float) -> None:
        if not same(got, expected, rtol, atol):
            dtypes = getattr(got, "dtype", None) != getattr(expected, "dtype", None)
            mine, right = summaries(got, expected, dtypes)
            raise self._wrong(text, mine, right, difference(got, expected, rtol, atol), got)

    def _wrong(self, text: str, got: str, expected: str, differs: str, answer: Any = None) -> Expectation:
        return Expectation(text, got, expected, differs, answer, self.warned)
