"""A model on a GPU writes what it writes on the CPU, token for token."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models import GPT, GPTConfig

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


def test_a_draw_from_what_is_no_number_is_refused():
    broken = model("cuda", 65)
    broken.norm.weight.data[0] = np.nan
    with pytest.raises(ArgumentError, match="NaN or infinity"):
        list(generate(broken, [1], 3, Sampler(), np.random.default_rng(0)))
