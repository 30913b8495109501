"""What a text is made of: whose number draws which token, under which distribution, from how much of the text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from cached_models import VOCABULARY, language_model
from tokenizer_parts import LLAMA2, letters

from tinygrad_llm.generate import Sampler, decode, generate
from tinygrad_llm.generate.reader import Reader
from tinygrad_llm.generate.stop import StopRule
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.tokenizer import BPETokenizer, ByteTokenizer

PROMPTS = [[0, 1], [2], [3, 4, 5], [6, 1]]


def seeded(*seed):
    return np.random.default_rng(seed)


def logits_after(lm, text, start):
    """Logits of each token of the text from `start` on, computed at once; of a model that remembers everything."""
    return lm(np.array([text])).data[0, start - 1 : -1].astype(np.float64)


@pytest.mark.parametrize("sampler", [Sampler(), Sampler(0.6, top_k=5, top_p=0.8), Sampler(1.8)], ids=str)
@pytest.mark.parametrize("stop_ids", [(), (3, 5)])
def test_row_b_draws_its_token_i_with_the_number_i_times_rows_plus_b(sampler, stop_ids):
    """However long the texts are, and whoever has ended; each number is used once."""
    lm, count = language_model("lstm", 3), 140
    found = generate(lm, PROMPTS, count, sampler, seeded(7), stop_ids=stop_ids)
    uniform = seeded(7).random((count, len(PROMPTS)))
    for row, (prompt, tokens) in enumerate(zip(PROMPTS, found.tokens)):
        logits = logits_after(lm, prompt + tokens, len(prompt))
        assert sampler.pick(logits, uniform[: len(tokens), row]).tolist() == tokens
        assert len(tokens) == count or (tokens[-1] in stop_ids and found.stopped[row])
        shifted = logits - logits.max(1, keepdims=True)
        own = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))  # the model's own: before the sampler's options
        np.testing.assert_allclose(found.log_probs[row], own[np.arange(len(tokens)), tokens], rtol=1e-9)
    assert stop_ids or len({tuple(tokens[:20]) for tokens in found.tokens}) == len(PROMPTS)
    stream = list(generate(lm, PROMPTS[0], count, sampler, seeded(8), stop_ids=stop_ids))
    logits = logits_after(lm, PROMPTS[0] + stream, 2)
    assert sampler.pick(logits, seeded(8).random(len(stream))).tolist() == stream


def test_equal_prompts_in_one_batch_go_their_own_ways():
    lm = language_model("gpt", 2, 64)
    found = generate(lm, [[1, 2]] * 6, 20, Sampler(1.5), seeded(0))
    assert len(set(map(tuple, found.tokens))) == 6
    greedy = generate(lm, [[1, 2]] * 3, 8, Sampler(greedy=True), seeded(0))
    assert len(set(map(tuple, greedy.tokens))) == 1


@pytest.mark.parametrize("block_size", [2, 3, 4, 5, 8])
def test_a_text_goes_on_from_its_last_tokens_and_a_full_block_from_its_last_half(block_size):
    """In batches whose rows fill the block at different times, and with any sampler."""
    lm, count, sampler = language_model("gpt", block_size, block_size), 4 * block_size + 3, Sampler(0.9, top_k=4)
    prompts = [list(map(int, seeded(length).integers(0, VOCABULARY, length))) for length in (1, 2, 3, block_size, 13)]
    given = [list(prompt) for prompt in prompts]
    found, uniform = generate(lm, prompts, count, sampler, seeded(1)), seeded(1).random((count, 5))
    assert prompts == given
    for row, prompt in enumerate(prompts):
        seen = prompt[-block_size:]
        for i, token in enumerate(found.tokens[row]):
            (logits,) = lm(np.array([seen])).data[:, -1]
            assert sampler.pick(logits[None], uniform[i, row : row + 1]) == [token]
            log_p = logits[token] - logits.max() - np.log(np.exp(logits - logits.max()).sum())
            assert found.log_probs[row][i] == pytest.approx(
                log_p, rel=1e-9
            )  # of this very window: tokens can agree by chance
            seen = [*(seen[block_size - block_size // 2 :] if len(seen) == block_size else seen), token]


@pytest.mark.parametrize("block_size", [4, 5])
def test_a_doubled_row_goes_on_as_two_texts(block_size):
    lm = language_model("gpt", 1, block_size)
    reader, texts = Reader(lm, [[1, 2], [3]]), [[3], [3], [1, 2]]
    reader.keep([1, 1, 0])
    for ids in ([0, 5, 2], [4, 1, 1], [6, 6, 0], [2, 0, 3]):
        reader.note(np.array(ids))
        reader.feed(np.array(ids))
        texts = [[*text, token] for text, token in zip(texts, ids)]
        assert reader.texts == texts


def test_what_ends_a_row_is_its_last_token_and_ends_no_other():
    lm = language_model("rnn", 1)
    free = generate(lm, PROMPTS, 40, Sampler(), seeded(2))
    for ids in ([4], [2, 6], range(VOCABULARY)):
        found = generate(lm, PROMPTS, 40, Sampler(), seeded(2), stop_ids=ids)
        for row, tokens in enumerate(free.tokens):
            at = next((i for i, token in enumerate(tokens) if token in ids), None)
            assert found.tokens[row] == (tokens if at is None else tokens[: at + 1])
            assert found.stopped[row] is (at is not None)
    kept = generate(lm, PROMPTS, 5, Sampler(), seeded(2))
    assert kept.stopped == [False] * 4 and [len(tokens) for tokens in kept.tokens] == [5] * 4


def writing(rows):
    """A sampler under which the row that began with token b writes rows[b], then zeros, whatever the model says."""

    def only(logits_BV, texts):
        out = np.full(logits_BV.shape, -np.inf)
        for place, (first, *written) in enumerate(texts):
            out[place, rows[first][len(written)] if len(written) < len(rows[first]) else 0] = 0.0
        return out

    return Sampler(first=(only,))


@pytest.mark.parametrize("stop", [["ab"], ["\n\n"], ["é"], ["abc", "b"], ["🙂"], ["x", "yyy", "ab"]], ids=repr)
def test_a_row_ends_at_the_token_with_which_its_text_has_a_stop_string(stop):
    """The strings cross borders of tokens, and of characters; each row's text is its own."""
    texts = ["xxab..", "a\n\nb", "caféx!", "🙂🙂", "aéb", "yyyab", "b", "aabcb"]
    rows = [text.encode() for text in texts]
    model = GPT(GPTConfig(256, 32, 1, 1, 4), rng=seeded(0))
    prompts = [[row] for row in range(len(rows))]
    found = generate(model, prompts, 12, writing(rows), seeded(0), stop_strings=stop, tokenizer=ByteTokenizer())
    for row, raw in enumerate(rows):
        raw = raw.ljust(12, b"\0")
        ends = [n for n in range(1, 13) if any(s in raw[:n].decode("utf-8", "ignore") for s in stop)]
        assert bytes(found.tokens[row]) == raw[: ends[0] if ends else 12]
        assert found.stopped[row] is bool(ends)


