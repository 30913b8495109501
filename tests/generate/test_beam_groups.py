"""Groups of beams differ as the diversity makes them, and a search heeds the transforms it is given."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from goldens.make_searches import model as golden
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate import beam_search, contrastive_search, processors
from tinygrad_llm.generate.text import written

START, END, V = 0, 1, 6
GOLDEN = json.loads((Path(__file__).parents[1] / "goldens/searches.json").read_text(encoding="utf-8"))["rows"]


def speak(seed):
    """A language whose next word depends on all words before."""

    def log_probabilities(prefixes):
        logits = np.array([np.random.default_rng([seed, *map(int, p)]).normal(0, 2, V) for p in prefixes])
        return logits - np.log(np.exp(logits).sum(1, keepdims=True))

    return log_probabilities


def told_plainly(seed, width, longest, groups, diversity, forbid=None):
    """Of every group (tokens, ranked sum, ln p) of what it finds: step by step, one group after the other."""
    each, say = width // groups, speak(seed)
    running, pools = [[((), 0.0, 0.0)] for _ in range(groups)], [[] for _ in range(groups)]
    for length in range(1, longest + 1):
        taken = np.zeros(V)
        for g in range(groups):
            ways = []
            for tokens, total, own in running[g]:
                logp = say(np.array([[START, *tokens]]))[0]
                for t in range(V):
                    if not forbid or not forbid(tokens, t):
                        ways.append(((*tokens, t), total + logp[t] - diversity * taken[t], own + logp[t]))
            ways = sorted(ways, key=lambda way: -way[1])[: 2 * each]
            ended = [way for way in ways[:each] if way[0][-1] == END or length == longest]
            pools[g] = sorted(pools[g] + ended, key=lambda way: -way[1])[:each]
            running[g] = [way for way in ways if way[0][-1] != END][:each]
            for way in running[g]:
                taken[way[0][-1]] += 1
            if not running[g] or (len(pools[g]) == each and running[g][0][1] <= pools[g][-1][1]):
                running[g] = []
    return sorted((way for pool in pools for way in pool), key=lambda way: -way[1])


@given(
    seed=st.integers(0, 9999),
    each=st.integers(1, 3),
    groups=st.integers(1, 3),
    diversity=st.sampled_from([0.0, 0.4, 3.0]),
)
def test_groups_are_searched_one_after_the_other_each_paying_for_what_those_before_took(seed, each, groups, diversity):
    diversity = diversity if groups > 1 else 0.0
    found = beam_search(speak(seed), [START], END, each * groups, 5, groups=groups, diversity=diversity)
    expected = told_plainly(seed, each * groups, 5, groups, diversity)
    assert [h.tokens for h in found] == [tokens for tokens, _, _ in expected]
    np.testing.assert_allclose([h.score for h in found], [total for _, total, _ in expected], rtol=1e-10)
    np.testing.assert_allclose([h.log_probability for h in found], [own for _, _, own in expected], rtol=1e-10)


@given(seed=st.integers(0, 9999), each=st.integers(1, 3))
def test_without_diversity_all_groups_find_the_same_and_with_much_they_begin_differently(seed, each):
    alone = beam_search(speak(seed), [START], END, each, 4)
    together = beam_search(speak(seed), [START], END, 3 * each, 4, groups=3)
    assert [h.tokens for h in together] == [h.tokens for h in alone for _ in range(3)]
    apart = beam_search(speak(seed), [START], END, 3, 4, groups=3, diversity=100.0)
    begun = [h.tokens[0] for h in apart if h.tokens[0] != END]  # a word that ends costs the others nothing
    assert len(set(begun)) == len(begun)


@pytest.mark.parametrize(
    "row",
    [row for row in GOLDEN if "groups" in row],
    ids=lambda row: f"{row['seed']}-{row['width']}-{row['groups']}",
)
def test_diverse_beams_are_those_of_transformers(row):
    """Without an end: of version 4, the last that had them, a beam ended by another rule than of 5, with which
    test_beam.py compares."""
    transforms = processors(no_repeat_ngram_size=row["no_repeat_ngram_size"])
    found = beam_search(golden(row["seed"]), [0, 3], 9, row["width"], 8, row["length_power"], groups=row["groups"],
                        diversity=row["diversity"], transforms=transforms)  # fmt: skip
    assert [list(h.tokens) for h in found] == row["tokens"]
    np.testing.assert_allclose([h.score for h in found], row["scores"], rtol=1e-4)  # theirs are float32


@pytest.mark.parametrize(
    "row", [row for row in GOLDEN if "alpha" in row], ids=lambda row: f"{row['seed']}-{row['k']}-{row['alpha']}"
)
def test_contrastive_searches_are_those_of_transformers(row):
    assert list(contrastive_search(golden(row["seed"]), [0, 3], 14, row["k"], row["alpha"])) == row["tokens"]


@given(seed=st.integers(0, 9999), width=st.integers(1, 4))
def test_transforms_change_what_is_ranked_and_not_what_is_said_to_be_probable(seed, width):
    seen = []

    def not_three(logits_BV, texts):
        seen.append([list(written(text)) for text in texts])
        out = logits_BV.copy()
        out[:, 3] = -np.inf
        return out

    def forbid(tokens, t):
        text = (START, *tokens)
        return t == 3 or any(text[i : i + 2] == (text[-1], t) for i in range(len(text) - 1))

    rules = (*processors(no_repeat_ngram_size=2), not_three)
    found = beam_search(speak(seed), [START], END, width, 5, transforms=rules)
    expected = told_plainly(seed, width, 5, 1, 0.0, forbid)
    assert [h.tokens for h in found] == [tokens for tokens, _, _ in expected]
    np.testing.assert_allclose([h.log_probability for h in found], [own for _, _, own in expected], rtol=1e-10)
    assert seen[0] == [[]] and all(len(text) == step for step, texts in enumerate(seen) for text in texts)


def test_transforms_see_the_texts_of_their_own_group_with_a_cache_too():
    model, seen = golden(1), []

    def look(logits_BV, texts):
        seen.append((len(logits_BV), [(list(text), text.start) for text in texts]))
        return logits_BV

    beam_search(model, [0, 3], 9, 4, 4, groups=2, diversity=1.0, transforms=(look,))
    assert [count for count, _ in seen] == [1, 1] + [2] * 6
    assert all(
        len(texts) == count and text[:2] == [0, 3] and start == 2 for count, texts in seen for text, start in texts
    )
    assert seen[2][1] != seen[3][1]


@pytest.mark.parametrize("bad", [{"groups": 0}, {"groups": 3}, {"groups": 1.5}, {"diversity": -1.0}, {"diversity": 1.0}, {"diversity": float("nan")},
                                 {"groups": 2, "diversity": float("inf")}, {"groups": 2, "diversity": -0.5}], ids=str)  # fmt: skip
def test_groups_and_diversities_out_of_range_are_refused(bad):
    with pytest.raises(ArgumentError, match="diversity" if "diversity" in bad else "groups"):
        beam_search(speak(0), [START], END, 4, 3, **bad)
