"""The step that a GPU is told of, told to NumPy instead: what the kernels do is written here in a line each.

That the kernels do it is tested where there are some; what is asked of them, in which order and with which numbers, is
Python, and is tested here.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tinygrad_llm.backend import KeyedStream
from tinygrad_llm.errors import ConfigError, NonFiniteError
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.ops import IGNORE
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train import EagerStep, TrainConfig, count_targets, start_run, trainer
from tinygrad_llm.train import device_step as module
from tinygrad_llm.train.device_step import CLIP, FELL, FINITE, NORM, NUMBER, DeviceStep, GraphedStep
from tinygrad_llm.train.log import read_log

RNG = np.random.default_rng(0)
BATCHES = [{name: RNG.integers(0, 11, (3, 6)) for name in ("tokens", "targets")} for _ in range(24)]
BATCHES[5]["targets"][0, :4] = IGNORE


class Elsewhere(np.ndarray):
    """An array that is read by asking for it."""

    def get(self):
        return np.array(self)


class Stream(KeyedStream):
    """Draws by the seed and the step that lie in the counter."""

    def __init__(self, counter, first_example=0):
        super().__init__(int(counter[0]), int(counter[1]), first_example)
        self.counter = counter

    @classmethod
    def at(cls, seed, step):
        return cls(np.array([seed, step], np.uint64))


class Ring:
    """A slot may be written once between two reads; what is read elsewhere is what was uploaded last."""

    def __init__(self, slots, fields):
        self.slots, self.targets = slots, fields

    def upload(self, slot, values):
        assert 0 <= slot < self.slots and values.keys() == self.targets.keys()
        for name, target in self.targets.items():
            target[...] = values[name]


class Recording:
    """What is recorded is not done, and done at each launch."""

    def __init__(self):
        self.recorded, self.launches, self.step = None, 0, None

    memory = staticmethod(contextlib.nullcontext)

    @contextlib.contextmanager
    def recording(self):
        step, asked = self.step, []
        plain, step.compute = step.compute, lambda *args: asked.append(args)
        try:
            yield
        finally:
            step.compute = plain
        self.recorded = lambda: plain(*asked[0])

    def launch(self):
        self.launches += 1
        self.recorded()


def square_norm(flat, loss, clip, settings, state):
    state[NORM] = norm = math.sqrt(np.square(flat).sum())
    state[CLIP] = min(1.0, clip / (norm + 1e-6)) if clip else 1.0
    if state[FINITE] and not (np.isfinite(norm) and np.isfinite(loss)):
        state[FINITE], state[FELL] = 0.0, settings[NUMBER]


def log_losses(loss, state, ring, settings):
    ring[int(settings[NUMBER]) % len(ring)] = loss, state[NORM]


def adamw(self, gradient, settings, state):
    if not state[FINITE]:
        return
    m, v, (b1, b2), g = self.state["m"], self.state["v"], self.betas, gradient * state[CLIP]
    m += (g - m) * (1 - b1)
    v += (g * g - v) * (1 - b2)
    self.flat.data[: self.flat.n_decaying] *= 1 - settings[3]
    self.flat.data -= settings[1] * m / (np.sqrt(v) * settings[2] + self.eps)


@pytest.fixture(autouse=True)
def told_to_numpy(monkeypatch):
    there = SimpleNamespace(
        asarray=lambda a: np.array(a, np.float64).view(Elsewhere),
        zeros=lambda shape, dtype: np.zeros(shape, np.float64 if dtype == np.float32 else dtype).view(Elsewhere),
    )
    for name, stand_in in {
        "namespace": lambda array: there, "DeviceStream": Stream, "PinnedRing": Ring, "Graph": Recording,
        "square_norm": square_norm, "log_losses": log_losses, "tf32_products": contextlib.nullcontext,
    }.items():  # fmt: skip
        monkeypatch.setattr(module, name, stand_in)
    monkeypatch.setattr(AdamW, "update_on_device", adamw)


def make(kind=DeviceStep, *, dropout=0.2, clip=0.4, seed=3, **options):
    model = GPT(GPTConfig(11, 8, 1, 2, 8, dropout, True), rng=np.random.default_rng(1), dtype=np.float64)
    optimizer = AdamW(model.named_parameters(), 1e-2, (0.8, 0.9), weight_decay=0.3)
    step = kind(model.loss, optimizer, clip=clip, seed=seed, **options)
    if kind is GraphedStep:
        step.graph.step = step
    return step


def run(step, count=8, accumulate=2):
    told = []
    for n in range(count):
        batches = BATCHES[n * accumulate : (n + 1) * accumulate]
        result = step(batches, n, 1e-2 * (n + 1), count_targets(batches))
        assert (result is None) == isinstance(step, DeviceStep)
        result = result or step.read()
        told.append((result.loss, result.grad_norm))
    return np.array(told), step.optimizer.flat.data.copy()


@pytest.mark.parametrize(("accumulate", "clip"), [(1, 0.9), (3, 0.51)])
@pytest.mark.parametrize("kind", [DeviceStep, GraphedStep])
def test_it_is_the_step_of_the_cpu(kind, accumulate, clip):
    expected, found = (run(make(k, clip=clip), accumulate=accumulate) for k in (EagerStep, kind))
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-9)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-7, atol=1e-10)
    assert min(expected[0][:, 1]) < clip < max(expected[0][:, 1]), "both sides of the clip"


def test_a_seed_and_a_step_have_a_dropout_of_their_own():
    runs = [run(make(seed=seed, dropout=0.5), 3)[0].tobytes() for seed in (3, 3, 4)]
    assert runs[0] == runs[1] != runs[2]
    losses = []
    step = make(dropout=0.5)
    for n in range(4):
        step(BATCHES[:1], n, 0.0, 18)
        losses.append(step.read().loss)
    assert len(set(losses)) == 4


def test_a_result_is_that_of_the_last_step_once_it_is_asked_for():
    expected = run(make(EagerStep), 8, 1)[0]
    step = make(every=3)
    assert step.read() is None
    for n in range(8):
        assert step(BATCHES[n : n + 1], n, 1e-2 * (n + 1), count_targets(BATCHES[n : n + 1])) is None
        if n in (1, 2, 7):
            result = step.read()
            np.testing.assert_allclose((result.loss, result.grad_norm), expected[n], rtol=1e-9)
            assert step.read() is None
    assert step.optimizer.steps == 8


def test_a_recorded_step_is_replayed_after_three_and_only_for_its_divisor():
    step, plain = make(GraphedStep), make(DeviceStep)
    for n in range(8):  # the sixth batch has fewer targets
        for s in (step, plain):
            s(BATCHES[n : n + 1], n, 1e-2, count_targets(BATCHES[n : n + 1]))
        assert step.read() == plain.read()
    assert step.graph.launches == 4 and step.recorded_for == 18 and not step.failure


def test_where_recording_fails_it_is_told_once_and_all_goes_on():
    told, step = [], None
    step, plain = make(GraphedStep, report=told.append), make(DeviceStep)

    @contextlib.contextmanager
    def refuse():
        raise RuntimeError("cannot be recorded")
        yield

    step.graph.recording = refuse
    assert run(step)[0].tobytes() == run(plain)[0].tobytes()
    assert told == ["no CUDA graph, steps run operation by operation (RuntimeError: cannot be recorded)"]
    assert step.graph.recorded is None


@pytest.mark.parametrize("kind", [DeviceStep, GraphedStep])
def test_what_is_not_finite_stops_all_updates_and_is_named_with_its_step(kind):
    step = make(kind, every=10)
    plain, bad = step.loss, set()
    step.loss = lambda batch, **options: plain(batch, **options) * (np.nan if bad else 1.0)
    for n in range(9):
        if n == 6:
            before = step.optimizer.flat.data.copy()
            bad.add(n)
        step(BATCHES[n : n + 1], n, 1e-2, 18)
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError, match="step 6, .*loss nan"):
        step.read()
    np.testing.assert_array_equal(step.optimizer.flat.data, before)
    assert step.optimizer.steps == 6 and step.read() is None
    bad.clear()  # who has mended what was wrong may go on
    step(BATCHES[7:8], 6, 1e-2, 18)
    assert np.isfinite(step.read().loss) and step.optimizer.steps == 7
    assert (step.optimizer.flat.data != before).any()


def test_batches_have_the_shapes_of_the_first():
    step = make()
    step(BATCHES[:2], 0, 1e-2, 36)
    for batches in (
        BATCHES[:1],
        [BATCHES[0], {n: a[:2] for n, a in BATCHES[1].items()}],
        [BATCHES[0], {"tokens": BATCHES[1]["tokens"]}],
    ):
        with pytest.raises(ConfigError, match=r"batches: expected the shapes of the first, 2 of t.*\(3, 6\)"):
            step(batches, 1, 1e-2, 36)


@pytest.mark.parametrize(
    ("precision", "tf32", "dtype"), [("fp32", False, {}), ("tf32", True, {}), ("bf16", False, {"dtype": "bf16"})]
)
def test_a_precision_is_that_of_products_or_of_activations(precision, tf32, dtype, monkeypatch):
    told = []
    monkeypatch.setattr(module, "activations", lambda p: "bf16" if p == "bf16" else None)
    monkeypatch.setattr(module, "tf32_products", lambda on: (told.append(on), contextlib.nullcontext())[1])
    step = make(precision=precision)
    plain = step.loss
    step.loss = lambda batch, *, rng, divisor, **more: (told.append(more), plain(batch, rng=rng, divisor=divisor))[1]
    step(BATCHES[:1], 0, 1e-2, 18)
    assert told == [tf32, dtype]


# ---- the run that asks for it


@pytest.fixture
def config(tmp_path):
    (tmp_path / "text.txt").write_text("the cat sat on the mat and the dog sat on the log. " * 12)
    return TrainConfig(
        text=str(tmp_path / "text.txt"), n_layer=1, n_head=2, n_embd=8, block_size=8, steps=11, batch_size=4, warmup=2,
        eval_every=5, checkpoint_every=4, log_every=3, threads="1", clip=0.7, seed=9,
    )  # fmt: skip


@pytest.mark.parametrize("graph", [True, False])
@pytest.mark.parametrize(("log_every", "every"), [(3, 3), (100, 16)])
def test_a_run_on_a_gpu_makes_its_step_of_its_settings(graph, log_every, every, config, tmp_path, monkeypatch):
    run = start_run(replace(config, log_every=log_every, graph=graph), tmp_path / "run")
    made = []
    for name in ("DeviceStep", "GraphedStep"):
        monkeypatch.setattr(trainer, name, lambda *args, name=name, **options: made.append((name, args, options)))
    run.device = "cuda"
    run.make_step(print)
    options = {"clip": 0.7, "seed": 9, "precision": "fp32", "every": every} | ({"report": print} if graph else {})
    assert made == [("GraphedStep" if graph else "DeviceStep", (run.loss, run.optimizer), options)]


class Late(EagerStep):
    """Knows a result only when it is asked for."""

    def __call__(self, *args):
        self.result = super().__call__(*args)

    def read(self):
        return self.result


def test_a_step_whose_result_comes_late_gives_the_same_log(config, tmp_path, monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr(trainer.time, "perf_counter", lambda: float(next(clock)))
    logs = []
    for name, kind in (("now", EagerStep), ("late", Late)):
        run = start_run(config, tmp_path / name)
        run.make_step = lambda report, run=run, kind=kind: kind(run.loss, run.optimizer, clip=0.7, seed=9)
        run.run(progress=False, report=lambda line: None)
        logs.append([{k: v for k, v in e.items() if k != "tokens_per_s"} for e in read_log(run.out / "log.jsonl")])
        rates = [e["tokens_per_s"] for e in read_log(run.out / "log.jsonl") if e["event"] == "step"]
        # steps since the last known result, a second a reading: all of them are known, or those that something needs
        assert rates == ([32] * 4 if kind is EagerStep else [3 * 32, 32, 32, 32])
    assert logs[0] == logs[1] and [e["step"] for e in logs[0] if e["event"] == "step"] == [3, 6, 9, 11]
