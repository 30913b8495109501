"""What an optimizer promises beyond its formula: order of work, what it keeps, what a loaded state is."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import CheckpointError, GradientError, NonFiniteError
from tinygrad_llm.optim import SGD, AdamW, clip_grad_norm, schedule, sum_of_squares
from tinygrad_llm.optim.flat import CHUNK

MAKE = {
    "adamw": lambda ps: AdamW(ps, 0.1, (0.8, 0.95), 1e-3, 0.3),
    "sgd": lambda ps: SGD(ps, 0.1, weight_decay=0.3),
    "momentum": lambda ps: SGD(ps, 0.1, 0.9, weight_decay=0.3),
    "nesterov": lambda ps: SGD(ps, 0.1, 0.9, True, 0.3),
}


def leaves(dtype=np.float64):
    rng = np.random.default_rng(0)
    return [Tensor(rng.normal(size=s).astype(dtype), requires_grad=True) for s in ((3,), (4, 3), (2, 2, 2), ())]


def values(optimizer):
    return [p.data.copy() for p in optimizer.flat.parameters]


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_scale_of_clipping_is_that_of_the_gradient_and_of_nothing_else(make, dtype):
    """Not of the decay, nor of the moments."""
    one, other = make(leaves(dtype)), make(leaves(dtype))
    rng = np.random.default_rng(1)
    for scale in (0.25, 1.0, 0.5):  # exact in binary
        g = rng.normal(size=one.flat.data.size).astype(dtype)
        one.step(g, scale=scale)
        other.step((g * scale).astype(dtype))
    np.testing.assert_allclose(one.flat.data, other.flat.data, rtol=1e-6 if dtype == np.float32 else 1e-14)
    for name, array in one.state.items():
        np.testing.assert_allclose(array, other.state[name], rtol=1e-6 if dtype == np.float32 else 1e-14)


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_a_step_changes_neither_the_gradient_nor_anything_where_the_rate_is_0(make):
    optimizer = make(leaves())
    before, gradient = values(optimizer), np.random.default_rng(1).normal(size=24)
    kept = gradient.copy()
    optimizer.step(gradient, lr=0.0)
    np.testing.assert_array_equal(gradient, kept)
    for p, old in zip(values(optimizer), before):
        np.testing.assert_array_equal(p, old)
    assert optimizer.lr == 0.0 and optimizer.steps == 1
    optimizer.step(gradient)  # the rate stays what it was
    np.testing.assert_array_equal(optimizer.flat.data, np.concatenate([p.ravel() for p in before]))


def test_the_velocity_is_a_sum_that_forgets_whatever_the_rate_was():
    w = Tensor(np.zeros(2), requires_grad=True)
    optimizer = SGD([w], lr=0.5, momentum=0.5)
    for g, lr, velocity, position in ((1.0, 0.5, 1.0, -0.5), (1.0, 0.1, 1.5, -0.65), (0.0, 1.0, 0.75, -1.4)):
        optimizer.step(np.full(2, g), lr)
        np.testing.assert_allclose(optimizer.state["velocity"], velocity)
        np.testing.assert_allclose(w.data, position)


def test_a_state_has_what_the_rule_needs_and_no_more():
    assert list(AdamW(leaves()).state_dict()) == ["m", "v"]
    assert list(SGD(leaves(), momentum=0.9).state_dict()) == ["velocity"] and SGD(leaves()).state_dict() == {}
    assert all(array.dtype == np.float32 and not array.any() for array in AdamW(leaves(np.float32)).state.values())


@pytest.mark.parametrize("make", [MAKE["adamw"], MAKE["momentum"]])
def test_a_loaded_state_is_a_copy_in_the_places_of_its_names(make):
    optimizer = make(leaves(np.float32))
    state = {n: np.full(24, i + 1.0) for i, n in enumerate(reversed(optimizer.state))}  # names in another order
    if len(state) > 1:
        with pytest.raises(CheckpointError):
            optimizer.load_state_dict(dict(list(state.items())[1:]), 4)
        assert optimizer.steps == 0 and not any(a.any() for a in optimizer.state.values())
    places = dict(optimizer.state)
    optimizer.load_state_dict(state, 7)
    assert optimizer.steps == 7
    for i, name in enumerate(reversed(places)):
        assert optimizer.state[name] is places[name] and places[name].dtype == np.float32
        assert (places[name] == i + 1).all()
    optimizer.step(np.ones(24, np.float32))
    assert all((a == i + 1).all() for i, a in enumerate(state.values())), "the caller's arrays are the caller's"


def test_a_step_counts_and_recorded_graphs_learn_of_it():
    w = Tensor(np.ones(2), requires_grad=True)
    optimizer = SGD([w], lr=0.0)
    loss = (w * w).sum()
    optimizer.begin_step()
    assert optimizer.steps == 1
    with pytest.raises(GradientError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))], ids=["deepcopy", "pickle"])
def test_a_copy_of_an_optimizer_is_whole_and_its_own(copied):
    first = AdamW([(f"p{i}", p) for i, p in enumerate(leaves())], 0.1, weight_decay=0.3)
    first.step(np.ones(24))
    second = copied(first)
    assert second.flat.names == first.flat.names and second.flat.n_decaying == first.flat.n_decaying == 20
    assert all(np.shares_memory(p.data, second.flat.data) for p in second.flat.parameters)
    before = first.flat.data.copy()
    for _ in range(2):
        second.step(np.ones(24))
    np.testing.assert_array_equal(first.flat.data, before)
    for _ in range(2):
        first.step(np.ones(24))
    np.testing.assert_array_equal(first.flat.data, second.flat.data)


def test_what_is_no_longer_whole_is_not_copied():
    """A parameter has memory of its own now: the copy would hold what the optimizer does not move."""
    ps = leaves()
    optimizer = AdamW(ps)
    ps[0].data = ps[0].data.copy()
    with pytest.raises(GradientError, match="replaced array"):
        copy.deepcopy(optimizer)


def test_gradients_that_are_forgotten_are_none_and_what_none_has_is_no_step():
    ps = leaves()
    optimizer = AdamW(ps)
    for p in ps:
        p.grad = np.ones(p.shape)
    optimizer.zero_grad()
    assert all(p.grad is None for p in ps)
    ps[0].grad = np.ones(3)
    with pytest.raises(GradientError, match="a gradient for every parameter"):
        optimizer.step()
    assert optimizer.steps == 0


def test_squares_of_many_chunks_are_added_in_double_precision():
    """In float32, 2^24 + 1 is 2^24: a running sum would never grow."""
    g = np.zeros(40 * CHUNK, np.float32)
    g[0] = 4096.0
    g[CHUNK::CHUNK] = 1.0
    assert sum_of_squares(g) == 2.0**24 + 39
    assert sum_of_squares(g, 1) == 39 and sum_of_squares(g, 0, 2 * CHUNK) == 2.0**24 + 1


def test_the_norm_that_is_clipped_is_that_of_all_gradients_together():
    p, q = (Tensor(np.zeros(1), requires_grad=True) for _ in "pq")
    p.grad, q.grad = np.array([3.0]), np.array([4.0])
    assert clip_grad_norm(iter([p, q]), 2.5) == 5.0
    np.testing.assert_allclose([p.grad[0], q.grad[0]], [1.5, 2.0], rtol=1e-6)
    assert clip_grad_norm([p, q], 10.0) == pytest.approx(2.5, rel=1e-6)
    np.testing.assert_allclose([p.grad[0], q.grad[0]], [1.5, 2.0], rtol=1e-6)
    assert clip_grad_norm([p, q], 0.0) == pytest.approx(2.5, rel=1e-6) and p.grad[0] == q.grad[0] == 0


def test_what_a_kernel_is_told_of_a_step():
    """lr, lr / (1 - b1^t), 1 / sqrt(1 - b2^t), lr decay and the number: see kernels/optimizer.cu."""
    adamw, sgd = AdamW(leaves(), 0.2, (0.8, 0.95), 1e-3, 0.3), SGD(leaves(), 0.2, 0.9, weight_decay=0.3)
    assert adamw.settings(7) == [0.2, 0.0, 0.0, pytest.approx(0.06), 7.0]  # before the first step nothing is corrected
    for optimizer in (adamw, sgd):
        for _ in range(2):
            optimizer.begin_step(0.4)
    assert adamw.settings(7) == pytest.approx([0.4, 0.4 / (1 - 0.8**2), 1 / math.sqrt(1 - 0.95**2), 0.12, 7.0])
    assert sgd.settings(7) == [0.4, 0.0, 0.0, 0.0, 7.0]


@pytest.mark.parametrize("kind", ["constant", "linear", "cosine"])
@pytest.mark.parametrize(
    ("total", "warmup"), [(1, 0), (2, 1), (7, 0), (7, 3), (7, 6), (7, 7), (7, 20), (0, 0), (100, 10)]
)
@pytest.mark.parametrize(("lr", "final"), [(0.5, 0.05), (0.5, 0.0), (0.1, 0.4)])
def test_a_schedule_is_its_closed_form_at_every_step(kind, total, warmup, lr, final):
    rate = schedule(kind, lr, total, warmup, final)
    for t in range(total + warmup + 4):
        if t < warmup:
            expected = lr * t / warmup
        elif kind == "constant" or t == warmup:
            expected = lr
        elif t >= total:
            expected = final
        elif kind == "linear":
            expected = (lr * (total - t) + final * (t - warmup)) / (total - warmup)
        else:
            angle = math.pi * (t - warmup) / (total - warmup)
            expected = (lr * (1 + math.cos(angle)) + final * (1 - math.cos(angle))) / 2
        assert rate(t) == pytest.approx(expected, rel=1e-12, abs=1e-15), t
    assert schedule(kind, lr, 9)(9) == (lr if kind == "constant" else 0.0)


def test_the_squares_of_no_entry_add_up_to_nothing():
    """The part of a thread that has no parameters."""
    g = np.arange(1.0, 5.0)
    assert (
        sum_of_squares(g, 0, 0) == sum_of_squares(g, 4, 4) == 0
        and sum_of_squares(g, 0, 2) == 5
        and sum_of_squares(g) == 30
    )


def test_a_step_with_a_rate_of_its_own_is_noticed_by_graphs_too():
    (p,) = leaves()[:1]
    optimizer = MAKE["sgd"]([p])
    loss = (p * p).sum()
    optimizer.step(np.ones(3), lr=0.5)
    with pytest.raises(GradientError, match="changed in place"):
        loss.backward()


def test_what_decays_is_what_the_choice_says_and_not_the_matrices():
    vector, matrix = leaves()[:2]
    optimizer = AdamW([vector, matrix], 0.1, weight_decay=0.5, decays=lambda p: p.ndim == 1)
    before = vector.numpy().copy(), matrix.numpy().copy()
    optimizer.step(np.zeros(15))
    np.testing.assert_allclose(vector.numpy(), before[0] * (1 - 0.1 * 0.5), rtol=1e-12)
    np.testing.assert_array_equal(matrix.numpy(), before[1])


def test_a_gradient_that_lies_the_other_way_is_the_same_gradient():
    moved = []
    for order in "CF":
        (matrix,) = leaves()[1:2]
        matrix.grad = np.array(np.arange(12.0).reshape(4, 3), order=order)
        MAKE["sgd"]([matrix]).step()
        moved.append(matrix.numpy().copy())
    np.testing.assert_array_equal(*moved)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_norm_that_is_not_finite_is_an_error_where_that_is_asked(bad):
    (p,) = leaves()[:1]
    p.grad = np.array([1.0, bad, 2.0])
    with pytest.raises(NonFiniteError, match="gradient norm"):
        clip_grad_norm([p], 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(p.grad, [1.0, bad, 2.0])
