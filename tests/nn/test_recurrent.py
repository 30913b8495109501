"""Claims about the layers that carry a state, and the same against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
from redraw import redraw
from tolerances import WHOLE_MODEL

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.nn import GRU, LSTM, RNN

F8 = np.float64
KINDS = (RNN, GRU, LSTM)
GATES = {RNN: 1, GRU: 3, LSTM: 4}


def rng(seed=0):
    return np.random.default_rng(seed)


def parts(last):
    return last if isinstance(last, tuple) else (last,)


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_and_names(kind):
    layer, rows = kind(3, 5, rng=rng()), 5 * GATES[kind]
    shapes = {name: p.shape for name, p in layer.named_parameters()}
    assert shapes == {"weight_ih": (rows, 3), "weight_hh": (rows, 5), "bias_ih": (rows,), "bias_hh": (rows,)}
    h, last = layer(Tensor(np.zeros((2, 4, 3), np.float32)))
    assert h.shape == (2, 4, 5) and h.dtype == np.float32
    assert [p.shape for p in parts(last)] == [(2, 5)] * (2 if kind is LSTM else 1)
    np.testing.assert_array_equal(h.data[:, -1], parts(last)[0].data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_in_two_parts_is_the_whole_when_the_state_is_handed_on(kind):
    layer, x = kind(3, 5, rng=rng(), dtype=F8), rng(1).normal(size=(2, 7, 3))
    whole, end = layer(Tensor(x))
    first, state = layer(Tensor(x[:, :3]))
    second, last = layer(Tensor(x[:, 3:]), state)
    np.testing.assert_allclose(np.concatenate([first.data, second.data], 1), whole.data, rtol=1e-12)
    for mine, theirs in zip(parts(last), parts(end)):
        np.testing.assert_allclose(mine.data, theirs.data, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_later_changes_nothing_before(kind):
    layer, x = kind(3, 5, rng=rng(), dtype=F8), rng(1).normal(size=(2, 7, 3))
    before = layer(Tensor(x))[0].data
    x[:, 4] += 1
    after = layer(Tensor(x))[0].data
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert (before[:, 4:] != after[:, 4:]).all()


def test_first_weights():
    for layer in (kind(25, 400, rng=rng()) for kind in KINDS):
        assert layer.weight_ih.data.std() == pytest.approx(0.2, rel=0.03)
        assert layer.weight_hh.data.std() == pytest.approx(0.05, rel=0.03)
        assert not layer.bias_hh.data.any() and {p.dtype for p in layer.parameters()} == {np.dtype(np.float32)}
    forget = LSTM(2, 3, rng=rng()).bias_ih.data
    np.testing.assert_array_equal(forget, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    assert LSTM(2, 3, rng=rng(), forget_bias=2.5).bias_ih.data[4] == 2.5
    assert not RNN(2, 3, rng=rng()).bias_ih.data.any() and not GRU(2, 3, rng=rng()).bias_ih.data.any()


def test_the_gain_is_about_the_size_of_the_largest_eigenvalue():
    for gain in (0.5, 1.0, 2.0):
        weight = RNN(2, 300, rng=rng(), gain=gain).weight_hh.data
        assert abs(np.linalg.eigvals(weight)).max() == pytest.approx(gain, rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (2.5, 3), (3, -1)])
def test_impossible_sizes_are_refused(kind, sizes):
    with pytest.raises(ArgumentError):
        kind(*sizes, rng=rng())


def torch_twin(kind, inputs, hidden, seed):
    """PyTorch's layer, weights drawn anew (matrices N(0, 0.2), vectors U(0.5, 1.5)), and ours with the same."""
    import torch

    theirs = getattr(torch.nn, kind.__name__)(inputs, hidden, batch_first=True, dtype=torch.float64)
    redraw(theirs, seed)
    ours = kind(inputs, hidden, rng=rng(), dtype=F8)
    ours.load_state_dict({name.removesuffix("_l0"): p.detach().numpy() for name, p in theirs.named_parameters()})
    return theirs, ours


def compare(kind, seed, with_state):
    """States, last states, and the gradients of everything under random cotangents of all of them."""
    import torch

    r = rng(seed)
    batch, time, inputs, hidden = (int(n) for n in r.integers(1, 7, 4))
    theirs, ours = torch_twin(kind, inputs, hidden, seed)
    arrays = [r.normal(size=(batch, time, inputs))]
    arrays += [r.normal(size=(batch, hidden)) for _ in range(2 if kind is LSTM else 1)] if with_state else []
    mine, other = [Tensor(a, requires_grad=True) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    their_state = [s[None] for s in other[1:]]
    single = kind is not LSTM
    h, last = ours(mine[0], (mine[1] if single else tuple(mine[1:])) if with_state else None)
    their_h, their_last = theirs(other[0], (their_state[0] if single else tuple(their_state)) if with_state else None)
    weights = [r.normal(size=(batch, time, hidden)), *(r.normal(size=(batch, hidden)) for _ in parts(last))]
    found = [h, *parts(last)]
    expected = [their_h, *(s[0] for s in parts(their_last))]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), **WHOLE_MODEL)
    sum(((a * w).sum() for a, w in zip(found[1:], weights[1:])), (h * weights[0]).sum()).backward()
    sum((b * torch.tensor(w)).sum() for b, w in zip(expected, weights)).backward()
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), **WHOLE_MODEL)
    for name, p in ours.named_parameters():
        np.testing.assert_allclose(p.grad, getattr(theirs, name + "_l0").grad.numpy(), **WHOLE_MODEL, err_msg=name)


@pytest.mark.oracle
@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("kind", KINDS)
def test_states_and_every_gradient_equal_those_of_pytorch(kind, seed, with_state):
    compare(kind, seed, with_state)


def first_gates_exchanged(w, gates):
    size = len(w) // gates
    w[: 2 * size] = np.roll(w[: 2 * size].copy(), size, 0)


@pytest.mark.oracle
@pytest.mark.parametrize("kind", [GRU, LSTM])
@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "bias_ih", "bias_hh"])
def test_a_planted_fault_fails(kind, name, monkeypatch):
    load = kind.load_state_dict

    def other_order(self, state):
        state = {k: v.copy() for k, v in state.items()}
        first_gates_exchanged(state[name], GATES[kind])
        load(self, state)

    monkeypatch.setattr(kind, "load_state_dict", other_order)
    with pytest.raises(AssertionError):
        compare(kind, 3, True)


def test_a_first_cell_without_a_first_state_counts():
    layer, x = LSTM(3, 4, rng=rng()), np.ones((2, 5, 3), np.float32)
    cell = np.full((2, 4), 0.7, np.float32)
    weights = [layer.weight_ih, layer.weight_hh, layer.bias_ih, layer.bias_hh]
    alone = ops.lstm(x, *weights, None, cell)
    with_zeros = ops.lstm(x, *weights, np.zeros_like(cell), cell)
    np.testing.assert_array_equal(alone[0].numpy(), with_zeros[0].numpy())
    assert not np.allclose(alone[0].numpy(), ops.lstm(x, *weights)[0].numpy())
