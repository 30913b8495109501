"""05.3: writing with merges. Its golden: what tokenizers learned from ten words, and how it then wrote others."""

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

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
