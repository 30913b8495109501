"""What a beam ranks by: equals in their order, scores over the written tokens alone, and when it may stop."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.generate import beam_search
from tinygrad_llm.generate.beam import best_extensions

END = 1


def speaking(table, vocabulary):
    """The language of a table from what was written to (token: probability); what is not named has none."""

    def speak(prefixes):
        p = np.zeros((len(prefixes), vocabulary))
        for row, prefix in zip(p, prefixes.tolist()):
            for token, share in table[tuple(prefix[1:])].items():
                row[token] = share
        with np.errstate(divide="ignore"):
            return np.log(p)

    return speak


@pytest.mark.parametrize(("rows", "vocabulary"), [(1, 40), (7, 30), (3, 100)])
def test_of_many_equal_extensions_the_earlier_prefix_and_the_smaller_token_come_first(rows, vocabulary):
    rng = np.random.default_rng(0)
    totals, logp = -rng.integers(0, 2, rows).astype(float), -rng.integers(0, 3, (rows, vocabulary)).astype(float)
    ways = [(row, token, totals[row] + logp[row, token]) for row in range(rows) for token in range(vocabulary)]
    for width in (1, 5, rows * vocabulary // 2, 1000):
        found = list(zip(*(array.tolist() for array in best_extensions(totals, logp, width))))
        assert found == sorted(ways, key=lambda way: -way[2])[:width]


def test_the_score_divides_by_what_was_written_and_the_start_is_none_of_it():
    table = {(): {2: 0.5, END: 0.5}, (2,): {END: 0.9, 2: 0.1}, (2, 2): {END: 1.0}}
    for start in ([0], [0] * 9):
        speak = speaking({(0,) * (len(start) - 1) + key: row for key, row in table.items()}, 3)
        for power in (0.0, 0.5, 1.0, 2.0):
            found = {h.tokens: h for h in beam_search(speak, start, END, 3, 3, power, early_stopping="never")}
            assert set(found) == {(END,), (2, END), (2, 2, END)}
            for tokens, p in (((END,), 0.5), ((2, END), 0.45), ((2, 2, END), 0.05)):
                assert found[tokens].log_probability == pytest.approx(np.log(p), rel=1e-12)
                assert found[tokens].score == pytest.approx(np.log(p) / len(tokens) ** power, rel=1e-12)


def calls(speak):
    """The language, and how many prefixes it was asked about at each step."""
    asked = []
    return asked, lambda prefixes: asked.append(len(prefixes)) or speak(prefixes)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_when_the_search_stops_is_as_early_stopping_says(power):
    """One hypothesis at once, with p = 0.6; after it 0.4, which could still win per word where the power is 1."""
    table = {(2,) * n: {2: 1.0} for n in range(1, 6)} | {(): {END: 0.6, 2: 0.4}}
    steps = {}
    for early_stopping in (True, False, "never"):
        asked, speak = calls(speaking(table, 3))
        found = beam_search(speak, [0], END, 1, 6, power, early_stopping)
        steps[early_stopping] = len(asked)
        best = (END,) if power == 0 or early_stopping != "never" else (2,) * 6
        assert [h.tokens for h in found] == [best]
    assert steps == {True: 1, False: 1, "never": 1 if power == 0 else 6}


def test_it_stops_only_where_the_worst_of_the_pool_cannot_be_beaten():
    """At the second step the open 0.3 is above the pool's 0.02, though below its best: it goes on."""
    table = {(): {END: 0.6, 2: 0.4}, (2,): {END: 0.05, 2: 0.75, 3: 0.2}, (2, 2): {END: 0.5, 2: 0.5}, (2, 3): {END: 1.0}}
    table |= {(2, 2, 2): {END: 1.0}}
    asked, speak = calls(speaking(table, 4))
    found = beam_search(speak, [0], END, 2, 9)
    assert [h.tokens for h in found] == [(END,), (2, 2, END)] and asked == [1, 1, 2]


def test_without_open_beginnings_the_search_is_over_though_the_pool_is_not_full():
    asked, speak = calls(speaking({(): {END: 1.0}}, 3))
    assert [h.tokens for h in beam_search(speak, [0], END, 4, 9)] == [(END,)] and asked == [1]


def test_what_has_not_ended_at_the_longest_length_is_taken_as_it_is_and_ranked_with_the_rest():
    table = {(): {END: 0.2, 2: 0.8}, (2,): {2: 0.7, 3: 0.2, END: 0.1}}
    for width, expected in ((1, [(2, 2)]), (2, [(2, 2), (END,)]), (4, [(2, 2), (END,), (2, 3), (2, END)])):
        assert [h.tokens for h in beam_search(speaking(table, 4), [0], END, width, 2)] == expected
    by_length = beam_search(speaking(table, 4), [0], END, 4, 2, 3.0, "never")
    assert [h.tokens for h in by_length] == [(2, 2), (2, 3), (2, END), (END,)]
