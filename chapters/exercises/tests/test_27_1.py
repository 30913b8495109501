"""27.1: the area under the ROC. Its golden: scikit-learn's roc_auc_score."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

# scikit-learn 1.9.1: roc_auc_score of these ten
SCORES = np.array([0.1, 0.4, 0.35, 0.8, 0.4, 0.9, 0.2, 0.4, 0.7, 0.35])
LABELS = np.array([0, 0, 1, 1, 1, 0, 0, 1, 1, 0])
GOLDEN = 0.7


def test_who_parts_the_two_sorts_has_one(mine):
    call(mine.roc_auc, np.array([0.9, 0.2, 0.7, 0.1]), np.array([1, 0, 1, 0])).gives(1.0)


def test_who_has_them_the_wrong_way_round_has_nothing(mine):
    call(mine.roc_auc, np.array([0.9, 0.2, 0.7, 0.1]), np.array([0, 1, 0, 1])).gives(0.0)


def test_two_pairs_of_six_are_the_wrong_way_round(mine):
    # unsafe 5, 3, 2 against safe 4, 1: all but (3, 4) and (2, 4) are in order
    call(mine.roc_auc, np.array([5.0, 4.0, 3.0, 2.0, 1.0]), np.array([1, 0, 1, 1, 0])).gives(4 / 6)


def test_equal_scores_count_half(mine):
    call(mine.roc_auc, np.array([3.0, 3.0, 3.0, 3.0]), np.array([1, 0, 0, 1])).gives(0.5)


def test_one_tie_beside_an_ordered_pair(mine):
    call(mine.roc_auc, np.array([2.0, 2.0, 1.0]), np.array([1, 0, 0])).gives(0.75)


def test_it_does_not_matter_how_rare_the_unsafe_are(mine):
    scores, labels = np.array([0.9, 0.2, 0.5, 0.1]), np.array([1, 1, 0, 0])
    often = np.array([0, 1, 2, 3] + [2, 3] * 9)
    call(mine.roc_auc, scores[often], labels[often]).gives(0.75)


def test_only_the_order_counts(mine):
    call(mine.roc_auc, np.exp(9 * SCORES) - 50, LABELS).gives(GOLDEN)


@given(st.lists(st.tuples(st.integers(-2, 2), st.booleans()), min_size=1, max_size=8))
def test_pair_by_pair(mine, drawn):
    drawn = [(1, True), (0, False), *drawn]
    unsafe, safe = ([s for s, is_unsafe in drawn if is_unsafe == wanted] for wanted in (True, False))
    won = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a in unsafe for b in safe)
    scores, labels = np.array([s for s, _ in drawn]) * 1.0, np.array([int(is_unsafe) for _, is_unsafe in drawn])
    call(mine.roc_auc, scores, labels).gives(won / (len(unsafe) * len(safe)))


def test_as_scikit_learn_has_it(mine):
    call(mine.roc_auc, SCORES, LABELS).gives(GOLDEN)
