"""A model on a GPU writes what it writes on the CPU, token for token."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.backend import to_device
from tinygrad_llm.backend.stream import own_stream
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate import Reader, Sampler, generate
from tinygrad_llm.generate.gpu_step import GpuStep
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.nn import KVCache

pytestmark = pytest.mark.gpu
SAMPLERS = [
    Sampler(0.8),
    Sampler(1.0, top_k=5),
    Sampler(1.3, top_p=0.7),
    Sampler(0.9, top_k=40, top_p=0.9),
    Sampler(greedy=True),
]


def model(device: str, vocabulary: int) -> GPT:
    """With opinions: first weights alone make all tokens nearly alike."""
    made = GPT(GPTConfig(vocabulary, 12, 2, 2, 32), rng=np.random.default_rng(0))
    made.token_embedding.weight.assign(5 * made.token_embedding.weight.numpy())
    return made.to(device)


@pytest.mark.parametrize("vocabulary", [65, 2500])
@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_the_same_seed_gives_the_same_tokens(sampler, vocabulary, on_standin):
    count = 20 if on_standin else 200
    here, there = (
        list(generate(model(device, vocabulary), [1, 2, 3], count, sampler, np.random.default_rng(7)))
        for device in ("cpu", "cuda")
    )
    assert len(here) == count and here == there
    assert sampler.greedy or len(set(here)) > 3


@pytest.mark.parametrize("sampler", [Sampler(0.8), Sampler(greedy=True)], ids=str)
def test_a_batch_of_texts_is_the_cpus(sampler, on_standin):
    """Prompts of several lengths, rows that end, texts beyond the block: the same tokens and log-probabilities."""
    prompts, count = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11], [12, 13], [3, 3]], 18 if on_standin else 100
    here, there = (
        generate(model(device, 65), prompts, count, sampler, np.random.default_rng(3), stop_ids=[7, 20])
        for device in ("cpu", "cuda")
    )
    assert here.tokens == there.tokens and here.stopped == there.stopped
    for mine, its in zip(here.log_probs, there.log_probs):
        np.testing.assert_allclose(its, mine, rtol=1e-3, atol=1e-4)


def test_a_decoding_step_is_one_graph(monkeypatch):
    """After the first steps it is recorded, and again when the cache has grown; logits are those of a forward pass."""
    monkeypatch.setattr(GPT, "new_cache", lambda self, batch: KVCache(self.config.n_layer, batch, capacity=5))
    gpt = model("cuda", 65)
    with own_stream("cuda"):
        reader, text = Reader(gpt, [[1, 2], [5, 6]]), np.array([[1, 2], [5, 6]])
        for token in range(8):
            ids = np.array([token, 10 + token])
            reader.note(ids)
            reader.feed(ids)
            text = np.concatenate([text, ids[:, None]], 1)
            since = token if token < 3 else token - 3  # a sixth token has no room in a cache of five
            assert (reader.step.graph.recorded is not None) == (since >= GpuStep.WARM_UP)
            expected = gpt.next_logits(text).numpy()
            np.testing.assert_allclose(to_device(reader.logits, "cpu"), expected, rtol=1e-3, atol=1e-3)


def test_a_draw_from_what_is_no_number_is_refused():
    broken = model("cuda", 65)
    broken.norm.weight.data[0] = np.nan
    with pytest.raises(ArgumentError, match="NaN or infinity"):
        list(generate(broken, [1], 3, Sampler(), np.random.default_rng(0)))
