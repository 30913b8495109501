"""A mixture of experts is its definition by loops, costs what its docstring says, and its balance loss balances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import as_dtype, to_device
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.nn import Experts, Routing, SwiGLU, balance_loss


def strong(count=4, chosen=2, seed=0, width=6, hidden=5, dtype=np.float64, **options):
    layer = Experts(width, hidden, count, chosen, rng=np.random.default_rng(seed), dtype=dtype, **options)
    for p in layer.parameters():
        p.assign(np.random.default_rng([seed, p.size]).normal(0, 0.7, p.shape))
    for number, expert in enumerate(layer.experts):
        for p in expert.parameters():
            p.assign(np.random.default_rng([seed, p.size, number]).normal(0, 0.7, p.shape))
    return layer


def inputs(seed=1, *shape):
    return np.random.default_rng(seed).normal(size=shape or (2, 5, 6))


def by_hand(layer, x):
    """Mixtral's formula, token by token and expert by expert."""
    out = np.zeros_like(x)
    for place in np.ndindex(x.shape[:-1]):
        scores = np.exp(layer.router.weight.data @ x[place])
        shares = scores / scores.sum()
        chosen = sorted(range(len(shares)), key=lambda e: -shares[e])[: layer.chosen]
        for e in chosen:
            gate, up, down = (getattr(layer.experts[e], f"{n}_proj").weight.data for n in ("gate", "up", "down"))
            g = gate @ x[place]
            out[place] += shares[e] / sum(shares[c] for c in chosen) * (down @ (g / (1 + np.exp(-g)) * (up @ x[place])))
    return out


@given(count=st.integers(1, 6), chosen=st.integers(1, 6), seed=st.integers(0, 999), batch=st.integers(1, 3))
def test_it_is_the_definition_by_loops(count, chosen, seed, batch):
    layer, x = strong(count, min(chosen, count), seed), inputs(seed, batch, 4, 6)
    np.testing.assert_allclose(layer(Tensor(x)).data, by_hand(layer, x), rtol=1e-10, atol=1e-12)


def test_its_gradients_are_those_of_differences():
    layer, x, g = strong(), Tensor(inputs(), requires_grad=True), inputs(2)
    (layer(x) * Tensor(g)).sum().backward()
    for name, p in [("x", x), *layer.named_parameters()]:
        for place in np.random.default_rng(p.size).integers(0, p.shape, (4, len(p.shape))):
            values = []
            for step in (1e-6, -1e-6):
                moved = p.numpy().copy()
                moved[tuple(place)] += step
                twin, read = strong(), Tensor(moved if name == "x" else inputs())
                if name != "x":
                    dict(twin.named_parameters())[name].assign(moved)
                values.append((twin(read).numpy() * g).sum())
            found = to_device(p.grad, "cpu")[tuple(place)]
            assert found == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-7), name


def test_the_weights_of_a_token_add_up_to_1():
    """So that experts which are all alike are one of them."""
    layer = strong()
    for expert in layer.experts[1:]:
        expert.load_state_dict(layer.experts[0].state_dict())
    x = Tensor(inputs())
    np.testing.assert_allclose(layer(x).data, layer.experts[0](x).data, rtol=1e-12, atol=1e-14)


