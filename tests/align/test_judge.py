"""Preferences made by a judging model: what it is shown, how it answers, and what the order of showing does."""

from __future__ import annotations

import numpy as np
import pytest
from toy import model

from tinygrad_llm.align import ModelJudge, both_orders, judged_preferences, position_bias
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.tokenizer import CharTokenizer

TOKENIZER = CharTokenizer.train("abcdefghijklmnopqrstuvwxyz AB?:\n{}")
FORM = "{prompt}?\nA:{first}\nB:{second}\n"


def longer(prompt, first, second):
    """A judge without whims: the longer answer is better."""
    return 1 / (1 + np.exp(len(second) - len(first)))


def whimsical(prompt, first, second):
    """It prefers the longer one, but what it is shown first by more."""
    return 1 / (1 + np.exp(len(second) - len(first) - 1.5))


def test_a_models_choice_is_between_the_first_tokens_of_its_labels():
    found = GPT(GPTConfig(TOKENIZER.vocab_size, 40, 1, 2, 8), rng=np.random.default_rng(0), dtype=np.float64)
    judge = ModelJudge(found, TOKENIZER, FORM, ("A", "Better"))
    text = "what?\nA:this one\nB:that\n"
    logits = found(np.array([TOKENIZER.encode(text)])).numpy()[0, -1]
    a, b = (np.exp(logits[TOKENIZER.encode(label)[0]]) for label in "AB")
    np.testing.assert_allclose(judge("what", "this one", "that"), a / (a + b), rtol=1e-10)


def test_an_answer_that_looks_like_a_mark_is_shown_as_it_is():
    seen = []

    class Spy:
        def encode(self, text):
            seen.append(text)
            return [0] if len(text) < 3 else [1, 2]

    judge = ModelJudge(model(0), Spy(), FORM, ("A", "BBBB"))
    judge("{second}", "{prompt}", "x")
    assert seen[-1] == "{second}?\nA:{prompt}\nB:x\n"


def test_the_better_answer_is_chosen_whichever_is_named_first():
    rows = judged_preferences([("q", "long answer", "short"), ("r", "no", "yes sir")], longer)
    assert [(row["prompt"], row["chosen"], row["rejected"]) for row in rows] == [
        ("q", "long answer", "short"),
        ("r", "yes sir", "no"),
    ]
    np.testing.assert_allclose(
        [row["probability"] for row in rows], [longer("", "x" * 11, "x" * 5), longer("", "x" * 7, "xx")], rtol=1e-12
    )


def test_what_only_the_order_decided_is_left_out():
    triples = [("q", "aaaa", "bbb"), ("q", "bbb", "aaaa"), ("q", "aaaaaaa", "bbb")]  # by 1, by 1, by 4
    assert [row["chosen"] for row in judged_preferences(triples, whimsical)] == ["aaaaaaa"]
    everything = judged_preferences(triples, whimsical, consistent=False)
    assert [row["chosen"] for row in everything] == ["aaaa", "aaaa", "aaaaaaa"]  # the whim cancels


def test_a_whim_about_the_order_cancels_and_is_measured():
    p, agreed = both_orders(whimsical, "q", "aaa", "bbb")
    np.testing.assert_allclose(p, 0.5, rtol=1e-12)
    assert not agreed and both_orders(longer, "q", "aaaaaaaa", "b")[1]
    np.testing.assert_allclose(both_orders(longer, "q", "aaaa", "b")[0], longer("q", "aaaa", "b"), rtol=1e-12)
    triples = [("q", "aaa", "bbb"), ("q", "aaa", "bbb")]
    np.testing.assert_allclose(position_bias(triples, whimsical), 1 / (1 + np.exp(-1.5)) - 0.5, rtol=1e-12)
    np.testing.assert_allclose(position_bias([("q", "aaa", "b")], longer), 0, atol=1e-12)


def test_equals_and_what_is_nearly_equal_are_left_out():
    triples = [("q", "same", "same"), ("q", "aaa", "bbb"), ("q", "aaaa", "bbb"), ("q", "aaaaaaaa", "bbb")]
    assert len(judged_preferences(triples, longer)) == 2
    assert len(judged_preferences(triples, longer, least=0.3)) == 1  # by one letter it is sure to 0.73


def test_what_cannot_judge_is_refused():
    for form in ("{prompt} {first}", "{first} {second}", "{prompt}{second}"):
        with pytest.raises(ArgumentError, match="form"):
            ModelJudge(model(0), TOKENIZER, form, ("A", "B"))
    for labels in (("A", "A?"), ("", "B"), ("A", "")):
        with pytest.raises(ArgumentError, match="labels"):
            ModelJudge(model(0), TOKENIZER, FORM, labels)
    for least in (-0.1, 0.5, np.nan):
        with pytest.raises(ArgumentError, match="least"):
            judged_preferences([], longer, least=least)
    with pytest.raises(ArgumentError, match="triples"):
        position_bias([], longer)
