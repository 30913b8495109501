"""Every setting of a run changes what it is for, and nothing else."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from tinygrad_llm.errors import ConfigError
from tinygrad_llm.train import PRESETS, Interrupted, TrainConfig, resume_run, start_run, trainer, workers
from tinygrad_llm.train.config import FREE_TO_CHANGE
from tinygrad_llm.train.log import read_log
from tinygrad_llm.train.ranges import RANGES

TEXT = "the cat sat on the mat and the dog sat on the log. " * 12


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    (folder / "text.txt").write_text(TEXT)
    (folder / "other.txt").write_text(TEXT[::-1])
    return folder


@pytest.fixture(scope="module")
def config(texts):
    return TrainConfig(
        text=str(texts / "text.txt"), n_layer=1, n_head=2, n_embd=8, block_size=8, steps=6, batch_size=4, warmup=2,
        accumulate=2, lr=1e-2, final_lr=1e-3, clip=0.5, dropout=0.2, weight_decay=0.1, eval_every=3, checkpoint_every=4,
        log_every=1, threads="1", seed=1,
    )  # fmt: skip


def weights_of(model):
    """First weights in float32: their precision is no part of the draw."""
    return {name: p.data.astype(np.float32) for name, p in model.named_parameters()}


def recorded(config, out):
    """All that a run does, by the names that the table below uses."""
    seen = {"order": [], "held out": [], "saved": [], "pages": []}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "keep_freed_pages", lambda threads: seen["pages"].append(threads))
        run = start_run(config, out)
    loss, save = run.model.loss, run.save

    def heard(batch, *, rng=None, divisor=None, dtype=None):
        if rng is None:
            seen["held out"].append(batch["targets"].ravel())
        else:
            seen["order"].append(batch["tokens"])
        return loss(batch, rng=rng, divisor=divisor, dtype=dtype)

    def saved(name):
        seen["saved"].append((name, run.step_number))
        save(name)

    run.loss, run.save = heard, saved
    seen |= {
        "corpus": [run.corpus.train, run.corpus.val],
        "shapes": {p: q.shape for p, q in weights_of(run.model).items()},
        "weights": weights_of(run.model),
        "share left out": run.model.config.dropout,
        "threads": run.threads,
        "folder": out.name,
    }
    run.run(progress=False, report=lambda line: None)
    events = list(read_log(out / "log.jsonl"))
    steps = [e for e in events if e["event"] == "step"]
    seen["rates"] = [e["lr"] for e in steps]
    seen["logged"] = [e["step"] for e in steps]
    seen["evaluated"] = [e["step"] for e in events if e["event"] == "eval"]
    seen["first loss"] = [(e["loss"], e["grad_norm"]) for e in steps[:1]]
    seen["result"] = run.optimizer.flat.data
    seen["dtype"] = str(run.optimizer.flat.data.dtype)
    seen["held out"] = np.concatenate(seen["held out"])
    return seen


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return np.array_equal(a, b)


MODEL = {"shapes", "weights", "first loss", "result"}
TEXTS = {"corpus", "order", "held out", "first loss", "result"}
BYTES = {"tokenizer": "byte"}
MERGES = {"tokenizer": "bpe", "vocab_size": 258}
# what is changed, what must differ then, and what else holds of both runs
CHANGES = {
    "text": ("other.txt", TEXTS, {}),
    "out": ("elsewhere", {"folder"}, {}),
    "tokenizer": ("bpe", TEXTS | MODEL, {}),
    "special": ("text", set(), BYTES),
    "newlines": ("lf", set(), {}),
    "vocab_size": (260, TEXTS | MODEL, MERGES),
    "arch": ("llama", MODEL, {}),
    "n_layer": (2, MODEL, {}),
    "n_head": (4, {"first loss", "result"}, {}),
    "n_embd": (16, MODEL, {}),
    "block_size": (9, MODEL | {"order"}, {}),
    "dropout": (0.3, {"share left out", "first loss", "result"}, {}),
    "bias": (True, {"shapes", "weights", "first loss", "result"}, {}),
    "n_kv_head": (1, MODEL, {"arch": "llama"}),
    "window": (2, {"first loss", "result"}, {"arch": "llama"}),
    "n_experts": (3, MODEL, {"arch": "mixtral"}),
    "experts_per_token": (1, MODEL, {"arch": "mixtral"}),
    "balance": (0.5, {"first loss", "result"}, {"arch": "mixtral"}),
    "steps": (7, {"rates", "logged", "order", "evaluated", "saved", "result", "held out"}, {}),
    "batch_size": (5, {"order", "first loss", "result"}, {}),
    "accumulate": (3, {"order", "first loss", "result"}, {}),
    "lr": (2e-2, {"rates", "result"}, {}),
    "final_lr": (2e-3, {"rates", "result"}, {}),
    "warmup": (3, {"rates", "result"}, {}),
    "schedule": ("linear", {"rates", "result"}, {}),
    "beta1": (0.8, {"result"}, {}),
    "beta2": (0.9, {"result"}, {}),
    "weight_decay": (0.2, {"result"}, {}),
    "clip": (0.0, {"result"}, {}),
    "eval_every": (4, {"evaluated", "saved"}, {}),
    "eval_batches": (1, {"held out"}, {"batch_size": 1}),
    "checkpoint_every": (5, {"saved"}, {}),
    "log_every": (2, {"logged", "rates", "first loss"}, {}),
    "seed": (2, {"weights", "order", "first loss", "result"}, {}),
    "threads": ("2", {"threads", "pages"}, {}),
    "graph": (False, set(), {}),
    "dtype": ("float64", {"dtype", "first loss", "result"}, {}),
    "keep_pages": (False, {"pages"}, {}),
}
ON_A_GPU = {"device", "precision"}


def test_the_table_knows_every_setting():
    assert CHANGES.keys() | ON_A_GPU == {f.name for f in fields(TrainConfig)}
    assert RANGES.keys() >= CHANGES.keys() - {"text", "out", "bias", "graph", "keep_pages"}


@pytest.fixture(scope="module")
def before(config, tmp_path_factory):
    """The run that a change is compared with, once for all that share it."""
    runs = {}

    def run(**besides):
        key = str(besides)
        if key not in runs:
            runs[key] = recorded(replace(config, **besides), tmp_path_factory.mktemp("before") / "run")
        return runs[key]

    return run


@pytest.mark.parametrize("name", CHANGES)
def test_a_setting_changes_what_it_is_for_and_nothing_else(name, config, before, texts, tmp_path):
    value, expected, besides = CHANGES[name]
    value = str(texts / value) if name == "text" else value
    changed = replace(config, **{**besides, name: value})
    one, two = before(**besides), recorded(changed, tmp_path / (changed.out or "run"))
    differ = {key for key in one if not same(one[key], two[key])}
    if name == "threads":  # sums in another order, batches in parts, and whoever comes first
        np.testing.assert_allclose(one["result"], two["result"], rtol=1e-3, atol=1e-5)
        rows = [sorted(tuple(row) for part in run["order"] for row in part) for run in (one, two)]
        assert rows[0] == rows[1] and sorted(one["held out"]) == sorted(two["held out"])
        differ -= {"result", "first loss", "order", "held out"}
    assert differ == expected


def test_one_seed_repeats_a_run_to_the_bit(config, before, tmp_path):
    one, two = before(), recorded(config, tmp_path / "run")
    assert not [key for key in one if not same(one[key], two[key])]


def test_batches_of_one_seed_are_no_later_batches_of_another(config, tmp_path):
    """Nor its dropout: what is keyed by a sum of seed and step would be."""
    batches, dropout = {}, {}
    for seed in range(1, 6):
        run = start_run(replace(config, seed=seed), tmp_path / str(seed))
        step = run.make_step(print)
        for n in range(6):
            batches[seed, n] = run.batches[n]["tokens"].tobytes()
            dropout[seed, n] = step._stream(n, 0).random((2, 3)).tobytes()
        step.close()
    assert len(set(batches.values())) == len(set(dropout.values())) == 30


REFUSED = {
    "tokenizer": "byte", "special": "allow", "newlines": "lf", "vocab_size": 300, "n_layer": 2, "n_head": 4, "n_embd": 16,
    "block_size": 9, "dropout": 0.5, "bias": True, "batch_size": 5, "accumulate": 3, "lr": 0.5, "final_lr": 0.5,
    "warmup": 3, "schedule": "linear", "beta1": 0.5, "beta2": 0.5, "weight_decay": 0.5, "clip": 2.0, "seed": 9,
    "device": "auto", "precision": "bf16", "dtype": "float64", "arch": "llama", "n_kv_head": 2, "window": 3, "n_experts": 4,
    "experts_per_token": 1, "balance": 0.5,
}  # fmt: skip
TAKEN = {
    "steps": 9, "eval_every": 2, "eval_batches": 1, "checkpoint_every": 2, "log_every": 2, "keep_pages": False,
    "threads": "2", "graph": False,
}  # fmt: skip


@pytest.fixture
def half_done(config, tmp_path):
    run = start_run(config, tmp_path / "run")
    plain = run._one_step
    run._one_step = lambda bar: (plain(bar), setattr(run, "stop_asked", run.step_number == 3))
    with pytest.raises(Interrupted):
        run.run(progress=False, report=lambda line: None)
    return run


def test_what_makes_another_run_is_refused_at_resume_by_name_and_the_rest_is_taken(half_done, config, tmp_path):
    assert REFUSED.keys() | TAKEN.keys() | {"out", "text"} == {f.name for f in fields(TrainConfig)}
    assert FREE_TO_CHANGE == TAKEN.keys() | {"out"}
    for name, value in REFUSED.items():
        with pytest.raises(ConfigError, match=rf"{name} = {getattr(config, name)}"):
            resume_run(half_done.out, {name: value})
    for name, value in TAKEN.items():
        resumed = resume_run(half_done.out, {name: value})
        assert resumed.config == replace(config, **{name: value})
        assert resumed.threads == (2 if name == "threads" else 1)
    unchanged = {f.name: getattr(config, f.name) for f in fields(config) if getattr(config, f.name) is not None}
    assert resume_run(half_done.out, unchanged).config == config


@pytest.mark.parametrize(
    ("change", "cores"),
    [
        ({"threads": "2"}, 3), ({"threads": "auto"}, 3), ({"threads": "auto"}, 2), ({"dropout": 0.0}, 3),
        ({"dtype": "float64"}, 3), ({"bias": True, "n_layer": 2}, 3), ({"tokenizer": "byte", "schedule": "linear"}, 3),
        ({"tokenizer": "bpe", "vocab_size": 260, "schedule": "constant"}, 3), ({"accumulate": 1, "clip": 0.0}, 3),
        ({"beta1": 0.5, "beta2": 0.5, "weight_decay": 1.0}, 3), ({"eval_batches": 1}, 3),
    ],
    ids=str,
)  # fmt: skip
def test_a_resumed_run_is_one_that_was_never_stopped_for_every_setting(change, cores, config, tmp_path, monkeypatch):
    """On a machine of three cores, then on one of so many."""
    config = replace(config, **change)
    monkeypatch.setattr(workers, "cores", lambda: 3)
    whole = start_run(config, tmp_path / "whole")
    best = whole.run(progress=False, report=lambda line: None)
    parts = start_run(config, tmp_path / "parts")
    plain = parts._one_step
    parts._one_step = lambda bar: (plain(bar), setattr(parts, "stop_asked", parts.step_number == 4))
    with pytest.raises(Interrupted):
        parts.run(progress=False, report=lambda line: None)
    monkeypatch.setattr(workers, "cores", lambda: cores)
    resumed = resume_run(tmp_path / "parts", {})
    assert (resumed.best, resumed.step_number, resumed.threads) == (parts.best, 4, whole.threads)
    assert resumed.run(progress=False, report=lambda line: None) == best
    assert resumed.optimizer.flat.data.tobytes() == whole.optimizer.flat.data.tobytes()
    assert resumed.optimizer.flat.data.dtype == config.dtype
    for moment, array in whole.optimizer.state.items():
        assert resumed.optimizer.state[moment].tobytes() == array.tobytes()
    assert resumed.optimizer.steps == whole.optimizer.steps == 6
    told = [
        [
            {k: v for k, v in e.items() if k != "tokens_per_s"}
            for e in read_log(tmp_path / name / "log.jsonl")
            if e["event"] in ("step", "eval", "end")
        ]
        for name in ("whole", "parts")
    ]
    assert told[0] == told[1]


def test_the_defaults_are_nanogpts_for_a_laptop():
    """README of https://github.com/karpathy/nanoGPT, "I only have a macbook", and config/train_shakespeare_char.py."""
    theirs = {
        "n_layer": 4, "n_head": 4, "n_embd": 128, "block_size": 64, "batch_size": 12, "dropout": 0.0, "steps": 2000,
        "lr": 1e-3, "final_lr": 1e-4, "warmup": 100, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.1, "clip": 1.0,
        "eval_every": 250, "log_every": 10, "seed": 1337, "bias": False, "accumulate": 1, "dtype": "float32",
    }  # fmt: skip
    config = TrainConfig()
    assert {name: getattr(config, name) for name in theirs} == theirs
    assert (config.tokenizer, config.special, config.newlines, config.threads) == ("char", "refuse", "keep", "auto")
    assert (config.device, config.precision, config.eval_batches, config.schedule) == ("cpu", "fp32", 0, "cosine")


