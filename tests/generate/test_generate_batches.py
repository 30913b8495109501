"""Many texts written at once are those written one by one, and those of a model without a cache."""

from __future__ import annotations

import numpy as np
import pytest
from cached_models import VOCABULARY, encoder_decoder, language_model, without_a_cache
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate import Sampler, beam_search, generate
from tinygrad_llm.generate.reader import Reader
from tinygrad_llm.models import GPT, RNNLM, GPTConfig, Llama, LlamaConfig, RNNLMConfig
from tinygrad_llm.ops import log_softmax

GREEDY, EQUAL = Sampler(greedy=True), {"rtol": 1e-10, "atol": 1e-10}
SOURCES = np.array([[3, 4, 5, 2], [2, 6, 1, 1], [5, 1, 1, 1]])


def seeded(*seed):
    return np.random.default_rng(seed)


def any_model(seed):
    """(the model for some rows, block_size, V); sizes and kind by the seed. Weights are strong enough for opinions."""
    rng = seeded(seed, 7)
    kind, block, vocabulary = seed % 5, int(rng.integers(2, 9)), int(rng.integers(2, 12))
    if kind == 3:
        model = encoder_decoder(seed, block_size=6)
        return (lambda rows: model.given(SOURCES[list(rows)])), 6, VOCABULARY
    if kind < 2:
        heads = int(rng.integers(1, 4))
        config = GPTConfig(vocabulary, block, int(rng.integers(1, 4)), heads, heads * int(rng.integers(2, 5)),
                           bias=bool(rng.integers(2)), tied=bool(rng.integers(2)))  # fmt: skip
        lm = GPT(config, rng=rng, dtype=np.float64)
    elif kind == 4:
        config = LlamaConfig(vocabulary, block, int(rng.integers(1, 4)), 4, 8, 5, n_kv_head=2, window_from=int(rng.integers(2)),
                             window=int(rng.integers(1, 9)))  # fmt: skip
        lm = Llama(config, rng=rng, dtype=np.float64)
    else:
        block, hidden = None, int(rng.integers(1, 9))
        lm = RNNLM(RNNLMConfig(vocabulary, 3, hidden, int(rng.integers(1, 3))), rng=rng, dtype=np.float64)
    for p in lm.parameters():
        p.assign(rng.normal(0, 0.7, p.shape))
    return (lambda rows: lm), block, vocabulary


def prompts_for(seed, vocabulary, count=3):
    rng = seeded(seed, 8)
    return [list(map(int, rng.integers(0, vocabulary, rng.integers(1, 10)))) for _ in range(count)]


@pytest.mark.parametrize("seeds", [range(start, start + 50) for start in range(0, 200, 50)], ids=str)
def test_greedy_texts_of_two_hundred_models_are_those_of_whole_forward_passes(seeds):
    differing = 0
    for seed in seeds:
        model_for, block, vocabulary = any_model(seed)
        prompts = prompts_for(seed, vocabulary)
        found = generate(model_for(range(3)), prompts, 6, GREEDY, seeded(0))
        for row in range(3):
            expected, logp = without_a_cache(model_for([row]), prompts[row], 6, block, log_probs=True)
            assert found.tokens[row] == expected, (seed, row)
            np.testing.assert_allclose(found.log_probs[row], logp, **EQUAL)
        differing += len(set(map(tuple, found.tokens)))
        assert list(generate(model_for([0]), prompts[0], 6, GREEDY, seeded(0))) == found.tokens[0]
    assert differing > 75  # they have opinions: 50 would be none


