"""PyTorch's loops of `benchmarks`, beside which ours are measured: they write what the model says, by one graph."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")

from benchmarks import gpu_decode  # noqa: E402
from benchmarks.gpu_setting import Setting  # noqa: E402
from benchmarks.torch_gpt import CachedLoop, CompiledLoop, like  # noqa: E402
from tinygrad_llm.models.gpt import GPT, GPTConfig  # noqa: E402

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("default")]
VOCABULARY, LENGTH = 19, 12
NEAR = 2e-6
"""Of the largest logit: some roundings of float32."""
in_batches = pytest.mark.parametrize("batch", [1, 3])


@pytest.fixture(autouse=True)
def _nothing_is_compiled_before():
    torch.compiler.reset()


def model() -> GPT:
    """With opinions: first weights alone make all tokens nearly alike."""
    made = GPT(GPTConfig(VOCABULARY, LENGTH, 2, 2, 16, bias=False), rng=np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for p in made.parameters():
        p.assign(rng.normal(1.0 if p.ndim == 1 else 0.0, 0.3, p.shape).astype(np.float32))
    return made


def logits_of(step: Any, positions: list, text_BT: np.ndarray) -> np.ndarray:
    """What a loop's step says after each position of a text.  -> (B, T, V)"""
    with torch.no_grad():
        ids = torch.from_numpy(text_BT)
        return np.stack([step(ids[:, t : t + 1].clone(), at).numpy() for t, at in enumerate(positions)], 1)


@in_batches
@pytest.mark.parametrize("how", ["cached", "static cache", "static cache, compiled"])
def test_a_loop_says_of_each_position_what_the_model_says(how, batch):
    ours = model()
    text = np.random.default_rng(1).integers(0, VOCABULARY, (batch, LENGTH))
    if how == "cached":
        step, positions = CachedLoop(like(ours), batch, LENGTH).step, list(range(LENGTH))
    else:
        step = CompiledLoop(like(ours), batch, LENGTH).step
        positions = [torch.tensor([t]) for t in range(LENGTH)]
    if how == "static cache, compiled":
        if shutil.which("g++") is None:
            pytest.skip("the compiler needs g++")
        step = torch.compile(step, fullgraph=True, dynamic=False)
    expected = ours(text).numpy()
    for _ in range(2):  # the second text finds the first one's keys in the cache
        assert np.abs(logits_of(step, positions, text) - expected).max() < NEAR * np.abs(expected).max()


@in_batches
def test_a_step_is_one_graph_for_all_tokens(batch):
    from torch._dynamo.testing import CompileCounter

    counter = CompileCounter()
    loop = CompiledLoop(like(model()), batch, LENGTH, backend=counter)
    assert [loop.write(), loop.write()] == [batch * (LENGTH - 1)] * 2
    assert counter.frame_count == 1


def test_each_step_gets_the_last_token_and_its_place_though_a_replay_writes_over_its_output():
    loop = CompiledLoop(like(model()), 1, LENGTH, backend="eager")
    out, given, places = torch.zeros(1, 1, dtype=torch.long), [], []

    def replay(ids, t):
        given.append(ids)
        places.append(int(t))
        return out.fill_(len(given))

    loop.next = replay
    loop.write(start=0)
    assert [int(ids) for ids in given] == places == list(range(LENGTH - 1))


def test_tokens_are_drawn_from_the_softmax():
    rows = 20_000
    loop = CompiledLoop(like(model()), rows, 2, backend="eager")
    ids, at = torch.zeros(rows, 1, dtype=torch.long), torch.zeros(1, dtype=torch.long)
    torch.manual_seed(0)
    with torch.no_grad():
        p = torch.softmax(loop.step(ids, at)[0].double(), -1).numpy()
        found = np.bincount(loop.next(ids, at)[:, 0].numpy(), minlength=VOCABULARY) / rows
    assert (np.abs(found - p) < 4 * np.sqrt(p * (1 - p) / rows) + 1 / rows).all()
    assert 0.05 < p.max() < 0.95


def test_what_does_not_compile_says_so_and_loses_nothing(monkeypatch, capsys):
    pairs = [gpu_decode.make_pair(replace(gpu_decode.SMALL, name=name), True, "cpu") for name in ("one", "two")]
    found = [gpu_decode.beside_cached_loop(pair, 1) for pair in pairs]
    kept = [dict(row) for row in found]
    compiled = gpu_decode.beside_compiled_loop

    def beside(pair, batch):
        return compiled(pair, batch, backend="there is no such compiler" if pair is pairs[0] else "eager")

    monkeypatch.setattr(gpu_decode, "beside_compiled_loop", beside)
    told: list[dict] = []
    tell = lambda **more: told.append([dict(row) for row in more["rows"]])
    setting = Setting(tell, False, {}, None)
    gpu_decode.beside_compiled(setting, pairs, found, time.perf_counter())
    assert "there is no such compiler" in found[0]["torch_compiled"] and "no such compiler" in capsys.readouterr().out
    assert found[1]["torch_compiled_tok_s"] > 0 and found[1]["ours_beside_it_tok_s"] > 0
    assert all(kept[i].items() <= found[i].items() for i in range(2)) and len(told) == 2 and told[-1] == found


def test_the_largest_model_is_compiled_first_and_others_while_there_is_time(monkeypatch):
    larger = replace(gpu_decode.SMALL, name="larger", config=gpu_decode.SMALL.config | {"n_embd": 32})
    pairs = [gpu_decode.make_pair(run, True, "cpu") for run in (gpu_decode.SMALL, larger)]
    now, compiled = [0.0], []

    def beside(pair, batch):
        compiled.append((pair.run.name, batch))
        now[0] += 30.0  # seconds
        return {"torch_compiled_tok_s": 1}

    monkeypatch.setattr(gpu_decode, "beside_compiled_loop", beside)
    monkeypatch.setattr(gpu_decode.time, "perf_counter", lambda: now[0])
    for begun, count in ((-20.0, 1), (-10.0, 2), (-1000.0, 1)):
        now[0], found = 0.0, [{"name": pair.run.name, "batch": batch} for pair in pairs for batch in (1, 64)]
        compiled.clear()
        gpu_decode.beside_compiled(Setting(lambda **more: None, False, {}, None), pairs, found, begun)
        assert compiled == [("larger", 1), ("larger", 64)][:count]
        assert [row.get("torch_compiled") for row in found].count("no time was left to compile it") == 4 - count
