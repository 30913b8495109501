"""30.2: Cohen's kappa."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

# 45 and 15 they agree on, 25 and 15 they do not: p_o = 0.6, p_e = 0.7 · 0.6 + 0.3 · 0.4 = 0.54
ONE, OTHER = ["yes"] * 70 + ["no"] * 30, ["yes"] * 45 + ["no"] * 25 + ["yes"] * 15 + ["no"] * 15
# scikit-learn 1.9.1: cohen_kappa_score
MARKS, MARKS_TOO = [1, 2, 3, 3, 5, 4, 4, 2, 1, 5], [1, 3, 3, 3, 4, 4, 5, 2, 1, 5]
GOLDEN = 0.625


def test_full_agreement_is_1(mine):
    call(mine.kappa, [1, 2, 2], [1, 2, 2]).gives(1.0)


def test_a_case_counted_by_hand(mine):
    call(mine.kappa, ONE, OTHER).gives(0.06 / 0.46)


def test_who_always_says_the_same_agrees_by_chance_alone(mine):
    call(mine.kappa, [4, 4, 4, 4], [4, 4, 4, 2]).gives(0.0)


def test_to_say_the_contrary_is_below_0(mine):
    call(mine.kappa, [0, 1, 0, 1], [1, 0, 1, 0]).gives(-1.0)


def test_chance_has_the_habits_of_both(mine):
    # p_o = 1/2; the first says a in 3 of 4, the second in 1 of 4: p_e = 3/16 + 3/16
    call(mine.kappa, ["a", "a", "a", "b"], ["a", "b", "b", "b"]).gives((1 / 2 - 3 / 8) / (5 / 8))


def test_a_label_that_only_one_gives_is_never_agreed_on(mine):
    call(mine.kappa, [1, 1, 2, 2], [1, 3, 2, 3]).gives((1 / 2 - 1 / 4) / (3 / 4))


def test_one_label_for_all_leaves_nothing_to_be_seen(mine):
    call(mine.kappa, [3, 3], [3, 3]).gives(float("nan"))


def test_scikit_learns_number(mine):
    call(mine.kappa, MARKS, MARKS_TOO).gives(GOLDEN)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=8))
def test_pair_by_pair(mine, pairs):
    one, other = ([pair[side] for pair in pairs] for side in range(2))
    n = len(pairs)
    chance = sum(a == b for a in one for b in other) / n**2
    if len(Counter(one + other)) > 1:
        agreed = sum(a == b for a, b in pairs) / n
        call(mine.kappa, one, other).gives((agreed - chance) / (1 - chance))
