"""Distinct n-grams by counting, and self-BLEU as sacrebleu has it."""

from __future__ import annotations

import random

import pytest

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.evaluate import corpus_bleu, distinct_n, self_bleu


def test_distinct_ngrams_are_counted_over_all_texts_together():
    texts = ["a b a b", "b a  c"]
    assert distinct_n(texts, 1) == 3 / 7
    assert distinct_n(texts, 2) == 3 / 5  # ab ba ab, ba ac: none goes over the end of a text
    assert distinct_n(texts, 3) == 3 / 3 and distinct_n(texts, 4) == 1 / 1
    assert distinct_n(["a a a"], 1) == 1 / 3


def test_without_ngrams_there_is_none_distinct():
    assert distinct_n(["a b", ""], 3) == 0 == distinct_n([""], 1)


def test_distinct_is_the_share_of_a_set():
    draw = random.Random(0)
    for _ in range(100):
        texts = [draw.choices("abc", k=draw.randint(0, 9)) for _ in range(draw.randint(1, 4))]
        n = draw.randint(1, 3)
        grams = [tuple(t[i : i + n]) for t in texts for i in range(len(t)) if i + n <= len(t)]
        assert distinct_n([" ".join(t) for t in texts], n) == (len(set(grams)) / len(grams) if grams else 0)


def test_the_same_text_every_time_is_a_hundred_and_nothing_in_common_is_none():
    assert self_bleu(["a b c d e"] * 3) == pytest.approx(100)
    assert self_bleu(["a b c d", "e f g h", "i j k l"]) == 0 == self_bleu(["", ""])


def test_self_bleu_is_the_mean_of_each_against_the_others():
    texts = ["a b c d e", "a b c d f g", "x b c d e f"]
    each = [corpus_bleu([text], [[other for other in texts if other is not text]]).score for text in texts]
    assert min(each) > 0 and self_bleu(texts) == pytest.approx(sum(each) / 3, rel=1e-12)
    assert self_bleu(["a b c d", "a", "b"]) == pytest.approx(
        self_bleu(["b", "a", "a b c d"])
    )  # texts of one word are texts


@pytest.mark.parametrize(
    ("texts", "words"),
    [("a b", "texts: .*a list"), ([], "texts: .*at least"), ([["a"]], r"texts\[0\]: .*' '.join"), (["a", 3], r"texts\[1\]: .*int")],
)  # fmt: skip
@pytest.mark.parametrize("metric", [lambda texts: distinct_n(texts, 1), self_bleu])
def test_what_is_no_list_of_texts_is_refused(metric, texts, words):
    with pytest.raises(DataError, match=words if metric is not self_bleu or len(texts) != 1 else "texts"):
        metric(texts)


def test_one_text_has_no_others_and_no_n_is_below_one():
    assert distinct_n(["a"], 1) == 1
    with pytest.raises(DataError, match="texts: expected at least 2, got 1"):
        self_bleu(["a"])
    with pytest.raises(ArgumentError, match="n: expected a whole number of at least 1"):
        distinct_n(["a"], 0)


@pytest.mark.oracle
def test_a_thousand_random_lists_have_sacrebleus_mean():
    from sacrebleu.metrics import BLEU

    draw, theirs = random.Random(0), BLEU(tokenize="none", effective_order=False)
    for _ in range(1000):
        vocabulary = "abcdefgh"[: draw.randint(1, 8)]
        texts = [" ".join(draw.choices(vocabulary, k=draw.randint(0, 9))) for _ in range(draw.randint(2, 5))]
        each = [
            theirs.corpus_score([text], [[o] for o in texts[:i] + texts[i + 1 :]]).score for i, text in enumerate(texts)
        ]
        assert self_bleu(texts) == pytest.approx(sum(each) / len(each), abs=1e-9)
