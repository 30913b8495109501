"""Claims about the recurrent language model."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ConfigError, ShapeError, TokenError
from tinygrad_llm.models import RNNLM, RNNLMConfig
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train import EagerStep, ThreadedStep

TOKENS = np.random.default_rng(0).integers(0, 11, (2, 7))
BOTH = pytest.mark.parametrize("kind", ["rnn", "lstm"])


def model(kind="lstm", n_layer=2, dtype=np.float64):
    config = RNNLMConfig(11, 6, 8, n_layer, kind)
    return RNNLM(config, rng=np.random.default_rng(1), dtype=dtype)


@BOTH
def test_logits_have_a_place_for_every_token(kind):
    found = model(kind, dtype=np.float32)(TOKENS)
    assert found.shape == (2, 7, 11) and found.dtype == np.float32
    np.testing.assert_array_equal(model(kind)(Tensor(TOKENS)).data, model(kind)(TOKENS).data)


def test_the_number_of_parameters():
    assert model("rnn", 1).n_parameters() == 11 * 6 + 8 * (6 + 8 + 2) + 11 * 8
    assert model("lstm", 2).n_parameters() == 11 * 6 + 32 * (6 + 8 + 2) + 32 * (8 + 8 + 2) + 11 * 8


@BOTH
def test_the_loss_is_that_of_the_logits(kind):
    lm, targets = model(kind), TOKENS[:, ::-1].copy()
    targets[0, 2] = ops.IGNORE
    batch = {"tokens": TOKENS, "targets": targets}
    assert lm.loss(batch).item() == pytest.approx(ops.cross_entropy(lm(TOKENS), targets).item(), rel=1e-12)
    divided = ops.cross_entropy(lm(TOKENS), targets, divisor=5).item()
    assert lm.loss(batch, rng=np.random.default_rng(0), divisor=5).item() == pytest.approx(divided, rel=1e-12)


@BOTH
def test_future_tokens_do_not_change_past_outputs(kind):
    lm, changed = model(kind), TOKENS.copy()
    changed[:, 5:] = (changed[:, 5:] + 1) % 11
    before, after = lm(TOKENS).data, lm(changed).data
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert (before[:, 5:] != after[:, 5:]).any()


@BOTH
def test_every_parameter_learns(kind):
    lm = model(kind)
    lm.loss({"tokens": TOKENS, "targets": TOKENS[:, ::-1].copy()}).backward()
    assert all(np.abs(p.grad).max() > 0 for p in lm.parameters())


def test_a_step_split_over_threads_is_the_same_step():
    results, batch = [], {"tokens": TOKENS, "targets": TOKENS}
    for make in (EagerStep, lambda loss, optimizer: ThreadedStep(loss, optimizer, threads=2)):
        lm = model()
        step = make(lm.loss, optimizer := AdamW(lm.named_parameters(), lr=1e-2))
        losses = [step([batch], number, 1e-2, TOKENS.size).loss for number in range(3)]
        step.close()
        results.append((losses, optimizer.flat.data.copy()))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-10)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-8, atol=1e-10)
    assert results[0][0][2] < results[0][0][0]


def test_bad_tokens_and_configurations_are_named():
    with pytest.raises(ShapeError, match=r"tokens\[None\]"):
        model()(TOKENS[0])
    with pytest.raises(TokenError, match="got 11"):
        model()(np.full((1, 2), 11))
    for wrong in ({"vocab_size": 0}, {"width": True}, {"hidden": 2.5}, {"n_layer": -1}, {"kind": "gru"}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            RNNLMConfig(**({"vocab_size": 3, "width": 3, "hidden": 3} | wrong))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("n_layer", [1, 2, 3])
@BOTH
def test_the_logits_are_those_of_the_description(kind, n_layer):
    """Each layer reads the states of the one below, and the head those of the last, step by step."""
    lm = model(kind, n_layer)
    for p in lm.parameters():
        p.assign(np.random.default_rng(len(p.data)).normal(size=p.shape))
    state = lm.state_dict()
    x = state["token_embedding.weight"][TOKENS]
    for layer in range(n_layer):
        w, u, b, d = (state[f"layers.{layer}.{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        h, c, states = np.zeros((2, 8)), np.zeros((2, 8)), []
        for t in range(7):
            z = x[:, t] @ w.T + b + h @ u.T + d
            if kind == "rnn":
                h = np.tanh(z)
            else:
                i, f, g, o = np.split(z, 4, axis=1)
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
                h = sigmoid(o) * np.tanh(c)
            states.append(h)
        x = np.stack(states, 1)
    np.testing.assert_allclose(lm.hidden(TOKENS).data, x, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(lm(TOKENS).data, x @ state["output.weight"].T, rtol=1e-10, atol=1e-12)