def test_presets_are_what_their_sources_say():
    """config/train_gpt2.py and config/train_shakespeare_char.py of nanoGPT: 12 * 1024 * 40 tokens a step are its half
    a million."""
    theirs = {
        "n_layer": 12, "n_head": 12, "n_embd": 768, "block_size": 1024, "dropout": 0.0, "bias": False, "steps": 600_000,
        "lr": 6e-4, "final_lr": 6e-5, "warmup": 2000, "beta1": 0.9, "beta2": 0.95, "weight_decay": 0.1, "clip": 1.0,
        "batch_size": 12, "accumulate": 5 * 8, "eval_every": 1000, "eval_batches": 200, "tokenizer": "gpt2",
    }  # fmt: skip
    gpt2 = TrainConfig(**PRESETS["gpt2-124m"])
    assert {name: getattr(gpt2, name) for name in theirs} == theirs
    theirs = {
        "n_layer": 6, "n_head": 6, "n_embd": 384, "block_size": 256, "batch_size": 64, "dropout": 0.2, "steps": 5000,
        "lr": 1e-3, "final_lr": 1e-4, "beta2": 0.99, "warmup": 100, "eval_every": 250, "tokenizer": "char",
    }  # fmt: skip
    char = TrainConfig(**PRESETS["shakespeare-gpu"])
    assert {name: getattr(char, name) for name in theirs} == theirs
    assert replace(TrainConfig(**PRESETS["shakespeare-cpu"]), lr=1e-3) == TrainConfig()
    # ours: README's minute
    assert PRESETS["tales"] == {
        "block_size": 128,
        "steps": 1500,
        "lr": 4e-3,
        "eval_every": 200,
        "checkpoint_every": 400,
    }
    assert PRESETS["shakespeare-cpu"] == {"lr": 2e-3} and next(iter(PRESETS)) == "tales"


