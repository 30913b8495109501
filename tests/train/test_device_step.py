"""A step on the GPU: the same numbers as on the CPU, no waiting, and the same again as a recorded graph."""

from __future__ import annotations

import numpy as np
import pytest

cupy = pytest.importorskip("cupy", reason="runs on the stand-in for CuPy")
if cupy.__version__ != "stand-in":
    pytest.skip("counts what the stand-in counts", allow_module_level=True)

from cupy._state import STATE  # noqa: E402

from tinygrad_llm.backend.stream import own_stream  # noqa: E402
from tinygrad_llm.datasets.batches import Batches  # noqa: E402
from tinygrad_llm.errors import ConfigError, NonFiniteError  # noqa: E402
from tinygrad_llm.models.gpt import GPT, GPTConfig  # noqa: E402
from tinygrad_llm.models.llama import Llama, LlamaConfig  # noqa: E402
from tinygrad_llm.nn import LinearScaling  # noqa: E402
from tinygrad_llm.optim import SGD, AdamW, schedule  # noqa: E402
from tinygrad_llm.train.device_step import DeviceStep, GraphedStep  # noqa: E402
from tinygrad_llm.train.step import EagerStep, ThreadedStep, count_targets  # noqa: E402

CONFIG = GPTConfig(vocab_size=11, block_size=8, n_layer=1, n_head=2, n_embd=16, dropout=0.0, bias=True)
TOKENS = np.random.default_rng(0).integers(0, 11, 300)
BATCHES = Batches(TOKENS, block_size=8, batch_size=3, seed=1)
COUNT = 24  # targets of a batch
LR = schedule("cosine", 1e-2, 40, 5)


def model(device: str, dropout: float = 0.0) -> GPT:
    config = GPTConfig(**{**vars(CONFIG), "dropout": dropout})
    return GPT(config, rng=np.random.default_rng(0)).to(device)


def adamw(m):
    return AdamW(m.named_parameters(), betas=(0.9, 0.95), weight_decay=0.1)


def losses(step, steps: int, accumulate: int = 1) -> list[float]:
    """Loss and norm of each step."""
    found = []
    with own_stream("cuda" if isinstance(step, DeviceStep) else "cpu"):
        for n in range(steps):
            batches = [BATCHES[n * accumulate + i] for i in range(accumulate)]
            result = step(batches, n, LR(n + 1), count_targets(batches)) or step.read()
            found += [result.loss, result.grad_norm]
    return found


@pytest.mark.parametrize(
    "make", [adamw, lambda m: SGD(m.named_parameters(), momentum=0.9, nesterov=True, weight_decay=0.1)]
)
@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_curve_is_the_cpus(make, accumulate):
    on_gpu, on_cpu = model("cuda"), model("cpu")
    theirs, ours = make(on_gpu), make(on_cpu)
    found = losses(DeviceStep(on_gpu.loss, theirs, clip=0.5, seed=0), 12, accumulate)
    expected = losses(EagerStep(on_cpu.loss, ours, clip=0.5), 12, accumulate)
    for name, moment in ours.state.items():  # by name: a checkpoint is read on either
        np.testing.assert_allclose(theirs.state[name].get(), moment, rtol=1e-3, atol=1e-3 * np.abs(moment).max())
    np.testing.assert_allclose(found, expected, rtol=2e-4)  # float32 sums in another order, over twelve steps


def test_a_step_of_several_threads_has_one_on_the_gpu_and_the_same_curve():
    on_gpu, on_cpu = model("cuda"), model("cpu")
    step = ThreadedStep(on_gpu.loss, adamw(on_gpu), threads=2)
    assert step.workers.count == 1
    np.testing.assert_allclose(losses(step, 4), losses(EagerStep(on_cpu.loss, adamw(on_cpu)), 4), rtol=2e-4)
    step.close()


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_coarser_precisions_follow_the_same_curve(precision):
    exact, coarse = model("cuda"), model("cuda")
    expected = losses(DeviceStep(exact.loss, adamw(exact), clip=1.0, seed=0), 12)
    found = losses(DeviceStep(coarse.loss, adamw(coarse), clip=1.0, seed=0, precision=precision), 12)
    assert found != expected
    np.testing.assert_allclose(found[::2], expected[::2], rtol=2e-2)
    assert all(p.dtype == np.float32 for p in coarse.parameters())


@pytest.mark.parametrize("kind", [DeviceStep, GraphedStep])
def test_a_step_waits_for_nothing_and_copies_only_pinned_memory(kind):
    m = model("cuda", dropout=0.2)
    step = kind(m.loss, adamw(m), clip=1.0, seed=0, every=8)
    with own_stream("cuda"):
        step([BATCHES[0]], 0, 1e-3, COUNT)
        waits, uploads = STATE.waits(), STATE.uploads()
        for n in range(1, 8):
            assert step([BATCHES[n]], n, 1e-3, COUNT) is None
        assert (STATE.waits(), STATE.uploads()) == (waits, uploads)
        assert step.read() is not None and STATE.waits() > waits
        assert step.read() is None


