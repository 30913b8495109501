"""`fit` is the loop that one would write by hand."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, ConfigError, NonFiniteError
from tinygrad_llm.models import GPT, RNNLM, GPTConfig, RNNLMConfig
from tinygrad_llm.nn import Linear
from tinygrad_llm.ops import IGNORE
from tinygrad_llm.optim import SGD, AdamW, clip_grad_norm, schedule
from tinygrad_llm.train import EagerStep, ThreadedStep, count_targets, fit

RNG = np.random.default_rng(0)
BATCHES = [{name: RNG.integers(0, 11, (4, 6)) for name in ("tokens", "targets")} for _ in range(5)]
UNEQUAL = [
    {"tokens": b["tokens"], "targets": np.where(RNG.random((4, 6)) < 0.4, IGNORE, b["targets"])} for b in BATCHES
]


def make(kind=GPT, dropout=0.0, dtype=np.float64):
    if kind is GPT:
        model = GPT(GPTConfig(11, 8, 1, 2, 8, dropout=dropout), rng=np.random.default_rng(1), dtype=dtype)
    else:
        model = RNNLM(RNNLMConfig(11, 4, 6), rng=np.random.default_rng(1), dtype=dtype)
    return model, AdamW(model.named_parameters(), lr=1e-2)


@pytest.mark.parametrize("kind", [GPT, RNNLM])
@pytest.mark.parametrize("batches", [BATCHES, UNEQUAL], ids=["all", "some ignored"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_the_loop_written_by_hand_to_the_bit(kind, batches, dtype):
    model, optimizer = make(kind, dtype=dtype)
    by_hand = []
    for batch in batches:
        loss = model.loss(batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        by_hand.append(loss.item())
    other, other_optimizer = make(kind, dtype=dtype)
    found = fit(other.loss, other_optimizer, iter(batches), clip=0.0, threads=1)
    assert found == by_hand and all(type(loss) is float for loss in found)
    np.testing.assert_array_equal(other_optimizer.flat.data, optimizer.flat.data)


def test_gradients_are_clipped_as_by_hand():
    model, optimizer = make()
    for batch in BATCHES:
        model.loss(batch).backward()
        clip_grad_norm(model.parameters(), 0.01)
        optimizer.step()
        optimizer.zero_grad()
    other, other_optimizer = make()
    fit(other.loss, other_optimizer, BATCHES, clip=0.01, threads=1)
    np.testing.assert_allclose(other_optimizer.flat.data, optimizer.flat.data, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("threads", [2, 3, 64, "auto"])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_threads_change_nothing_but_rounding(threads, dropout):
    results = []
    for count in (1, threads):
        model, optimizer = make(dropout=dropout)
        results.append((fit(model.loss, optimizer, UNEQUAL, seed=3, threads=count), optimizer.flat.data.copy()))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-10)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-8, atol=1e-10)


def test_the_last_batch_may_be_smaller_than_the_threads():
    """As at the end of an epoch."""
    rest = {name: array[:1] for name, array in BATCHES[1].items()}
    results = []
    for threads in (1, 4):
        model, optimizer = make()
        results.append(fit(model.loss, optimizer, [BATCHES[0], rest, BATCHES[2]], threads=threads))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-10)


def test_no_thread_outlives_the_batches_that_it_was_made_for():
    before = threading.active_count()
    model, optimizer = make()
    seen = []
    sizes = (4, 1, 3, 2, 4)
    batches = ({name: array[:size] for name, array in b.items()} for size, b in zip(sizes, BATCHES))
    fit(model.loss, optimizer, batches, threads=4, after=lambda step, loss: seen.append(threading.active_count()))
    assert all(0 <= count - before < size for count, size in zip(seen, sizes, strict=True))
    assert threading.active_count() == before


def test_the_loss_is_the_mean_over_the_targets_that_count():
    model, optimizer = make()
    expected = model.loss(UNEQUAL[0]).item()
    assert fit(model.loss, optimizer, UNEQUAL[:1])[0] == pytest.approx(expected, rel=1e-12)
    assert count_targets(UNEQUAL[:1]) < 24


def test_a_divisor_of_ones_own_divides_the_sum():
    given = []

    def loss(batch, *, rng=None, divisor=None):
        given.append(divisor)
        return model.loss(batch, rng=rng, divisor=divisor)

    model, optimizer = make()
    expected = model.loss(BATCHES[0], divisor=7.0).item()
    found = fit(loss, optimizer, BATCHES[:1], divisor=lambda batch: 7.0, threads=1)
    assert found == [pytest.approx(expected, rel=1e-12)] and given == [7.0]


def test_batches_without_targets_are_divided_by_their_examples():
    """Any arrays by name, and any loss that is a sum over examples: here a line through points."""
    line = Linear(3, 1, rng=np.random.default_rng(0), dtype=np.float64)
    slope, x = np.array([1.0, -2.0, 0.5]), np.random.default_rng(1).normal(size=(40, 8, 3))

    def squares(batch, *, rng=None, divisor=None):
        return ((line(batch["x"])[:, 0] - batch["y"]) ** 2).sum() / divisor

    losses = fit(
        squares, SGD(line.named_parameters(), lr=0.2), ({"x": a, "y": a @ slope} for a in x), clip=0.0, threads=2
    )
    first = Linear(3, 1, rng=np.random.default_rng(0), dtype=np.float64)
    residual = x[0] @ first.weight.data[0] + first.bias.data[0] - x[0] @ slope
    assert losses[0] == pytest.approx((residual**2).mean(), rel=1e-12) and losses[-1] < 1e-3 * losses[0]
    np.testing.assert_allclose(line.weight.data[0], slope, atol=0.05)


def test_rates_are_the_optimizers_own_one_or_a_schedule():
    lr_at = schedule("linear", 0.05, 5, 2, 0.01)
    seen = []
    for given, expected in (
        (None, [1e-2] * 5),
        (3e-3, [3e-3] * 5),
        (0.0, [0.0] * 5),
        (lr_at, [lr_at(n) for n in range(1, 6)]),
    ):
        model, optimizer = make()
        fit(model.loss, optimizer, BATCHES, lr=given, after=lambda step, loss, o=optimizer: seen.append(o.lr))
        assert seen[-5:] == expected


def test_after_each_step_the_caller_is_told():
    told = []
    model, optimizer = make()
    losses = fit(model.loss, optimizer, BATCHES, after=lambda step, loss: told.append((step, loss, optimizer.steps)))
    assert told == [(n, loss, n) for n, loss in enumerate(losses, 1)]
    assert fit(model.loss, optimizer, []) == [] and optimizer.steps == 5


def test_dropout_is_that_of_the_seed_and_the_step():
    runs = []
    for seed in (0, 0, 1):
        model, optimizer = make(dropout=0.5)
        runs.append(fit(model.loss, optimizer, [BATCHES[0]] * 3, lr=1e-300, seed=seed))  # the weights stay as they are
    assert runs[0] == runs[1] != runs[2] and len(set(runs[0])) == 3


def test_threads_end_with_the_run_whatever_ends_it(monkeypatch):
    closed = []
    for kind in (EagerStep, ThreadedStep):
        plain = kind.close
        monkeypatch.setattr(kind, "close", lambda self, plain=plain: (closed.append(type(self)), plain(self))[1])
    model, optimizer = make()

    def stop(step, loss):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        fit(model.loss, optimizer, BATCHES, threads=2, after=stop)
    model.norm.weight.assign(np.full(model.norm.weight.shape, np.nan))
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError, match="step 1"):
        fit(model.loss, optimizer, BATCHES, threads=2)
    assert closed == [ThreadedStep, ThreadedStep]


def test_what_cannot_be_learned_from_is_refused():
    model, optimizer = make()
    with pytest.raises(ConfigError, match="at least one that counts"):
        fit(model.loss, optimizer, [BATCHES[0] | {"targets": np.full((4, 6), IGNORE)}])
    with pytest.raises(ConfigError, match="one leading axis"):
        fit(model.loss, optimizer, [BATCHES[0] | {"targets": np.zeros((3, 6), int)}])
    with pytest.raises(ArgumentError, match="auto"):
        fit(model.loss, optimizer, BATCHES, threads=0)
    model.couples_examples = True
    with pytest.raises(ConfigError, match="couples"):
        fit(model.loss, optimizer, BATCHES, threads=2)
    assert len(fit(model.loss, optimizer, BATCHES, threads=1)) == 5
