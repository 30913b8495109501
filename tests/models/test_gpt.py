"""Claims about GPT that need no other library."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.errors import ConfigError, ShapeError, TokenError
from tinygrad_llm.models import GPT, GPTConfig

CONFIG = GPTConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=8)


def model(dtype=np.float64, **changes):
    config = GPTConfig(**(vars(CONFIG) | changes))
    gpt = GPT(config, rng=np.random.default_rng(0), dtype=dtype)
    rng = np.random.default_rng(1)
    for p in gpt.parameters():  # the defaults are a weak test: all norms one, all biases zero
        p.assign(rng.normal(0, 0.2, p.shape) if p.ndim > 1 else rng.uniform(0.5, 1.5, p.shape))
    return gpt


TOKENS = np.random.default_rng(2).integers(0, 11, (3, 8))


def by_hand(state, config, tokens):
    """GPT-2 in NumPy, straight from its description."""

    def norm(x, name):
        y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return y * state[f"{name}.weight"] + state.get(f"{name}.bias", 0)

    def linear(x, name):
        return x @ state[f"{name}.weight"].T + state.get(f"{name}.bias", 0)

    time = tokens.shape[1]
    x = state["token_embedding.weight"][tokens] + state["position_embedding.weight"][:time]
    for layer in range(config.n_layer):
        name = f"blocks.{layer}"
        inside = norm(x, f"{name}.norm_1")
        q, k, v = (linear(inside, f"{name}.attention.{part}_proj") for part in "qkv")
        out = np.zeros_like(x)
        size = config.n_embd // config.n_head
        for head in range(config.n_head):
            part = slice(head * size, (head + 1) * size)
            scores = q[..., part] @ k[..., part].swapaxes(1, 2) / np.sqrt(size)
            scores = np.where(np.tril(np.ones((time, time), bool)), scores, -np.inf)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            out[..., part] = weights / weights.sum(-1, keepdims=True) @ v[..., part]
        x = x + linear(out, f"{name}.attention.o_proj")
        hidden = linear(norm(x, f"{name}.norm_2"), f"{name}.mlp.up_proj")
        hidden = 0.5 * hidden * (1 + np.tanh(np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)))
        x = x + linear(hidden, f"{name}.mlp.down_proj")
    head = state["token_embedding.weight"] if config.tied else state["output.weight"]
    return norm(x, "norm") @ head.T


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_the_logits_are_those_of_the_description(bias, tied):
    gpt = model(bias=bias, tied=tied)
    for tokens in (TOKENS, TOKENS[:, :3]):
        np.testing.assert_allclose(
            gpt(tokens).data, by_hand(gpt.state_dict(), gpt.config, tokens), rtol=1e-10, atol=1e-10
        )


def test_a_position_sees_itself_and_what_came_before():
    gpt, changed = model(), TOKENS.copy()
    changed[:, 5] = (changed[:, 5] + 1) % 11
    before, after = gpt(TOKENS).data, gpt(changed).data
    np.testing.assert_allclose(before[:, :5], after[:, :5], rtol=1e-12)
    assert (np.abs(before[:, 5:] - after[:, 5:]).max(-1) > 1e-6).all()


def test_the_loss_is_the_cross_entropy_of_the_logits():
    gpt = model()
    targets = np.roll(TOKENS, -1, 1)
    logits = gpt(TOKENS).data
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = -np.take_along_axis(logp, targets[..., None], -1).mean()
    assert gpt.loss({"tokens": TOKENS, "targets": targets}).item() == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gpt.next_logits(TOKENS).data, logits[:, -1], rtol=1e-12)


def test_a_new_model_knows_nothing_and_its_stream_does_not_grow():
    gpt = GPT(GPTConfig(65, 32, 8, 4, 64), rng=np.random.default_rng(0))
    tokens = np.random.default_rng(0).integers(0, 65, (4, 32))
    assert gpt.loss({"tokens": tokens, "targets": tokens[:, ::-1].copy()}).item() == pytest.approx(np.log(65), abs=0.15)
    stds = {
        name: p.data.std() for name, p in gpt.named_parameters() if name.endswith(("o_proj.weight", "down_proj.weight"))
    }
    assert len(stds) == 16
    assert all(std == pytest.approx(0.02 / 4, rel=0.1) for std in stds.values())


def test_the_head_is_the_token_table():
    gpt = model()
    names = [name for name, _ in gpt.named_parameters()]
    assert "token_embedding.weight" in names and not any("output" in name for name in names)
    gpt.loss({"tokens": TOKENS, "targets": TOKENS}).backward()
    assert gpt.token_embedding.weight.grad.shape == (11, 8)


def test_without_biases_there_are_none():
    assert not [name for name, _ in model(bias=False).named_parameters() if name.endswith("bias")]


def test_dropout_is_off_without_an_rng():
    gpt = model(dropout=0.5)
    np.testing.assert_array_equal(gpt(TOKENS).data, gpt(TOKENS).data)
    noisy = [gpt(TOKENS, rng=np.random.default_rng(seed)).data for seed in (0, 0, 1)]
    np.testing.assert_array_equal(noisy[0], noisy[1])
    assert np.abs(noisy[0] - noisy[2]).max() > 1e-3


def test_bad_tokens_are_named():
    with pytest.raises(ShapeError, match=r"tokens\[None\]"):
        model()(TOKENS[0])
    with pytest.raises(ShapeError, match="block_size = 8"):
        model()(np.zeros((1, 9), int))
    with pytest.raises(ShapeError):
        model()(np.zeros((1, 0), int))
    with pytest.raises(TokenError, match="got 11"):
        model()(np.full((1, 2), 11))


@pytest.mark.parametrize(
    "change",
    [
        {"vocab_size": 0},
        {"n_layer": -1},
        {"n_head": 3},
        {"dropout": 1.0},
        {"block_size": 2.5},
        {"n_embd": True},
        {"dropout": "a"},
    ],
)
def test_impossible_configurations_are_refused(change):
    with pytest.raises(ConfigError):
        GPTConfig(**(vars(CONFIG) | change))


def test_positions_between_two_ends_may_stand_in_any_order():
    model = GPT(GPTConfig(7, 8, n_layer=1, n_head=2, n_embd=8), rng=np.random.default_rng(0), dtype=np.float64)
    tokens, exchanged = np.array([[1, 2, 3, 4]]), np.array([0, 2, 1, 3])
    found = model(tokens, positions=exchanged).data
    np.testing.assert_allclose(found, model(tokens, positions=exchanged[None]).data, rtol=1e-12)
    assert np.abs(found - model(tokens).data).max() > 1e-6
