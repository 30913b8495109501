"""Prefix and prompt tuning: the definitions by hand, what is learned, texts of several lengths, and writing with a cache."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from cached_models import redrawn

from tinygrad_llm import ops
from tinygrad_llm.datasets.packing import pack, padded_batch
from tinygrad_llm.errors import ArgumentError, ShapeError, TokenError
from tinygrad_llm.finetune.prefix import PrefixTuningConfig, prefix_tuned
from tinygrad_llm.finetune.prompt import PromptTuningConfig, prompt_tuned
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models import GPT, RNNLM, GPTConfig, Llama, LlamaConfig, RNNLMConfig
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train import fit

COUNT, BLOCK = 3, 12
RNG = np.random.default_rng(0)
BATCHES = [{name: RNG.integers(0, 11, (4, 6)) for name in ("tokens", "targets")} for _ in range(4)]
TOKENS = BATCHES[0]["tokens"]
CLOSE = {"rtol": 1e-10, "atol": 1e-12}


def base(kind):
    if kind == "gpt":
        return redrawn(GPT(GPTConfig(11, BLOCK, 2, 2, 8), rng=np.random.default_rng(1), dtype=np.float64), 1)
    config = LlamaConfig(11, BLOCK, 2, 4, 8, 12, n_kv_head=2, qk_norm=True)
    return redrawn(Llama(config, rng=np.random.default_rng(1), dtype=np.float64), 1)


MAKERS = {
    "prefix": lambda model: prefix_tuned(model, PrefixTuningConfig(COUNT), rng=np.random.default_rng(2)),
    "prompt": lambda model: prompt_tuned(model, PromptTuningConfig(COUNT), rng=np.random.default_rng(2)),
}
each = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
each_kind = pytest.mark.parametrize("kind", ["gpt", "llama"])


@each_kind
def test_a_prompt_of_words_is_those_words(kind):
    """Whose vectors are the prompt's: logits are those behind the words, over again where they are too few."""
    plain = base(kind)
    model = prompt_tuned(plain, PromptTuningConfig(COUNT, (5, 9)), rng=np.random.default_rng(2))
    whole = np.concatenate([np.broadcast_to([5, 9, 5], (4, COUNT)), TOKENS], 1)
    np.testing.assert_allclose(model(TOKENS).numpy(), plain(whole).numpy()[:, COUNT:], **CLOSE)


@each_kind
def test_a_prefix_of_what_the_layers_made_of_words_is_those_words(kind):
    plain = base(kind)
    model = prompt_tuned(plain, PromptTuningConfig(COUNT, (5, 9, 2)), rng=np.random.default_rng(2)).as_prefix()
    whole = np.concatenate([np.broadcast_to([5, 9, 2], (4, COUNT)), TOKENS], 1)
    np.testing.assert_allclose(model(TOKENS).numpy(), plain(whole).numpy()[:, COUNT:], **CLOSE)


