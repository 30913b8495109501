"""What a scorer likes most comes first, and the best of n is the best of those that were drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import align, prompt
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.prompt import best_written, rerank


@given(st.lists(st.integers(-3, 3), max_size=9), st.none() | st.integers(1, 9))
def test_the_best_come_first_and_equals_keep_their_order(scores, k):
    found = rerank([f"c{i}" for i in range(len(scores))], lambda text: scores[int(text[1:])], k)
    expected = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:k]
    assert [one.place for one in found] == expected and [one.score for one in found] == [scores[i] for i in expected]
    assert [one.candidate for one in found] == [f"c{i}" for i in expected]


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ArgumentError, match="NaN for number 1"):
        rerank(["a", "b"], lambda text: float("nan") if text == "b" else 1)
    with pytest.raises(ArgumentError, match="k"):
        rerank(["a"], len, 0)
    assert rerank(["a", "b"], lambda text: float("-inf") if text == "a" else 0)[0].candidate == "b"


def test_the_best_written_is_the_best_of_what_was_drawn():
    model = GPT(GPTConfig(12, 16, 1, 1, 8), rng=np.random.default_rng(0))
    prompts, seen = [[1, 2], [3], [4, 5, 6]], []

    def scorer(asked, answer):
        seen.append((tuple(asked), tuple(answer)))
        return sum(answer)

    found = best_written(model, prompts, 5, 4, Sampler(), np.random.default_rng(1), scorer=scorer, stop_ids=[0])
    drawn = generate(
        model, [p for p in prompts for _ in range(5)], 4, Sampler(), np.random.default_rng(1), stop_ids=[0]
    )
    assert seen == [(tuple(prompts[i // 5]), tuple(row)) for i, row in enumerate(drawn.tokens)]
    for i in range(3):
        rows = range(5 * i, 5 * i + 5)
        best = max(rows, key=lambda r: sum(drawn.tokens[r]))
        assert found.tokens[i] == drawn.tokens[best] and found.stopped[i] == drawn.stopped[best]
        np.testing.assert_array_equal(found.log_probs[i], drawn.log_probs[best])
    for prompts, n in (([], 2), ([[1]], 0)):
        with pytest.raises(ArgumentError):
            best_written(model, prompts, n, 2, Sampler(), np.random.default_rng(1), scorer=scorer)


def test_there_is_one_best_of_n():
    for name in ("best_of_n", "best_of_n_kl", "best_of_n_probabilities", "expected_best"):
        assert getattr(align, name) is getattr(prompt, name)
