"""A model with a larger vocabulary says of the old tokens what it said before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.models import GPT, GPTConfig, Llama, LlamaConfig, from_pretrained, save_pretrained
from tinygrad_llm.models.resize import with_vocabulary

CONFIGS = [
    GPTConfig(11, 8, 1, 2, 8),
    GPTConfig(11, 8, 1, 2, 8, tied=False),
    LlamaConfig(11, 8, 1, 2, 8, 12),
    LlamaConfig(11, 8, 1, 2, 8, 12, tied=True),
]
TOKENS = np.arange(6)[None]


def made(config):
    return (GPT if isinstance(config, GPTConfig) else Llama)(config, rng=np.random.default_rng(1))


@pytest.mark.parametrize("config", CONFIGS, ids=["GPT", "GPT, not tied", "Llama", "Llama, tied"])
def test_old_logits_stay_and_new_rows_are_the_mean_and_differ(config, tmp_path):
    model = made(config)
    before = {name: p.numpy().copy() for name, p in model.named_parameters()}
    larger = with_vocabulary(model, 14, rng=np.random.default_rng(0))
    logits = larger(TOKENS).numpy()
    assert larger.config == replace(config, vocab_size=14) and larger.vocab_size == 14 and logits.shape == (1, 6, 14)
    np.testing.assert_allclose(logits[..., :11], model(TOKENS).numpy(), rtol=1e-5, atol=1e-6)
    for table, old in [
        (larger.token_embedding, model.token_embedding),
        *([] if config.tied else [(larger.output, model.output)]),
    ]:
        rows, mean, spread = table.weight.numpy(), old.weight.numpy().mean(0), old.weight.numpy().std(0)
        assert len({row.tobytes() for row in rows[11:]}) == 3
        assert (np.abs(rows[11:] - mean) < 0.5 * spread + 1e-6).all()
    assert (
        all(np.array_equal(before[name], p.numpy()) for name, p in model.named_parameters()) and model.vocab_size == 11
    )
    save_pretrained(larger, tmp_path)
    np.testing.assert_allclose(from_pretrained(tmp_path)(TOKENS).numpy(), logits, rtol=1e-5, atol=1e-6)


def test_rows_that_stay_as_they_are_are_spread_as_the_others_and_those_that_are_learned_lie_near_their_mean():
    model = GPT(GPTConfig(200, 8, 1, 2, 64), rng=np.random.default_rng(1))
    old = model.token_embedding.weight.numpy()
    for spread in (0.1, 1.0):
        rows = with_vocabulary(model, 400, rng=np.random.default_rng(0), spread=spread).token_embedding.weight.numpy()[
            200:
        ]
        assert (rows - old.mean(0)).std() == pytest.approx(spread * old.std(), rel=0.05)


def test_the_same_seed_gives_the_same_rows_as_many_tokens_give_the_model_itself_and_fewer_are_refused():
    model = made(CONFIGS[0])
    one, other, third = (with_vocabulary(model, 12, rng=np.random.default_rng(seed)) for seed in (0, 0, 1))
    rows = [m.token_embedding.weight.numpy()[11] for m in (one, other, third)]
    assert np.array_equal(rows[0], rows[1]) and not np.array_equal(rows[0], rows[2])
    assert with_vocabulary(model, 11, rng=np.random.default_rng(0)) is model
    with pytest.raises(ArgumentError, match="at least 11"):
        with_vocabulary(model, 10, rng=np.random.default_rng(0))
