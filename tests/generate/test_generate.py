"""Claims about writing: what a model is shown, in what order numbers are drawn, and when a text ends."""

from __future__ import annotations

import numpy as np
import pytest
from cached_models import VOCABULARY, language_model
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError, TokenError
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.generate.stop import StopRule
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.tokenizer.base import StreamDecoder


@pytest.fixture(scope="module")
def model():
    return GPT(GPTConfig(9, 4, 1, 1, 8), rng=np.random.default_rng(0))


def seeded(seed=0):
    return np.random.default_rng(seed)


def test_within_the_block_each_token_is_drawn_from_the_whole_text(model):
    written = list(generate(model, [1, 2], 2, Sampler(greedy=True), seeded()))
    text = [1, 2]
    for token in written:
        assert token == int(model(np.array([text])).data[0, -1].argmax())
        text.append(token)


@pytest.mark.parametrize("block_size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("length", [1, 3, 9])
def test_a_text_that_fills_the_block_goes_on_from_the_last_half_of_it(block_size, length):
    """Of a long prompt the last block is read; a full block is emptied but for its last half."""
    lm = language_model("gpt", block_size, block_size)
    prompt = list(map(int, seeded(length).integers(0, VOCABULARY, length)))
    written = list(generate(lm, prompt, 12, Sampler(greedy=True), seeded()))
    seen = prompt[-block_size:]
    for token in written:
        assert token == int(lm(np.array([seen])).data[0, -1].argmax())
        if len(seen) == block_size:
            seen = seen[block_size - block_size // 2 :]
        seen = [*seen, token]


def test_the_same_seed_writes_the_same(model):
    write = lambda seed: list(generate(model, [0], 20, Sampler(), seeded(seed)))
    assert write(1) == write(1) != write(2)


def test_one_text_takes_one_number_of_the_generator_a_token(model):
    rng, same = seeded(), seeded()
    list(generate(model, [1], 3, Sampler(), rng))
    same.random(3)
    assert rng.random() == same.random()


def test_tokens_come_one_at_a_time(model):
    stream = generate(model, [0], 1_000_000_000, Sampler(), seeded())
    assert 0 <= next(stream) < 9


@pytest.mark.parametrize("prompt", [[1, 2, 3], (1, 2, 3), np.array([1, 2, 3])])
def test_a_prompt_is_any_sequence_of_ids(model, prompt):
    expected = list(generate(model, [1, 2, 3], 5, Sampler(), seeded()))
    assert list(generate(model, prompt, 5, Sampler(), seeded())) == expected
    assert generate(model, [prompt], 5, Sampler(), seeded()).tokens == [expected]
    assert generate(model, np.array([prompt]), 5, Sampler(), seeded()).tokens == [expected]
    assert all(type(token) is int for token in expected)


class Pieces:
    """A tokenizer of nine pieces, two of them halves of one character."""

    pieces = (b"a", b"b", b"ab", b"c", b"\xc3", b"\xa9", b" ", b"bc", b"ca")

    def token_bytes(self, token):
        return self.pieces[token]

    first_bytes = token_bytes

    def stream_decoder(self, begun=False):
        return StreamDecoder(self, begun)


@settings(max_examples=settings().max_examples // 8)  # each writes ninety tokens
@given(seed=st.integers(0, 999), strings=st.lists(st.text("abc é", min_size=1, max_size=4), max_size=3),
       ids=st.lists(st.integers(0, 8), max_size=2))  # fmt: skip
def test_a_row_ends_with_the_first_stop_id_or_where_its_text_has_a_stop_string(seed, strings, ids):
    """Across the borders of tokens, and of characters that are two of them; whatever the other rows do."""
    model = GPT(GPTConfig(9, 16, 1, 1, 8), rng=seeded(seed))
    prompts = [list(map(int, seeded(seed + row).integers(0, 9, 1 + row))) for row in range(4)]
    free = generate(model, prompts, 12, Sampler(), seeded(seed))
    found = generate(
        model, prompts, 12, Sampler(), seeded(seed), stop_ids=ids, stop_strings=strings, tokenizer=Pieces()
    )
    for row in range(4):
        expected, stopped = [], False
        for token in free.tokens[row]:
            expected.append(token)
            text = b"".join(map(Pieces().token_bytes, expected)).decode("utf-8", "replace")
            stopped = token in ids or any(string in text for string in strings)
            if stopped:
                break
        assert found.tokens[row] == expected and found.stopped[row] == stopped
        np.testing.assert_allclose(found.log_probs[row], free.log_probs[row][: len(expected)], rtol=1e-6)
    stream = generate(
        model, prompts[0], 12, Sampler(), seeded(5), stop_ids=ids, stop_strings=strings, tokenizer=Pieces()
    )
    options = {"stop_ids": ids, "stop_strings": strings, "tokenizer": Pieces()}
    assert [list(stream)] == generate(model, prompts[:1], 12, Sampler(), seeded(5), **options).tokens


@given(rows=st.lists(st.lists(st.integers(0, 8), min_size=3, max_size=12), min_size=1, max_size=3), data=st.data())
def test_a_stop_string_is_found_as_soon_as_the_text_has_it(rows, data):
    decoded = lambda tokens: b"".join(map(Pieces().token_bytes, tokens)).decode("utf-8", "replace")
    text, size = decoded(rows[0]), data.draw(st.integers(1, 5))
    start = data.draw(st.integers(0, max(0, len(text) - size)))
    strings = [text[start : start + size], "b c"]  # the one stands in the first row, wherever its tokens begin
    rule = StopRule([], strings, Pieces(), len(rows))
    for place in range(12):  # the rows' tokens come in turns
        for row, tokens in enumerate(rows):
            if place < len(tokens) and not rule.stopped[row]:
                so_far = decoded(tokens[: place + 1])
                if "\ufffd" not in so_far + text:  # half a character, or none
                    assert rule.ends(row, tokens[place]) == any(string in so_far for string in strings)
                else:
                    rule.ends(row, tokens[place])


def test_halves_of_characters_are_put_together_row_by_row():
    rule = StopRule([], ["abc", "é"], Pieces(), 2)
    assert [rule.ends(row, token) for token in (0, 1) for row in (0, 1)] == [False] * 4
    assert [rule.ends(0, 3), rule.ends(1, 4)] == [True, False] and rule.stopped == [True, False]
    assert rule.ends(1, 5) and rule.stopped == [True, True]
    rule = StopRule([], ["é"], Pieces(), 2)
    assert [rule.ends(row, token) for token in (4, 5) for row in (0, 1)] == [False, False, True, True]


def test_a_stop_string_in_the_prompt_ends_nothing(model):
    options = {"stop_strings": ["ab"], "tokenizer": Pieces()}
    found = generate(model, [[0, 1], [2]], 1, Sampler(greedy=True), seeded(), **options)
    assert found.stopped == [token == 2 for (token,) in found.tokens]


def test_nothing_is_written_where_nothing_is_asked_for(model):
    assert list(generate(model, [0], 0, Sampler(), seeded())) == []
    found = generate(model, [[0], [1, 2]], 0, Sampler(), seeded())
    assert found.tokens == [[], []] and found.stopped == [False, False]
    assert [(row.shape, row.dtype) for row in found.log_probs] == [((0,), np.dtype(np.float64))] * 2


def test_what_cannot_begin_is_refused(model):
    for prompt, error in (
        ([], ArgumentError),
        ([9], TokenError),
        ([[1], []], ArgumentError),
        ([[1], [-1]], TokenError),
    ):
        with pytest.raises(error):
            generate(model, prompt, 1, Sampler(), seeded())
    for count in (-1, 1.5, 2.0, "3", None, True):
        with pytest.raises(ArgumentError, match="count"):
            generate(model, [0], count, Sampler(), seeded())
    for stop_ids in ([1, 2.5], "ab", [True], [-1], [[1]], np.array([1.0])):
        with pytest.raises(ArgumentError, match="stop_ids"):
            generate(model, [0], 1, Sampler(), seeded(), stop_ids=stop_ids)
    for prompts in ([0.5], [[0.5, 1]], [[[1]]], [np.array([1.0])], [[1], [True]], ["ab"], [[None]]):
        with pytest.raises(ArgumentError, match="prompt"):
            generate(model, prompts, 1, Sampler(), seeded())
    assert generate(
        model, np.array([[1]], np.uint8), np.int64(1), Sampler(top_k=np.int32(1)), seeded(), stop_ids=np.arange(9)
    ).stopped == [True]
    with pytest.raises(ArgumentError, match="tokenizer"):
        generate(model, [0], 1, Sampler(), seeded(), stop_strings=["a"])
    with pytest.raises(ArgumentError, match="stop_strings"):
        generate(model, [0], 1, Sampler(), seeded(), stop_strings=["a", ""], tokenizer=Pieces())


def test_logits_that_are_no_numbers_are_refused():
    broken = GPT(GPTConfig(9, 4, 1, 1, 8), rng=seeded())
    broken.norm.weight.assign(np.full(8, np.nan))
    for sampler in (Sampler(), Sampler(greedy=True)):
        with pytest.raises(ArgumentError, match="logits"):
            generate(broken, [[1]], 3, sampler, seeded())
