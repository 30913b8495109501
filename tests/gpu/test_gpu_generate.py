"""A model on a GPU writes what it writes on the CPU, token for token."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.backend import to_device
from tinygrad_llm.backend.stream import own_stream
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate import Reader, Sampler, generate, processors
from tinygrad_llm.generate.gpu_step import GpuStep, gpu_step
from tinygrad_llm.models import GPT, GPTConfig, Llama, LlamaConfig
from tinygrad_llm.nn import Attention, DynamicScaling, KVCache, LinearScaling, YaRN

pytestmark = pytest.mark.gpu
SAMPLERS = [
    Sampler(0.8),
    Sampler(1.0, top_k=5),
    Sampler(1.3, top_p=0.7),
    Sampler(0.9, top_k=40, top_p=0.9),
    Sampler(greedy=True),
    Sampler(3.0, min_p=0.02, typical_p=0.9),
    Sampler(0.9, top_k=40, first=processors(repetition_penalty=1.2, frequency_penalty=0.1, no_repeat_ngram_size=2)),
    Sampler(greedy=True, first=processors(logit_bias={3: -1.0}, presence_penalty=2.0)),
]


LLAMAS: dict[str, dict] = {
    "llama": {},
    "mistral": {"window": 3},
    "half windowed": {"window": 3, "window_from": 1, "rope_scaling": YaRN(2.0, 4, fast=4.0)},
    "qwen": {"qk_norm": True, "qkv_bias": True, "tied": True, "head_size": 6},
    "mixtral": {"n_experts": 3, "experts_per_token": 2, "window": 4},
}
families = pytest.mark.parametrize("family", ["gpt", *LLAMAS])


def model(device: str, vocabulary: int, family: str = "gpt", **changes) -> GPT | Llama:
    """With opinions: first weights alone make all tokens nearly alike."""
    rng = np.random.default_rng(0)
    if family == "gpt":
        made: GPT | Llama = GPT(GPTConfig(vocabulary, 12, 2, 2, 32, **changes), rng=rng)
    else:
        options = {"n_kv_head": 2, "rope_base": 30.0, "init_std": 0.2} | LLAMAS[family] | changes
        made = Llama(LlamaConfig(vocabulary, 12, 2, 4, 32, 24, **options), rng=rng)
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
@families
def test_a_batch_of_texts_is_the_cpus(family, sampler, on_standin):
    """Prompts of several lengths, rows that end, texts beyond the block: the same tokens and log-probabilities."""
    prompts, count = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11], [12, 13], [3, 3]], 18 if on_standin else 100
    here, there = (
        generate(model(device, 65, family), prompts, count, sampler, np.random.default_rng(3), stop_ids=[7, 20])
        for device in ("cpu", "cuda")
    )
    assert here.tokens == there.tokens and here.stopped == there.stopped
    for mine, its in zip(here.log_probs, there.log_probs):
        np.testing.assert_allclose(its, mine, rtol=1e-3, atol=1e-4)


@families
def test_a_decoding_step_is_one_graph(monkeypatch, family):
    """After the first steps it is recorded, and again when the cache has grown; logits are those of a forward pass.

    A cache with a window drops in the same memory what is behind. Which experts a token goes through is known to the
    GPU alone.
    """
    lm = model("cuda", 65, family)
    window = LLAMAS.get(family, {}).get("window") if family in ("mistral", "mixtral") else None
    monkeypatch.setattr(type(lm), "new_cache", lambda self, rows: KVCache(2, rows, capacity=5, window=window))
    with own_stream("cuda"):
        reader, text = Reader(lm, [[1, 2], [5, 6]]), np.array([[1, 2], [5, 6]])
        for token in range(8):
            ids = np.array([token, 10 + token])
            reader.note(ids)
            reader.feed(ids)
            text = np.concatenate([text, ids[:, None]], 1)
            since = token if token < 3 else token - 3  # a sixth token has no room in a cache of five
            assert (reader.step.graph.recorded is not None) == (since >= GpuStep.WARM_UP)
            expected = lm.next_logits(text).numpy()
            np.testing.assert_allclose(to_device(reader.logits, "cpu"), expected, rtol=1e-3, atol=1e-3)


@families
def test_rows_of_several_lengths_are_replayed_as_they_stand(family):
    lm = model("cuda", 65, family)
    texts = [[1, 2, 3, 4], [5], [6, 7]]
    with own_stream("cuda"):
        reader = Reader(lm, texts)
        for token in range(7):
            ids = np.array([token, 10 + token, 20 + token])
            reader.note(ids)
            reader.feed(ids)
            texts = [[*text, int(new)] for text, new in zip(texts, ids)]
            for row, text in enumerate(texts):
                expected = lm.next_logits(np.array([text])).numpy()[0]
                np.testing.assert_allclose(to_device(reader.logits[row], "cpu"), expected, rtol=1e-3, atol=1e-3)


def test_what_changes_with_a_texts_length_is_not_recorded():
    assert gpu_step(model("cuda", 65, "llama", rope_scaling=LinearScaling(2.0)), 1) is not None
    assert gpu_step(model("cuda", 65, "llama", rope_scaling=DynamicScaling(2.0, 4)), 1) is None
    rotary = model("cuda", 65)
    rotary.blocks[1].attention = Attention(32, 2, causal=True, rope_base=30.0, rng=np.random.default_rng(0)).to("cuda")
    assert gpu_step(rotary, 1) is None


def test_a_draw_from_what_is_no_number_is_refused():
    broken = model("cuda", 65)
    broken.norm.weight.data[0] = np.nan
    with pytest.raises(ArgumentError, match="NaN or infinity"):
        list(generate(broken, [1], 3, Sampler(), np.random.default_rng(0)))