@given(seed=st.integers(0, 999), rows=st.lists(st.integers(0, 2), min_size=1, max_size=4))
@settings(max_examples=settings().max_examples // 8)
def test_a_rows_text_does_not_depend_on_its_companions(seed, rows):
    model_for, _, vocabulary = any_model(seed)
    prompts = prompts_for(seed, vocabulary)
    together = generate(model_for(range(3)), prompts, 7, GREEDY, seeded(0)).tokens
    assert generate(model_for(rows), [prompts[row] for row in rows], 7, GREEDY, seeded(0)).tokens == [
        together[row] for row in rows
    ]


@pytest.mark.parametrize("seed", range(12))
def test_log_probs_are_the_models_own(seed):
    """Before temperature and top-p; the same as those that `token_log_probs` gives for the finished text."""
    model_for, block, _ = any_model(seed)
    prompts = [[1], [0, 1]]
    count = 6 if block is None else block - 1
    lm = model_for([0, 1])
    found = generate(lm, prompts, count, Sampler(0.5, top_p=0.9), seeded(seed))
    for row in range(2):
        text = (prompts[row] + found.tokens[row])[: block and block + 1]
        batch = {"tokens": np.array([text[:-1]]), "targets": np.array([text[1:]])}
        expected = model_for([row]).token_log_probs(batch).data[0, len(prompts[row]) - 1 :]
        np.testing.assert_allclose(found.log_probs[row][: len(expected)], expected, **EQUAL)
        assert found.log_probs[row].dtype == np.float64 and not found.stopped[row]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("sampler", [Sampler(), Sampler(0.8, top_k=3, top_p=0.9)], ids=str)
def test_the_stream_is_the_batch_of_one(seed, sampler):
    model_for, _, _ = any_model(seed)
    one = generate(model_for([0]), [[0, 1]], 70, sampler, seeded(seed))
    assert list(generate(model_for([0]), [0, 1], 70, sampler, seeded(seed))) == one.tokens[0]


def test_a_row_draws_the_same_whether_others_have_ended_or_not():
    lm, prompts = language_model("lstm", 3), [[0], [1], [2], [3]]
    free = generate(lm, prompts, 150, Sampler(), seeded(1)).tokens
    found = generate(lm, prompts, 150, Sampler(), seeded(1), stop_ids=[5])
    for row, text in enumerate(free):
        expected = text[: text.index(5) + 1] if 5 in text else text
        assert found.tokens[row] == expected and found.stopped[row] == (5 in text)
    assert len({len(text) for text in found.tokens}) > 1


def chi_square(counts, expected):
    return float(((counts - expected) ** 2 / expected).sum())


@pytest.mark.parametrize("sampler", [Sampler(), Sampler(1.5), Sampler(top_k=4)], ids=str)
def test_sampled_texts_are_as_frequent_as_probable(sampler):
    """The first two tokens of four thousand rows, and the first tokens of neighbours, which must not know each other."""
    lm, prompt, rows = language_model("gpt", 1), [1, 2], 4000
    for p in lm.parameters():
        p.assign(0.5 * p.data)
    texts = np.array(generate(lm, [prompt] * rows, 2, sampler, seeded(2)).tokens)
    first = sampler.probabilities(lm(np.array([prompt])).numpy()[0, -1])
    second = sampler.probabilities(lm(np.array([[*prompt, token] for token in range(VOCABULARY)])).numpy()[:, -1])
    pairs = np.zeros((2, VOCABULARY, VOCABULARY))
    np.add.at(pairs[0], (texts[:, 0], texts[:, 1]), 1)
    np.add.at(pairs[1], (texts[0::2, 0], texts[1::2, 0]), 1)
    for found, expected in zip(pairs, (rows * first[:, None] * second, rows / 2 * np.outer(first, first))):
        possible = expected > 0
        assert not found[~possible].any() and expected[possible].min() > 1
        degrees = possible.sum() - 1
        assert chi_square(found[possible], expected[possible]) < degrees + 3.3 * np.sqrt(2 * degrees)  # one in 1000


def test_a_transform_sees_each_rows_whole_text():
    seen = []

    def never_twice(logits_BV, texts):
        seen.append([list(text) for text in texts])
        out = logits_BV.copy()
        for row, text in zip(out, texts):
            row[text[-1]] = -np.inf
        return out

    lm, prompts = language_model("gpt", 4, 5), [[0, 1, 2], [3], [4] * 9]
    for sampler in (Sampler(greedy=True, first=(never_twice,)), Sampler(first=(never_twice,))):
        seen.clear()
        found = generate(lm, prompts, 11, sampler, seeded(0), stop_ids=[6])
        whole = [prompt + text for prompt, text in zip(prompts, found.tokens)]
        for prompt, text in zip(prompts, whole):
            assert all(a != b for a, b in zip(text[len(prompt) - 1 :], text[len(prompt) :]))
        assert seen[0] == prompts
        for step, texts in enumerate(seen):
            going = [row for row in range(3) if len(found.tokens[row]) > step]
            assert texts == [whole[row][: len(prompts[row]) + step] for row in going]


@pytest.mark.parametrize("seed", range(24))
def test_a_reader_has_the_logits_of_each_text(seed):
    """Rows are chosen, doubled and go on by themselves; blocks fill at different times."""
    model_for, block, vocabulary = any_model(seed)
    rng, prompts = seeded(seed, 9), prompts_for(seed, vocabulary)
    reader = Reader(model_for(range(3)), prompts)
    seen, rows = [p if block is None else p[-block:] for p in prompts], [0, 1, 2]
    for step in range(14):
        logits = np.array(reader.logits)
        for place, row in enumerate(rows):
            np.testing.assert_allclose(logits[place], model_for([row])(np.array([seen[place]])).data[0, -1], **EQUAL)
        if step in (3, 8):
            chosen = rng.integers(0, len(rows), rng.integers(1, 5))
            reader.keep(chosen)
            rows, seen = [rows[i] for i in chosen], [list(seen[i]) for i in chosen]
            np.testing.assert_allclose(reader.logits, logits[chosen], **EQUAL)
        ids = rng.integers(0, vocabulary, len(rows))
        reader.note(ids)
        reader.feed(ids)
        for place, token in enumerate(ids):
            kept = seen[place] if block is None or len(seen[place]) < block else seen[place][block - block // 2 :]
            seen[place] = [*kept, int(token)]


def test_a_reader_tells_how_much_room_is_left():
    reader = Reader(language_model("gpt", 0, 5), [[1], [2, 3, 4]])
    assert reader.room() == 2 and Reader(language_model("lstm", 0), [[1]]).room() is None
    with pytest.raises(ArgumentError, match="prompt"):
        Reader(language_model("gpt", 0), [[1], []])


@pytest.mark.parametrize("seed", range(12))
def test_a_beam_that_reads_with_a_cache_finds_what_one_that_reads_whole_texts_finds(seed):
    model_for, block, vocabulary = any_model(seed)
    start, longest = [1, 0], 4 if block is None else min(4, max(1, block - 2))

    def whole(prefixes):
        return np.concatenate([log_softmax(model_for([0])(prefix[None])[:, -1]).data for prefix in prefixes])

    for width, power in ((1, 0.0), (3, 1.0)):
        found = beam_search(model_for([0]), start, vocabulary - 1, width, longest, power)
        expected = beam_search(whole, start, vocabulary - 1, width, longest, power)
        assert [h.tokens for h in found] == [h.tokens for h in expected]
        np.testing.assert_allclose([h.score for h in found], [h.score for h in expected], **EQUAL)
