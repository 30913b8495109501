"""Training steps on a GPU: the CPU's curve, the graph's bits, and a host that never waits."""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from gpu_models import LARGE, LARGE_MIXED, SMALL, SMALL_MIXED, Setup, rate, run

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.backend import DeviceStream, as_dtype
from tinygrad_llm.backend.stream import own_stream
from tinygrad_llm.errors import NonFiniteError
from tinygrad_llm.models import ViT, ViTConfig
from tinygrad_llm.optim import SGD, AdamW
from tinygrad_llm.train import EagerStep, count_targets
from tinygrad_llm.train.device_step import DeviceStep, GraphedStep

pytestmark = pytest.mark.gpu
FIRST_STEPS, CURVE = 5e-6, 1e-3
"""How far the losses of two float32 programs may be apart, as a part of the loss: in the first steps, where only rounding is
different, and along the whole curve, where training has amplified it. Two that run on a CPU and add up in another order are
3e-7 apart after two hundred steps; a GPU's exponentials are quicker and coarser."""
TF32_END, BF16_END = 5e-3, 1e-2
"""How far the mean of a curve's last tenth may be from float32's."""


@pytest.fixture
def setup(on_standin) -> Setup:
    return SMALL if on_standin else LARGE


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a - b| / b for the losses, step by step."""
    return np.abs(a[:, 0] - b[:, 0]) / b[:, 0]


# ---- the same step on another machine -------------------------------------------------------------------------------


def test_a_gpu_learns_what_the_cpu_learns(setup, stream):
    """No dropout: the two draw different numbers."""
    setup = Setup(setup.config, setup.batch, min(60, setup.steps))  # the CPU's side takes longest of all
    here, _, _ = run(EagerStep, setup, "cpu")
    there, _, _ = run(DeviceStep, setup, "cuda")
    assert here[-1, 0] < 0.8 * here[0, 0]  # there was something to learn
    off = apart(there, here)
    assert off[:5].max() < FIRST_STEPS, f"in the first steps the losses are {off[:5].max():.3g} apart"
    assert off.max() < CURVE, f"the losses are {off.max():.3g} apart at step {off.argmax()}"
    norms = np.abs(there[:5, 1] / here[:5, 1] - 1)
    assert norms.max() < 1e-4, f"the norms are {norms.max():.3g} apart"


def test_experts_on_a_gpu_learn_what_they_learn_on_the_cpu(on_standin, stream):
    """Groups of rows by kernels here, expert after expert there. Where two experts are a rounding apart a token may go to
    the other: it is one of many, so the bound is wider."""
    setup = SMALL_MIXED if on_standin else LARGE_MIXED
    here, _, _ = run(EagerStep, setup, "cpu")
    there, _, _ = run(DeviceStep, setup, "cuda")
    assert here[-1, 0] < 0.9 * here[0, 0]  # there was something to learn
    assert np.median(apart(there, here)[:5]) < FIRST_STEPS
    assert apart(there, here).max() < 10 * CURVE


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_step_of_experts_is_recorded_and_gives_the_same_bits(precision, on_standin, stream, tensor_cores):
    setup = SMALL_MIXED if on_standin else LARGE_MIXED
    eager, eager_weights, _ = run(DeviceStep, setup, "cuda", dropout=0.2, precision=precision)
    graphed, graphed_weights, step = run(GraphedStep, setup, "cuda", dropout=0.2, precision=precision)
    assert step.graph.recorded is not None, f"nothing was recorded: {step.failure}"
    np.testing.assert_array_equal(graphed, eager)
    np.testing.assert_array_equal(graphed_weights, eager_weights)


def test_batches_added_up_are_one_large_one(setup, stream):
    small = Setup(setup.config, setup.batch, 6)
    parts, _, _ = run(DeviceStep, small, "cuda", accumulate=2)
    model = small.model("cuda")
    step = DeviceStep(
        model.loss, AdamW(model.named_parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1), clip=1.0, seed=3
    )
    source = small.batches(12)
    for number in range(6):
        pair = source[2 * number : 2 * number + 2]
        large = {name: np.concatenate([batch[name] for batch in pair]) for name in pair[0]}
        step([large], number, rate(number), count_targets(pair))
        assert step.read().loss == pytest.approx(parts[number, 0], rel=1e-5)


def test_three_precisions_learn_the_same(setup, stream, tensor_cores):
    """Three curves beside one another: together at the end, and not the very same at the beginning."""
    curves = {p: run(DeviceStep, setup, "cuda", precision=p)[0] for p in ("fp32", "tf32", "bf16")}
    last = max(3, setup.steps // 10)
    ends = {p: curve[-last:, 0].mean() for p, curve in curves.items()}
    assert abs(ends["tf32"] / ends["fp32"] - 1) < TF32_END, ends
    assert abs(ends["bf16"] / ends["fp32"] - 1) < BF16_END, ends
    first = {p: apart(curve[:2], curves["fp32"][:2]).max() for p, curve in curves.items()}
    assert 0 < first["tf32"] < 1e-3 and 0 < first["bf16"] < 1e-2, f"not computed as asked for: {first}"


# ---- the graph ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_recorded_step_gives_the_same_bits(precision, setup, stream, tensor_cores):
    """Another learning rate and other dropout each step; nothing is added in an order that is left to chance."""
    setup = Setup(setup.config, setup.batch, min(100, setup.steps))
    eager, eager_weights, _ = run(DeviceStep, setup, "cuda", dropout=0.2, precision=precision)
    graphed, graphed_weights, step = run(GraphedStep, setup, "cuda", dropout=0.2, precision=precision)
    assert step.graph.recorded is not None, f"nothing was recorded: {step.failure}"
    np.testing.assert_array_equal(graphed, eager)
    np.testing.assert_array_equal(graphed_weights, eager_weights)


def test_a_recorded_step_adds_batches_up(setup, stream):
    setup = Setup(setup.config, setup.batch, 10)
    eager, eager_weights, _ = run(DeviceStep, setup, "cuda", dropout=0.2, accumulate=3)
    graphed, graphed_weights, step = run(GraphedStep, setup, "cuda", dropout=0.2, accumulate=3)
    assert step.graph.recorded is not None, f"nothing was recorded: {step.failure}"
    np.testing.assert_array_equal(graphed, eager)
    np.testing.assert_array_equal(graphed_weights, eager_weights)


def test_dropout_in_a_recorded_step_is_drawn_anew(setup, stream):
    """The same batch with a learning rate of 0: only what is dropped makes the losses differ."""
    model = setup.model("cuda", dropout=0.2)
    step = GraphedStep(model.loss, AdamW(model.named_parameters()), clip=1.0, seed=3)
    (batch,) = setup.batches(1)
    losses = []
    for number in range(8):
        step([batch], number, 0.0, count_targets([batch]))
        losses.append(step.read().loss)
    assert step.graph.recorded is not None and len(set(losses)) == 8


def test_evaluating_between_replays_changes_nothing(setup, stream, cupy):
    """What the graph's steps keep in memory is not given to others meanwhile."""
    results = []
    for between in (False, True):
        model = setup.model("cuda", dropout=0.1)
        step = GraphedStep(model.loss, AdamW(model.named_parameters()), clip=1.0, seed=3, every=4)
        for number, batch in enumerate(setup.batches(12)):
            step([batch], number, 1e-3, count_targets([batch]))
            if between and number % 3 == 0:
                model.loss(batch, rng=DeviceStream.at(1, number)).backward()
                cupy.full(1 << 20, np.nan, np.float32)
                cupy.get_default_memory_pool().free_all_blocks()
        results.append(step.read().loss)
    assert step.graph.recorded is not None and results[0] == results[1]


