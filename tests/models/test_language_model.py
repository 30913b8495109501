"""What every language model promises, whichever its kind: logits, loss, log-probabilities, context, and no future."""

from __future__ import annotations

import numpy as np
import pytest
from cached_models import VOCABULARY, encoder_decoder, language_model

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import as_dtype
from tinygrad_llm.errors import ConfigError, GradientError, ShapeError, TokenError
from tinygrad_llm.ops import IGNORE

EQUAL = {"rtol": 1e-10, "atol": 1e-10}
SOURCES = np.array([[3, 4, 5, 2], [2, 6, 1, 1], [5, 1, 1, 1]])
RNG = np.random.default_rng(0)
TOKENS, TARGETS = RNG.integers(0, VOCABULARY, (3, 6)), RNG.integers(0, VOCABULARY, (3, 6))
TARGETS[0, :2], TARGETS[2] = IGNORE, IGNORE
KINDS = ("gpt", "untied", "windowed", "llama", "rnn", "lstm", "decoder")
ATTENTIVE = ("gpt", "untied", "windowed", "llama", "decoder")
every_kind = pytest.mark.parametrize("kind", KINDS)
attentive = pytest.mark.parametrize("kind", ATTENTIVE)


def make(kind, rows=(0, 1, 2), dtype=np.float64):
    """(the language model for these rows, what holds its parameters)"""
    if kind == "decoder":
        whole = encoder_decoder(4, dtype=dtype)
        return whole.given(SOURCES[list(rows)]), whole
    lm = language_model(kind, 4, dtype=dtype)
    return lm, lm


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def gradients(owner):
    return {name: p.grad for name, p in owner.named_parameters() if p.requires_grad}


@every_kind
def test_logits_are_the_head_on_the_states(kind):
    lm, _ = make(kind)
    states, (weight, bias) = lm.hidden(TOKENS), lm.head()
    expected = states.data @ weight.data.T + (0 if bias is None else bias.data)
    assert lm(TOKENS).shape == (3, 6, VOCABULARY) == (3, 6, lm.vocab_size) and weight.shape[0] == VOCABULARY
    np.testing.assert_allclose(lm(TOKENS).data, expected, **EQUAL)
    np.testing.assert_array_equal(lm(Tensor(TOKENS)).data, lm(TOKENS).data)


@every_kind
def test_future_tokens_do_not_change_past_logits(kind):
    lm, changed = make(kind)[0], TOKENS.copy()
    changed[:, 4:] = (changed[:, 4:] + 1) % VOCABULARY
    before, after = lm(TOKENS).data, lm(changed).data
    np.testing.assert_allclose(before[:, :4], after[:, :4], **EQUAL)
    assert (np.abs(before[:, 4:] - after[:, 4:]).max(-1) > 1e-9).all()


@every_kind
def test_next_logits_are_those_of_each_rows_last_token(kind):
    lm, _ = make(kind)
    logits = lm(TOKENS).data
    np.testing.assert_allclose(lm.next_logits(TOKENS).data, logits[:, -1], **EQUAL)
    for lengths in ([6, 1, 3], np.array([2, 2, 2])):
        expected = logits[np.arange(3), np.asarray(lengths) - 1]
        np.testing.assert_allclose(lm.next_logits(TOKENS, lengths).data, expected, **EQUAL)
        padded = TOKENS.copy()
        for row, length in zip(padded, lengths):
            row[length:] = (row[length:] + 1) % VOCABULARY  # whatever stands in the padding
        np.testing.assert_allclose(lm.next_logits(padded, lengths).data, expected, **EQUAL)


@every_kind
def test_the_gradient_of_next_logits_reaches_the_model(kind):
    found, expected = [], []
    for store in (found, expected):
        lm, owner = make(kind)
        if store is found:
            out = lm.next_logits(TOKENS, [6, 1, 3])
        else:
            out = lm(TOKENS)[np.arange(3), np.array([5, 0, 2])]
        (out * Tensor(np.arange(21.0).reshape(3, 7))).sum().backward()
        store.append(gradients(owner))
    for name, gradient in expected[0].items():
        np.testing.assert_allclose(found[0][name], gradient, **EQUAL, err_msg=name)


@every_kind
def test_the_loss_is_the_mean_over_the_targets_that_count(kind):
    lm, _ = make(kind)
    logp, counts = log_softmax(lm(TOKENS).data), TARGETS != IGNORE
    chosen = np.take_along_axis(logp, np.where(counts, TARGETS, 0)[..., None], -1)[..., 0]
    batch = {"tokens": TOKENS, "targets": TARGETS}
    assert lm.loss(batch).item() == pytest.approx(-chosen[counts].mean(), rel=1e-12)
    assert lm.loss(batch, divisor=5).item() == pytest.approx(-chosen[counts].sum() / 5, rel=1e-12)
    np.testing.assert_allclose(lm.token_log_probs(batch).data, np.where(counts, chosen, 0), **EQUAL)