def test_of_experts_with_equal_shares_the_first_are_chosen():
    layer, x, routed = strong(count=5, chosen=3), Tensor(inputs()), []
    layer.router.weight.assign(np.zeros((5, 6)))
    expected = sum(layer.experts[e](x).data for e in range(3)) / 3
    np.testing.assert_allclose(layer(x, routed=routed).data, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(to_device(routed[0].chosen, "cpu"), np.tile([0, 1, 2], (10, 1)))


def test_with_all_experts_chosen_it_is_the_mean_by_their_shares():
    layer, x = strong(chosen=4), inputs()
    shares = np.exp(x @ layer.router.weight.data.T)
    shares /= shares.sum(-1, keepdims=True)
    expected = sum(shares[..., e, None] * expert(Tensor(x)).data for e, expert in enumerate(layer.experts))
    np.testing.assert_allclose(layer(Tensor(x)).data, expected, rtol=1e-11, atol=1e-13)


def test_an_expert_multiplies_the_tokens_that_chose_it_and_no_others(monkeypatch):
    layer, x, rows = strong(), inputs(), []
    plain = SwiGLU.__call__
    monkeypatch.setattr(SwiGLU, "__call__", lambda self, x, rng=None: rows.append(len(x)) or plain(self, x, rng))
    routed = []
    layer(Tensor(x), routed=routed)
    counts = np.bincount(routed[0].chosen.reshape(-1), minlength=4)
    assert rows == [n for n in counts if n] and sum(rows) == 10 * 2


def test_an_expert_that_nobody_chose_has_no_gradient_and_the_router_of_the_others_has():
    layer, x = strong(), np.abs(inputs())
    layer.router.weight.assign(np.array([[3.0], [2.0], [-2.0], [-3.0]]) + np.zeros((4, 6)))  # always the first two
    routed = []
    layer(Tensor(x), routed=routed).sum().backward()
    assert (routed[0].chosen == np.array([0, 1])).all()
    for number, expert in enumerate(layer.experts):
        gradients = [p.grad for p in expert.parameters()]
        assert all(g is None or not g.any() for g in gradients) is (number > 1)
    gradient = np.abs(layer.router.weight.grad).max(-1)
    assert gradient[:2].min() > 1e-6 and gradient[2:].max() < 1e-12


def test_with_one_expert_a_token_the_router_has_no_gradient_but_the_balance():
    layer = strong(chosen=1)
    routed = []
    layer(Tensor(inputs())).sum().backward()
    assert np.abs(layer.router.weight.grad).max() < 1e-12
    layer(Tensor(inputs()), routed=routed)
    balance_loss(routed).backward()
    assert np.abs(layer.router.weight.grad).max() > 1e-4


def test_what_was_routed_is_told_in_the_order_of_the_tokens():
    layer, x, routed = strong(), inputs(), []
    layer(Tensor(x), routed=routed)
    (shares, chosen), logits = routed[0], x.reshape(-1, 6) @ layer.router.weight.data.T
    assert shares.shape == (10, 4) and chosen.shape == (10, 2)
    np.testing.assert_allclose(shares.data.sum(-1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(chosen, np.argsort(-logits, -1)[:, :2])


def test_one_token_by_itself_goes_where_it_goes_in_company():
    layer, x = strong(), inputs()
    whole = layer(Tensor(x)).data
    for place in np.ndindex(2, 5):
        alone = layer(Tensor(x[place][None, None])).data[0, 0]
        np.testing.assert_allclose(alone, whole[place], rtol=1e-12, atol=1e-13)


def test_coarse_activations_are_routed_by_fine_shares():
    pytest.importorskip("ml_dtypes")
    layer, routed = strong(dtype=np.float32), []
    y = layer(Tensor(inputs().astype(np.float32)).astype(as_dtype("bfloat16")), routed=routed)
    assert y.dtype == as_dtype("bfloat16") and routed[0].shares.dtype == np.float32


def test_dropout_drops_what_is_added_at_its_rate_and_without_an_rng_nothing():
    layer, x = strong(dropout=0.25), Tensor(inputs(1, 8, 50, 6))
    plain, dropped = layer(x).data, layer(x, np.random.default_rng(0)).data
    kept = dropped != 0
    assert 0.7 < kept.mean() < 0.8
    np.testing.assert_allclose(dropped[kept], plain[kept] / 0.75, rtol=1e-12)


def routing(shares, chosen):
    return Routing(Tensor(np.asarray(shares, float), requires_grad=True), np.asarray(chosen))


def test_the_balance_loss_is_c_where_all_are_used_alike_and_e_c_over_e_where_few_are():
    even = np.full((4, 4), 0.25)
    assert balance_loss([routing(even, [[0, 1], [2, 3], [0, 2], [1, 3]])]).item() == pytest.approx(2.0, rel=1e-14)
    assert balance_loss([routing(even, [[0], [1], [2], [3]])]).item() == pytest.approx(1.0, rel=1e-14)
    one = np.tile([1.0, 0.0, 0.0, 0.0], (4, 1))
    assert balance_loss([routing(one, [[0]] * 4)]).item() == pytest.approx(4.0, rel=1e-14)
    two = np.tile([0.5, 0.5, 0.0, 0.0], (4, 1))
    assert balance_loss([routing(two, [[0, 1]] * 4)]).item() == pytest.approx(4.0, rel=1e-14)


def test_the_balance_loss_by_hand():
    # f = (1, 1/2, 1/2), P = (0.6, 0.25, 0.15); 3 (0.6 + 0.125 + 0.075)
    shares = [[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]]
    assert balance_loss([routing(shares, [[0, 1], [0, 2]])]).item() == pytest.approx(2.4, rel=1e-14)


def test_layers_are_counted_together():
    first, second = routing([[1.0, 0.0]] * 2, [[0], [0]]), routing([[0.0, 1.0]] * 2, [[1], [1]])
    assert balance_loss([first]).item() == balance_loss([second]).item() == pytest.approx(2.0)
    assert balance_loss([first, second]).item() == pytest.approx(1.0)


def test_the_gradient_of_the_balance_loss_takes_share_from_those_chosen_often():
    r = routing(np.full((4, 2), 0.5), [[0], [0], [0], [1]])
    balance_loss([r]).backward()
    np.testing.assert_allclose(r.shares.grad, np.tile([2 * 0.75 / 4, 2 * 0.25 / 4], (4, 1)), rtol=1e-12)


def test_the_balance_loss_evens_out_a_router_that_has_collapsed():
    layer, x = strong(chosen=1, seed=3), inputs(1, 1, 200, 6)
    x[..., 0] = 1.0
    layer.router.weight.assign(0.1 * layer.router.weight.data + 3.0 * np.eye(4, 6) * np.eye(4)[:, :1])
    used = []
    for _ in range(300):
        layer.router.weight.grad, routed = None, []
        layer(Tensor(x), routed=routed)
        balance_loss(routed).backward()
        layer.router.weight.assign(layer.router.weight.data - 0.5 * layer.router.weight.grad)
        used.append(np.bincount(routed[0].chosen.reshape(-1), minlength=4) / 200)
    assert used[0].max() > 0.95 and used[-1].max() < 0.5 and used[-1].min() > 0.05


@pytest.mark.parametrize("chosen", [0, 5, -1])
def test_no_more_experts_are_chosen_than_there_are(chosen):
    with pytest.raises(ArgumentError, match=r"chosen.*1 to the 4"):
        Experts(6, 5, 4, chosen, rng=np.random.default_rng(0))


def test_first_weights_have_the_deviations_asked_for():
    layer = Experts(60, 50, 3, 2, rng=np.random.default_rng(0), std=0.1, out_std=0.02)
    for name, p in layer.named_parameters():
        assert p.data.std() == pytest.approx(0.02 if "down_proj" in name else 0.1, rel=0.12), name
        assert p.dtype == np.float32 and not name.endswith("bias")
