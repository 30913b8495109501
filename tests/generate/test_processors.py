"""Each transform is its formula, in transformers' order; kept sets and probabilities are those of transformers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError, TokenError
from tinygrad_llm.generate import Sampler, processors
from tinygrad_llm.generate.processors import CountPenalty, LogitBias, NoRepeatNGram, RepetitionPenalty
from tinygrad_llm.generate.sampling import MinP, Temperature, TopK, TopP, TypicalP
from tinygrad_llm.generate.text import Text, written

CASES = 1000
V = 12


def case(i):
    """(logits (3, V), texts of 0 to 11 ids whose first ones are the prompt, numbers in [0, 1) for settings)."""
    rng = np.random.default_rng(i)
    length = int(rng.integers(0, 12))
    texts = [Text(rng.integers(0, V, length).tolist(), int(rng.integers(0, length + 1))) for _ in range(3)]
    return rng.normal(0, rng.choice([0.1, 1.0, 4.0]), (3, V)), texts, rng.random(6)


def shares(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.oracle
@pytest.mark.parametrize(
    "name", ["temperature", "top_k", "top_p", "min_p", "typical_p", "repetition", "n-gram", "bias"]
)
def test_a_thousand_random_cases_are_those_of_transformers(name):
    import torch
    from transformers.generation import logits_process as theirs

    def pair(x):
        n, p = 1 + int(4 * x[0]), float(x[1])
        bias = {int(V * share): float(np.float32(4 * share - 2)) for share in x}  # theirs are kept in float32
        return {
            "temperature": lambda: (Temperature(0.1 + p), theirs.TemperatureLogitsWarper(0.1 + p)),
            "top_k": lambda: (TopK(n), theirs.TopKLogitsWarper(n)),
            "top_p": lambda: (TopP(p), theirs.TopPLogitsWarper(p)),
            "min_p": lambda: (MinP(p), theirs.MinPLogitsWarper(p)),
            "typical_p": lambda: (TypicalP(p), theirs.TypicalLogitsWarper(p)),
            "repetition": lambda: (RepetitionPenalty(0.5 + p), theirs.RepetitionPenaltyLogitsProcessor(0.5 + p)),
            "n-gram": lambda: (NoRepeatNGram(n), theirs.NoRepeatNGramLogitsProcessor(n)),
            "bias": lambda: (LogitBias(bias), theirs.SequenceBiasLogitsProcessor({(k,): b for k, b in bias.items()})),
        }[name]()

    changed = 0
    for i in range(CASES):
        logits, texts, x = case(i)
        ours, their = pair(x)
        ids = torch.tensor(texts, dtype=torch.long).reshape(3, -1)
        expected = their(ids, torch.tensor(logits)).numpy()
        found = ours(logits, texts)
        assert found.dtype == np.float64
        np.testing.assert_array_equal(np.isneginf(found), np.isneginf(expected))
        np.testing.assert_allclose(shares(found), shares(expected), rtol=1e-12, atol=1e-300)
        changed += not np.array_equal(expected, logits)
    assert changed > CASES // 3


@pytest.mark.oracle
def test_all_of_them_together_in_a_thousand_cases_are_transformers_own_list():
    import torch
    from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel

    model = GPT2LMHeadModel(GPT2Config(vocab_size=V, n_positions=16, n_layer=1, n_head=1, n_embd=2))
    truncated = 0
    for i in range(CASES):
        logits, texts, x = case(i)
        if not texts[0]:
            continue
        sizes = {"top_k": 2 + int(9 * x[0]), "no_repeat_ngram_size": 2 + int(2 * x[5])}
        settings = {
            "temperature": 0.3 + float(x[1]),
            "top_p": float(0.5 + x[2] / 2),
            "min_p": float(x[3] / 4),
            "typical_p": float(0.6 + 0.4 * x[4]),
        }
        bias = {int(V * x[0]): 1.5, int(V * x[1]): -0.75}
        config = GenerationConfig(
            do_sample=True,
            repetition_penalty=0.8 + x[0],
            sequence_bias=[[[k], b] for k, b in bias.items()],
            **sizes,
            **settings,
        )
        model._prepare_special_tokens(config)
        their = model._get_logits_processor(config, input_ids_seq_length=len(texts[0]))
        first = processors(
            logit_bias=bias, repetition_penalty=0.8 + x[0], no_repeat_ngram_size=sizes["no_repeat_ngram_size"]
        )
        sampler = Sampler(top_k=sizes["top_k"], first=first, **settings)
        expected = torch.softmax(their(torch.tensor(texts), torch.tensor(logits)), -1).numpy()
        found = sampler.probabilities(logits, texts)
        np.testing.assert_array_equal(found > 0, expected > 0)
        np.testing.assert_allclose(found, expected, rtol=1e-10)
        truncated += 1 < np.count_nonzero(found[0]) < V
    assert truncated > CASES // 3


def test_they_are_applied_in_transformers_order_whatever_order_they_are_named_in():
    def none(logits_BV, texts):
        return logits_BV

    names = {"constraints": (none,), "no_repeat_ngram_size": 2, "frequency_penalty": 0.5, "presence_penalty": 0.2,
             "repetition_penalty": 1.3, "logit_bias": {1: 2.0}}  # fmt: skip
    first = processors(**names)
    assert first == (LogitBias({1: 2.0}), RepetitionPenalty(1.3), CountPenalty(0.2, 0.5), NoRepeatNGram(2), none)
    assert processors(**dict(reversed(names.items()))) == first and processors() == ()
    sampler = Sampler(0.7, 5, 0.9, typical_p=0.8, min_p=0.1, first=first)
    assert sampler.transforms == [*first, Temperature(0.7), TopK(5), TopP(0.9), MinP(0.1), TypicalP(0.8)]
    assert processors(presence_penalty=0.1) == (CountPenalty(0.1, 0),)
    assert processors(frequency_penalty=-1) == (CountPenalty(0, -1),)


def test_what_looks_at_the_text_holds_for_greedy_and_the_truncations_do_not_change_it():
    logits, texts = np.array([[3.0, 2.9, 1.0]]), [[0, 0, 2]]
    for first, best in (((), 0), (processors(repetition_penalty=1.5), 1), (processors(presence_penalty=0.2), 1),
                        (processors(logit_bias={2: 2.5}), 2), (processors(no_repeat_ngram_size=1), 1)):  # fmt: skip
        for options in ({}, {"min_p": 1.0}, {"typical_p": 0.1}):
            sampler = Sampler(greedy=True, first=first, **options)
            assert sampler.pick(logits, np.zeros(1), texts) == [best]
            assert sampler.standard == (not first)
    assert [Sampler(min_p=0.1).standard, Sampler(typical_p=0.9).standard, Sampler(0.5, 3, 0.9).standard] == [
        False,
        False,
        True,
    ]


def plain_typical(logits, p):
    """Tokens in the order of | -ln p - entropy |, of equals the smaller ids, until they hold p."""
    share = [math.exp(x - max(logits)) for x in logits]
    share = [s / math.fsum(share) for s in share]
    entropy = -math.fsum(s * math.log(s) for s in share if s)
    distance = [abs(-math.log(s) - entropy) if s else math.inf for s in share]
    kept, held = [], 0.0
    for i in sorted(range(len(logits)), key=lambda i: (round(distance[i], 12), i)):
        if kept and held >= p:
            break
        kept.append(i)
        held += share[i]
    return sorted(kept)


def test_min_p_and_typical_are_their_definitions_with_ties_and_forbidden_tokens():
    rng = np.random.default_rng(0)
    for _ in range(CASES):
        logits, p = rng.integers(0, 4, (2, 9)).astype(float), rng.random()
        logits[:, 1:][rng.random((2, 8)) < 0.2] = -np.inf
        for x, least, typical in zip(logits, MinP(p)(logits), TypicalP(p)(logits)):
            share = np.exp(x - x.max())
            assert np.flatnonzero(least > -np.inf).tolist() == np.flatnonzero(share >= p).tolist()
            assert np.flatnonzero(typical > -np.inf).tolist() == [i for i in plain_typical(x, p) if x[i] > -np.inf]
            np.testing.assert_array_equal(typical[typical > -np.inf], x[typical > -np.inf])


def test_of_equally_usual_tokens_the_smaller_ids_are_kept():
    logits = np.zeros((1, 32))
    for p in (0.25, 0.5, 0.875):
        assert np.flatnonzero(np.isfinite(TypicalP(p)(logits))).tolist() == list(range(int(32 * p)))
    assert TypicalP(1.0)(logits) is logits and MinP(0.0)(logits) is logits
    as_likely = MinP(1.0)(np.array([[1.0, 3.0, 2.0, 3.0]]))  # as the likeliest: what is so exactly stays
    assert np.flatnonzero(np.isfinite(as_likely)).tolist() == [1, 3]


def test_typical_drops_the_most_likely_token_where_it_says_less_than_is_usual():
    logits = np.log([[0.3, *[0.1] * 7]])  # its surprise is 1.2, the others' 2.3; the mean is 2.0
    assert np.flatnonzero(np.isfinite(TypicalP(0.35)(logits))).tolist() == [1, 2, 3, 4]


def test_counts_are_of_what_was_written_repetition_and_n_grams_of_the_prompt_too():
    text, logits = Text([3, 3, 5, 1, 5, 5], 2), np.arange(-4.0, 4.0)[None]
    assert list(written(text)) == [5, 1, 5, 5] and written([3, 5]) == [3, 5]
    expected = logits.copy()
    expected[0, [1, 5]] -= 0.25 + 0.5 * np.array([1, 3])
    np.testing.assert_array_equal(CountPenalty(0.25, 0.5)(logits, [text]), expected)
    expected[0] = logits[0]
    expected[0, [1, 3]] *= 2
    expected[0, 5] /= 2
    np.testing.assert_array_equal(RepetitionPenalty(2.0)(logits, [text]), expected)
    for text, n, forbidden in (([1, 2, 1], 2, [2]), ([1, 2, 1], 1, [1, 2]), ([1, 2, 1], 4, []), ([1, 2, 3, 1, 2], 3, [3]),
                               ([7, 7], 2, [7]), ([7], 2, []), ([], 1, [])):  # fmt: skip
        assert np.flatnonzero(np.isneginf(NoRepeatNGram(n)(logits, [Text(text, len(text))]))).tolist() == forbidden


def test_no_transform_writes_into_the_logits_it_is_given():
    logits, texts = np.arange(-18.0, 18.0).reshape(3, V), [Text([3, 1, 3], 1)] * 3
    before = logits.copy()
    for transform in (MinP(0.3), TypicalP(0.3), *processors(logit_bias={1: -math.inf}, repetition_penalty=1.1,
                      presence_penalty=1, no_repeat_ngram_size=1)):  # fmt: skip
        assert not np.array_equal(transform(logits, texts), before)
        np.testing.assert_array_equal(logits, before)


def test_where_nothing_may_follow_it_is_said_and_not_drawn():
    logits, first = np.zeros((2, 3)), processors(no_repeat_ngram_size=1)
    texts = [[0, 1], [0, 1, 2]]
    for sampler in (
        Sampler(first=first),
        Sampler(greedy=True, first=first),
        Sampler(0.5, 2, 0.9, first=first, min_p=0.1),
    ):
        with pytest.raises(ArgumentError, match="none in row 1"):
            sampler.draw(logits, np.random.default_rng(0), texts)
        assert sampler.draw(logits[:1], np.random.default_rng(0), texts[:1]).tolist() == [2]


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize("bad", [
    {"repetition_penalty": 0.0}, {"repetition_penalty": -1.0}, {"repetition_penalty": INF}, {"repetition_penalty": NAN},
    {"presence_penalty": INF}, {"presence_penalty": NAN}, {"frequency_penalty": -INF}, {"frequency_penalty": NAN},
    {"no_repeat_ngram_size": -1}, {"no_repeat_ngram_size": 1.5}, {"no_repeat_ngram_size": True}, {"no_repeat_ngram_size": "2"},
    {"logit_bias": {1: NAN}}, {"logit_bias": {1: INF}}, {"logit_bias": {-1: 1.0}}, {"logit_bias": {0.5: 1.0}},
], ids=str)  # fmt: skip
def test_settings_out_of_range_are_refused_by_name(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        processors(**bad)


@pytest.mark.parametrize("bad", [{"min_p": -0.1}, {"min_p": 1.1}, {"min_p": NAN}, {"typical_p": 0.0}, {"typical_p": 1.1},
                                 {"typical_p": -0.2}, {"typical_p": NAN}], ids=str)  # fmt: skip
def test_shares_out_of_range_are_refused_by_name(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        Sampler(**bad)


def test_a_bias_for_a_token_that_there_is_not_is_refused():
    with pytest.raises(TokenError, match="logit_bias: expected ids of 0 to 2, got 3"):
        LogitBias({1: 1.0, 3: 1.0})(np.zeros((1, 3)))