@every_kind
def test_parts_of_a_batch_add_up_to_the_whole(kind):
    whole, owner = make(kind)
    whole.loss({"tokens": TOKENS, "targets": TARGETS}, divisor=7).backward()
    total, summed = 0.0, None
    for rows in ([0], [1, 2]):
        lm, part = make(kind, rows)
        loss = lm.loss({"tokens": TOKENS[rows], "targets": TARGETS[rows]}, divisor=7)
        loss.backward()
        total += loss.item()
        here = gradients(part)
        summed = here if summed is None else {name: summed[name] + g for name, g in here.items()}
    assert total == pytest.approx(whole.loss({"tokens": TOKENS, "targets": TARGETS}, divisor=7).item(), rel=1e-12)
    for name, gradient in gradients(owner).items():
        np.testing.assert_allclose(summed[name], gradient, **EQUAL, err_msg=name)


@every_kind
def test_log_probs_have_a_gradient_and_their_sum_is_the_loss(kind):
    """What reinforcement learning needs: any weight on any token."""
    (lm, owner), (other, other_owner) = make(kind), make(kind)
    batch = {"tokens": TOKENS, "targets": TARGETS}
    (lm.token_log_probs(batch).sum() / -7).backward()
    other.loss(batch, divisor=7).backward()
    for name, gradient in gradients(other_owner).items():
        np.testing.assert_allclose(gradients(owner)[name], gradient, **EQUAL, err_msg=name)
    weights = RNG.normal(size=(3, 6))
    (lm, owner), (other, other_owner) = make(kind), make(kind)
    (lm.token_log_probs(batch) * Tensor(weights)).sum().backward()
    rows, columns = np.nonzero(TARGETS != IGNORE)
    logp = ops.log_softmax(other(TOKENS))[rows, columns, TARGETS[rows, columns]]
    (logp * Tensor(weights[rows, columns])).sum().backward()
    for name, gradient in gradients(other_owner).items():
        np.testing.assert_allclose(gradients(owner)[name], gradient, **EQUAL, err_msg=name)


@attentive
def test_a_mask_of_keys_hides_tokens_from_all(kind):
    """Padding at the left, for one: what stands there changes nothing behind it."""
    lm, _ = make(kind)
    mask = np.arange(6) >= np.array([[0], [2], [4]])
    changed = np.where(mask, TOKENS, (TOKENS + 1) % VOCABULARY)
    before, after = (lm(tokens, mask=mask).data for tokens in (TOKENS, changed))
    np.testing.assert_allclose(before[mask], after[mask], **EQUAL)
    assert np.abs(lm(TOKENS).data[1, 2:] - lm(changed).data[1, 2:]).max() > 1e-6
    pairs = mask[:, None, None, :] & np.ones((6, 1), bool)
    np.testing.assert_allclose(lm(TOKENS, mask=pairs).data[mask], before[mask], **EQUAL)


@pytest.mark.parametrize("kind", ["gpt", "untied", "decoder"])
def test_with_mask_and_positions_padding_at_the_left_is_no_padding(kind):
    """Masks and positions are arrays of a batch like any other: row b begins at token starts[b], at position 0."""
    starts = np.array([0, 2, 3])
    lm, _ = make(kind)
    positions = np.maximum(0, np.arange(6) - starts[:, None])
    batch = {"tokens": TOKENS, "targets": TARGETS, "mask": np.arange(6) >= starts[:, None], "positions": positions}
    logp = lm.token_log_probs(batch).data
    loss = 0.0
    for row, start in enumerate(starts):
        alone, _ = make(kind, [row])
        short = {"tokens": TOKENS[row : row + 1, start:], "targets": TARGETS[row : row + 1, start:]}
        np.testing.assert_allclose(logp[row, start:], alone.token_log_probs(short).data[0], **EQUAL)
        loss += alone.loss(short, divisor=1).item()
    counted = batch | {"targets": np.where(batch["mask"], TARGETS, IGNORE)}
    assert lm.loss(counted, divisor=1).item() == pytest.approx(loss, rel=1e-10)
    shared = lm(TOKENS, positions=np.arange(6)).data
    np.testing.assert_allclose(shared, lm(TOKENS).data, **EQUAL)
    np.testing.assert_allclose(lm(TOKENS, positions=np.tile(np.arange(6), (3, 1))).data, shared, **EQUAL)
    moved = lm(TOKENS, positions=np.array([3, 1, 4, 0, 9, 2])).data
    for row in range(3):
        alone, _ = make(kind, [row])
        order = np.array([[3, 1, 4, 0, 9, 2]])
        np.testing.assert_allclose(moved[row], alone(TOKENS[row : row + 1], positions=order).data[0], **EQUAL)
    assert np.abs(moved - shared).max() > 1e-3