def test_a_replayed_graph_does_what_the_operations_do():
    a, b = model("cuda", dropout=0.2), model("cuda", dropout=0.2)
    eager = losses(DeviceStep(a.loss, adamw(a), clip=0.5, seed=3), 100)
    graphed = GraphedStep(b.loss, adamw(b), clip=0.5, seed=3)
    assert losses(graphed, 100) == eager
    assert graphed.graph.recorded is not None and not graphed.failure
    for p, q in zip(a.parameters(), b.parameters()):
        np.testing.assert_array_equal(p.numpy(), q.numpy())


def test_dropout_draws_anew_in_every_replay():
    m = model("cuda", dropout=0.5)
    step = GraphedStep(m.loss, adamw(m), clip=1.0, seed=3)
    with own_stream("cuda"):
        same = [
            (step([BATCHES[0]], n, 0.0, COUNT) or step.read()).loss for n in range(8)
        ]  # lr 0: only the dropout differs
    assert len(set(same)) == 8


def test_where_recording_fails_the_reason_is_told_and_the_numbers_are_the_same():
    class Waits(GPT):
        def loss(self, *args, **options):
            value = super().loss(*args, **options)
            value.item()
            return value

    told = []
    config = GPTConfig(**vars(CONFIG))
    m, n = (kind(config, rng=np.random.default_rng(0)).to("cuda") for kind in (Waits, GPT))
    step = GraphedStep(m.loss, adamw(m), clip=1.0, seed=0, report=told.append)
    plain = DeviceStep(n.loss, adamw(n), clip=1.0, seed=0)
    assert losses(step, 6) == losses(plain, 6)
    assert len(told) == 1 and "cudaErrorStreamCaptureUnsupported" in told[0]


def test_another_count_of_targets_is_not_replayed():
    m, n = model("cuda"), model("cuda")
    step, plain = GraphedStep(m.loss, adamw(m), clip=1.0, seed=0), DeviceStep(n.loss, adamw(n), clip=1.0, seed=0)
    for i in range(7):
        batch = BATCHES[i]
        if i == 5:
            batch = batch | {"targets": np.where(np.arange(8) < 4, batch["targets"], -100)}
        with own_stream("cuda"):
            a, b = (s([batch], i, 1e-3, count_targets([batch])) or s.read() for s in (step, plain))
        assert a == b


@pytest.mark.parametrize("kind", [DeviceStep, GraphedStep])
def test_a_nan_stops_all_updates_until_it_is_read_and_is_named(kind):
    m = model("cuda")
    step = kind(m.loss, adamw(m), clip=1.0, seed=0, every=10)
    with own_stream("cuda"):
        for n in range(5):
            step([BATCHES[n]], n, 1e-3, COUNT)
        step.read()
        weight = m.blocks[0].mlp.up_proj.weight
        values = weight.data.copy()
        values[0, 0] = np.inf
        weight.assign(values)  # from now on nothing is finite
        kept = [p.numpy().copy() for p in m.parameters()]
        for n in range(5, 9):
            step([BATCHES[n]], n, 1e-3, COUNT)
        with pytest.raises(NonFiniteError, match=r"step 5, operation .*tensor .*got loss nan"):
            step.read()
    for p, before in zip(m.parameters(), kept):
        np.testing.assert_array_equal(p.numpy(), before)


def test_a_full_ring_is_read_before_it_is_written_again():
    m = model("cuda")
    step = DeviceStep(m.loss, adamw(m), clip=1.0, seed=0, every=3)
    with own_stream("cuda"):
        for n in range(10):
            step([BATCHES[n]], n, 1e-3, COUNT)
        assert step.read() is not None


def test_another_shape_of_batch_is_refused():
    m = model("cuda")
    step = DeviceStep(m.loss, adamw(m), clip=1.0, seed=0)
    with own_stream("cuda"), pytest.raises(ConfigError, match="shapes of the first"):
        step([BATCHES[0]], 0, 1e-3, COUNT)
        step([{name: x[:2] for name, x in BATCHES[1].items()}], 1, 1e-3, COUNT)


LLAMAS = {
    "llama": {"n_kv_head": 1}, "window": {"window": 3, "qk_norm": True}, "scaled": {"rope_scaling": LinearScaling(2.0)},
    "experts": {"n_experts": 3, "experts_per_token": 2, "balance": 0.1},
}  # fmt: skip


@pytest.mark.parametrize("name", LLAMAS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_llamas_are_recorded_with_experts_too(name, precision):
    config, said, found = LlamaConfig(11, 8, 1, 2, 16, 10, **LLAMAS[name]), [], {}
    for kind in (EagerStep, DeviceStep, GraphedStep):
        on = "cpu" if kind is EagerStep else "cuda"
        m = Llama(config, rng=np.random.default_rng(0)).to(on)
        options = {} if kind is EagerStep else {"precision": precision}
        options |= {"report": said.append} if kind is GraphedStep else {}
        step = kind(m.loss, adamw(m), clip=1.0, seed=0, **options)
        found[kind] = losses(step, 8)
    np.testing.assert_array_equal(found[DeviceStep], found[GraphedStep])
    apart = 2e-4 if precision == "fp32" else 0.05
    np.testing.assert_allclose(found[DeviceStep], found[EagerStep], rtol=apart)
    assert step.graph.recorded is not None and not said
