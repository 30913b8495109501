"""What a wrong answer is told: the call can be pasted, and the meaning names the mistake."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.course.exercises.calls import Expectation, Raised, call
from tinygrad_llm.course.exercises.meaning import meaning, same
from tinygrad_llm.course.exercises.show import SAVE_TO, Seeded, call_text, literal, summary

values = st.one_of(
    st.integers(), st.floats(allow_nan=False), st.text(max_size=5), st.booleans(), st.none(),
    arrays(np.float64, array_shapes(max_dims=2, max_side=4)), arrays(np.int64, (3,)), arrays(np.float32, (2, 2), elements=st.floats(-9, 9, width=32)),
)  # fmt: skip


@given(
    st.recursive(
        values,
        lambda inner: (
            st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
        ),
        max_leaves=6,
    )
)
def test_a_literal_evaluates_to_what_it_shows(value):
    again = eval(literal(value), {"np": np})
    assert same(again, value, 0, 0), literal(value)


def test_large_arrays_are_saved_and_loaded_by_the_call(tmp_path, monkeypatch):
    monkeypatch.setenv(SAVE_TO, str(tmp_path / "arrays"))
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(9, 9))
    assert call_text("f", (x,), {"axis": 1}) == "f(np.load('arrays/1.npy'), axis=1)"
    np.testing.assert_array_equal(eval(literal(x), {"np": np}), x)


def test_generators_and_tensors_have_literals():
    assert literal(Seeded(3)) == "np.random.default_rng(3)"
    assert literal(Tensor([1.0, 2.0])) == "Tensor(np.array([1.0, 2.0], dtype='float32'))"
    assert call(lambda rng: rng.integers(99), Seeded(3)).result == np.random.default_rng(3).integers(99)


A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
SQUARE = np.array([[1.0, 2.0], [3.0, 5.0]])
SHARES = np.array([[0.1, 0.9], [0.3, 0.7]])


@pytest.mark.parametrize(
    ("got", "expected", "words"),
    [
        (None, A, "return"),
        ((A, 1), A, "tuple of 2"),
        (A.T, A, "transposed"),
        (np.zeros((3, 5, 2)), np.zeros((2, 3, 5)), "another order"),
        (A.sum(1), A.sum(1, keepdims=True), "too few (keepdims?)"),
        (A.sum(1, keepdims=True), A.sum(1), "too many (keepdims?)"),
        (A[:, :2], A, "off by one"),
        (np.float64(3.0), A, "all axes were summed"),
        (A[:1, :1].repeat(5, 1), A, "Shape (1, 5) instead of (2, 3)"),
        (A, A.astype(np.float32), "float32 became float64"),
        (A.astype(int), A, "int64 instead of float64"),
        (A * np.nan, A, "nan at [0, 0] instead of 1 (6 of 6 entries)"),
        (np.float64("inf"), 1.0, "inf instead of 1"),
        (A * 0, A, "All entries are 0"),
        (A * 2, A, "twice"),
        (A / 2, A, "half"),
        (-A, A, "wrong sign"),
        (A * 6, A, "6 times"),
        (A / 3, A, "1/3 of"),
        (A * 1.3, A, "1.3 times"),
        (SQUARE.T, SQUARE, "right but transposed"),
        (np.arange(1.0, 6.0), np.arange(5.0), "shifted by one"),
        (np.array([3.0, 1.0, 2.0])[::-1], np.array([3.0, 1.0, 2.0]), "opposite order"),
        (SHARES.T + 0.0, np.array([[0.2, 0.8], [0.5, 0.5]]), "The columns sum to 1 where the rows should"),
        (SHARES + 0.0, np.array([[0.2, 0.5], [0.8, 0.5]]), "The rows sum to 1 where the columns should"),
        ((15.0, (3.0, 5.0)), (15.0, (5.0, 3.0)), "At place 1: The entries are right, but in the opposite order."),
        ((0.5, (0.2,)), (0.5, (0.4,)), "At place 1: The first difference is at place 0: 0.2 instead of 0.4."),
        ((1, A * 2), (1, A), "At place 1: Every entry is exactly twice"),
        (A + np.array([[0, 0, 0], [0, 0, 1]]), A, "At [1, 2] 8 instead of 7 (1 of 6 entries differ)"),
        (5, 6, "5 instead of 6"),
        ([[1], [2, 3]], np.zeros((2, 2)), "different lengths"),
        ("abd", "abc", "place 2: 'd' instead of 'c'"),
        ([1, 2], [1, 2, 3], "2 entries instead of 3; the first 2 are right"),
        ([3, 2, 1], [1, 2, 3], "opposite order"),
        ([1, 9, 3], (1, 2, 3), "place 1: 9 instead of 2"),
        ({"a": 1}, {"a": 2, "b": 3}, "'a' differs"),
        ("x", [1], "type str instead of list"),
        (True, False, "Another value"),
    ],
)  # fmt: skip
def test_the_meaning_of_a_wrong_answer(got, expected, words):
    assert not same(got, expected)
    assert words in meaning(got, expected, 1e-7, 1e-9)


def wrong(check) -> Expectation:
    with pytest.raises(Expectation) as found:
        check()
    return found.value


def double(x):
    return x * 2, lambda g, needs: g * 2


def test_the_right_answer_passes():
    x = np.array([1.0, -2.0])
    made = call(double, x)
    made.value(2 * x)
    made.gradient(np.ones(2), np.full(2, 2.0))
    made.follows_differences()
    made.then("[0].sum()", lambda pair: pair[0].sum()).gives(-2.0)
    call(lambda: (_ for _ in ()).throw(ValueError("too short"))).raises(ValueError, "short")


def test_a_wrong_gradient_is_found_even_where_its_sum_is_right():
    def softmax(x):  # the gradient of a sum of shares is zero: with g all ones this one would pass
        y = np.exp(x) / np.exp(x).sum()
        return y, lambda g, needs: np.zeros_like(x)

    error = wrong(lambda: call(softmax, np.array([0.0, 1.0])).follows_differences())
    assert "All entries are 0" in error.meaning
    assert error.called.startswith("y, vjp = softmax(np.array([0.0, 1.0])); vjp(np.array([")


def test_an_answer_that_is_no_pair_is_told_so():
    assert "pair" in wrong(lambda: call(abs, -1).value(1)).expected


def test_writing_into_an_argument_is_found():
    def clear(x):
        x[:] = 0
        return x

    assert "changed argument 0" in wrong(lambda: call(clear, np.ones(2)).gives(np.zeros(2))).got


def test_writing_into_g_is_found():
    def bad(x):
        def vjp(g, needs):
            g *= 2
            return g

        return 2 * x, vjp

    assert "never writes into g" in wrong(lambda: call(bad, np.ones(2)).gradient(np.ones(2), np.full(2, 2.0))).meaning


def test_too_few_gradients_are_found():
    assert "one an argument" in wrong(lambda: call(double, A).gradient(A, A, A)).expected


def test_what_should_have_been_refused_is_told():
    error = wrong(lambda: call(double, 1).raises(ValueError, "positive"))
    assert "ValueError that says 'positive'" in error.expected
    assert "KeyError" in wrong(lambda: call({}.pop, "a").raises(ValueError)).got


def test_an_exception_keeps_its_cause_and_the_call():
    with pytest.raises(Raised, match=r"broken\(1\)") as found:

        def broken(x):
            raise KeyError("lost")

        call(broken, 1).gives(2)
    assert isinstance(found.value.__cause__, KeyError)


def test_summaries_are_short():
    assert summary(np.array([[np.nan]])) == "array(1, 1) [[nan]]"
    assert summary(np.zeros((50, 50), np.float32)).startswith("array(50, 50) float32 [[0. 0.")
    assert len(summary(np.zeros((50, 50)))) < 120 and len(summary("x" * 1000)) < 200
    assert summary(np.float32(0.5)) == "0.5 (float32)" and summary(1 / 3) == "0.333333"
