"""Claims about perplexity and bits a byte; the oracles are a fair coin, and torchmetrics."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm.errors import DataError, NonFiniteError, ShapeError
from tinygrad_llm.evaluate import perplexity


def test_a_fair_coin_has_a_bit_a_throw():
    found = perplexity(np.log(np.full(4, 0.5)), "abba")
    assert (found.loss, found.perplexity, found.bits_per_byte) == pytest.approx((math.log(2), 2, 1))


def test_one_of_k_alike_has_perplexity_k():
    for k in (1, 3, 50):
        assert perplexity([-math.log(k)] * 7, "x").perplexity == pytest.approx(k)


def test_bytes_are_counted_and_not_characters_nor_tokens():
    assert perplexity(np.log([0.5, 0.5]), "éé").bits_per_byte == pytest.approx(0.5)
    whole, cut = perplexity([math.log(0.25)], "ab"), perplexity(np.log([0.5, 0.5]), "ab")
    assert whole.bits_per_byte == pytest.approx(cut.bits_per_byte) and whole.perplexity == pytest.approx(4)


def test_what_no_float_holds_is_infinite():
    assert perplexity([-1e4], "a").perplexity == math.inf and perplexity([-1e4], "a").loss == 1e4
    assert perplexity([0.0], "a").perplexity == 1


@pytest.mark.parametrize(
    ("log_probs", "text", "kind"),
    [
        ([-1.0], "", DataError), ([], "a", DataError), ([0.1], "a", DataError), ([[-1.0]], "a", ShapeError),
        ([-math.inf], "a", NonFiniteError), ([-1.0], b"a", DataError),
    ],
)  # fmt: skip
def test_what_is_no_text_or_no_log_probability_is_refused(log_probs, text, kind):
    with pytest.raises(kind):
        perplexity(log_probs, text)


@pytest.mark.oracle
def test_torchmetrics_has_the_same_perplexity():
    torch = pytest.importorskip("torch")
    from torchmetrics.functional.text import perplexity as theirs

    for seed in range(50):
        rng = np.random.default_rng(seed)
        count, kinds = rng.integers(1, 30), rng.integers(2, 9)
        logits, targets = rng.normal(size=(1, count, kinds)) * 3, rng.integers(0, kinds, (1, count))
        log_p = logits - np.logaddexp.reduce(logits, -1, keepdims=True)
        found = perplexity(np.take_along_axis(log_p[0], targets[0][:, None], 1)[:, 0], "x")
        expected = theirs(torch.tensor(logits), torch.tensor(targets)).item()
        assert found.perplexity == pytest.approx(expected, rel=1e-6)