def test_one_layer_with_a_prefix_by_hand():
    """softmax over P + t keys, head by head; queries and keys of the text turned by positions from P on."""
    plain = base("llama")
    model = prefix_tuned(plain, PrefixTuningConfig(COUNT), rng=np.random.default_rng(2))
    layer, x = model.base_model.blocks[0].attention, ops.embedding(plain.token_embedding.weight, TOKENS)
    q, k, v, _ = plain.blocks[0].attention._heads(x, None, None, np.arange(6) + COUNT, None)
    expected = np.zeros((4, 6, 8))
    for b, head, t in np.ndindex(4, 4, 6):
        keys = np.concatenate([layer.prefix_keys.numpy()[head // 2], k.numpy()[b, head // 2, : t + 1]])
        values = np.concatenate([layer.prefix_values.numpy()[head // 2], v.numpy()[b, head // 2, : t + 1]])
        scores = np.exp(keys @ q.numpy()[b, head, t] / 2**0.5)
        expected[b, t, 2 * head : 2 * head + 2] = scores @ values / scores.sum()
    found = layer(x, positions=np.arange(6) + COUNT).numpy()
    np.testing.assert_allclose(found, expected @ layer.o_proj.weight.numpy().T, **CLOSE)


@each
@each_kind
@pytest.mark.parametrize("threads", [1, 2])
def test_training_moves_the_virtual_tokens_and_nothing_else(make, kind, threads):
    model = make(base(kind))
    before = {name: p.numpy().copy() for name, p in model.named_parameters()}
    learned = {name for name, p in model.named_parameters() if p.requires_grad}
    assert learned and all("prefix_" in name or "prompt" in name for name in learned)
    optimizer = AdamW(model.named_parameters(), lr=3e-2)
    assert set(optimizer.flat.names) == learned and all(a.size == model.n_trainable() for a in optimizer.state.values())
    losses = fit(model.loss, optimizer, [BATCHES[0]] * 8, threads=threads)
    assert losses[-1] < losses[0] - 0.01
    for name, p in model.named_parameters():
        assert np.array_equal(p.numpy(), before[name]) is (name not in learned), name


@each
@each_kind
def test_each_virtual_token_is_seen_from_every_place_and_texts_stay_causal(make, kind):
    model = make(base(kind))
    still = model(TOKENS).numpy()
    later = TOKENS.copy()
    later[:, 4] = (later[:, 4] + 1) % 11
    np.testing.assert_allclose(model(later).numpy()[:, :4], still[:, :4], **CLOSE)
    for p in model.parameters():
        if p.requires_grad:
            for number in range(COUNT):
                values = p.numpy().copy()
                moved = values.copy()  # by other amounts each: a norm takes a common shift out
                moved[..., number, :] += np.linspace(0.1, 0.9, values.shape[-1]) ** 2
                p.assign(moved)
                assert (np.abs(model(TOKENS).numpy() - still).max(-1) > 1e-9).all()
                p.assign(values)


@each
@each_kind
def test_padded_and_packed_texts_have_the_losses_of_the_texts(make, kind):
    model = make(base(kind))
    texts = [(RNG.integers(0, 11, n), np.ones(n, bool)) for n in (4, 3, 6, 2)]
    expected = sum(model.loss(padded_batch([text], 0), divisor=11).item() for text in texts)
    packed = pack(texts, BLOCK - COUNT, 0)
    assert len(packed["tokens"]) == 2
    for batch in (packed, padded_batch(texts, 0)):
        assert model.loss(batch).item() == pytest.approx(expected, rel=1e-10)
    keys = np.array([[True] * 4 + [False] * 2] * 4)
    np.testing.assert_allclose(model(TOKENS, mask=keys).numpy()[:, :4], model(TOKENS[:, :4]).numpy(), **CLOSE)


@each
@each_kind
def test_it_writes_with_a_cache_what_it_would_without(make, kind):
    """Prompts of several lengths; with a prompt by the prefix that the layers make of it."""
    model = make(base(kind))
    writer = model if hasattr(model.base_model.blocks[0].attention, "prefix_keys") else model.as_prefix()
    assert writer.block_size == model.block_size == BLOCK - COUNT
    prompts = [[1, 2, 3], [4], [5, 6]]
    found = generate(writer, prompts, 6, Sampler(greedy=True), np.random.default_rng(0)).tokens
    for prompt, tokens in zip(prompts, found):
        text = list(prompt)
        for token in tokens:
            assert model(np.array([text])).numpy()[0, -1].argmax() == token
            text.append(int(token))


def test_a_prompt_model_says_how_to_write_with_a_cache():
    model = MAKERS["prompt"](base("gpt"))
    for call in (lambda: model.new_cache(1), lambda: model(TOKENS, cache=base("gpt").new_cache(4))):
        with pytest.raises(ArgumentError, match=r"as_prefix\(\)"):
            call()


@pytest.mark.parametrize(("tuned", "config"), [(prefix_tuned, PrefixTuningConfig), (prompt_tuned, PromptTuningConfig)])
def test_what_leaves_no_room_or_has_no_place_is_refused(tuned, config):
    make = partial(tuned, rng=np.random.default_rng(2))
    for count in (0, 1.5, True):
        with pytest.raises(ArgumentError, match="num_virtual_tokens"):
            config(count)
    with pytest.raises(ArgumentError, match=f"less than block_size = {BLOCK}"):
        make(base("gpt"), config(BLOCK))
    with pytest.raises(ShapeError, match=f"block_size = {BLOCK - COUNT}"):
        make(base("gpt"), config(COUNT))(np.zeros((1, BLOCK - COUNT + 1), int))
    with pytest.raises(ArgumentError, match="model"):
        make(RNNLM(RNNLMConfig(11, 4, 6), rng=np.random.default_rng(1)), config(2))


def test_a_window_has_no_prefix_and_an_unknown_token_no_vector():
    windowed = Llama(LlamaConfig(11, 8, 1, 2, 8, 8, window=3), rng=np.random.default_rng(1))
    with pytest.raises(ArgumentError, match="without a window"):
        prefix_tuned(windowed, PrefixTuningConfig(2), rng=np.random.default_rng(2))
    with pytest.raises(TokenError, match="0 to 10"):
        prompt_tuned(base("gpt"), PromptTuningConfig(2, (3, 11)), rng=np.random.default_rng(2))
