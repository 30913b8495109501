"""Every family of decoders writes with a cache what it would write without one."""

from __future__ import annotations

import numpy as np
import pytest
from cached_models import without_a_cache
from decoder_families import FAMILIES, VOCABULARY, decoder

from tinygrad_llm.generate import Sampler, generate

GREEDY, EQUAL = Sampler(greedy=True), {"rtol": 1e-10, "atol": 1e-10}
every_family = pytest.mark.parametrize("family", FAMILIES)


def prompts_of(seed, block, count=2):
    rng = np.random.default_rng([seed, 24])
    return [list(map(int, rng.integers(0, VOCABULARY, rng.integers(1, block + 4)))) for _ in range(count)]


@every_family
def test_greedy_texts_of_two_hundred_decoders_are_those_of_whole_forward_passes(family):
    """Twenty-six of each family; prompts shorter and longer than the block, texts that go on beyond it."""
    differing = 0
    for seed in range(26):
        model = decoder(family, seed)
        prompts = prompts_of(seed, model.block_size)
        found = generate(model, prompts, 7, GREEDY, np.random.default_rng(0))
        for row, prompt in enumerate(prompts):
            expected, logp = without_a_cache(model, prompt, 7, model.block_size, log_probs=True)
            assert found.tokens[row] == expected, (seed, row)
            np.testing.assert_allclose(found.log_probs[row], logp, **EQUAL)
        assert list(generate(model, prompts[0], 7, GREEDY, np.random.default_rng(0))) == found.tokens[0]
        differing += len(set(map(tuple, found.tokens)))
    assert differing > 39  # they have opinions: 26 would be none, 52 are two texts each


@every_family
def test_rows_that_end_leave_the_others_as_they_are(family):
    model = decoder(family, 40, block_size=9)
    prompts = prompts_of(40, 9, 5)
    free = generate(model, prompts, 12, Sampler(), np.random.default_rng(1))
    found = generate(model, prompts, 12, Sampler(), np.random.default_rng(1), stop_ids=[2, 5, 8])
    assert 0 < sum(found.stopped)
    for row in range(5):
        length = len(found.tokens[row])
        assert found.tokens[row] == free.tokens[row][:length]
        np.testing.assert_allclose(found.log_probs[row], free.log_probs[row][:length], **EQUAL)
