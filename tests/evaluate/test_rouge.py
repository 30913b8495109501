"""ROUGE is what its paper says, and what rouge-score says."""

from __future__ import annotations

import itertools
import random

import pytest

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.evaluate import rouge_l, rouge_lsum, rouge_n
from tinygrad_llm.evaluate.rouge import common_subsequence, rouge_words

# Lin, 2004, section 3: S1 is the reference
S1, S2, S3, S4 = (
    "police killed the gunman",
    "police kill the gunman",
    "the gunman kill police",
    "the gunman police killed",
)


def three(overlap):
    return pytest.approx((overlap.precision, overlap.recall, overlap.f), rel=1e-12)


def test_the_papers_own_scores():
    assert (rouge_l(S2, S1).f, rouge_l(S3, S1).f, rouge_l(S4, S1).f) == (0.75, 0.5, 0.5)
    assert rouge_n(S2, S1, 2).f == rouge_n(S3, S1, 2).f == pytest.approx(1 / 3)
    # section 3.2: w1 w2 w3 w4 w5 against two lines; their subsequences together cover four of five
    union = rouge_lsum("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5")
    assert (union.recall, union.precision) == (4 / 5, 4 / 10)


def test_precision_is_of_the_candidates_and_recall_of_the_references_ngrams():
    assert three(rouge_n("a b c", "a b x a y z", 1)) == (2 / 3, 2 / 6, 4 / 9)
    assert three(rouge_n("a b c", "a b x a y z", 2)) == (1 / 2, 1 / 5, 2 / 7)
    assert three(rouge_n("a a a b", "a b a", 1)) == (3 / 4, 3 / 3, 6 / 7)  # each as often as both have it
    assert three(rouge_l("a x b c", "a b y c z q")) == (3 / 4, 3 / 6, 3 / 5)


@pytest.mark.parametrize("metric", [lambda c, r: rouge_n(c, r, 1), lambda c, r: rouge_n(c, r, 2), rouge_l, rouge_lsum])
def test_the_same_text_has_one_and_nothing_has_none(metric):
    assert three(metric("a b\nc", "A b, c")) == (1, 1, 1)
    assert three(metric("a b\nc", "A b.\nc")) == (1, 1, 1)
    for candidate, reference in (("", ""), ("", "a b"), ("a b", ""), ("...", "a b"), ("a b", "c d")):
        assert three(metric(candidate, reference)) == (0, 0, 0)


def test_a_text_too_short_for_an_ngram_has_none():
    assert three(rouge_n("a", "a", 2)) == (0, 0, 0) and three(rouge_n("a b", "a b", 2)) == (1, 1, 1)


def test_of_several_references_the_best_f_counts_and_of_equals_the_first():
    assert three(rouge_n("a b", ["c", "a b c", "a"], 1)) == (1, 2 / 3, 4 / 5)
    assert three(rouge_l("a b c d", ["a b", "a b c d e f g h"])) == (1 / 2, 1, 2 / 3)  # the other: 1, 1/2, 2/3
    assert three(rouge_l("a b c d", ["a b c d e f g h", "a b"])) == (1, 1 / 2, 2 / 3)


def test_words_are_runs_of_small_letters_and_digits():
    assert rouge_words("It's  4-fold,\nÄhm: OK_2!") == ["it", "s", "4", "fold", "hm", "ok", "2"]
    assert rouge_words("αβγ ...") == []


def test_a_word_of_a_summary_counts_at_most_as_often_as_the_candidate_has_it():
    assert three(rouge_lsum("a b", "a c\na d\nb")) == (1, 2 / 5, 4 / 7)
    assert three(rouge_lsum("a\na", "a c\na d\nb")) == (1, 2 / 5, 4 / 7)


def test_lines_and_not_the_whole_are_put_side_by_side():
    assert rouge_lsum("c d\na b", "a b\nc d").f == 1 and rouge_l("c d\na b", "a b\nc d").f == 0.5


def by_trying_all(words, others):
    """The length of the longest subsequence of `words` that is one of `others`."""
    for length in range(len(words), 0, -1):
        for places in itertools.combinations(range(len(words)), length):
            rest = iter(others)
            if all(words[i] in rest for i in places):
                return length
    return 0


def test_the_common_subsequence_is_one_and_the_longest():
    draw = random.Random(0)
    for _ in range(300):
        words, others = (draw.choices("abc", k=draw.randint(0, 7)) for _ in range(2))
        places = common_subsequence(words, others)
        rest = iter(others)
        assert places == sorted(set(places), reverse=True) and all(words[i] in rest for i in places[::-1])
        assert len(places) == by_trying_all(words, others)


def test_of_subsequences_as_long_it_is_the_first_from_behind():
    assert common_subsequence("ab", "ba") == [0]  # b of "ab" is left first
    assert common_subsequence("aba", "ab") == [1, 0]
    assert common_subsequence("abcb", "bc") == [2, 1]
    assert common_subsequence("aa", "a") == [1]
    assert common_subsequence("acbac", "ccbb") == [2, 1]


@pytest.mark.parametrize(
    ("candidate", "references", "words"),
    [(["a", "b"], "a b", "candidate: .*' '.join"), ("a", [], "references: .*at least one"), ("a", ["a", 3], r"references\[1\]: .*int"), (None, "a", "candidate"), ("a", None, "references: .*NoneType")],
)  # fmt: skip
@pytest.mark.parametrize("metric", [lambda c, r: rouge_n(c, r, 1), rouge_l, rouge_lsum])
def test_what_is_no_text_is_refused_by_name(metric, candidate, references, words):
    with pytest.raises(DataError, match=words):
        metric(candidate, references)


@pytest.mark.parametrize("n", [0, -1, 1.0, True])
def test_an_n_below_one_is_refused(n):
    with pytest.raises(ArgumentError, match="n: expected a whole number of at least 1"):
        rouge_n("a", "a", n)


def lines(draw):
    words = "abcdeABC"[: draw.randint(1, 8)]
    line = lambda: "".join(draw.choice(words) + draw.choice([" ", " ", ", ", "."]) for _ in range(draw.randint(0, 9)))
    return "\n".join(line() for _ in range(draw.randint(0, 4)))


@pytest.mark.oracle
def test_a_thousand_random_texts_have_rouge_scores_numbers():
    from rouge_score.rouge_scorer import RougeScorer

    draw, scorer, seen = random.Random(1), RougeScorer(["rouge1", "rouge2", "rouge3", "rougeL", "rougeLsum"]), []
    metrics = {f"rouge{n}": lambda c, r, n=n: rouge_n(c, r, n) for n in (1, 2, 3)}
    metrics |= {"rougeL": rouge_l, "rougeLsum": rouge_lsum}
    for _ in range(1000):
        candidate, references = lines(draw), [lines(draw) for _ in range(draw.randint(1, 3))]
        theirs = scorer.score_multi(references, candidate)
        for name, metric in metrics.items():
            found = metric(candidate, references if len(references) > 1 else references[0])
            assert three(found) == (theirs[name].precision, theirs[name].recall, theirs[name].fmeasure)
        seen.append([theirs[name].fmeasure for name in metrics])
    assert all(len(set(column)) > 100 for column in zip(*seen))
