"""BLEU is what its paper says, and what sacrebleu says."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import DataError
from tinygrad_llm.evaluate import clipped_matches, corpus_bleu

# Papineni et al., 2002, section 2.1
PAPER = {
    "c1": "It is a guide to action which ensures that the military always obeys the commands of the party",
    "c2": "It is to insure the troops forever hearing the activity guidebook that party direct",
    "r1": "It is a guide to action that ensures that the military will forever heed Party commands",
    "r2": "It is the guiding principle which guarantees the military forces always being under the command of the Party",
    "r3": "It is the practical guide for the army always to heed the directions of the party",
}


def matches(candidate, references, n):
    return clipped_matches(candidate.split(), [r.split() for r in references], n)


def test_the_papers_own_counts():
    references = [PAPER["r1"], PAPER["r2"], PAPER["r3"]]
    assert matches(PAPER["c1"], references, 1) == (17, 18)
    assert matches(PAPER["c2"], references, 1) == (8, 14)
    assert matches(PAPER["c1"], references, 2) == (10, 17)
    assert matches(PAPER["c2"], references, 2) == (1, 13)
    the = ["the cat is on the mat", "there is a cat on the mat"]
    assert matches("the the the the the the the", the, 1) == (2, 7)
    assert matches("the the the the the the the", the, 2) == (0, 6)


def test_an_equal_corpus_has_a_hundred_and_another_has_none():
    texts = ["a b c d e", "f g h i"]
    assert corpus_bleu(texts, texts).score == pytest.approx(100, rel=1e-12)
    assert corpus_bleu(texts, ["v w x y z", "v w x y"]).score == 0
    assert corpus_bleu(["a b c"], ["a b c"]).score == 0  # no 4-gram anywhere: its precision has no value


def test_a_corpus_is_not_the_mean_of_its_sentences():
    both = corpus_bleu(["a b c d e", "a b x d e"], ["a b c d e", "a b c d e"])
    assert both.matches == (9, 6, 3, 2) and both.counts == (10, 8, 6, 4)
    assert both.score == pytest.approx(100 * (9 / 10 * 6 / 8 * 3 / 6 * 2 / 4) ** 0.25, rel=1e-12)
    assert both.precisions == pytest.approx((90, 75, 50, 50))
    assert (both.length, both.reference_length, both.brevity_penalty) == (10, 10, 1)


def test_short_candidates_pay_and_long_ones_do_not():
    short = corpus_bleu(["a b c d"], ["a b c d e f"])
    assert short.brevity_penalty == pytest.approx(math.exp(1 - 6 / 4)) and short.score == pytest.approx(
        100 * math.exp(-0.5)
    )
    assert corpus_bleu(["a b c d e f"], ["a b c d"]).brevity_penalty == 1
    assert corpus_bleu([""], ["a"]).brevity_penalty == 0 and corpus_bleu([""], ["a"]).score == 0
    # of references as close, the shorter; of others, the closest
    assert corpus_bleu(["a b c d"], [["a b c d e", "a b c"]]).reference_length == 3
    assert corpus_bleu(["a b c d"], [["a b c d e", "a"]]).reference_length == 5


def test_orders_without_a_match_are_smoothed_by_halves():
    found = corpus_bleu(["a b x c y d"], ["a b c d e f"])
    assert found.matches == (4, 1, 0, 0) and found.counts == (6, 5, 4, 3)
    assert found.precisions == pytest.approx((100 * 4 / 6, 20, 100 / (2 * 4), 100 / (4 * 3)))
    assert found.score == pytest.approx(100 * (4 / 6 / 5 / 8 / 12) ** 0.25, rel=1e-12)
    thrice = corpus_bleu(["a x b y"], ["a b c d"])  # 2, 4, 8, and not 2, 4, 6
    assert thrice.precisions == pytest.approx((50, 100 / (2 * 3), 100 / (4 * 2), 100 / (8 * 1)))


# sacrebleu 2.6.0, corpus_bleu(candidates, [references], tokenize="none")
GOLDENS = [
    (["the cat sat on the mat", "a dog"], ["the cat is on the mat", "a dog barked"], 34.844928509543394),
    ([PAPER["c1"]], [PAPER["r1"]], 41.180376356915765),
    ([PAPER["c2"]], [PAPER["r3"]], 6.4798047102452365),
]


@pytest.mark.parametrize(("candidates", "references", "score"), GOLDENS)
def test_scores_that_sacrebleu_gave(candidates, references, score):
    assert corpus_bleu(candidates, references).score == pytest.approx(score, abs=1e-9)


@given(st.lists(st.tuples(st.text("ab ", max_size=12), st.text("ab ", max_size=12)), min_size=1, max_size=4))
def test_the_order_of_sentences_does_not_matter_and_the_score_is_a_percentage(pairs):
    candidates, references = map(list, zip(*pairs))
    score = corpus_bleu(candidates, references).score
    assert 0 <= score <= 100 + 1e-9
    assert corpus_bleu(candidates[::-1], references[::-1]).score == pytest.approx(score, abs=1e-12)
    twice = corpus_bleu(candidates * 2, references * 2)
    assert twice.counts == tuple(2 * n for n in corpus_bleu(candidates, references).counts)


@pytest.mark.parametrize(
    ("candidates", "references", "words"),
    [
        ([], [], "at least one"), (["a"], [], "one a candidate"), (["a"], ["a", "b"], "one a candidate"),
        (["a", "b"], ["a", []], r"references\[1\]"), ("a b", ["a b"], "list"), (["a b"], "a b", "list"),
        ([["a", "b"]], ["a b"], r"candidates\[0\].*' '.join"), (["a b", ("a",)], ["a b", "a"], r"candidates\[1\].*tuple.*' '.join"),
        (["a b"], [[["a", "b"]]], r"references\[0\]\[0\].*' '.join"), (["a b"], [[["a", "b"], "a b"]], r"references\[0\]\[0\]"),
        (["a b c"], [["a", "b", "c"]], r"references\[0\].*words.*' '.join"), (["a b", "c d e"], [["a", "b"], ["c", "d"]], "words"),
        (["a b"], [["a", "b"]], "words"),
        ([b"a b"], ["a b"], "bytes"), (["a b"], [b"a b"], "bytes"), (["a b"], [None], "NoneType"), ([None], ["a"], "NoneType"),
        (["a b"], [3], "int"), (iter(["a b"]), ["a b"], "list"), (["a b"], None, "list"), (b"ab", ["a", "b"], "list"), ({"a b": 1}, ["a b"], "list"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused_with_words(candidates, references, words):
    with pytest.raises(DataError, match=words):
        corpus_bleu(candidates, references)


def test_several_references_of_one_word_are_several_where_the_candidates_are_of_one_word_too():
    assert corpus_bleu(["a", "b"], [["a", "c"], ["c", "b"]]).matches[0] == 2
    assert corpus_bleu(["a b"], [["a", "a b"]]).matches == (2, 1, 0, 0)  # not all are of one word
    assert corpus_bleu(["a b"], [["a"]]).matches[0] == 1


@pytest.mark.parametrize(("candidate", "references"), [("the cat", [["the", "cat"]]), (["the", "cat"], ["the", "cat"])])
def test_letters_are_not_counted_for_words(candidate, references):
    with pytest.raises(DataError, match=r"words.*\.split\(\)"):
        clipped_matches(candidate, references, 1)


@pytest.mark.oracle
@pytest.mark.parametrize("count", [1, 2, 3])
def test_three_hundred_random_corpora_have_sacrebleus_score(count):
    import sacrebleu

    draw = random.Random(count)
    scores = []
    lengths = [n for n in range(13) if n != 1 or count == 1]  # several of one word each: a text in words, and refused
    for _ in range(300):
        vocabulary = "abcdefgh"[: draw.randint(2, 8)]
        text = lambda vocabulary=vocabulary: " ".join(draw.choices(vocabulary, k=draw.choice(lengths)))
        size = draw.randint(1, 6)
        candidates = [text() for _ in range(size)]
        references = [[text() for _ in range(count)] for _ in range(size)]
        theirs = sacrebleu.corpus_bleu(candidates, [list(r) for r in zip(*references)], tokenize="none", force=True)
        ours = corpus_bleu(candidates, references if count > 1 else [r[0] for r in references])
        assert ours.score == pytest.approx(theirs.score, abs=1e-9)
        assert list(ours.matches) == theirs.counts and list(ours.counts) == theirs.totals
        assert ours.brevity_penalty == pytest.approx(theirs.bp, abs=1e-12)
        np.testing.assert_allclose(ours.precisions, theirs.precisions, atol=1e-9)
        assert (ours.length, ours.reference_length) == (theirs.sys_len, theirs.ref_len)
        scores.append(ours.score)
    assert np.std(scores) > 5


def plainly(candidates, references):
    """The formula, word by word: (score, BP, p_n without smoothing, c, r)."""
    matched, counted, c, r = [0] * 4, [0] * 4, 0, 0
    for candidate, texts in zip(candidates, references):
        own, others = candidate.split(), [text.split() for text in texts]
        c += len(own)
        r += sorted((abs(len(o) - len(own)), len(o)) for o in others)[0][1]
        for n in range(1, 5):
            grams = [tuple(own[i : i + n]) for i in range(len(own)) if i + n <= len(own)]
            counted[n - 1] += len(grams)
            for gram in set(grams):
                most = max(sum(tuple(o[i : i + n]) == gram for i in range(len(o))) for o in others)
                matched[n - 1] += min(grams.count(gram), most)
    penalty = 1.0 if c >= r else math.exp(1 - r / c)
    p = [m / n for m, n in zip(matched, counted)]
    return 100 * penalty * math.prod(p) ** 0.25, penalty, p, c, r


def test_random_corpora_have_the_formulas_score():
    draw, judged = random.Random(0), 0
    for _ in range(300):
        text = lambda least: ("  " if draw.random() < 0.3 else " ").join(
            draw.choices("aAbc", k=draw.randint(least, 14))
        )
        candidates = [text(5) for _ in range(draw.randint(1, 4))]
        references = [[text(3) for _ in range(draw.randint(1, 3))] for _ in candidates]
        found = corpus_bleu(candidates, references)
        score, penalty, p, c, r = plainly(candidates, references)
        assert (found.length, found.reference_length) == (c, r) and found.brevity_penalty == pytest.approx(
            penalty, rel=1e-12
        )
        assert all(got == pytest.approx(100 * share, rel=1e-12) for got, share in zip(found.precisions, p) if share)
        if min(p) > 0:
            assert found.score == pytest.approx(score, rel=1e-12)
            judged += 1
    assert judged > 50


def test_words_are_what_any_white_space_parts_and_case_is_kept():
    assert corpus_bleu(["  a b\tc \n d "], ["a b c d"]).score == pytest.approx(100)
    assert corpus_bleu(["a  b c d"], ["a b c d"]).counts == (4, 3, 2, 1)
    assert corpus_bleu(["A b c d"], ["a b c d"]).matches == (3, 2, 1, 0)