@pytest.mark.parametrize("kind", ["gpt", "decoder"])
@pytest.mark.parametrize(
    "positions", [[-1, 0, 1, 2, 3, 4], [19, 20, 21, 22, 23, 24], [3], [0, 1, 2, 3, 4], [[0, 1], [0, 1], [0, 1]], 2]
)
def test_positions_that_are_none_are_refused(kind, positions):
    with pytest.raises(ShapeError, match="positions"):
        make(kind)[0](TOKENS, positions=np.array(positions))


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
@pytest.mark.parametrize("name", ["mask", "positions"])
def test_a_recurrence_has_neither_mask_nor_positions(kind, name):
    with pytest.raises(ConfigError, match="left to right"):
        make(kind)[0](TOKENS, **{name: np.ones((3, 6), int)})


@every_kind
def test_tokens_that_are_none_are_refused(kind):
    lm, _ = make(kind)
    with pytest.raises(ShapeError, match=r"tokens\[None\]"):
        lm(TOKENS[0])
    with pytest.raises(ShapeError):
        lm(TOKENS[:, :0])
    with pytest.raises(TokenError, match=f"got {VOCABULARY}"):
        lm(np.full((3, 2), VOCABULARY))
    if lm.block_size is not None:
        with pytest.raises(ShapeError, match="block_size = 24"):
            lm(np.zeros((3, 25), int))


@every_kind
def test_activations_may_be_coarser_than_the_weights(kind):
    """As on a GPU in bfloat16: the parameters keep their own dtype, and so do their gradients; the loss is float32."""
    pytest.importorskip("ml_dtypes")
    (lm, owner), (exact, exact_owner) = (make(kind, dtype=np.float32) for _ in range(2))
    batch, half = {"tokens": TOKENS, "targets": TARGETS}, as_dtype("bfloat16")
    hidden, loss = lm.hidden(TOKENS, dtype=half), lm.loss(batch, dtype=half)
    assert hidden.dtype == half and loss.dtype == np.float32
    assert hidden.shape == exact.hidden(TOKENS).shape
    assert 0 < abs(loss.item() / exact.loss(batch).item() - 1) < 0.05
    loss.backward()
    exact.loss(batch).backward()
    found, expected = gradients(owner), gradients(exact_owner)
    assert {g.dtype for g in found.values()} == {np.dtype(np.float32)}
    apart = sum(((found[name] - g) ** 2).sum() for name, g in expected.items())
    assert 0 < apart < 0.04 * sum((g**2).sum() for g in expected.values())  # a fifth of its length


def test_an_encoder_decoder_encodes_as_coarsely_as_it_decodes():
    pytest.importorskip("ml_dtypes")
    model = encoder_decoder(4, dtype=np.float32)
    half = as_dtype("bfloat16")
    assert model.encode(SOURCES, dtype=half).dtype == half and model.given(SOURCES, dtype=half).memory.dtype == half
    batch = {"source": SOURCES, "tokens": TOKENS, "targets": TARGETS}
    loss, exact = model.loss(batch, dtype=half), model.loss(batch).item()
    assert loss.dtype == np.float32 and 0 < abs(loss.item() / exact - 1) < 0.05


def test_a_head_of_its_own_is_learned_apart_from_the_embedding():
    tied, untied = language_model("gpt", 4), language_model("untied", 4)
    assert tied.head()[0] is tied.token_embedding.weight and untied.head()[0] is untied.output.weight
    assert untied.n_parameters() - tied.n_parameters() == VOCABULARY * 8
    batch = {"tokens": np.zeros((1, 2), int), "targets": np.full((1, 2), 3)}
    for lm in (tied, untied):
        lm.loss(batch).backward()
    unread = slice(1, None)  # only token 0 was read: other rows learn as a head alone
    assert np.abs(tied.token_embedding.weight.grad[unread]).max() > 0
    assert not untied.token_embedding.weight.grad[unread].any() and np.abs(untied.output.weight.grad).min() > 0


def test_the_gradient_of_a_given_decoder_reaches_the_encoder():
    lm, owner = make("decoder")
    lm.loss({"tokens": TOKENS, "targets": TARGETS}).backward()
    for name, gradient in gradients(owner).items():
        assert np.abs(gradient).max() > 0, name
    with pytest.raises(GradientError):
        lm.hidden(TOKENS[:, :1], cache=lm.new_cache(3))
