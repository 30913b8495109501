"""A mistake gets into functions that are alive, and only where that is all there is to it."""

from __future__ import annotations

import math
import sys

import pytest

from tests.mutants.areas import PACKAGE
from tests.mutants.swap import Swap, loaded
from tests.mutants.trace import Tracer
from tinygrad_llm.ranges import Range

FILE = "ranges.py"
FUNCTIONS = loaded()


def changed(right: str, wrong: str, ran: set[int] = frozenset()) -> Swap:
    text = (PACKAGE / FILE).read_text(encoding="utf-8")
    assert text.count(right) == 1
    return Swap(FILE, text.replace(right, wrong), FUNCTIONS[FILE], ran)


@pytest.fixture
def restored():
    codes = [(f, f.__code__) for f in FUNCTIONS[FILE]]
    yield
    for f, code in codes:
        f.__code__ = code


@pytest.mark.usefixtures("restored")
def test_the_code_of_a_method_is_exchanged_and_of_no_other_function():
    swap = changed("value >= self.low", "value > self.low")
    assert swap.possible and [f.__qualname__ for f, _ in swap.pairs] == ["Range.__contains__"]
    assert 1 in Range(int, 1, 2)
    swap.do()
    assert 1 not in Range(int, 1, 2) and 2 in Range(int, 1, 2)


def test_lines_that_only_move_are_no_difference():
    assert changed("from __future__", "\n\n# a comment\nfrom __future__").pairs == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("low: float = -math.inf", "low: float = 0.0"),
        ("@dataclass(frozen=True)", "@dataclass()"),
        ("import math\n", "import cmath as math\n"),
        ("    def _has_text(self", "    def _has_not_text(self"),
    ],
    ids=["default", "decorator", "import", "name"],
)
def test_what_runs_while_a_file_is_loaded_must_be_loaded_anew(right, wrong):
    assert not changed(right, wrong).possible


def test_a_default_and_a_body_must_be_loaded_anew_together():
    text = (PACKAGE / FILE).read_text(encoding="utf-8")
    wrong = text.replace("low: float = -math.inf", "low: float = 0.0").replace("value >= self.low", "value > self.low")
    assert not Swap(FILE, wrong, FUNCTIONS[FILE], set()).possible


def test_a_function_that_ran_while_tests_were_loaded_must_be_loaded_anew():
    assert not changed("value >= self.low", "value > self.low", {id(Range.__contains__.__code__)}).possible


def test_a_traced_line_is_one_that_ran():
    tracer, before = Tracer(), sys.gettrace()
    tracer.start()
    inside = 3 in Range(float, -math.inf, 2)
    tracer.stop()
    sys.settrace(before)
    lines = (PACKAGE / FILE).read_text(encoding="utf-8").splitlines()
    ran = [lines[line - 1].strip() for file, line in tracer.taken() if file == FILE]
    assert not inside and 'above = value > self.low if self.ends[0] == "(" else value >= self.low' in ran
    assert "return False" not in ran and not tracer.taken()
