"""Contrastive search weighs what is likely against what has been said, and reads each token once."""

from __future__ import annotations

import numpy as np
import pytest
from cached_models import VOCABULARY, language_model

from tinygrad_llm.backend import to_device
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate import Sampler, contrastive_search, generate, processors
from tinygrad_llm.generate.contrastive import contrastive_scores
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.tokenizer import ByteTokenizer


def states_of(model, ids):
    """The state at each place, (T, D), on the host wherever the model is."""
    return to_device(model.hidden(np.array([ids])).data, "cpu")[0]


def logits_of(model, state):
    weight, bias = (None if part is None else to_device(part.data, "cpu") for part in model.head())
    return state @ weight.T + (0 if bias is None else bias)


def told_plainly(model, prompt, count, k, alpha):
    """Every candidate is read after the whole text, without a cache."""
    text = list(prompt)
    for _ in range(count):
        hidden = states_of(model, text)
        logits = logits_of(model, hidden[-1])
        p = np.exp(logits - logits.max())
        p /= p.sum()
        best, most = None, -np.inf
        for token in sorted(range(len(p)), key=lambda t: (-logits[t], t))[:k]:
            state = states_of(model, [*text, token])[-1]
            same = [state @ other / np.linalg.norm(state) / np.linalg.norm(other) for other in hidden]
            score = (1 - alpha) * p[token] - alpha * max(same)
            if score > most:
                best, most = token, score
        text.append(best)
    return text[len(prompt) :]


@pytest.mark.parametrize("kind", ["gpt", "lstm"])
@pytest.mark.parametrize(("k", "alpha"), [(1, 0.5), (3, 0.0), (3, 0.4), (5, 0.9), (VOCABULARY, 1.0)])
def test_each_token_has_the_highest_score_of_the_k_likeliest(kind, k, alpha):
    for seed in range(3):
        model = language_model(kind, seed, *([32] if kind == "gpt" else []))
        found = list(contrastive_search(model, [1, 2, 0], 12, k, alpha))
        assert found == told_plainly(model, [1, 2, 0], 12, k, alpha)
        if k == 1 or alpha == 0:
            assert found == list(generate(model, [1, 2, 0], 12, Sampler(greedy=True), np.random.default_rng(0)))


def test_scores_are_their_formula_and_without_a_context_nothing_is_said_again():
    p, states = np.array([0.5, 0.3]), np.array([[3.0, 0.0], [0.0, 2.0]])
    context = np.array([[1.0, 0.0], [-4.0, 0.0]])
    np.testing.assert_allclose(contrastive_scores(p, states, context, 0.25), [0.75 * 0.5 - 0.25, 0.75 * 0.3 - 0.0])
    np.testing.assert_allclose(contrastive_scores(p, states, np.empty((0, 2)), 0.25), 0.75 * p)


@pytest.mark.parametrize("block_size", [1, 2, 3, 5])
def test_a_text_goes_on_beyond_the_block_from_its_last_half(block_size):
    model = GPT(GPTConfig(9, block_size, 2, 2, 8, tied=False), rng=np.random.default_rng(0), dtype=np.float64)
    state = np.random.RandomState(2)
    for p in model.parameters():
        p.assign(state.normal(0, 1.0, p.shape))
    for prompt in ([1], [1, 2, 3, 4, 0, 2, 1]):
        found, text = list(contrastive_search(model, prompt, 25, 9, 0.6)), list(prompt)
        seen = text[-block_size:]
        last = states_of(model, seen)
        for token in found:
            logits = logits_of(model, last[-1])
            if len(seen) == block_size:
                seen = seen[block_size - block_size // 2 :]
            context = states_of(model, seen) if seen else np.empty((0, 1))
            best = np.argsort(-logits, kind="stable")[:9]
            states = np.array([states_of(model, [*seen, t])[-1] for t in best])
            p = np.exp(logits - logits.max())
            assert token == best[contrastive_scores(p[best] / p.sum(), states, context, 0.6).argmax()]
            seen = [*seen, token]
            last = states_of(model, seen)
        assert len(set(found)) > 2 or block_size < 3


def test_transforms_and_ends_are_heeded():
    model = language_model("gpt", 3, 64)
    free = list(contrastive_search(model, [1], 40, 4, 0.1))
    rules = processors(no_repeat_ngram_size=1)
    assert sorted([1, *contrastive_search(model, [1], VOCABULARY - 1, 4, 0.1, transforms=rules)]) == list(
        range(VOCABULARY)
    )
    with pytest.raises(ArgumentError, match="a token that may follow"):
        list(contrastive_search(model, [1], VOCABULARY, 4, 0.1, transforms=rules))
    token = free[5]
    assert list(contrastive_search(model, [1], 40, 4, 0.1, stop_ids=[token])) == free[: free.index(token) + 1]
    stop = bytes(free[3:5]).decode()
    ends = next(i for i in range(41) if stop.encode() in bytes(free[:i]))
    found = contrastive_search(model, [1], 40, 4, 0.1, stop_strings=[stop], tokenizer=ByteTokenizer())
    assert list(found) == free[:ends]
    assert next(contrastive_search(model, [1], 40, 4, 0.1)) == free[0]  # as they are chosen


@pytest.mark.parametrize("bad", [{"count": -1}, {"count": 1.5}, {"k": 0}, {"k": 2.5}, {"alpha": -0.1}, {"alpha": 1.1}, {"alpha": float("nan")},
                                 {"prompt": []}], ids=str)  # fmt: skip
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        contrastive_search(language_model("gpt", 0, 8), **({"prompt": [1], "count": 3, "k": 2, "alpha": 0.5} | bad))
