"""Rows and what is made of them are the metrics themselves, of all examples and of any draw of them."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.evaluate import (
    METRICS,
    answer_f1,
    corpus_bleu,
    corpus_chrf,
    corpus_ter,
    distinct_n,
    exact_match,
    meteor,
    rouge_l,
    rouge_lsum,
    rouge_n,
    self_bleu,
)
from tinygrad_llm.evaluate.rows import self_bleu_rows

WORDS = ["the", "cat", "sat", "Sat", "mat.", "on", "a", "über", ""]
TEXT = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
CORPUS = st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3)), min_size=1, max_size=6)
WHOLE = {
    "bleu": lambda c, r: corpus_bleu(c, r).score,
    "chrf": lambda c, r: corpus_chrf(c, r).score,
    "chrf++": lambda c, r: corpus_chrf(c, r, word_order=2).score,
    "ter": lambda c, r: corpus_ter(c, r).score,
    "rouge-1": lambda c, r: np.mean([rouge_n(*pair, 1).f for pair in zip(c, r)]),
    "rouge-2": lambda c, r: np.mean([rouge_n(*pair, 2).f for pair in zip(c, r)]),
    "rouge-l": lambda c, r: np.mean([rouge_l(*pair).f for pair in zip(c, r)]),
    "rouge-lsum": lambda c, r: np.mean([rouge_lsum(*pair).f for pair in zip(c, r)]),
    "meteor": lambda c, r: np.mean([meteor(*pair).score for pair in zip(c, r)]),
    "exact-match": lambda c, r: np.mean([exact_match(*pair) for pair in zip(c, r)]),
    "f1": lambda c, r: np.mean([answer_f1(*pair).f for pair in zip(c, r)]),
    "distinct-1": lambda c, r: distinct_n(c, 1),
    "distinct-2": lambda c, r: distinct_n(c, 2),
    "distinct-3": lambda c, r: distinct_n(c, 3),
}


def test_every_metric_is_held_against_its_function():
    assert METRICS.keys() == WHOLE.keys() | {"self-bleu"}


@pytest.mark.parametrize("name", WHOLE)
@given(corpus=CORPUS, data=st.data())
def test_the_score_of_any_rows_is_that_of_their_texts(name, corpus, data):
    candidates, references = [text for text, _ in corpus], [others for _, others in corpus]
    if name in ("bleu", "chrf", "chrf++", "ter"):  # which refuse single words in a list where there are no others
        candidates, references = [*candidates, "a b"], [*references, ["a b"]]
    (rows,), statistic = METRICS[name].prepare([candidates], references)
    drawn = data.draw(st.lists(st.integers(0, len(candidates) - 1), min_size=1, max_size=8))
    drawn = [*drawn, len(candidates) - 1]
    expected = WHOLE[name]([candidates[i] for i in drawn], [references[i] for i in drawn])
    assert len(rows) == len(candidates)
    assert statistic(rows[drawn]) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_words_where_none_should_be_are_errors_all_of_them():
    for said, score in (("a b", 100), ("", 0)):
        (rows,), statistic = METRICS["ter"].prepare([[said]], [[""]])
        assert statistic(rows) == score == corpus_ter([said], [""]).score


@given(texts=st.lists(TEXT, min_size=2, max_size=7))
def test_self_bleu_in_one_pass_is_that_over_all_pairs(texts):
    assert self_bleu_rows(texts).mean() == pytest.approx(self_bleu(texts), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
@given(texts=st.lists(TEXT, min_size=2, max_size=6))
def test_left_out_is_the_score_without_each_text(n, texts):
    (rows,), statistic = METRICS[f"distinct-{n}"].prepare([texts], [])
    without = [distinct_n(texts[:i] + texts[i + 1 :], n) for i in range(len(texts))]
    np.testing.assert_allclose(statistic.left_out(rows), without, rtol=1e-12)


def test_models_that_are_prepared_together_can_be_mixed():
    first, second = ["a b a", "c c"], ["a a", "d e f g"]
    (one, other), statistic = METRICS["distinct-1"].prepare([first, second], [])
    assert statistic(one) == 3 / 5 and statistic(other) == 5 / 6
    assert statistic(np.array([one[0], other[1]])) == distinct_n(["a b a", "d e f g"], 1) == 6 / 7


def test_progress_sees_every_text():
    seen = []

    def progress(items, words):
        for item in items:
            seen.append(words)
            yield item

    for name, metric in METRICS.items():
        seen.clear()
        metric.prepare([["a b", "c d"], ["e", "f"]], [["a"], ["c"]], progress)
        assert seen == [metric.label] * 4, name


@pytest.mark.oracle
def test_scores_of_rows_are_sacrebleus():
    from sacrebleu.metrics import BLEU, CHRF, TER

    draw = random.Random(0)
    for _ in range(200):
        texts = lambda: [" ".join(draw.choices(WORDS[:-1], k=draw.randint(1, 9))) for _ in range(5)]
        said, wanted = texts(), texts()
        theirs = {
            "bleu": BLEU(tokenize="none"),
            "chrf": CHRF(),
            "chrf++": CHRF(word_order=2),
            "ter": TER(case_sensitive=True),
        }
        for name, metric in theirs.items():
            (rows,), statistic = METRICS[name].prepare([said], [[text] for text in wanted])
            assert statistic(rows) == pytest.approx(metric.corpus_score(said, [wanted]).score, abs=1e-9), name
