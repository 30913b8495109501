"""Beam search finds what it should: everything when nothing is dropped, greedy's sentence when all but one is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redraw import redraw

from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.generate import beam_search
from tinygrad_llm.generate.beam import best_extensions

START, END = 0, 1


def language(seed: int, vocabulary: int, spread: float = 2.0):
    """A language whose next word depends on all words before, some of them impossible."""

    def log_probabilities(prefixes):
        rows = []
        for prefix in prefixes:
            rng = np.random.default_rng([seed, *(int(t) for t in prefix)])
            logits = rng.normal(0, spread, vocabulary)
            p = np.exp(logits) * (rng.random(vocabulary) > 0.2)
            p[END] += 1e-3
            rows.append(p / p.sum())
        with np.errstate(divide="ignore"):
            return np.log(np.array(rows))

    return log_probabilities


def enumeration(log_probabilities, vocabulary, longest, power):
    """Every sentence: ended, or cut at the longest length; the best first, of equals in the order of their words."""
    found = []
    for length in range(1, longest + 1):
        for tokens in itertools.product(range(vocabulary), repeat=length):
            if END in tokens[:-1] or (tokens[-1] != END and length < longest):
                continue
            prefix, total = [START], 0.0
            for token in tokens:
                total += log_probabilities(np.array([prefix]))[0, token]
                prefix.append(token)
            if total > -np.inf:
                found.append((tokens, total, total / length**power))
    return sorted(found, key=lambda f: -f[2])


@given(
    seed=st.integers(0, 10_000), vocabulary=st.integers(2, 4), longest=st.integers(1, 4), power=st.sampled_from([0.0, 0.6, 1.0, 2.0])
)  # fmt: skip
def test_a_beam_that_drops_nothing_is_the_search_through_all_sentences(seed, vocabulary, longest, power):
    speak = language(seed, vocabulary)
    every = enumeration(speak, vocabulary, longest, power)
    found = beam_search(speak, [START], END, 1000, longest, power)
    assert [h.tokens for h in found] == [tokens for tokens, _, _ in every]
    np.testing.assert_allclose([h.log_probability for h in found], [total for _, total, _ in every], rtol=1e-12)
    np.testing.assert_allclose([h.score for h in found], [score for _, _, score in every], rtol=1e-12)


@given(
    seed=st.integers(0, 10_000),
    vocabulary=st.integers(2, 6),
    longest=st.integers(1, 8),
    power=st.sampled_from([0.0, 1.0]),
)
def test_a_beam_of_one_is_greedy(seed, vocabulary, longest, power):
    speak, written, total = language(seed, vocabulary), [], 0.0
    while len(written) < longest and (not written or written[-1] != END):
        logp = speak(np.array([[START, *written]]))[0]
        written.append(int(logp.argmax()))
        total += logp.max()
    (found,) = beam_search(speak, [START], END, 1, longest, power)
    assert list(found.tokens) == written and found.log_probability == pytest.approx(total, rel=1e-12)
    assert found.score == pytest.approx(total / len(written) ** power, rel=1e-12)


def told_plainly(speak, width, longest, power, stops):
    """The search of the docstring, sentence by sentence: (tokens, score) of each hypothesis, the best first.

    stops(length, best running ln p, scores of the pool) says whether no further step is made.
    """
    running, pool = [((), 0.0)], []
    for length in range(1, longest + 1):
        ways = [
            ((*tokens, t), total + logp)
            for tokens, total in running
            for t, logp in enumerate(speak(np.array([[START, *tokens]]))[0])
            if logp > -np.inf
        ]
        ways = sorted(ways, key=lambda way: -way[1])[: 2 * width]
        over = [way for way in ways[:width] if way[0][-1] == END or length == longest]
        pool = sorted(pool + [(tokens, total / length**power) for tokens, total in over], key=lambda h: -h[1])[:width]
        running = [way for way in ways if way[0][-1] != END][:width]
        if not running or (len(pool) == width and stops(length, running[0][1], [score for _, score in pool])):
            break
    return pool


POWERS = st.sampled_from([0.0, 0.7, 1.0, 2.0])


@given(seed=st.integers(0, 10_000), width=st.integers(1, 6), power=POWERS)
def test_never_stopping_early_is_to_go_on_to_the_end(seed, width, power):
    speak, longest = language(seed, 4), 6
    expected = told_plainly(speak, width, longest, power, lambda *_: False)
    found = beam_search(speak, [START], END, width, longest, power, early_stopping="never")
    assert [h.tokens for h in found] == [tokens for tokens, _ in expected]


@given(seed=st.integers(0, 10_000), width=st.integers(1, 6), power=POWERS)
def test_early_stopping_stops_at_the_first_full_pool_or_when_none_is_better_at_this_length(seed, width, power):
    speak, longest = language(seed, 4), 6
    rules = {
        True: lambda *_: True,
        False: lambda length, running, scores: running / length**power <= scores[-1],
    }
    for early_stopping, stops in rules.items():
        expected = told_plainly(speak, width, longest, power, stops)
        found = beam_search(speak, [START], END, width, longest, power, early_stopping=early_stopping)
        assert [h.tokens for h in found] == [tokens for tokens, _ in expected]


def test_a_place_that_an_ended_hypothesis_leaves_is_taken_in_the_same_step():
    # of two places one ends at once; the third word then gets its place, and its sentence is the second best
    table = {(0,): [0, 0.5, 0.3, 0.2], (0, 2): [0, 0.5, 0.25, 0.25], (0, 3): [0, 1, 0, 0]}
    seen = []

    def speak(prefixes):
        seen.append(prefixes[:, 1:].tolist())
        with np.errstate(divide="ignore"):
            return np.log(np.array([table[tuple(map(int, p))] for p in prefixes]))

    found = beam_search(speak, [0], 1, 2, 5)
    assert seen == [[[]], [[2], [3]]]
    assert [h.tokens for h in found] == [(1,), (3, 1)]


@given(seed=st.integers(0, 10_000), width=st.integers(1, 4), longest=st.integers(1, 6))
def test_the_beam_is_as_wide_as_it_says_as_long_as_there_are_beginnings(seed, width, longest):
    wide, vocabulary = [], 9  # 8 words that do not end, at least `width` from each beginning

    def speak(prefixes):
        wide.append(len(prefixes))
        logits = np.array([np.random.default_rng([seed, *map(int, p)]).normal(0, 2, vocabulary) for p in prefixes])
        return logits - np.log(np.exp(logits).sum(1, keepdims=True))

    beam_search(speak, [START], END, width, longest, early_stopping="never")
    assert wide[0] == 1 and set(wide[1:]) <= {width}


@given(seed=st.integers(0, 10_000), vocabulary=st.integers(2, 4), longest=st.integers(1, 4), power=POWERS)
def test_a_beam_with_room_for_all_beginnings_finds_the_best_of_all_sentences(seed, vocabulary, longest, power):
    speak = language(seed, vocabulary)
    width = vocabulary * (vocabulary - 1) ** (longest - 1)  # as many as one step can have
    best = enumeration(speak, vocabulary, longest, power)[:width]
    found = beam_search(speak, [START], END, width, longest, power, early_stopping="never")
    assert [h.tokens for h in found] == [tokens for tokens, _, _ in best]


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("early_stopping", [True, False, "never"])
def test_the_hypotheses_are_those_of_transformers(seed, early_stopping, tmp_path):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from tinygrad_llm.models import from_pretrained

    torch.manual_seed(seed)
    config = GPT2Config(vocab_size=9, n_positions=16, n_layer=2, n_head=2, n_embd=8, bos_token_id=0, eos_token_id=None)
    theirs, start, ended = GPT2LMHeadModel(config).eval(), [START, 3], 0
    redraw(theirs, seed)
    theirs.save_pretrained(tmp_path)
    ours = from_pretrained(tmp_path)
    endless = theirs.generate(
        torch.tensor([start]), max_new_tokens=8, num_beams=4, num_return_sequences=4, pad_token_id=8
    )
    end = int(np.bincount(endless[:, 4:].flatten()).argmax())  # a likely one, so that some end, at every length
    theirs.generation_config.eos_token_id = theirs.generation_config.pad_token_id = end
    for width in (1, 2, 4):
        for power in (0.0, 0.6, 1.0, 2.0):
            if width == 1:  # their name for one beam is greedy search, which it is where ended texts end the search
                expected = theirs.generate(torch.tensor([start]), max_new_tokens=8, do_sample=False)
                found = beam_search(ours, start, end, 1, 8, power, early_stopping=True)
                assert [*start, *found[0].tokens] == expected[0].tolist()
                continue
            expected = theirs.generate(
                torch.tensor([start]), max_new_tokens=8, num_beams=width, num_return_sequences=width, do_sample=False,
                length_penalty=power, early_stopping=early_stopping, return_dict_in_generate=True, output_scores=True,
            )  # fmt: skip
            found = beam_search(ours, start, end, width, 8, power, early_stopping=early_stopping)
            for hypothesis, row in zip(found, expected.sequences.tolist(), strict=True):
                written = row[len(start) :]
                written = written[: written.index(end) + 1] if end in written else written
                assert list(hypothesis.tokens) == written
                ended += end in written
            np.testing.assert_allclose([h.score for h in found], expected.sequences_scores.numpy(), rtol=1e-4)
    assert ended > 10  # the comparison is about ended hypotheses


def test_greedy_can_be_misled_and_a_beam_is_not():
    # "1" looks better at first (0.6), but what follows is uncertain: 0.6 * 0.55 < 0.4 * 1
    table = {
        (9,): [0.6, 0.4, 0],
        (9, 0): [0.55, 0.45, 0],
        (9, 1): [0, 0, 1],
        (9, 0, 0): [0, 0, 1],
        (9, 0, 1): [0, 0, 1],
    }
    with np.errstate(divide="ignore"):
        speak = lambda prefixes: np.log(np.array([table[tuple(map(int, p))] for p in prefixes]))
        (greedy,), wide = (beam_search(speak, [9], 2, width, 5) for width in (1, 2))
    assert greedy.tokens == (0, 0, 2) and wide[0].tokens == (1, 2)
    assert np.exp([greedy.log_probability, wide[0].log_probability]) == pytest.approx([0.33, 0.4])


def test_the_power_decides_between_short_and_long():
    table = {(0,): [0, 0.5, 0.5], (0, 2): [0, 0.8, 0.2], (0, 2, 2): [0, 1, 0]}
    with np.errstate(divide="ignore"):
        speak = lambda prefixes: np.log(np.array([table[tuple(map(int, p))] for p in prefixes]))
        best = [beam_search(speak, [0], 1, 3, 3, power)[0] for power in (0.0, 1.0)]
    assert [h.tokens for h in best] == [(1,), (2, 1)]
    assert best[1].score == pytest.approx(np.log(0.4) / 2)


def test_it_does_not_stop_while_one_of_the_best_can_still_be_replaced():
    # after two words two hypotheses have ended, but the second of them, 0.4 * 0.02, is worse than what is still running
    table = {(0,): [0, 0.6, 0.4], (0, 2): [0, 0.02, 0.98], (0, 2, 2): [0, 1, 0]}
    with np.errstate(divide="ignore"):
        speak = lambda prefixes: np.log(np.array([table[tuple(map(int, p))] for p in prefixes]))
        found = beam_search(speak, [0], 1, 2, 5)
    assert [h.tokens for h in found] == [(1,), (2, 2, 1)]


def test_a_start_of_several_tokens_is_no_part_of_the_answer():
    seen = []

    def speak(prefixes):
        seen.append(prefixes.tolist())
        return np.log(np.full((len(prefixes), 3), 1 / 3))

    found = beam_search(speak, [7, 8], 1, 2, 2)
    assert seen[0] == [[7, 8]] and seen[1] == [[7, 8, 0], [7, 8, 2]]
    assert [h.tokens for h in found] == [(1,), (0, 0)]


def test_the_best_extensions_are_sorted_and_ties_have_an_order():
    rows, tokens, totals = best_extensions(np.log([0.5, 0.5]), np.log([[0.5, 0.5, 0.25], [1.0, 0.5, 0.5]]), 4)
    assert rows.tolist() == [1, 0, 0, 1] and tokens.tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(np.exp(totals), [0.5, 0.25, 0.25, 0.25])
    with np.errstate(divide="ignore"):
        assert len(best_extensions(np.zeros(1), np.log([[1.0, 0.0]]), 5)[0]) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"width": 0}, {"max_length": 0}, {"length_power": -0.1}, {"width": float("nan")}, {"start": []},
        {"early_stopping": "always"}, {"early_stopping": None}, {"early_stopping": 1},
        {"width": 1.5}, {"width": 2.0}, {"width": True}, {"max_length": 2.5}, {"max_length": "3"}, {"end": 1.0}, {"end": -1},
        {"end": None},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        beam_search(language(0, 3), **({"start": [START], "end": END, "width": 2, "max_length": 3} | bad))


def test_answers_that_are_no_logarithms_are_refused():
    for answer, error in ((np.zeros(3), ShapeError), (np.zeros((2, 3)), ShapeError), (np.ones((1, 3)), ArgumentError),
                          (np.full((1, 3), np.nan), ArgumentError)):  # fmt: skip
        with pytest.raises(error, match="log_probabilities"):
            beam_search(lambda prefixes, answer=answer: answer, [START], END, 2, 3)
