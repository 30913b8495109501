"""01.3: an engine of your own. Its last check holds it against what PyTorch found."""

import json
import math
from pathlib import Path

from tinygrad_llm.course.exercises.calls import call

GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "goldens" / "expressions.json"
FUNCTIONS = {name: lambda v, name=name: getattr(v, name)() for name in ("exp", "log", "tanh", "relu")}


def gradients(mine, text, **at):
    """d(text)/d(each variable), by the learner's engine."""

    def gradient_of(text, **at):
        values = {name: mine.Value(x) for name, x in at.items()}
        eval(text, FUNCTIONS | values).backward()
        return [values[name].grad for name in at]

    return call(gradient_of, text, **at)


def test_a_product(mine):
    gradients(mine, "a * b", a=3.0, b=5.0).gives([5.0, 3.0])


def test_a_power(mine):
    gradients(mine, "a ** 3", a=2.0).gives([12.0])


def test_tanh(mine):
    gradients(mine, "tanh(a)", a=1.0).gives([1 / math.cosh(1.0) ** 2])


def test_a_value_used_twice(mine):
    gradients(mine, "a * a", a=3.0).gives([6.0])


def test_a_value_passes_on_only_when_it_is_complete(mine):
    gradients(mine, "[b + b for b in [a + a]][0]", a=1.0).gives([4.0])


def test_numbers_on_either_side(mine):
    gradients(mine, "2 * a - 6 / a + (1 - a)", a=2.0).gives([2 + 1.5 - 1])


def test_a_second_backward_starts_anew(mine):
    gradients(mine, "[y.backward() or y for y in [a * 3]][0]", a=1.0).gives([3.0])


def test_a_long_sum(mine):
    gradients(mine, "sum([a] * 20000)", a=1.0).gives([20000.0])


def test_the_gradients_that_pytorch_found(mine):
    for text, at, _, gradient in json.loads(GOLDEN.read_text(encoding="utf-8"))["rows"][:200]:
        gradients(mine, text, **dict(zip("abc", at))).gives(gradient, rtol=1e-9, atol=1e-9)
