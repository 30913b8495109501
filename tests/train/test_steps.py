"""A step split over threads is the same step; bad numbers never reach the weights."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, ConfigError, NonFiniteError
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train import EagerStep, ThreadedStep, count_targets
from tinygrad_llm.train.workers import Workers, worker_count

RNG = np.random.default_rng(0)
BATCHES = [{name: RNG.integers(0, 11, (5, 8)) for name in ("tokens", "targets")} for _ in range(6)]


def setup(dropout=0.0):
    config = GPTConfig(11, 8, 2, 2, 16, dropout=dropout)
    model = GPT(config, rng=np.random.default_rng(1), dtype=np.float64)
    return model, AdamW(model.named_parameters(), lr=1e-2)


def run(make, batches, dropout=0.0, steps=4):
    model, optimizer = setup(dropout)
    step = make(model.loss, optimizer)
    results = [step(batches, number, 1e-2, count_targets(batches)) for number in range(steps)]
    step.close()
    return results, optimizer.flat.data.copy()


def same(a, b):
    for x, y in zip(a[0], b[0]):
        assert (x.loss, x.grad_norm) == pytest.approx((y.loss, y.grad_norm), rel=1e-10)
    np.testing.assert_allclose(a[1], b[1], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("threads", [2, 3, 5])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("count", [1, 3])
def test_threads_change_nothing_but_rounding(threads, dropout, count):
    batches = [{name: array.copy() for name, array in batch.items()} for batch in BATCHES[:count]]
    batches[0]["targets"][:2] = -100  # ignored, and not evenly over the threads
    eager = run(lambda loss, o: EagerStep(loss, o, seed=3), batches, dropout)
    same(run(lambda loss, o: ThreadedStep(loss, o, threads=threads, seed=3), batches, dropout), eager)


def test_accumulated_batches_are_one_large_one():
    large = [{name: np.concatenate([b[name] for b in BATCHES[:3]]) for name in BATCHES[0]}]
    same(run(EagerStep, BATCHES[:3]), run(EagerStep, large))
    same(
        run(lambda loss, o: EagerStep(loss, o, seed=3), BATCHES[:3], 0.3),
        run(lambda loss, o: EagerStep(loss, o, seed=3), large, 0.3),
    )


def test_a_step_is_the_plain_loop():
    model, optimizer = setup()
    results, weights = run(lambda loss, o: EagerStep(loss, o, clip=0.0), BATCHES[:1])
    for _ in range(4):
        loss = model.loss(BATCHES[0])
        loss.backward()
        optimizer.step(lr=1e-2)
        optimizer.zero_grad()
    np.testing.assert_allclose(optimizer.flat.data, weights, rtol=1e-10)
    assert results[-1].loss == pytest.approx(loss.item(), rel=1e-10)


def test_clipping_is_part_of_the_step():
    model, optimizer = setup()
    before = optimizer.flat.data.copy()
    clipped = EagerStep(model.loss, optimizer, clip=1e-3)
    result = clipped([BATCHES[0]], 0, 1.0, 40)
    assert result.grad_norm > 1e-3
    other, plain = setup()
    sink = plain.flat.new_sink()
    other.loss(BATCHES[0]).backward(into=sink)
    sink.finish()
    plain.step(sink.flat * (1e-3 / (result.grad_norm + 1e-6)), lr=1.0)
    np.testing.assert_allclose(optimizer.flat.data - before, plain.flat.data - before, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_bad_number_never_reaches_the_weights_and_is_named(threads, poison):
    model, optimizer = setup()
    step = ThreadedStep(model.loss, optimizer, threads=2) if threads == 2 else EagerStep(model.loss, optimizer)
    weight = model.blocks[1].mlp.up_proj.weight
    values = weight.data.copy()
    values[0, 0] = poison
    weight.assign(values)
    before = optimizer.flat.data.copy()
    with (
        np.errstate(all="ignore"),
        pytest.raises(
            NonFiniteError, match=r"step 7, operation linear, tensor [a-z_]\w*\..*weight.*Nothing was updated"
        ),
    ):
        step([BATCHES[0]], 7, 1e-2, 40)
    np.testing.assert_array_equal(optimizer.flat.data, before)
    assert optimizer.steps == 0
    step.close()


def test_a_loss_that_couples_examples_is_refused():
    model, optimizer = setup()
    model.couples_examples = True
    with pytest.raises(ConfigError, match="threads 1"):
        ThreadedStep(model.loss, optimizer, threads=2)


def test_what_has_no_target_is_refused():
    with pytest.raises(ConfigError, match="at least one that counts"):
        count_targets([BATCHES[0] | {"targets": np.full((5, 8), -100)}])


def test_a_function_whose_loss_couples_examples_is_refused():
    model, optimizer = setup()
    coupled = lambda batch, **options: model.loss(batch, **options)
    coupled.couples_examples = True
    with pytest.raises(ConfigError, match="threads 1"):
        ThreadedStep(coupled, optimizer, threads=2)


def test_a_method_that_couples_examples_by_itself_is_refused():
    class Coupled:
        def loss(self, batch, **options):
            return setup()[0].loss(batch, **options)

        loss.couples_examples = True

    with pytest.raises(ConfigError, match="threads 1"):
        ThreadedStep(Coupled().loss, setup()[1], threads=2)


def test_arrays_of_a_batch_have_one_leading_axis():
    model, optimizer = setup()
    torn = BATCHES[0] | {"targets": BATCHES[0]["targets"][:4]}
    with pytest.raises(ConfigError, match="one leading axis.*'tokens': 5.*'targets': 4"):
        EagerStep(model.loss, optimizer)([torn], 0, 1e-2, 32)


def test_fewer_examples_than_threads_are_refused():
    model, optimizer = setup()
    step = ThreadedStep(model.loss, optimizer, threads=6)
    with pytest.raises(ConfigError, match="at most one an example"):
        step([BATCHES[0]], 0, 1e-2, 40)
    step.close()


def test_an_error_in_a_thread_comes_out():
    def task(i):
        if i == 1:
            raise KeyError("in thread 1")
        return i

    with Workers(3) as workers:
        with pytest.raises(KeyError, match="in thread 1"):
            workers.run(task)
        assert workers.run(lambda i: i) == [0, 1, 2]


def test_workers_give_back_what_they_changed():
    before = sys.getswitchinterval()
    with Workers(2):
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == pytest.approx(before)


def test_threads_are_never_more_than_examples():
    assert worker_count("auto", 1) == 1
    assert worker_count(64, 5) == 5 and worker_count("3", 5) == 3
    for bad in ("none", 0, -1, "1.5", None, float("inf"), float("nan"), [2]):
        with pytest.raises(ArgumentError, match="auto"):
            worker_count(bad, 5)
