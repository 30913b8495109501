"""A vjp that adds its own term to the gradient so far: the sums are those of the operations that do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, op, taken
from tinygrad_llm.autograd.sink import GradientSink, SoFar
from tinygrad_llm.ops import composed

NORMS = {
    "layer_norm": (lambda x, w: ops.layer_norm(x, w), lambda x, w: composed.layer_norm(x, w)),
    "rms_norm": (lambda x, w: ops.rms_norm(x, w), lambda x, w: composed.rms_norm(x, w)),
}
Norm = Callable[[Tensor, Tensor], Tensor]


def block(x: Tensor, w: Tensor, norm: Norm) -> Tensor:
    """x goes on beside the norm, whose way back comes last."""
    return x + ops.tanh(norm(x, w))


def norm_first(x: Tensor, w: Tensor, norm: Norm) -> Tensor:
    """The norm's way back comes first: there is nothing yet to be added."""
    return ops.tanh(norm(x, w)) + x


def two_norms(x: Tensor, w: Tensor, norm: Norm) -> Tensor:
    """Each adds to what the others have brought."""
    return x * norm(x, w) + ops.tanh(norm(x, w * 2)) + 3 * x


def norm_of_itself(x: Tensor, w: Tensor, norm: Norm) -> Tensor:
    """The result of a norm is what goes on beside the next."""
    y = norm(x, w)
    return y + norm(y, w) + x


SHAPES = [block, norm_first, two_norms, norm_of_itself]


@pytest.mark.parametrize("network", SHAPES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", NORMS)
def test_gradients_are_those_of_the_composed_norm(name, network):
    rng = np.random.default_rng(0)
    values, weights, g = rng.standard_normal((2, 7, 5)), rng.standard_normal(5), rng.standard_normal((2, 7, 5))
    found = []
    for norm in NORMS[name]:
        x, w = Tensor(values, requires_grad=True), Tensor(weights, requires_grad=True)
        given = g.copy()
        network(network(x * 2, w, norm), w, norm).backward(given)
        np.testing.assert_array_equal(given, g)
        found.append((x.grad, w.grad))
    for ours, expected in zip(*found):
        np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", NORMS)
def test_many_rows_meet_their_own(name):
    rng = np.random.default_rng(2)
    values, g = rng.standard_normal((2, 40_000, 16))
    found = []
    for norm in NORMS[name]:
        x = Tensor(values, requires_grad=True)
        block(x * 2, Tensor(np.ones(16)), norm).backward(g)
        found.append(x.grad)
    np.testing.assert_allclose(*found, rtol=1e-10, atol=1e-12)


def test_a_gradient_that_others_hold_is_not_written():
    """Both parents of the last sum are given the same array: what the norm adds is not seen by the other."""
    rng = np.random.default_rng(1)
    a, b = (Tensor(rng.standard_normal((3, 4)), requires_grad=True) for _ in range(2))
    x, other = a * 1, b * 1
    (x + other + 0 * ops.layer_norm(x)).backward(np.ones((3, 4)), retain_graph=True)
    np.testing.assert_array_equal(other.grad, np.ones((3, 4)))
    np.testing.assert_array_equal(b.grad, np.ones((3, 4)))


def test_whoever_does_not_take_what_is_there_has_his_term_added():
    x = Tensor(np.arange(1.0, 7).reshape(2, 3), requires_grad=True)
    y = x * 1
    (y + y * y).backward(np.ones((2, 3)))
    np.testing.assert_array_equal(x.grad, 1 + 2 * x.data)


def test_what_is_there_is_told_only_of_intermediates():
    seen = []

    @op
    def watched(x):
        def vjp(g, needs):
            seen.append(needs[0])
            return g

        return x * 1, vjp

    leaf = Tensor(np.ones((2, 2)), requires_grad=True)
    sink = GradientSink([leaf], (leaf.data * 0).reshape(-1))
    (watched(leaf) + leaf).backward(np.ones((2, 2)), into=sink)
    between = leaf * 1
    (watched(between) + between).backward(np.ones((2, 2)), into=sink)
    (watched(leaf * 1)).backward(np.ones((2, 2)))
    place, so_far, alone = seen
    assert place is sink.place(leaf) and taken(place) is None
    assert isinstance(so_far, SoFar) and alone is True and taken(True) is None and taken(False) is None


def test_whoever_takes_what_there_is_of_a_parent_that_he_has_twice_is_told():
    @op
    def both(a, b):
        return 2 * a + 3 * b, lambda g, needs: (
            2 * g,
            taken(needs[1]) + 3 * g if taken(needs[1]) is not None else 3 * g,
        )

    y = Tensor(np.ones(3), requires_grad=True) * 1
    with pytest.raises(AssertionError, match="a parent that it has twice"):
        (y + both(y, y)).backward(np.ones(3))
