"""Hidden tokens and joined texts, as BERT's paper has them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.datasets.masked import hide_tokens, join_pairs
from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.ops import IGNORE

MASK, SPECIAL, V = 1, (0, 2, 3), 12
shares = st.sampled_from([0.0, 0.1, 0.3, 0.5])


def texts(seed, shape=(6, 40)):
    return np.random.default_rng(seed).integers(0, V, shape)


@given(seed=st.integers(0, 99), rate=st.sampled_from([0.0, 0.15, 0.6, 1.0]), masked=shares, random=shares)
def test_only_chosen_places_change_and_only_they_are_asked_for(seed, rate, masked, random):
    tokens = texts(seed)
    before, options = tokens.copy(), {"rate": rate, "masked": masked, "random": random}
    hidden, targets = hide_tokens(
        tokens, np.random.default_rng(seed), mask_id=MASK, vocab_size=V, special=SPECIAL, **options
    )
    np.testing.assert_array_equal(tokens, before)
    chosen = targets != IGNORE
    np.testing.assert_array_equal(targets[chosen], tokens[chosen])
    np.testing.assert_array_equal(hidden[~chosen], tokens[~chosen])
    ordinary = ~np.isin(tokens, [MASK, *SPECIAL])
    assert not (chosen & ~ordinary).any() and not np.isin(hidden[chosen], SPECIAL).any()
    assert rate < 1 or (chosen == ordinary).all()
    assert masked + random > 0 or (hidden == tokens).all()


def test_of_a_hundred_thousand_the_shares_are_those_of_the_paper():
    tokens = np.random.default_rng(0).integers(4, V, (1000, 100))
    hidden, targets = hide_tokens(tokens, np.random.default_rng(1), mask_id=MASK, vocab_size=V, special=SPECIAL)
    chosen = targets != IGNORE
    assert abs(chosen.mean() - 0.15) < 4 * np.sqrt(0.15 * 0.85 / chosen.size)
    of = hidden[chosen]
    count = len(of)
    # of a tenth each an eighth is drawn as what it was: 8 ordinary tokens
    for found, share in ((of == MASK, 0.8), (of == targets[chosen], 0.1 + 0.1 / 8)):
        assert abs(found.mean() - share) < 4 * np.sqrt(share * (1 - share) / count)
    changed = of[(of != MASK) & (of != targets[chosen])]
    counts = np.bincount(changed, minlength=V)
    assert counts[:4].sum() == 0
    assert ((counts[4:] - len(changed) / 8) ** 2 / (len(changed) / 8)).sum() < 24.3  # 7 degrees: one in a thousand


def test_whether_a_token_is_chosen_says_nothing_about_what_becomes_of_it():
    """One number for both would hide all that are chosen, or put a random token at each."""
    tokens = np.full((200, 200), 5)
    hidden, targets = hide_tokens(tokens, np.random.default_rng(2), mask_id=MASK, vocab_size=V, rate=0.5)
    of = hidden[targets != IGNORE]
    assert abs((of == MASK).mean() - 0.8) < 0.02 and len(set(of.tolist())) == V


@pytest.mark.parametrize(
    ("options", "name"),
    [({"rate": 1.1}, "rate"), ({"rate": -0.1}, "rate"), ({"masked": 2.0}, "masked"), ({"random": -1.0}, "random"),
     ({"masked": 0.6, "random": 0.6}, "masked + random"), ({"rate": float("nan")}, "rate"), ({"special": range(V)}, "vocab_size")],
)  # fmt: skip
def test_what_is_no_probability_is_refused(options, name):
    with pytest.raises(ArgumentError) as found:
        hide_tokens(texts(0), np.random.default_rng(0), **{"mask_id": MASK, "vocab_size": V} | options)
    assert found.value.name == name


def test_two_texts_in_a_row_and_which_is_which():
    made = join_pairs([[5, 6], [7]], [[8], [9, 10, 11]], cls_id=2, sep_id=3, pad_id=0)
    np.testing.assert_array_equal(made["tokens"], [[2, 5, 6, 3, 8, 3, 0], [2, 7, 3, 9, 10, 11, 3]])
    np.testing.assert_array_equal(made["types"], [[0, 0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1]])
    np.testing.assert_array_equal(made["lengths"], [6, 7])


def test_a_text_without_its_second_is_refused():
    with pytest.raises(ShapeError, match="seconds: expected as many as firsts, 2, got 1"):
        join_pairs([[5], [6]], [[7]], cls_id=2, sep_id=3, pad_id=0)


@pytest.mark.oracle
def test_hidden_tokens_have_the_distribution_of_transformers():
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[MASK]", "[CLS]", "[SEP]", *"abcdefgh"])}
    backend = pytest.importorskip("tokenizers").Tokenizer(
        pytest.importorskip("tokenizers").models.WordLevel(vocabulary)
    )
    names = {"mask_token": "[MASK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **names)
    collator = transformers.DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    tokens = np.random.default_rng(0).integers(0, V, (2000, 64))
    torch.manual_seed(0)
    theirs = collator.torch_mask_tokens(torch.tensor(tokens))
    ours = hide_tokens(tokens, np.random.default_rng(0), mask_id=MASK, vocab_size=V, special=SPECIAL)

    def told(hidden, targets):
        chosen = targets != IGNORE
        of = hidden[chosen]
        return [chosen[~np.isin(tokens, [MASK, *SPECIAL])].mean(), (of == MASK).mean(), (of == targets[chosen]).mean()]

    np.testing.assert_allclose(told(*ours), told(*(part.numpy() for part in theirs)), atol=0.015)
    assert (ours[1] == IGNORE)[np.isin(tokens, SPECIAL)].all() == (theirs[1].numpy() == IGNORE)[
        np.isin(tokens, SPECIAL)
    ].all()
