"""A run is the loop that one would write by hand, its log says what happened, and its evaluation is a plain mean."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tinygrad_llm import Tensor
from tinygrad_llm.backend import KeyedStream
from tinygrad_llm.errors import NonFiniteError
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.optim import SGD
from tinygrad_llm.train import EagerStep, ThreadedStep, TrainConfig, load_checkpoint, model_of, start_run, trainer
from tinygrad_llm.train.log import read_log

TEXT = "the cat sat on the mat and the dog sat on the log. " * 12


@pytest.fixture
def config(tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)
    return TrainConfig(
        text=str(tmp_path / "text.txt"), n_layer=1, n_head=2, n_embd=8, block_size=8, steps=7, batch_size=4, warmup=2,
        accumulate=3, lr=3e-2, final_lr=5e-3, clip=0.7, dropout=0.2, weight_decay=0.3, beta1=0.8, beta2=0.9, bias=True,
        eval_every=3, checkpoint_every=4, log_every=1, threads="1", seed=5, dtype="float64",
    )  # fmt: skip


def drawn(config, ids, n):
    """Batch n: windows at places that this seed and number draw."""
    rng = np.random.default_rng((config.seed, n))
    starts = rng.integers(0, len(ids) - config.block_size, config.batch_size)
    rows = np.stack([ids[s : s + config.block_size + 1] for s in starts])
    return {"tokens": rows[:, :-1], "targets": rows[:, 1:]}


def rate(config, t):
    """Of step t, counted from 1: the last one has the final rate."""
    if t < config.warmup:
        return config.lr * t / config.warmup
    share = (t - config.warmup) / (config.steps - config.warmup) if t > config.warmup else 0.0
    return {
        "constant": config.lr,
        "linear": config.lr * (1 - share) + config.final_lr * share,
        "cosine": config.final_lr + (config.lr - config.final_lr) * (1 + math.cos(math.pi * share)) / 2,
    }[config.schedule]


def by_hand(config):
    """Weights, losses, norms and rates of a run: AdamW, clipping, schedule and data order as formulas."""
    text = TEXT[: int(len(TEXT) * 0.9)]
    signs = sorted(set(TEXT))
    ids = np.array([signs.index(sign) for sign in text])
    c = config
    model = GPT(
        GPTConfig(len(signs), c.block_size, c.n_layer, c.n_head, c.n_embd, c.dropout, c.bias),
        rng=np.random.default_rng(c.seed),
        dtype=np.float64,
    )
    parameters = list(model.parameters())
    m, v = ([np.zeros(p.shape) for p in parameters] for _ in "mv")
    told = []
    for t in range(1, c.steps + 1):
        for p in parameters:
            p.grad = None
        loss = 0.0
        for i in range(c.accumulate):
            batch = drawn(c, ids, (t - 1) * c.accumulate + i)
            stream = KeyedStream(c.seed, t - 1, i * c.batch_size)
            part = model.loss(batch, rng=stream, divisor=c.accumulate * c.batch_size * c.block_size)
            part.backward()
            loss += part.item()
        norm = math.sqrt(sum((p.grad**2).sum() for p in parameters))
        scale = min(1.0, c.clip / (norm + 1e-6)) if c.clip else 1.0
        lr = rate(c, t)
        for i, p in enumerate(parameters):
            g = p.grad * scale
            m[i] = c.beta1 * m[i] + (1 - c.beta1) * g
            v[i] = c.beta2 * v[i] + (1 - c.beta2) * g * g
            step = (m[i] / (1 - c.beta1**t)) / (np.sqrt(v[i] / (1 - c.beta2**t)) + 1e-8)
            decay = c.weight_decay if p.ndim >= 2 else 0.0
            p.assign(p.data * (1 - lr * decay) - lr * step)
        told.append((loss, norm, lr))
    return model, told


@pytest.mark.parametrize(
    "change",
    [
        {}, {"threads": "2"}, {"threads": "4", "accumulate": 1}, {"schedule": "linear", "clip": 0.0, "dropout": 0.0},
        {"schedule": "constant", "warmup": 0, "weight_decay": 0.0}, {"warmup": 7}, {"steps": 1, "warmup": 0},
    ],
    ids=str,
)  # fmt: skip
def test_a_run_is_the_loop_written_by_hand(change, config, tmp_path):
    config = replace(config, **change)
    run = start_run(config, tmp_path / "run")
    run.run(progress=False, report=lambda line: None)
    model, told = by_hand(config)
    steps = [e for e in read_log(tmp_path / "run" / "log.jsonl") if e["event"] == "step"]
    assert [e["step"] for e in steps] == list(range(1, config.steps + 1))
    np.testing.assert_allclose([(e["loss"], e["grad_norm"], e["lr"]) for e in steps], told, rtol=1e-8)
    clipped = [norm > config.clip for _, norm, _ in told]
    assert any(clipped) and (config.steps == 1 or not all(clipped) or not config.clip), "both sides of the clip"
    for p, q in zip(run.model.parameters(), model.parameters()):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-6, atol=1e-9)


def test_first_weights_are_the_seeds_in_every_precision(config, tmp_path):
    double = start_run(config, tmp_path / "a").model
    single = start_run(replace(config, dtype="float32"), tmp_path / "b").model
    for p, q in zip(double.parameters(), single.parameters()):
        assert p.dtype == np.float64 and q.dtype == np.float32
        np.testing.assert_array_equal(p.data.astype(np.float32), q.data)


# ---- evaluation


def nats(run, windows):
    """The mean over the targets of some windows, one at a time."""
    parts = [run.model.token_log_probs({"tokens": w[None, :-1], "targets": w[None, 1:]}).data.ravel() for w in windows]
    return -np.concatenate(parts).mean()


@pytest.mark.parametrize("threads", ["1", "2", "3"])
@pytest.mark.parametrize(
    ("limit", "taken"), [(0, [0, 1, 2, 3, 4]), (1, [0]), (3, [0, 1, 2]), (2, [0, 2]), (9, [0, 1, 2, 3, 4])]
)
def test_evaluation_is_the_mean_over_the_held_out_text_or_so_many_batches_of_it(
    limit, taken, threads, config, tmp_path
):
    """Without dropout, whatever the threads are, before a run and within it, and twice."""
    (tmp_path / "text.txt").write_text(TEXT * 2)
    run = start_run(
        replace(config, dropout=0.5, threads=threads, batch_size=3, eval_batches=limit, block_size=3), tmp_path / "run"
    )
    held_out = run.corpus.val
    assert run.corpus.tokenizer.decode(held_out) == (TEXT * 2)[int(len(TEXT) * 2 * 0.9) :]
    windows = [held_out[s : s + 4] for s in range(0, len(held_out) - 1, 3)]
    groups = [windows[i : i + 12] for i in range(0, len(windows) - 1, 12)]
    assert len(windows[-1]) < 4 and len(groups) == 4
    groups[-1] = [w for w in groups[-1] if len(w) == 4]
    groups.append(windows[-1:])  # what fills no window is a batch of its own
    expected = nats(run, [w for i in taken for w in groups[i]])
    assert run.evaluate() == pytest.approx(expected, rel=1e-12) and run.evaluate() == run.evaluate()
    run.step = run.make_step(print)
    assert run.evaluate() == pytest.approx(expected, rel=1e-12)
    run.step.close()


# ---- the log, and what is saved


def test_every_line_of_the_log_says_what_was(config, tmp_path, monkeypatch):
    clock = (i * i for i in range(10**6))
    monkeypatch.setattr(trainer.time, "perf_counter", lambda: float(next(clock)))
    (tmp_path / "text.txt").write_text(TEXT.replace("o", "ö"), encoding="utf-8")
    run = start_run(replace(config, log_every=2, checkpoint_every=1), tmp_path / "run")
    assert run.corpus.val_bytes > len(run.corpus.val)
    reported, states, plain = [], {}, run.save

    def save(name):
        plain(name)
        states[name, run.step_number] = load_checkpoint(run.out / "checkpoint" / name)

    run.save = save
    best = run.run(progress=False, report=reported.append)
    events = list(read_log(run.out / "log.jsonl"))
    assert [e["event"] for e in events] == [
        "start",
        "eval",
        "step",
        "eval",
        "step",
        "step",
        "eval",
        "step",
        "eval",
        "end",
    ]
    assert [e["step"] for e in events] == [0, 0, 2, 3, 4, 6, 6, 7, 7, 7]
    assert events[0]["threads"] == 1 and events[0]["parameters"] == run.model.n_parameters()
    rates = {e["step"]: e["tokens_per_s"] for e in events if e["event"] == "step"}
    assert rates == {
        n: round(3 * 4 * 8 / (n**2 - (n - 1) ** 2)) for n in (2, 4, 6, 7)
    }  # of the last step, by this clock
    evals = [e for e in events if e["event"] == "eval"]
    bits = len(run.corpus.val) / run.corpus.val_bytes / math.log(2)
    for e, line in zip(evals, reported, strict=True):
        run.model = model_of(states["last", e["step"]])  # of the parameters after that step
        run.loss = run.model.loss
        assert run.evaluate() == pytest.approx(e["val_loss"], rel=1e-10)
        assert e["val_bits_per_byte"] == pytest.approx(e["val_loss"] * bits)
        assert (
            f"step {e['step']:6d}" in line
            and f"{e['val_loss']:.4f} nats" in line
            and f"{e['val_bits_per_byte']:.3f} bits" in line
        )
    assert best == events[-1]["best_val_loss"] == min(e["val_loss"] for e in evals)


def test_the_best_is_the_least_of_all_evaluations_and_saved_when_it_came(config, tmp_path):
    run = start_run(replace(config, eval_every=1, steps=6, checkpoint_every=1), tmp_path / "run")
    losses = iter([3.0, 2.5, 2.0, 2.75, 2.0, 1.5, 1.75])
    run.evaluate = lambda: next(losses)
    saved, plain = [], run.save
    run.save = lambda name: (saved.append((name, run.step_number)), plain(name))
    assert run.run(progress=False, report=lambda line: None) == 1.5
    told = [e["val_loss"] for e in read_log(run.out / "log.jsonl") if e["event"] == "eval"]
    assert told == [3.0, 2.5, 2.0, 2.75, 2.0, 1.5, 1.75]
    assert [n for name, n in saved if name == "best"] == [1, 2, 5]
    assert [n for name, n in saved if name == "last"] == [0, 1, 2, 3, 4, 5, 6]
    for name, best, step in (("best", 1.5, 5), ("last", 1.5, 6)):
        state = load_checkpoint(run.out / "checkpoint" / name).document("state")
        assert (state["best"], state["step"]) == (best, step)


# ---- a step


def rows_of(w):
    """A loss whose gradient is the sum of the rows."""
    return lambda batch, *, rng=None, divisor=None: (w * Tensor(batch["x"])).sum() / divisor


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("divisor", [0.5, 1.0, 2.5, 7])
def test_a_step_is_divided_by_what_is_given_whole_or_not(divisor, threads):
    w = Tensor(np.ones(3), requires_grad=True)
    optimizer = SGD([("w", w)], lr=0.1)
    options = {"clip": 0.0, **({"threads": 2} if threads == 2 else {})}
    step = (ThreadedStep if threads == 2 else EagerStep)(rows_of(w), optimizer, **options)
    result = step([{"x": np.eye(3)}, {"x": np.ones((2, 3))}], 0, 0.5, divisor)
    assert result.loss == pytest.approx(9 / divisor) and result.grad_norm == pytest.approx(3 * math.sqrt(3) / divisor)
    np.testing.assert_allclose(w.data, 1 - 0.5 * 3 / divisor)
    step.close()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("bad", ["loss", "gradient", "infinite loss"])
def test_neither_a_loss_nor_a_gradient_that_is_not_finite_is_used(bad, threads):
    """Each alone."""
    w = Tensor(np.ones((2, 3)), requires_grad=True)
    optimizer = SGD([("w", w)], lr=0.1, momentum=0.5)

    def loss(batch, *, rng=None, divisor=None):
        rows = (w * Tensor(batch["x"])).sum() / divisor
        if bad == "gradient":
            return (rows * 0.0) ** 0.5  # 0, and rises without bound
        return rows + float("nan" if bad == "loss" else "inf")

    step = ThreadedStep(loss, optimizer, threads=2) if threads == 2 else EagerStep(loss, optimizer)
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError, match="step 3"):
        step([{"x": np.ones((2, 2, 3))}], 3, 0.1, 2)
    assert (w.data == 1).all() and optimizer.steps == 0 and not optimizer.state["velocity"].any()
    step.close()