def test_a_stop_string_may_begin_and_end_inside_tokens():
    tokenizer = BPETokenizer([(97, 98), (256, 99), (257, 100)])  # ab, abc, abcd
    written = [258, 257, 120, 258]  # abcd abc x abcd
    for string, ends in (
        ("b", 1),
        ("bc", 1),
        ("abcd", 1),
        ("da", 2),
        ("cda", 2),
        ("dabc", 2),
        ("cx", 3),
        ("bcxab", 4),
        ("xabcda", 5),
    ):
        rule = StopRule([], [string, "never"], tokenizer, 1)
        assert [rule.ends(0, token) for token in written][: ends - 1] == [False] * min(ends - 1, 4)
        rule = StopRule([], ["never", string], tokenizer, 1)
        assert next((n for n, token in enumerate(written, 1) if rule.ends(0, token)), 5) == ends


def test_the_space_before_the_first_word_that_is_written_is_found():
    """Decoded by itself the text would begin without it; after its prompt it does not."""
    tokenizer = letters(("▁b", ""), decoder=LLAMA2)
    a, spaced = tokenizer.encode("a")[0], tokenizer.vocab_size - 1
    assert tokenizer.decode([a, spaced, a, spaced]) == "a ba b" and tokenizer.decode([spaced]) == "b"
    for string, written, ends in (
        (" ", [spaced], [True]),
        (" b", [a, spaced], [False, True]),
        (" ", [a, a], [False] * 2),
    ):
        rule = StopRule([], [string], tokenizer, 1)
        assert [rule.ends(0, token) for token in written] == ends


