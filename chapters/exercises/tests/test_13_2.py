"""13.2: clipped n-grams. The first cases are the paper's (Papineni et al., 2002, section 2.1)."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call

THE = ["the"] * 7
MAT, CAT = "the cat is on the mat".split(), "there is a cat on the mat".split()
GUIDE = "it is a guide to action which ensures that the military always obeys the commands of the party".split()
REFERENCES = [
    "it is a guide to action that ensures that the military will forever heed party commands".split(),
    "it is the guiding principle which guarantees the military forces always being under the command of the party".split(),
    "it is the practical guide for the army always to heed the directions of the party".split(),
]


def test_a_word_counts_no_more_often_than_the_reference_has_it(mine):
    call(mine.clipped_matches, THE, [MAT], 1).gives((2, 7))


def test_of_several_references_the_one_that_has_most(mine):
    call(mine.clipped_matches, THE, [CAT, MAT], 1).gives((2, 7))
    call(mine.clipped_matches, ["a", "a", "b"], [["a", "b"], ["a", "c"]], 1).gives((2, 3))


def test_runs_of_two_overlap(mine):
    call(mine.clipped_matches, ["a", "b", "a", "b"], [["a", "b", "a"]], 2).gives((2, 3))


def test_the_papers_sentence(mine):
    call(mine.clipped_matches, GUIDE, REFERENCES, 1).gives((17, 18))
    call(mine.clipped_matches, GUIDE, REFERENCES, 2).gives((10, 17))


def test_a_text_shorter_than_n_has_no_runs(mine):
    call(mine.clipped_matches, ["a", "b"], [["a", "b"]], 3).gives((0, 0))


words = st.lists(st.sampled_from("ab"), max_size=6)


@given(words, st.lists(words, min_size=1, max_size=2), st.integers(1, 3))
def test_all_that_can_be_counted(mine, candidate, references, n):
    def every(text):
        return Counter(" ".join(text[i : i + n]) for i in range(len(text)) if i + n <= len(text))

    own = every(candidate)
    matched = sum(min(own[run], max(every(reference)[run] for reference in references)) for run in own)
    call(mine.clipped_matches, candidate, references, n).gives((matched, sum(own.values())))
