"""05.3: writing with merges. Its golden: what tokenizers learned from ten words, and how it then wrote others."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call
from tinygrad_llm.course.exercises.show import Seeded

# a, b, c are 0, 1, 2. Learned: ab becomes 3, abc becomes 4, bc becomes 5
RANKS = {(0, 1): (0, 3), (3, 2): (1, 4), (1, 2): (2, 5)}

# tokenizers 0.23.3, BpeTrainer on "low low low lower lower newest newest newest widest widest": its merges in order
LEARNED = [
    ("e", "s"), ("l", "o"), ("es", "t"), ("lo", "w"), (" ", "low"), ("e", "w"), ("n", "ew"), (" ", "new"), (" new", "est"),
    ("d", "est"), ("e", "r"), ("i", "dest"), ("w", "idest"), (" ", "widest"), (" low", "er"),
]  # fmt: skip
WRITTEN = {
    "lowest": ["low", "est"], "newest": ["new", "est"], "widest": ["widest"], " sewers": [" ", "s", "ew", "er", "s"],
    "lowlow": ["low", "low"], " newlow": [" new", "low"],
}  # fmt: skip
LETTERS = sorted({letter for pair in LEARNED for part in pair for letter in part})
TOKENS = LETTERS + [a + b for a, b in LEARNED]


def test_one_merge(mine):
    call(mine.apply_merges_plainly, [2, 0, 1], RANKS).gives([2, 3])


def test_a_merge_makes_the_next_possible(mine):
    call(mine.apply_merges_plainly, [0, 1, 2], RANKS).gives([4])


def test_the_first_learned_comes_first_wherever_it_stands(mine):
    # (1, 2) stands further left, but (0, 1) was learned before it
    call(mine.apply_merges_plainly, [1, 2, 0, 1], RANKS).gives([5, 3])
    call(mine.apply_merges_plainly, [2, 1, 2, 1, 0], {(2, 1): (5, 9), (1, 2): (3, 8)}).gives([2, 8, 1, 0])


def test_the_rank_decides_and_not_the_new_id(mine):
    call(mine.apply_merges_plainly, [0, 1, 2], {(0, 1): (0, 9), (1, 2): (1, 8)}).gives([9, 2])


def test_a_row_of_one_letter_goes_from_the_left(mine):
    call(mine.apply_merges_plainly, [0, 0, 0], {(0, 0): (0, 1)}).gives([1, 0])
    call(mine.apply_merges_plainly, [0, 0, 0, 0], {(0, 0): (0, 1), (1, 1): (1, 2)}).gives([2])


def test_no_pair_is_known(mine):
    call(mine.apply_merges_plainly, [2, 1, 0], RANKS).gives([2, 1, 0])
    call(mine.apply_merges_plainly, [], RANKS).gives([])


def test_words_as_tokenizers_writes_them(mine):
    ranks = {(TOKENS.index(a), TOKENS.index(b)): (i, len(LETTERS) + i) for i, (a, b) in enumerate(LEARNED)}
    for word, pieces in WRITTEN.items():
        made = call(mine.apply_merges_plainly, [TOKENS.index(letter) for letter in word], ranks)
        made.gives([TOKENS.index(piece) for piece in pieces])


@given(st.lists(st.integers(0, 2), max_size=10))
def test_rank_after_rank_gives_the_same(mine, word):
    # merges learned one after the other never make an earlier pair again: so each can be done with once and for all
    letters = "".join("abc"[i] for i in word).replace("ab", "d").replace("dc", "e").replace("bc", "f")
    call(mine.apply_merges_plainly, word, RANKS).gives(["abcdef".index(letter) for letter in letters])


# np.random.default_rng(0) draws 0.64, 0.27, 0.04, 0.02, 0.81, 0.91, 0.61, 0.73, ...


def test_without_an_rng_nothing_is_left_out(mine):
    call(mine.apply_merges_plainly, [0, 1, 2], RANKS, dropout=1.0).gives([4])


def test_all_left_out_is_the_word(mine):
    call(mine.apply_merges_plainly, [0, 1, 2], RANKS, dropout=1.0, rng=Seeded(0)).gives([0, 1, 2])


def test_none_left_out_is_the_rule(mine):
    call(mine.apply_merges_plainly, [1, 2, 0, 1], RANKS, dropout=0.0, rng=Seeded(0)).gives([5, 3])


def test_a_pair_whose_draw_is_below_dropout_is_left_out(mine):
    # 0.64 for ab and 0.27 for bc: ab is joined; then 0.04 for (ab)c, which is left out
    call(mine.apply_merges_plainly, [0, 1, 2], RANKS, dropout=0.5, rng=Seeded(0)).gives([3, 2])
    # 0.64 leaves ab out and 0.27 bc
    call(mine.apply_merges_plainly, [0, 1, 2], RANKS, dropout=0.7, rng=Seeded(0)).gives([0, 1, 2])


def test_a_draw_that_equals_dropout_is_not_below_it(mine):
    first = 0.6369616873214543  # the first draw, to its last bit
    call(mine.apply_merges_plainly, [0, 1], RANKS, dropout=first, rng=Seeded(0)).gives([3])


def test_what_was_left_out_has_another_chance_at_the_next_look(mine):
    # default_rng(1) draws 0.51, 0.95, 0.14, 0.95: the first ab is left out, the second joined; then the first is again,
    # 0.14; default_rng(4) draws 0.94, 0.51, 0.98: the second is left out, the first joined, then the second too
    call(mine.apply_merges_plainly, [0, 1, 0, 1], {(0, 1): (0, 3)}, dropout=0.6, rng=Seeded(1)).gives([0, 1, 3])
    call(mine.apply_merges_plainly, [0, 1, 0, 1], {(0, 1): (0, 3)}, dropout=0.6, rng=Seeded(4)).gives([3, 3])


def test_the_draws_go_from_left_to_right_and_to_known_pairs_alone(mine):
    call(mine.apply_merges_plainly, [2, 2, 1, 2, 2, 0, 1], RANKS, dropout=0.5, rng=Seeded(0)).gives([2, 2, 5, 2, 0, 1])


@given(st.lists(st.integers(0, 2), max_size=8), st.integers(0, 50))
def test_as_one_look_after_another_would_have_it(mine, word, seed):
    rng, ids = np.random.default_rng(seed), list(word)
    while True:
        best = None
        for i in range(len(ids) - 1):
            rank, new = RANKS.get((ids[i], ids[i + 1]), (None, None))
            if rank is not None and rng.random() >= 0.4 and (best is None or rank < best[0]):
                best = (rank, new, i)
        if best is None:
            break
        ids[best[2] : best[2] + 2] = [best[1]]
    call(mine.apply_merges_plainly, word, RANKS, dropout=0.4, rng=Seeded(seed)).gives(ids)