@pytest.mark.parametrize("kind", ["gpt", "lstm"])
def test_a_stream_ends_where_the_batch_of_one_ends(kind):
    lm, ended = language_model(kind, 3), 0
    for seed, prompt in enumerate(PROMPTS):
        free = list(generate(lm, prompt, 30, Sampler(1.5), seeded(seed)))
        assert len(free) == 30
        for token in range(VOCABULARY):
            found = list(generate(lm, prompt, 30, Sampler(1.5), seeded(seed), stop_ids=[token]))
            assert found == (free[: free.index(token) + 1] if token in free else free)
            ended += token in free
    assert ended > VOCABULARY


def test_log_probabilities_of_a_row_do_not_depend_on_how_large_another_rows_logits_are():
    logits = np.array([[0.0, 1.0, -3.0], [900.0, 902.0, 901.0], [-900.0, -899.0, -2000.0]])
    reader = SimpleNamespace(logits=logits, texts=[[0]] * 3)
    _, (ids, found) = decode._Draw(Sampler(0.5, top_k=2), True)(reader, np.array([0.0, 0.999, 0.5]))
    for row, token, log_prob in zip(logits, ids, found):
        assert log_prob == pytest.approx(row[token] - row.max() - np.log(np.exp(row - row.max()).sum()), rel=1e-12)


class Ahead(decode._Draw):
    """Draws as a GPU does: several tokens before the host looks at them, and rows that have ended stay a while."""

    most_at_once, fullness = 16, 0.5
    fed: ClassVar[list] = []

    def read(self, steps):
        self.fed.append(len(steps))
        return steps


@pytest.mark.parametrize(
    ("kind", "block_size"), [("lstm", None), ("gpt", 64), ("gpt", 5), ("gpt", 2), ("gpt", 1)], ids=str
)
@pytest.mark.parametrize("stop_ids", [(), (3,), (0, 2, 4)], ids=str)
def test_however_many_tokens_are_drawn_before_the_host_looks_the_texts_are_the_same(
    kind, block_size, stop_ids, monkeypatch
):
    lm = language_model(kind, 4) if block_size is None else language_model(kind, 4, block_size)
    prompts = [[0, 1], [2], [3, 4, 5], [6, 1], [1, 1]]
    for count in (0, 1, 2, 7, 40):
        expected = generate(lm, prompts, count, Sampler(1.2), seeded(3), stop_ids=stop_ids)
        stream = list(generate(lm, prompts[0], count, Sampler(1.2), seeded(4), stop_ids=stop_ids))
        with monkeypatch.context() as patch:
            patch.setattr(decode, "_Draw", Ahead)
            Ahead.fed.clear()
            found = generate(lm, prompts, count, Sampler(1.2), seeded(3), stop_ids=stop_ids)
            assert (found.tokens, found.stopped) == (expected.tokens, expected.stopped)
            for one, other in zip(found.log_probs, expected.log_probs):
                np.testing.assert_allclose(one, other, rtol=1e-6)
            if not stop_ids:
                assert sum(Ahead.fed) == count and (block_size is None or max([0, *Ahead.fed]) <= block_size)
                assert (
                    block_size not in (None, 64)
                    or Ahead.fed == {0: [], 1: [1], 2: [1, 1], 7: [1, 2, 4], 40: [1, 2, 4, 8, 16, 9]}[count]
                )
            assert list(generate(lm, prompts[0], count, Sampler(1.2), seeded(4), stop_ids=stop_ids)) == stream
