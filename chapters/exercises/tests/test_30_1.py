"""30.1: BLEU of one text. The paper's cases (Papineni et al., 2002) and sacrebleu's numbers."""

import math

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

CAT = "the cat sat on the mat".split()
LONG = "a b c d e f g h".split()
# sacrebleu 2.6.0, sentence_bleu, smooth_method="none", tokenize="none", divided by 100
CANDIDATE, REFERENCE = "lily gave tom six red kites today".split(), "today lily gave tom six red kites at noon".split()
GOLDEN = 0.6319145618915729


def test_a_text_is_its_own_reference(mine):
    call(mine.bleu, CAT, CAT).gives(1.0)


def test_no_run_of_four_in_common_is_0(mine):
    call(mine.bleu, ["a", "b", "c", "x", "d"], ["a", "b", "c", "y", "d"]).gives(0.0)


def test_a_text_of_three_words_has_no_run_of_four(mine):
    call(mine.bleu, ["a", "b", "c"], ["a", "b", "c"]).gives(0.0)


def test_a_run_counts_no_more_often_than_the_reference_has_it(mine):
    # runs of the candidate: 8, 7, 6, 5; matched 5, 4, 3, 2
    call(mine.bleu, list("aaaaabbb"), list("aaaab")).gives((5 / 8 * 4 / 7 * 3 / 6 * 2 / 5) ** 0.25)


def test_the_mean_is_geometric(mine):
    # matched 5 of 6, 4 of 5, 3 of 4, 2 of 3
    call(mine.bleu, [*LONG[:5], "x"], LONG[:6]).gives((5 / 6 * 4 / 5 * 3 / 4 * 2 / 3) ** 0.25)


def test_half_as_long_costs_a_factor_of_e(mine):
    call(mine.bleu, LONG[:4], LONG).gives(math.exp(-1))
    call(mine.bleu, LONG[:5], LONG[:6]).gives(math.exp(1 - 6 / 5))


def test_longer_than_the_reference_costs_no_penalty(mine):
    call(mine.bleu, LONG, LONG[:4]).gives((4 / 8 * 3 / 7 * 2 / 6 * 1 / 5) ** 0.25)


def test_sacrebleus_number(mine):
    call(mine.bleu, CANDIDATE, REFERENCE).gives(GOLDEN)


@given(st.lists(st.sampled_from("ab"), min_size=4, max_size=9), st.lists(st.sampled_from("ab"), min_size=4, max_size=9))
def test_run_by_run(mine, candidate, reference):
    product = 1.0
    for n in range(1, 5):
        own = [candidate[i : i + n] for i in range(len(candidate) - n + 1)]
        free = [reference[i : i + n] for i in range(len(reference) - n + 1)]
        matched = 0
        for run in own:
            if run in free:
                free.remove(run)
                matched += 1
        product *= matched / len(own)
    short = len(candidate) < len(reference)
    penalty = math.exp(1 - len(reference) / len(candidate)) if short else 1.0
    call(mine.bleu, candidate, reference).gives(penalty * product**0.25)