def test_where_nothing_can_be_recorded_all_goes_on_step_by_step(setup, stream):
    """Something that waits in the middle of a step: the graph fails, the reason is told, the results are the same."""
    setup = Setup(setup.config, setup.batch, 8)
    plain, weights, _ = run(DeviceStep, setup, "cuda", dropout=0.1)
    told = []

    class Waits(GraphedStep):
        def compute(self, count, divisor):
            super().compute(count, divisor)
            Tensor(self.losses[0, 0]).item()

    found, same, step = run(Waits, setup, "cuda", dropout=0.1, report=told.append)
    assert step.graph.recorded is None and len(told) == 1 and "no CUDA graph" in told[0]
    np.testing.assert_array_equal(found, plain)
    np.testing.assert_array_equal(same, weights)


# ---- nobody waits ---------------------------------------------------------------------------------------------------


@contextmanager
def no_waiting():
    """What waits for the GPU raises, as far as CuPy notices; see the next test for what it does not."""
    import cupyx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, since it cannot notice everything
        with cupyx.allow_synchronize(False):
            yield


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("kind", [DeviceStep, GraphedStep])
def test_a_step_asks_for_no_number(kind, precision, setup, stream, tensor_cores):
    model = setup.model("cuda", dropout=0.2)
    step = kind(model.loss, AdamW(model.named_parameters()), clip=1.0, seed=3, precision=precision, every=20)
    batches = setup.batches(10)
    for number in range(5):
        step([batches[number]], number, rate(number), count_targets([batches[number]]))
    with no_waiting():
        for number in range(5, 10):
            assert step([batches[number]], number, rate(number), count_targets([batches[number]])) is None
    assert np.isfinite(step.read().loss)


SPIN = """extern "C" __global__ void spin(long long cycles) {
  long long start = clock64();
  while (clock64() - start < cycles) {}
}"""


