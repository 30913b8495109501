"""A model at its tasks: what it answers, chooses and foretells is what its logits say, token by token."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tinygrad_llm.errors import DataError, TokenError
from tinygrad_llm.evaluate.ask import Examinee, by_byte, common_prefix, row_log_probs, shares_of, windows_of
from tinygrad_llm.evaluate.task import Choice, Passage, Question
from tinygrad_llm.generate import Generated, Sampler, generate
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.tokenizer import ByteTokenizer, CharTokenizer, RegexBPETokenizer
from tinygrad_llm.tokenizer.chat import PLAIN

TOKENIZER = ByteTokenizer()
A, B, C, D, X = (RegexBPETokenizer([]).encode(letter)[0] for letter in "abcdx")
MERGED = RegexBPETokenizer([(A, B), (256, C)])
"""ab is 256 and abc is 257: the end of a prompt and the beginning of a choice may be one token."""


def gpt(vocabulary=256, block=24, seed=0):
    model = GPT(GPTConfig(vocabulary, block, 1, 1, 8), rng=np.random.default_rng(seed), dtype=np.float64)
    for p in model.parameters():
        p.assign(3 * p.data)
    return model


def nats(model, ids, start):
    """ln p of ids[start:], one after the other, from a forward pass for each."""
    total = 0.0
    for i in range(start, len(ids)):
        logits = model(np.array([ids[max(0, i - model.block_size) : i]])).data[0, -1]
        total += logits[ids[i]] - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
    return total


def test_choices_are_scored_by_their_tokens_after_the_prompt():
    model = gpt()
    tasks = [Choice(1, "ab", (" c", " def", "ü"), 0), Choice(2, "a longer prompt", ("x", "yz"), 1)]
    for batch_size in (1, 2, 16):
        found = Examinee(model, TOKENIZER, batch_size=batch_size).choices(tasks)
        for task, scores in zip(tasks, found):
            start = len(task.prompt)
            expected = [nats(model, TOKENIZER.encode(task.prompt + choice), start) for choice in task.choices]
            np.testing.assert_allclose(scores, expected, rtol=1e-10)


def test_where_a_token_lies_across_the_border_all_choices_answer_for_the_same_text():
    model = gpt(258)
    task = Choice(1, "xa", ("bc", "d"), 0)
    assert MERGED.encode("xabc") == [X, 257] and MERGED.encode("xad") == [X, A, D]
    (found,) = Examinee(model, MERGED).choices([task])
    np.testing.assert_allclose(found, [nats(model, [X, 257], 1), nats(model, [X, A, D], 1)], rtol=1e-10)
    (again,) = Examinee(model, MERGED).choices([Choice(1, "xa", ("d", "bc"), 0)])
    np.testing.assert_allclose(again, found[::-1], rtol=1e-10)


def test_where_nothing_is_common_prompt_and_choice_are_encoded_apart():
    model = gpt(258)
    (found,) = Examinee(model, MERGED).choices([Choice(1, "a", ("b", "bc"), 0)])
    np.testing.assert_allclose(found, [nats(model, [A, B], 1), nats(model, [A, B, C], 1)], rtol=1e-10)


def test_a_long_prompt_loses_its_beginning_and_is_counted():
    model, text = gpt(block=8), "0123456789ab"
    examinee = Examinee(model, TOKENIZER)
    (found,) = examinee.choices([Choice(1, text, ("xy", "z"), 0)])
    ids = TOKENIZER.encode(text + "xy")[-9:]
    expected = sum(
        model(np.array([ids[:-1]])).data[0, i, ids[i + 1]]
        - np.log(np.exp(model(np.array([ids[:-1]])).data[0, i]).sum())
        for i in (6, 7)
    )
    assert found[0] == pytest.approx(expected) and examinee.cropped == 1
    with pytest.raises(DataError, match=r"tasks:3: expected choices of at most 8 tokens, got 9 tokens"):
        examinee.choices([Choice(3, "a", ("b" * 9, "c"), 0)])


def greedy(model, ids, count):
    out = list(ids)
    for _ in range(count):
        out.append(int(model(np.array([out])).data[0, -1].argmax()))
    return out[len(ids) :]


def test_answers_are_the_likeliest_tokens_up_to_a_stop():
    model = gpt(block=64)
    whole = TOKENIZER.decode(greedy(model, TOKENIZER.encode("hello"), 20))
    stop = whole.strip()[3]
    ask = Examinee(model, TOKENIZER, tokens=20).answers
    questions = [
        Question(1, "hello", ("x",), ("\0never",)),
        Question(2, "hello", ("x",), (stop,)),
        Question(3, "hello", ("x",), ("\0never",), 2),
    ]
    assert ask(questions) == [
        whole.strip(),
        whole[: whole.index(stop)].strip(),
        TOKENIZER.decode(greedy(model, b"hello", 2)).strip(),
    ]
    assert ask(questions[::-1]) == ask(questions)[::-1]  # groups by their ends do not mix answers up
    one_by_one = [ask([question])[0] for question in questions]
    assert Examinee(model, TOKENIZER, tokens=20, batch_size=1).answers(questions) == one_by_one == ask(questions)


def test_what_looked_like_the_beginning_of_a_stop_is_part_of_the_answer():
    model = gpt(block=64)
    whole = TOKENIZER.decode(greedy(model, TOKENIZER.encode("hello"), 20)).strip()
    assert Examinee(model, TOKENIZER, tokens=20).answers([Question(1, "hello", ("x",), (whole[-1] + "\0",))]) == [whole]


def test_an_answer_ends_with_the_text(monkeypatch):
    tokenizer, asked = RegexBPETokenizer([], special={"<|endoftext|>": 256}), []

    def ends(model, prompts, count, sampler, rng, **options):
        asked.append(options["stop_ids"])
        return Generated([[A, 256, B]] * len(prompts), [], [])

    monkeypatch.setattr("tinygrad_llm.evaluate.ask.generate", ends)
    assert Examinee(gpt(257), tokenizer).answers([Question(1, "q", ("x",))]) == ["a"] and asked == [(256,)]


def test_without_a_word_of_it_an_answer_ends_at_a_line_break_or_as_its_template_says(monkeypatch):
    calls = []

    def spied(model, prompts, count, sampler, rng, **options):
        calls.append((prompts, count, sampler, options["stop_strings"]))
        return generate(model, prompts, 0, sampler, rng)

    monkeypatch.setattr("tinygrad_llm.evaluate.ask.generate", spied)
    question = Question(1, "hi", ("x",))
    Examinee(gpt(), TOKENIZER).answers([question])
    Examinee(gpt(), TOKENIZER, PLAIN).answers([question])
    asked = list(b"User: hi\nAssistant: ")
    assert calls == [([list(b"hi")], 64, Sampler(greedy=True), ("\n",)), ([asked], 64, Sampler(greedy=True), ("\n",))]
    choice = Choice(1, "hi", ("a", "b"), 0)
    model = gpt(block=40)
    (found,) = Examinee(model, TOKENIZER, PLAIN).choices([choice])
    assert found[1] == pytest.approx(nats(model, [*asked, 98], len(asked)))


def test_texts_take_as_many_bits_as_their_tokens():
    model, texts = gpt(block=8), ["abcdef", "ü" * 11, "xy"]
    found = Examinee(model, TOKENIZER).passages([Passage(i, text) for i, text in enumerate(texts)])
    for text, (bits, size) in zip(texts, found):
        ids, total = TOKENIZER.encode(text), 0.0
        for begin in range(0, len(ids) - 1, 8):
            total += nats(model, ids[begin : begin + 9], 1)
        assert size == len(text.encode()) and bits == pytest.approx(-total / math.log(2))
    with pytest.raises(DataError, match="tasks:7: expected a text of at least 2 tokens, got 1"):
        Examinee(model, TOKENIZER).passages([Passage(7, "a")])


def test_what_cannot_be_written_is_told_with_its_line():
    tokenizer = CharTokenizer("ab \n")
    examinee = Examinee(gpt(4), tokenizer, name="t.jsonl")
    for run in (
        lambda: examinee.answers([Question(3, "aQ", ("a",))]), lambda: examinee.choices([Choice(3, "a", ("b", "Q"), 0)]),
        lambda: examinee.passages([Passage(3, "aQ")]),
    ):  # fmt: skip
        with pytest.raises(TokenError, match=r"t\.jsonl:3: .*'Q'"):
            run()


def test_rows_are_those_of_any_batch_and_windows_foretell_each_token_once(monkeypatch):
    model, ids = gpt(block=8), np.array(list(b"once upon a time"))
    windows = windows_of(ids, 8)
    assert [len(w) - 1 for w, _ in windows] == [8, 7] and sum(learned.sum() for _, learned in windows) == len(ids) - 1
    found = row_log_probs(model, windows, 16)
    np.testing.assert_allclose(found, [nats(model, list(w), 1) for w, _ in windows], rtol=1e-10)
    monkeypatch.setattr("tinygrad_llm.evaluate.ask.MOST_LOGITS", 1)
    np.testing.assert_allclose(row_log_probs(model, windows, 16), found, rtol=1e-10)


def test_small_things_are_what_they_say():
    assert common_prefix([[1, 2, 3], [1, 2], [1, 2, 4]]) == 2 and common_prefix([[1], [2]]) == 0
    np.testing.assert_allclose(by_byte(Choice(1, "q", ("ab", "ü"), 0), np.array([-1.0, -4])), [-0.5, -2])
    np.testing.assert_allclose(shares_of(np.log([0.1, 0.3]) - 1000), [0.25, 0.75])
    assert Examinee(gpt(), TOKENIZER).answers([]) == [] and Examinee(gpt(), TOKENIZER).choices([]) == []
