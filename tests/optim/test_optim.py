"""Claims about optimizers: PyTorch's steps, on flat memory that notices what is done to it."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import (
    ArgumentError,
    CheckpointError,
    DtypeError,
    GradientError,
    NonFiniteError,
    ShapeError,
)  # fmt: skip
from tinygrad_llm.nn import Linear, Parameter
from tinygrad_llm.optim import SGD, AdamW, FlatParameters, clip_grad_norm, clip_scale, schedule, sum_of_squares

RNG = np.random.default_rng(0)
SHAPES = [(3, 4), (4,), (2, 2, 2), ()]


def leaves(dtype=np.float64):
    return [Tensor(RNG.normal(size=s).astype(dtype), requires_grad=True) for s in SHAPES]


def decays(p):
    return p.ndim >= 2


OPTIMIZERS = {
    "adamw": (
        lambda ps: AdamW(ps, 1e-2, (0.8, 0.95), 1e-6, 0.1),
        "AdamW",
        {"lr": 1e-2, "betas": (0.8, 0.95), "eps": 1e-6},
        0.1,
    ),
    "sgd": (lambda ps: SGD(ps, 1e-2), "SGD", {"lr": 1e-2}, 0.0),
    "sgd decay": (lambda ps: SGD(ps, 1e-2, weight_decay=0.1), "SGD", {"lr": 1e-2}, 0.1),
    "momentum": (lambda ps: SGD(ps, 1e-2, 0.9, weight_decay=0.1), "SGD", {"lr": 1e-2, "momentum": 0.9}, 0.1),
    "nesterov": (lambda ps: SGD(ps, 1e-2, 0.9, True, 0.1), "SGD", {"lr": 1e-2, "momentum": 0.9, "nesterov": True}, 0.1),
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_thousand_steps_equal_pytorchs(name):
    import torch

    make, kind, options, decay = OPTIMIZERS[name]
    ours = leaves()
    theirs = [torch.tensor(p.data, requires_grad=True) for p in ours]
    optimizer = make(ours)
    groups = [
        {"params": [p for p in theirs if p.ndim >= 2], "weight_decay": decay},
        {"params": [p for p in theirs if p.ndim < 2], "weight_decay": 0.0},
    ]
    other = getattr(torch.optim, kind)(groups, **options)
    for step in range(1000):
        for mine, their in zip(ours, theirs):
            g = RNG.normal(size=mine.shape) + 0.1 * mine.data
            mine.grad, their.grad = g.copy(), torch.tensor(g)
        lr = 1e-2 * (1 + step % 3)
        for group in other.param_groups:
            group["lr"] = lr
        torch.nn.utils.clip_grad_norm_(theirs, 1.5)
        flat = optimizer.flat.gather(np.empty_like(optimizer.flat.data))
        optimizer.step(flat, lr, clip_scale(np.sqrt(sum_of_squares(flat)), 1.5))
        other.step()
    for mine, their in zip(ours, theirs):
        np.testing.assert_allclose(mine.data, their.detach().numpy(), rtol=1e-13, atol=1e-13)


@pytest.mark.oracle
@pytest.mark.parametrize("kind", ["linear", "cosine", "constant"])
def test_schedules_equal_those_of_transformers(kind):
    import torch
    import transformers

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    steps = {} if kind == "constant" else {"num_training_steps": 50}
    other = getattr(transformers, f"get_{kind}_schedule_with_warmup")(optimizer, num_warmup_steps=10, **steps)
    ours = schedule(kind, 0.3, 50, 10)
    for step in range(50):
        assert ours(step) == pytest.approx(other.get_last_lr()[0], abs=1e-15)
        optimizer.step()
        other.step()


def by_hand(name, w, gradients, lr, decay, betas=(0.8, 0.95), eps=1e-6, momentum=0.9):
    """The update rules, one number array at a time."""
    m = v = u = np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        if name == "adamw":
            m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
            step = (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
            w = w * (1 - lr * decay) - lr * step
        else:
            g = g + decay * w
            u = momentum * u + g
            w = w - lr * {"sgd": g, "sgd decay": g, "momentum": u, "nesterov": g + momentum * u}[name]
    return w


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_follow_the_rule(name):
    make, _, _, decay = OPTIMIZERS[name]
    ps = leaves()
    start = [p.data.copy() for p in ps]
    optimizer = make(ps)
    history = [[RNG.normal(size=p.shape) for p in ps] for _ in range(5)]
    for gradients in history:
        for p, g in zip(ps, gradients):
            p.grad = g.copy()
        optimizer.step()
    for i, p in enumerate(ps):
        expected = by_hand(name, start[i], [g[i] for g in history], 1e-2, decay if p.ndim >= 2 else 0.0)
        np.testing.assert_allclose(p.data, expected, rtol=1e-10, atol=1e-12)


def test_the_scale_multiplies_the_gradient():
    a, b = (Tensor(np.ones(3), True) for _ in "ab")
    SGD([a], lr=1.0).step(np.arange(3.0), scale=0.5)
    SGD([b], lr=1.0).step(np.arange(3.0) * 0.5)
    np.testing.assert_array_equal(a.data, b.data)


def test_settings_have_pytorchs_defaults():
    adamw, sgd = AdamW(leaves()), SGD(leaves())
    assert (adamw.lr, adamw.betas, adamw.eps, adamw.weight_decay) == (1e-3, (0.9, 0.999), 1e-8, 0.01)
    assert (sgd.lr, sgd.momentum, sgd.nesterov, sgd.weight_decay) == (1e-2, 0.0, False, 0.0)


def test_the_squares_of_a_long_gradient_are_added_to_the_last():
    g = np.random.default_rng(0).normal(size=100_000)
    assert sum_of_squares(g) == pytest.approx((g**2).sum(), rel=1e-12)
    assert sum_of_squares(g, 10, 70_000) == pytest.approx((g[10:70_000] ** 2).sum(), rel=1e-12)


def test_the_first_adamw_step_is_the_learning_rate_in_the_sign_of_the_gradient():
    p = Tensor(np.array([1.0, -2.0]), requires_grad=True)
    optimizer = AdamW([p], lr=0.1, weight_decay=0.5)
    p.grad = np.array([3.0, -0.2])
    optimizer.step()
    np.testing.assert_allclose(p.data, [0.9, -1.9], rtol=1e-6)  # a vector does not decay


def test_only_matrices_decay():
    matrix, vector = Tensor(np.ones((2, 2)), True), Tensor(np.ones(2), True)
    optimizer = AdamW([vector, matrix], lr=0.1, weight_decay=0.5)
    matrix.grad, vector.grad = np.zeros((2, 2)), np.zeros(2)
    optimizer.step()
    np.testing.assert_allclose(matrix.data, 0.95)
    np.testing.assert_allclose(vector.data, 1.0)


@pytest.mark.parametrize("make", [o[0] for o in OPTIMIZERS.values()], ids=list(OPTIMIZERS))
def test_ranges_updated_one_by_one_equal_the_whole(make):
    start = leaves()
    a, b = ([Tensor(p.data.copy(), True) for p in start] for _ in "ab")
    one, other = make(a), make(b)
    for _ in range(3):
        g = Tensor(RNG.normal(size=one.flat.data.size)).data
        one.step(g, scale=0.5)
        other.begin_step()
        for first, last in ((22, g.size), (11, 22), (0, 5), (5, 11)):  # 20 decay, 5 do not
            other.update(g, first, last, 0.5)
        np.testing.assert_array_equal(one.flat.data, other.flat.data)


def test_a_long_array_is_updated_to_its_end():
    p = Tensor(np.ones((300, 301)), requires_grad=True)  # several chunks
    optimizer = SGD([p], lr=1.0)
    p.grad = np.arange(300 * 301.0).reshape(300, 301)
    optimizer.step()
    np.testing.assert_array_equal(p.data, 1 - p.grad)


def test_parameters_become_views_of_one_array():
    ps = leaves()
    before = [p.data.copy() for p in ps]
    flat = FlatParameters(ps, decays)
    assert flat.n_decaying == 12 + 8 and flat.data.size == 12 + 4 + 8 + 1
    for p, old in zip(ps, before):
        np.testing.assert_array_equal(p.data, old)
        assert np.shares_memory(p.data, flat.data)


def test_names_stand_in_the_order_of_the_flat_array():
    vector, matrix, frozen = Tensor(np.ones(2), True), Tensor(np.ones((2, 3)), True), Tensor(np.ones(4))
    for make in (SGD, AdamW):
        named = make([("bias", vector), ("frozen", frozen), ("weight", matrix)]).flat
        assert named.names == ["weight", "bias"] and named.parameters == [matrix, vector]
        assert make(iter([vector, frozen, matrix])).flat.names == ["parameter 2", "parameter 0"]
    layer = Linear(3, 2, rng=np.random.default_rng(0))
    optimizer = AdamW(layer.named_parameters())
    assert optimizer.flat.names == ["weight", "bias"]
    with pytest.raises(GradientError, match=r"weight \(2, 3\), bias \(2,\)"):
        optimizer.step()


@pytest.mark.parametrize("make", [SGD, AdamW])
def test_a_tensor_given_twice_is_refused_before_any_step(make):
    w, v = Tensor(np.ones(3), True), Tensor(np.ones(3), True)
    make([w, v])
    for twice in ([w, v, w], [("a", w), ("b", w)], [("a", w), v, w]):
        with pytest.raises(ArgumentError, match="each tensor once"):
            make(twice)


@pytest.mark.parametrize("given", [Tensor(np.ones((2, 2)), True), 3, [np.ones(3)], [("w", np.ones(3))], [(1, 2, 3)]])
def test_what_are_no_parameters_is_refused(given):
    with pytest.raises(ArgumentError, match="an iterable of tensors"):
        SGD(given)


def test_a_parameter_moved_out_of_the_array_is_noticed():
    p = Tensor(np.ones(3), requires_grad=True)
    optimizer = SGD([p], lr=0.1)
    p.data = np.ones(3)
    p.grad = np.ones(3)
    with pytest.raises(GradientError, match="assign"):
        optimizer.step()


def test_an_update_between_forward_and_backward_is_noticed():
    p = Tensor(np.ones(3), requires_grad=True)
    optimizer = SGD([p], lr=0.1)
    loss = (p * p).sum()
    p.grad = np.ones(3)
    optimizer.step()
    with pytest.raises(GradientError, match="changed in place"):
        loss.backward()


def test_frozen_parameters_stay_out():
    p, frozen = Tensor(np.ones(3), True), Tensor(np.ones(3))
    optimizer = SGD([p, frozen], lr=0.1)
    p.grad = np.ones(3)
    optimizer.step()
    assert optimizer.flat.data.size == 3 and (frozen.data == 1).all()
    optimizer.zero_grad()
    assert p.grad is None
    with pytest.raises(GradientError, match="backward"):
        optimizer.step()


def test_clipping_scales_a_long_gradient_and_no_short_one():
    g = np.array([3.0, 4.0])
    assert sum_of_squares(g) == 25.0
    assert clip_scale(5.0, 1.0) == pytest.approx(0.2, rel=1e-6)
    assert clip_scale(0.5, 1.0) == 1.0 and clip_scale(5.0, 0.0) == 1.0


def test_schedules_rise_and_fall():
    cosine = schedule("cosine", 1.0, 110, 10, 0.2)
    assert [cosine(t) for t in (0, 5, 10)] == [0.0, 0.5, 1.0]
    assert cosine(60) == pytest.approx(0.6) and cosine(110) == pytest.approx(0.2) and cosine(999) == pytest.approx(0.2)
    linear = schedule("linear", 1.0, 110, 10, 0.2)
    assert linear(60) == pytest.approx(0.6)
    assert schedule("constant", 1.0, 10, 0)(7) == 1.0
    assert [schedule(kind, 1.0, 0)(0) for kind in ("constant", "linear", "cosine")] == [1.0, 1.0, 1.0]
    assert schedule("linear", 1.0, 1)(1) == 0.0 and schedule("linear", 1.0, 5, 5, 0.5)(6) == 0.5
    assert schedule("linear", 1.0, 4)(1) == 0.75


def test_state_is_saved_and_loaded():
    def trained(steps, optimizer, ps):
        for i in steps:
            optimizer.step(np.random.default_rng(i).normal(size=optimizer.flat.data.size))
        return np.concatenate([p.data.ravel() for p in ps])

    start = leaves()
    a, b, c = ([Tensor(p.data.copy(), True) for p in start] for _ in "abc")
    whole = trained(range(6), AdamW(a), a)
    half = AdamW(b)
    trained(range(3), half, b)
    resumed = AdamW([c_.assign(b_) for c_, b_ in zip(c, b)])
    resumed.load_state_dict({k: v.copy() for k, v in half.state_dict().items()}, steps=3)
    np.testing.assert_array_equal(trained(range(3, 6), resumed, c), whole)
    with pytest.raises(CheckpointError):
        resumed.load_state_dict({"m": np.ones(2)}, 3)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: AdamW(leaves(), lr=-1), ArgumentError), (lambda: AdamW(leaves(), betas=(1.0, 0.9)), ArgumentError),
        (lambda: AdamW(leaves(), eps=0), ArgumentError), (lambda: AdamW(leaves(), weight_decay=-1), ArgumentError),
        (lambda: AdamW([]), ArgumentError), (lambda: SGD(leaves(), momentum=1.0), ArgumentError),
        (lambda: SGD(leaves(), nesterov=True), ArgumentError), (lambda: AdamW(leaves() + leaves(np.float32)), DtypeError),
        (lambda: AdamW(leaves()).step(np.ones(3)), ShapeError), (lambda: clip_scale(1.0, -1.0), ArgumentError),
        (lambda: schedule("steps", 1.0, 10), ArgumentError), (lambda: schedule("linear", 1.0, 10, -1), ArgumentError),
        (lambda: AdamW(leaves(), lr=float("nan")), ArgumentError),
    ],
)  # fmt: skip
def test_impossible_settings_are_refused(make, error):
    with pytest.raises(error):
        make()


def test_clipping_divides_by_the_norm_and_a_millionth():
    assert clip_scale(1e-6, 1e-6) == pytest.approx(0.5)
    assert clip_scale(0.0, 1e-9) == pytest.approx(1e-3)


def test_a_warm_up_rises_to_the_rate_itself():
    rate = schedule("constant", 0.5, 100, warmup=10)
    assert [rate(t) for t in (0, 5, 9, 10, 50)] == pytest.approx([0, 0.25, 0.45, 0.5, 0.5])


def test_no_memory_and_no_step_are_settings_too():
    w = Parameter(np.array([1.0, -2.0]))
    w.grad = np.array([0.5, -3.0])
    AdamW([w], lr=0.1, betas=(0.0, 0.0), weight_decay=0.0).step()
    np.testing.assert_allclose(w.data, [0.9, -1.9], atol=1e-7)  # the sign of the gradient
    still = Parameter(np.array([1.0]))
    still.grad = np.array([0.5])
    SGD([still], lr=0.0).step()
    assert still.data.tolist() == [1.0]


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("max_norm", [0.0, 1e-3, 1.0, 1e6])
def test_clipping_by_norm_is_pytorchs(max_norm, dtype):
    import torch

    ours = [*leaves(dtype), Tensor(np.ones(2, dtype), requires_grad=True)]  # the last has no gradient
    theirs = [torch.tensor(p.data, requires_grad=True) for p in ours]
    for p, q in zip(ours[:-1], theirs[:-1]):
        p.grad = RNG.normal(size=p.shape).astype(dtype)
        q.grad = torch.tensor(p.grad)
    places = [p.grad for p in ours]
    norm = clip_grad_norm(ours, max_norm)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm)
    bound = 1e-6 if dtype == np.float32 else 1e-14
    assert norm == pytest.approx(expected.item(), rel=bound)
    for p, q, place in zip(ours[:-1], theirs[:-1], places):
        assert p.grad is place
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=2 * bound)


def test_clipping_takes_one_parameter_and_gradients_whose_squares_float32_cannot_hold():
    p = Tensor(np.zeros(2, np.float32), requires_grad=True)
    p.grad = np.array([3e30, 4e30], np.float32)
    assert clip_grad_norm(p, 1.0) == pytest.approx(5e30)
    np.testing.assert_allclose(p.grad, [0.6, 0.8], rtol=1e-6)
    assert clip_grad_norm([], 1.0) == 0.0
    with pytest.raises(ArgumentError, match="max_norm"):
        clip_grad_norm(p, -1.0)


def test_a_norm_that_is_not_finite_is_an_error_on_request_and_reaches_every_gradient_otherwise():
    p, q = (Tensor(np.zeros(2), requires_grad=True) for _ in "pq")
    p.grad, q.grad = np.array([1.0, np.nan]), np.ones(2)
    with pytest.raises(NonFiniteError, match="gradient norm"):
        clip_grad_norm([p, q], 1.0, error_if_nonfinite=True)
    assert p.grad[0] == 1 and q.grad.tolist() == [1, 1]
    assert np.isnan(clip_grad_norm([p, q], 1.0)) and np.isnan(q.grad).all()


def test_adamw_adds_squares_of_small_gradients_that_a_scaled_gradient_would_lose():
    p = Tensor(np.zeros(1, np.float32), requires_grad=True)
    optimizer = AdamW([p], lr=0.1, betas=(0.9999, 0.9), eps=1e-30, weight_decay=0.0)
    optimizer.step(np.array([1e-18], np.float32))
    np.testing.assert_allclose(optimizer.state["v"], 0.1e-36, rtol=1e-5)
    np.testing.assert_allclose(p.data, -0.1, rtol=1e-4)


def test_clipping_in_place_leaves_what_is_short_and_divides_by_the_norm_and_a_millionth():
    p = Tensor(np.zeros(2), True)
    for size, max_norm, expected in ((0.8, 1.0, 0.8), (0.6, 1.0, 0.6), (2.0, 1.0, 2 / 2.000001), (1e-6, 1e-6, 5e-7)):
        p.grad = np.array([0.0, size])
        assert clip_grad_norm([p], max_norm) == pytest.approx(size, rel=1e-12)
        np.testing.assert_allclose(p.grad, [0.0, expected], rtol=1e-12)