@pytest.mark.parametrize("kind", [DeviceStep, GraphedStep])
def test_steps_come_back_while_the_gpu_is_still_busy(kind, setup, stream, cupy, real_gpu):
    """The GPU is held up for some seconds; five steps are asked for, and asked for they are in a fraction of that."""
    model = setup.model("cuda", dropout=0.2)
    step = kind(model.loss, AdamW(model.named_parameters()), clip=1.0, seed=3, every=20)
    batches = setup.batches(10)
    for number in range(6):
        step([batches[number]], number, rate(number), count_targets([batches[number]]))
    step.read()
    spin, own = cupy.RawKernel(SPIN, "spin"), cupy.cuda.get_current_stream()
    spin((1,), (1,), (np.int64(1000),))
    own.synchronize()
    start = time.perf_counter()
    spin((1,), (1,), (np.int64(4_000_000_000),))  # about two seconds
    for number in range(6, 8):  # two steps fit into the queue of launches that a driver keeps
        step([batches[number]], number, rate(number), count_targets([batches[number]]))
    asked = time.perf_counter() - start
    busy = not own.done
    own.synchronize()
    held = time.perf_counter() - start
    assert busy, f"the steps came back after {asked:.2f} s, when all was done"
    assert asked < 0.5 * held, f"two steps took {asked:.2f} s of the host, all was done after {held:.2f} s"
    assert np.isfinite(step.read().loss)


# ---- numbers that are not finite ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [AdamW, SGD])
@pytest.mark.parametrize("kind", [DeviceStep, GraphedStep])
@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_bad_number_stops_all_updates_and_is_named(poison, kind, rule, setup, stream):
    model = setup.model("cuda")
    optimizer = rule(model.named_parameters(), lr=1e-3)
    step = kind(model.loss, optimizer, clip=1.0, seed=3, every=20)
    batches = setup.batches(9)
    for number in range(5):
        step([batches[number]], number, 1e-3, count_targets([batches[number]]))
    assert np.isfinite(step.read().loss)
    weight = model.blocks[1].mlp.up_proj.weight
    weight.data[0, 0] = poison
    before = optimizer.flat.data.get()
    for number in range(5, 9):
        assert step([batches[number]], number, 1e-3, count_targets([batches[number]])) is None
    with pytest.raises(NonFiniteError, match=r"step 5, operation linear, tensor .*weight.*Nothing was updated"):
        step.read()
    np.testing.assert_array_equal(optimizer.flat.data.get(), before)


def test_who_mends_a_bad_number_goes_on_as_if_it_had_not_been(setup, stream):
    """The steps that were not done are not counted, neither by the optimizer nor by the flag."""
    batches, ends = setup.batches(10), []
    for bad in (False, True):
        model = setup.model("cuda", dropout=0.1)
        optimizer = AdamW(model.named_parameters(), lr=1e-3)
        step = DeviceStep(model.loss, optimizer, clip=1.0, seed=3, every=20)
        for number in range(10):
            if bad and number == 5:
                good = model.norm.weight.data.copy()
                model.norm.weight.data[0] = np.nan
                for other in range(5, 8):
                    step([batches[other]], other, 1e-3, count_targets([batches[other]]))
                with pytest.raises(NonFiniteError, match="step 5"):
                    step.read()
                model.norm.weight.data[...] = good
            step([batches[number]], number, 1e-3, count_targets([batches[number]]))
        ends.append((step.read(), optimizer.steps, optimizer.flat.data.get()))
    assert ends[0][:2] == ends[1][:2]
    np.testing.assert_array_equal(ends[0][2], ends[1][2])


def test_a_step_is_explained_with_what_it_had_dropped(setup, stream):
    """Later steps have moved the counter on; the explanation goes back."""
    model = setup.model("cuda", dropout=0.2)
    step = DeviceStep(model.loss, AdamW(model.named_parameters()), clip=1.0, seed=3, every=20)
    for number, batch in enumerate(setup.batches(4)):
        step([batch], number, 1e-3, count_targets([batch]))
    again = step._stream(1, 2).random((3, 50))
    expected = DeviceStream(DeviceStream.at(3, 1).counter, 2).random((3, 50))
    np.testing.assert_array_equal(again.get(), expected.get())


def test_weights_stay_float32_beside_bfloat16_activations(setup, stream, tensor_cores):
    model = setup.model("cuda")
    optimizer = AdamW(model.named_parameters())
    step = DeviceStep(model.loss, optimizer, clip=1.0, seed=3, precision="bf16")
    (batch,) = setup.batches(1)
    step([batch], 0, 1e-3, count_targets([batch]))
    step.read()
    hidden = model.hidden(batch["tokens"], dtype=as_dtype("bfloat16"))
    assert hidden.dtype == as_dtype("bfloat16")
    assert {a.dtype.name for a in (optimizer.flat.data, step.sink.flat, *optimizer.state.values())} == {"float32"}


def test_a_stream_of_its_own_ends_with_all_done(cupy):
    with own_stream("cuda"):
        x = cupy.zeros(1000, np.float32)
        for _ in range(100):
            x += 1
    assert float(x.sum()) == 100_000


def test_pictures_of_the_host_go_where_the_weights_are(cupy):
    model = ViT(ViTConfig(6, 2, 3, 1, 2, 8, 16), rng=np.random.default_rng(0))
    pictures = np.random.default_rng(1).normal(size=(2, 3, 6, 6)).astype(np.float32)
    expected = model(pictures).numpy()
    there = model.to("cuda")
    for given in (pictures, Tensor(pictures).to("cuda"), Tensor(pictures).to("cuda").data):
        np.testing.assert_allclose(there(given).numpy(), expected, rtol=1e-4, atol=1e-5)