def test_bounds_belong_to_a_range_where_they_make_sense(config):
    for name, value in {
        "dropout": 0.0, "lr": 1000.0, "final_lr": 0.0, "warmup": 0, "beta1": 0.0, "beta2": 0.0, "weight_decay": 0.0,
        "clip": 0.0, "eval_batches": 0, "seed": 0, "accumulate": 1, "batch_size": 1, "steps": 1, "block_size": 1,
        "n_layer": 1, "vocab_size": 256, "eval_every": 1, "log_every": 1, "checkpoint_every": 1, "threads": "auto",
    }.items():  # fmt: skip
        assert getattr(replace(config, **{name: value}), name) == value
    for name, value in {
        "dropout": 1.0, "lr": 0.0, "final_lr": -0.1, "warmup": -1, "beta1": 1.0, "beta2": 1.0, "weight_decay": -0.1,
        "clip": -1.0, "eval_batches": -1, "seed": -1, "accumulate": 0, "batch_size": 0, "steps": 0, "block_size": 0,
        "n_layer": 0, "n_head": 0, "n_embd": 0, "vocab_size": 255, "eval_every": 0, "log_every": 0, "checkpoint_every": 0,
        "threads": "0", "tokenizer": "word", "special": "no", "newlines": "crlf", "schedule": "step", "device": "tpu",
        "precision": "fp16", "dtype": "float16",
    }.items():  # fmt: skip
        with pytest.raises(ConfigError, match=name):
            replace(config, **{name: value})
