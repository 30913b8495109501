"""Llama and its kin: what is promised of the decoder, whoever wrote the weights."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from cached_models import redrawn

from tinygrad_llm.autograd import Tensor, no_grad
from tinygrad_llm.errors import ArgumentError, CheckpointError, ConfigError
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models import GPT, GPTConfig, Llama, LlamaConfig, from_pretrained, save_pretrained
from tinygrad_llm.models.hugging_face import from_hugging_face, to_hugging_face
from tinygrad_llm.models.weights import save_weights
from tinygrad_llm.nn import (
    Attention,
    Dropout,
    DynamicScaling,
    LinearScaling,
    Llama3Scaling,
    RMSNorm,
    YaRN,
    balance_loss,
    rotate,
)  # fmt: skip
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train import EagerStep, ThreadedStep, count_targets
from tinygrad_llm.visualize import ablate_heads, attention_weights

SIZES = LlamaConfig(vocab_size=13, block_size=24, n_layer=3, n_head=4, n_embd=16, n_hidden=10, n_kv_head=2)
KINDS = {
    "llama": {"qkv_bias": True, "mlp_bias": True, "tied": True}, "mistral": {"window": 3, "head_size": 6},
    "qwen2": {"qkv_bias": True, "out_bias": False, "window": 3, "window_from": 1},
    "qwen3": {"qk_norm": True, "head_size": 6, "rope_base": 77.0, "norm_eps": 1e-3, "dropout": 0.2, "init_std": 0.1},
    "mixtral": {"n_experts": 5, "experts_per_token": 2, "window": 4, "norm_eps": 1e-2},
}  # fmt: skip
TOKENS = np.random.default_rng(0).integers(0, 13, (3, 20))
every_kind = pytest.mark.parametrize("kind", KINDS)


def make(kind="llama", dtype=np.float64, **changes):
    config = replace(SIZES, **(KINDS[kind] | changes))
    return redrawn(Llama(config, rng=np.random.default_rng(1), dtype=dtype), 5)


def reach(model, position: int) -> list[int]:
    """The positions whose token vectors the state at this position depends on, by its gradient."""
    with no_grad():
        vectors = Tensor(model.token_embedding(TOKENS[:1]).data, requires_grad=True)
    x = vectors
    for block in model.blocks:
        x = block(x)
    x[0, position].sum().backward()
    return np.flatnonzero(np.abs(vectors.grad[0]).max(-1)).tolist()


# -- the whole model, by hand ------------------------------------------------------------------------------------------


def by_hand(model, tokens):
    """The papers' formulas, one text, one head after the other, positions as complex numbers."""
    c, state = model.config, model.state_dict()

    def norm(x, name):
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + c.norm_eps) * state[f"{name}.weight"]

    def linear(x, name):
        return x @ state[f"{name}.weight"].T + state.get(f"{name}.bias", 0)

    def turned(x):
        half = c.key_size // 2
        angles = np.arange(len(x))[:, None] * c.rope_base ** (-np.arange(half) / half)
        z = (x[:, :half] + 1j * x[:, half:]) * np.exp(1j * angles)
        return np.concatenate([z.real, z.imag], -1)

    def head(x, part, number, at):
        y = linear(x, f"{at}.{part}_proj")[:, number * c.key_size : (number + 1) * c.key_size]
        if part != "v" and c.qk_norm:
            y = norm(y, f"{at}.{part}_norm")
        return y if part == "v" else turned(y)

    def gated(x, at):
        gate = linear(x, f"{at}.gate_proj")
        return linear(gate / (1 + np.exp(-gate)) * linear(x, f"{at}.up_proj"), f"{at}.down_proj")

    x = state["token_embedding.weight"][tokens]
    for i in range(c.n_layer):
        at, h = f"blocks.{i}.attention", norm(x, f"blocks.{i}.norm_1")
        distance = np.arange(len(x))[:, None] - np.arange(len(x))
        hidden = (distance < 0) | (distance >= (c.window if c.window and i >= c.window_from else 99))
        heads = []
        for number in range(c.n_head):
            group = number // (c.n_head // c.groups)
            scores = head(h, "q", number, at) @ head(h, "k", group, at).T / np.sqrt(c.key_size)
            weights = np.exp(np.where(hidden, -np.inf, scores))
            heads.append(weights / weights.sum(-1, keepdims=True) @ head(h, "v", group, at))
        x = x + linear(np.concatenate(heads, -1), f"{at}.o_proj")
        h, at = norm(x, f"blocks.{i}.norm_2"), f"blocks.{i}.mlp"
        if not c.n_experts:
            x = x + gated(h, at)
            continue
        shares = np.exp(linear(h, f"{at}.router"))
        shares[shares < np.sort(shares, -1)[:, -c.experts_per_token, None]] = 0
        shares /= shares.sum(-1, keepdims=True)
        x = x + sum(shares[:, e, None] * gated(h, f"{at}.experts.{e}") for e in range(c.n_experts))
    return norm(x, "norm") @ state["token_embedding.weight" if c.tied else "output.weight"].T


@every_kind
def test_it_computes_the_papers_formulas(kind):
    model = make(kind)
    for row, logits in zip(TOKENS, model(TOKENS).data):
        np.testing.assert_allclose(logits, by_hand(model, row), rtol=1e-10, atol=1e-10)


def test_dropout_has_the_rate_of_the_configuration_everywhere():
    model = make("llama", dropout=0.25)
    rates = {path: m.p for path, m in model.named_modules() if isinstance(m, Dropout)}
    assert set(rates.values()) == {0.25} and len(rates) == 1 + 3 * 2


# -- what a position sees ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [1, 2, 4, 7])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_window_of_w_in_l_layers_sees_exactly_l_times_w_minus_1_back(window, layers):
    model = make("mistral", n_layer=layers, window=window)
    for position in (0, 5, 19):
        first = max(0, position - layers * (window - 1))
        assert reach(model, position) == list(range(first, position + 1))


def test_a_window_from_a_layer_on_leaves_those_before_it_whole():
    assert [make("qwen2").config.window_of(layer) for layer in range(3)] == [None, 3, 3]
    assert reach(make("qwen2"), 19) == list(range(20))
    assert reach(make("qwen2", n_layer=1), 19) == list(range(20))
    assert reach(make("qwen2", n_layer=1, window_from=0), 19) == [17, 18, 19]
    assert [b.attention.window for b in make("qwen2").blocks] == [None, 3, 3]


@every_kind
def test_a_shift_of_all_positions_moves_nothing_and_their_distance_does(kind):
    model = make(kind)
    plain = model(TOKENS).data
    np.testing.assert_allclose(model(TOKENS, positions=np.arange(20) + 1234).data, plain, rtol=1e-9, atol=1e-9)
    assert np.abs(model(TOKENS, positions=2 * np.arange(20)).data - plain).max() > 1e-3


def test_positions_before_the_first_are_refused():
    with pytest.raises(ArgumentError, match="positions"):
        make()(TOKENS, positions=np.arange(20) - 1)


def test_each_group_of_heads_shares_its_keys_and_its_values():
    """As many heads of keys as of queries, those of a group alike, compute the same."""
    few, many = make("llama"), make("llama", n_kv_head=4)
    state = few.state_dict()
    for name in [n for n in state if ".k_proj" in n or ".v_proj" in n]:
        heads = state[name].reshape(2, 4, *state[name].shape[1:])
        state[name] = heads[[0, 0, 1, 1]].reshape(16, *state[name].shape[1:])
    many.load_state_dict(state)
    np.testing.assert_allclose(many(TOKENS).data, few(TOKENS).data, rtol=1e-11, atol=1e-11)
    caches = [m.new_cache(1) for m in (few, many)]
    for m, cache in zip((few, many), caches):
        with no_grad():
            m(TOKENS[:1], cache=cache)
    assert 2 * caches[0][0].keys.nbytes == caches[1][0].keys.nbytes


def test_norms_of_queries_and_keys_make_their_lengths_count_for_nothing():
    model = make("qwen3", norm_eps=1e-12)
    plain = model(TOKENS).data
    for block in model.blocks:
        for part in (block.attention.q_proj, block.attention.k_proj):
            part.weight.assign(7.0 * part.weight.data)
    np.testing.assert_allclose(model(TOKENS).data, plain, rtol=1e-8, atol=1e-8)
    model.blocks[1].attention.v_proj.weight.assign(7.0 * model.blocks[1].attention.v_proj.weight.data)
    assert np.abs(model(TOKENS).data - plain).max() > 1e-3


@pytest.mark.parametrize("options", [{}, {"rope_base": 9.0}, {"n_kv_head": 2}], ids=str)
@pytest.mark.parametrize("source", [False, True])
def test_attention_with_norms_is_the_formula(options, source):
    rng = np.random.default_rng(3)
    kv = options.pop("n_kv_head", 4)
    layer = Attention(8, 4, kv, qk_norm=1e-3, causal=not source, rng=rng, dtype=np.float64, **options)
    for p in layer.parameters():
        p.assign(rng.normal(size=p.shape))
    x, other = rng.normal(size=(2, 5, 8)), rng.normal(size=(2, 7, 8))
    other = other if source else x
    state = layer.state_dict()

    def heads(s, name, count):
        y = s @ state[f"{name}_proj.weight"].T + state[f"{name}_proj.bias"]
        y = y.reshape(2, -1, count, 2).transpose(0, 2, 1, 3)
        if name != "v":
            y = y / np.sqrt((y**2).mean(-1, keepdims=True) + 1e-3) * state[f"{name}_norm.weight"]
        if options and not source and name != "v":
            y = rotate(Tensor(y), np.arange(y.shape[2]), 9.0).numpy()
        return y.repeat(4 // count, 1)

    q, k, v = heads(x, "q", 4), heads(other, "k", kv), heads(other, "v", kv)
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(2)
    if not source:
        scores = np.where(np.tril(np.ones((5, 5), bool)), scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    expected = (weights @ v).transpose(0, 2, 1, 3).reshape(2, 5, 8) @ state["o_proj.weight"].T + state["o_proj.bias"]
    found = layer(Tensor(x), Tensor(other) if source else None).data
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


# -- the cache, threads, and what looks inside -------------------------------------------------------------------------


@every_kind
def test_ragged_texts_read_with_a_cache_are_those_read_whole(kind):
    model, lengths = make(kind), np.array([9, 4, 1])
    with no_grad():
        cache = model.new_cache(3, 2)
        model(TOKENS[:, :9], cache=cache)
        cache.crop(lengths)
        for step in range(10):
            found = model(TOKENS[:, 10 + step : 11 + step], cache=cache).data
            for row, length in enumerate(lengths):
                text = np.concatenate([TOKENS[row, :length], TOKENS[row, 10 : 11 + step]])
                np.testing.assert_allclose(found[row, 0], model(text[None]).data[0, -1], rtol=1e-10, atol=1e-10)


def test_a_cache_whose_every_layer_has_a_window_forgets_what_none_sees():
    for kind, kept in (("mistral", 3), ("qwen2", None), ("llama", None)):
        cache = make(kind).new_cache(2)
        assert cache.window == kept and cache.capacity == 24
    model = make("mistral", block_size=500)
    with no_grad():
        cache = model.new_cache(1)
        for step in range(300):
            model(TOKENS[:1, step % 20, None], cache=cache)
    assert cache.lengths.tolist() == [300] and cache[0].keys.shape[2] == 64


@every_kind
def test_a_batch_is_written_as_each_text_is(kind):
    model, prompts = make(kind), [[1, 2, 3, 4, 5], [6], [7, 8]]
    greedy = Sampler(greedy=True)
    together = generate(model, prompts, 40, greedy, np.random.default_rng(0)).tokens  # past the block, of 24
    assert together == [generate(model, [p], 40, greedy, np.random.default_rng(0)).tokens[0] for p in prompts]


@every_kind
def test_threads_change_nothing_but_rounding(kind):
    batches = [{"tokens": TOKENS[:, :-1], "targets": TOKENS[:, 1:]}]
    found = []
    for threads in (0, 2):
        model = make(kind, dropout=0.2)
        optimizer = AdamW(model.named_parameters(), lr=1e-2)
        step = ThreadedStep(model.loss, optimizer, threads=2) if threads else EagerStep(model.loss, optimizer)
        results = [step(batches, number, 1e-2, count_targets(batches)).loss for number in range(3)]
        step.close()
        found.append((results, optimizer.flat.data.copy()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-10)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-8, atol=1e-10)


def test_its_attention_can_be_looked_at_and_its_heads_ablated():
    model = make("mistral")
    weights = attention_weights(model, TOKENS)
    assert [w.shape for w in weights] == [(3, 4, 20, 20)] * 3
    distance = np.arange(20)[:, None] - np.arange(20)
    seen = (0 <= distance) & (distance < 3)
    for w in weights:
        np.testing.assert_allclose(w.sum(-1), 1.0, rtol=1e-12)
        assert not w[:, :, ~seen].any() and w[:, :, seen].min() > 0
    assert np.abs(ablate_heads(model, [(1, 2)])(TOKENS).data - model(TOKENS).data).max() > 1e-3


# -- experts -----------------------------------------------------------------------------------------------------------

BATCH = {"tokens": TOKENS[:, :-1], "targets": TOKENS[:, 1:]}


def test_the_loss_is_the_cross_entropy_and_the_balance_of_all_layers():
    model, routed = make("mixtral", balance=0.7), []
    model.hidden(BATCH["tokens"], routed=routed)
    assert len(routed) == 3 and routed[0].chosen.shape == (3 * 19, 2)
    plain, balance = model.cross_entropy(BATCH).item(), balance_loss(routed).item()
    assert balance > 2.0 and plain == pytest.approx(make("mixtral").loss(BATCH).item(), rel=1e-14)
    assert model.loss(BATCH).item() == pytest.approx(plain + 0.7 * balance, rel=1e-13)


def test_batches_with_a_common_divisor_add_up_to_the_mean_of_their_balances():
    model = make("mixtral", balance=0.7)
    parts = [{name: array[row : row + 1].copy() for name, array in BATCH.items()} for row in range(3)]
    parts[1]["targets"][:, 4:] = -100  # a batch with few targets counts for little
    counts = [int((part["targets"] >= 0).sum()) for part in parts]
    total = sum(model.loss(part, divisor=sum(counts)).item() for part in parts)
    expected = sum(n / sum(counts) * model.loss(part).item() for n, part in zip(counts, parts))
    assert total == pytest.approx(expected, rel=1e-12)


def test_a_balance_couples_examples_and_is_not_split_over_threads():
    coupled, free = make("mixtral", balance=0.1), make("mixtral")
    optimizer = AdamW(coupled.named_parameters(), lr=1e-2)
    with pytest.raises(ConfigError, match="couples"):
        ThreadedStep(coupled.loss, optimizer, threads=2)
    step = EagerStep(coupled.loss, optimizer)
    losses = [step([BATCH], number, 1e-2, count_targets([BATCH])).loss for number in range(30)]
    assert losses[-1] < 0.8 * losses[0]
    ThreadedStep(free.loss, AdamW(free.named_parameters(), lr=1e-2), threads=2).close()


def test_experts_have_the_dropout_and_first_weights_of_other_layers():
    model = make("mixtral", dropout=0.25)
    assert [m.mlp.dropout.p for m in model.blocks] == [0.25] * 3
    first = Llama(replace(model.config, init_std=0.05, n_embd=64, n_hidden=80), rng=np.random.default_rng(0))
    for name, p in first.named_parameters():
        if p.ndim > 1:
            wanted = 0.05 / 6**0.5 if "o_proj" in name or "down_proj" in name else 0.05
            assert p.data.std() == pytest.approx(wanted, rel=0.12), name


# -- first weights, configurations, files ------------------------------------------------------------------------------


def test_first_weights_have_the_deviations_of_the_docstring():
    config = LlamaConfig(
        200, 8, 8, 4, 64, 160, qk_norm=True, qkv_bias=True, out_bias=True, mlp_bias=True, init_std=0.05
    )
    model = Llama(config, rng=np.random.default_rng(0))
    for name, p in model.named_parameters():
        if p.ndim == 1:
            assert (p.data == (0.0 if name.endswith("bias") else 1.0)).all(), name
        else:
            wanted = 0.05 / 4 if "o_proj" in name or "down_proj" in name else 0.05
            assert p.data.std() == pytest.approx(wanted, rel=0.05), name
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}


def test_what_holds_anyway_makes_no_other_configuration():
    config = LlamaConfig(13, 24, 3, 4, 16, 10)
    assert (config.groups, config.key_size) == (4, 4)
    assert config == LlamaConfig(13, 24, 3, 4, 16, 10, n_kv_head=4, head_size=4, out_bias=False)
    wider = replace(config, n_head=2, n_embd=12, qkv_bias=True)
    assert (wider.groups, wider.key_size) == (2, 6) and wider == LlamaConfig(13, 24, 3, 2, 12, 10, qkv_bias=True)
    assert [n for n, _ in Llama(wider, rng=np.random.default_rng(0)).named_parameters() if "o_proj.bias" in n]
    assert LlamaConfig(13, 24, 3, 4, 18, 10, head_size=6).key_size == 6  # no divisor of the width is needed then


IMPOSSIBLE = [
    {"n_layer": 0}, {"n_hidden": 2.0}, {"n_embd": 18}, {"n_kv_head": 3}, {"n_kv_head": 0}, {"head_size": 5}, {"head_size": 0},
    {"window": 0}, {"window": True}, {"window_from": 1}, {"window": 2, "window_from": -1}, {"rope_base": 0.0},
    {"rope_base": 1.0}, {"norm_eps": -1.0}, {"rope_scaling": 2.0}, {"rope_scaling": DynamicScaling(2.0, 8), "head_size": 2},
    {"rope_base": float("nan")}, {"dropout": 1.0}, {"n_experts": -1}, {"n_experts": 2}, {"n_experts": 2, "experts_per_token": 3},
    {"experts_per_token": 1}, {"n_experts": 2, "experts_per_token": 1, "balance": -1.0}, {"balance": 0.1},
    {"n_experts": 2, "experts_per_token": 1, "mlp_bias": True},
]  # fmt: skip


@pytest.mark.parametrize("change", IMPOSSIBLE, ids=str)
def test_an_impossible_model_is_refused_by_the_field(change):
    fields = {name: value for name, value in vars(SIZES).items() if name not in ("head_size", "out_bias")}
    with pytest.raises(
        ConfigError,
        match={"n_embd": "n_head", "n_experts": "n_experts|experts_per"}.get(last := list(change)[-1], last),
    ):
        LlamaConfig(**fields | change)


def test_a_scaling_says_itself_which_heads_it_can_turn():
    class OfLargeHeads(LinearScaling):
        least_head_size = 8

    sizes = LlamaConfig(13, 24, 3, 2, 16, 10)  # heads of 8
    assert replace(sizes, rope_scaling=OfLargeHeads(2.0)).key_size == 8
    with pytest.raises(ConfigError, match="head_size: expected at least 8 for this rope_scaling, got 6"):
        replace(sizes, head_size=6, rope_scaling=OfLargeHeads(2.0))


@every_kind
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_saved_opens_as_what_it_was(kind, dtype, tmp_path):
    model = make(kind, dtype)
    save_pretrained(model, tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == kind
    again = from_pretrained(tmp_path, dtype)
    assert type(again) is Llama and again.config == model.config
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array, name)


THEIR_NAMES = {
    "token_embedding": "model.embed_tokens", "norm": "model.norm", "output": "lm_head", "norm_1": "input_layernorm",
    "attention": "self_attn", "norm_2": "post_attention_layernorm",
}  # fmt: skip
MIXTRALS = {"mlp": "block_sparse_moe", "router": "gate", "gate_proj": "w1", "up_proj": "w3", "down_proj": "w2"}


@every_kind
def test_tensors_stand_under_the_names_that_they_have_there(kind):
    """Told once more by hand: the layers' names in their order, weights as they are, none turned or joined."""
    model, names = make(kind), THEIR_NAMES | (MIXTRALS if kind == "mixtral" else {})
    expected = {}
    for path, array in model.state_dict().items():
        parts = [names.get(part, part) for part in path.split(".")]
        if parts[0] == "blocks":
            parts[:1] = ["model", "layers"]
        expected[".".join(parts)] = array
    found = to_hugging_face(model)[1]
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, name)


def theirs(kind="llama", **change):
    config, arrays = to_hugging_face(make(kind))
    return config | change, arrays


def without(config, *keys):
    return {key: value for key, value in config.items() if key not in keys}


def test_a_balance_counts_where_the_file_says_so():
    config, arrays = theirs("mixtral")
    assert config["output_router_logits"] is False and config["router_aux_loss_coef"] == 0.0
    for said, coefficient, balance in ((True, 0.3, 0.3), (False, 0.3, 0.0), (True, 0.0, 0.0)):
        change = {"output_router_logits": said, "router_aux_loss_coef": coefficient}
        assert from_hugging_face(config | change, arrays).config.balance == balance
    least = without(
        config, "router_aux_loss_coef", "num_experts_per_tok", "rms_norm_eps", "rope_theta", "sliding_window"
    )
    found = from_hugging_face(least | {"output_router_logits": True}, arrays).config
    assert (found.balance, found.experts_per_token, found.norm_eps) == (0.001, 2, 1e-5)
    assert (found.rope_base, found.window) == (1e6, None)


@pytest.mark.parametrize("half", ["F16", "BF16"])
def test_several_files_with_an_index_of_half_precision_are_one_model(half, tmp_path):
    model = make("mistral", np.float32)
    config, arrays = to_hugging_face(model)
    places, exact = {}, {}
    for number, (name, array) in enumerate(arrays.items()):
        file = f"model-{number % 3 + 1:05}-of-00003.safetensors"
        places[name] = file
        exact[name] = array.astype("<f2") if half == "F16" else (array.view(np.uint32) >> 16).astype("<u2")
    for file in set(places.values()):
        part = {name: exact[name] for name, where in places.items() if where == file}
        save_weights(tmp_path / file, part)
        raw = (tmp_path / file).read_bytes()
        (tmp_path / file).write_bytes(_with_dtype(raw, half))
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = to_hugging_face(from_pretrained(tmp_path))[1]
    for name, bits in exact.items():
        wide = bits if half == "F16" else (bits.astype(np.uint32) << 16).view(np.float32)
        np.testing.assert_array_equal(found[name], wide.astype(np.float32), name)


def _with_dtype(raw: bytes, name: str) -> bytes:
    """The file with its halves called by this name."""
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    for key, entry in header.items():
        if key != "__metadata__":
            entry["dtype"] = name
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + raw[8 + size :]


def test_absent_entries_mean_what_they_mean_there():
    config, arrays = theirs("llama", num_key_value_heads=None, head_dim=None)
    with pytest.raises(CheckpointError, match="k_proj"):
        from_hugging_face(config, arrays)  # as many heads of keys as of queries
    model = make("llama", n_kv_head=4, qkv_bias=False, mlp_bias=False, tied=False, norm_eps=1e-6)
    least = {"model_type", "vocab_size", "max_position_embeddings", "num_hidden_layers", "num_attention_heads",
             "hidden_size", "intermediate_size"}  # fmt: skip
    config, arrays = to_hugging_face(model)
    again = from_hugging_face({key: value for key, value in config.items() if key in least}, arrays, np.float64)
    assert again.config == model.config
    for kind, key, ours, value in (
        ("mistral", "sliding_window", "window", 4096), ("qwen2", "sliding_window", "window", 4096),
        ("qwen2", "max_window_layers", "window_from", 28),
    ):  # fmt: skip
        config, arrays = theirs(kind)
        assert getattr(from_hugging_face(without(config, key, "layer_types"), arrays).config, ours) == value
    config, arrays = theirs("qwen2")
    assert from_hugging_face(without(config, "use_sliding_window", "layer_types"), arrays).config.window is None


def test_the_newer_form_of_the_rotary_settings_is_the_older_one():
    config, arrays = theirs("qwen3")
    assert config["rope_theta"] == 77.0
    new = without(config, "rope_theta") | {"rope_parameters": {"rope_type": "default", "rope_theta": 77.0}}
    assert from_hugging_face(new, arrays).config == from_hugging_face(config, arrays).config
    for old in ({"rope_type": "default"}, {"type": "default"}, None):
        assert from_hugging_face(config | {"rope_scaling": old}, arrays).config.rope_base == 77.0
    assert from_hugging_face(without(config, "rope_theta"), arrays).config.rope_base == 10_000.0


@pytest.mark.parametrize("form", ["rope_parameters", "rope_scaling"])
def test_a_scaling_says_what_it_says_in_either_form(form):
    config, arrays = theirs("llama")

    def read(**scaling):
        said = without(config, "rope_theta") if form == "rope_parameters" else config
        scaling |= {"rope_theta": 500.0} if form == "rope_parameters" else {}
        return from_hugging_face(said | {form: scaling}, arrays).config

    linear = read(rope_type="linear", factor=2)
    assert linear.rope_scaling == LinearScaling(2) and linear.rope_base == (500.0 if form == "rope_parameters" else 1e4)
    assert read(type="linear", factor=2.0).rope_scaling == LinearScaling(2.0)
    assert read(rope_type="yarn", factor=4.0).rope_scaling == YaRN(4.0, 24)  # the trained length, where it is not said
    given = {"original_max_position_embeddings": 6, "beta_fast": 8.0, "beta_slow": 2.0, "truncate": False}
    assert read(rope_type="yarn", factor=4.0, **given).rope_scaling == YaRN(4.0, 6, 8.0, 2.0, truncate=False)
    weights = {"mscale": 2.0, "mscale_all_dim": 0.5}
    factor = (0.2 * np.log(4) + 1) / (0.05 * np.log(4) + 1)
    assert read(rope_type="yarn", factor=4.0, **weights).rope_scaling.magnitude() == pytest.approx(factor, rel=1e-14)
    assert read(rope_type="yarn", factor=4.0, **weights, attention_factor=0.7).rope_scaling.magnitude() == 0.7
    low = {"low_freq_factor": 0.5, "high_freq_factor": 2.0, "original_max_position_embeddings": 8}
    assert read(rope_type="llama3", factor=8.0, **low).rope_scaling == Llama3Scaling(8.0, 8, 0.5, 2.0)
    dynamic = read(rope_type="dynamic", factor=2.5)
    assert dynamic.rope_scaling == DynamicScaling(2.5, 24) and dynamic.block_size == 60


def test_a_dynamic_scaling_of_another_length_than_a_file_can_say_is_not_written():
    with pytest.raises(CheckpointError, match="block_size.*= 48.*got 50"):
        to_hugging_face(make("llama", block_size=50, rope_scaling=DynamicScaling(2.0, 24)))
    assert to_hugging_face(make("llama", block_size=48, rope_scaling=DynamicScaling(2.0, 24)))[0][
        "max_position_embeddings"
    ] == 24  # fmt: skip


def test_a_model_whose_layers_were_given_another_scaling_is_not_saved_as_what_it_was():
    model = make("llama", rope_scaling=LinearScaling(2.0))
    model.blocks[1].attention.rope_scaling = LinearScaling(3.0)
    with pytest.raises(CheckpointError, match=r"blocks.1.attention.rope_scaling.*2\.0.*3\.0"):
        to_hugging_face(model)


@pytest.mark.parametrize(
    "scaling", [LinearScaling(3.0), YaRN(3.0, 8, 2.0, 0.5), Llama3Scaling(3.0, 8, 0.1, 2.0)], ids=str
)
def test_scaled_positions_read_with_a_cache_are_those_read_whole(scaling):
    model = make("mistral", rope_base=30.0, rope_scaling=scaling)
    whole = model(TOKENS).data
    assert np.abs(whole - make("mistral", rope_base=30.0)(TOKENS).data).max() > 1e-3
    with no_grad():
        cache = model.new_cache(3)
        parts = [model(TOKENS[:, a:b], cache=cache).data for a, b in ((0, 7), (7, 8), (8, 15), (15, 20))]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, rtol=1e-10, atol=1e-10)


def test_layers_with_a_window_may_be_named_one_by_one():
    config, arrays = theirs("qwen2")
    whole, windowed = "full_attention", "sliding_attention"
    assert config["layer_types"] == [whole, windowed, windowed] and config["max_window_layers"] == 1
    for kinds, first in (([whole] * 3, 28), ([whole, whole, windowed], 2), ([windowed] * 3, 0)):
        said = without(config, "max_window_layers") | {"layer_types": kinds}
        assert from_hugging_face(said, arrays).config.window_from == first


REFUSED = {
    "an activation": ("llama", {"hidden_act": "gelu"}, "hidden_act"),
    "a key nobody knows": ("llama", {"partial_rotary_factor": 0.5}, "partial_rotary_factor"),
    "a window of Llama": ("llama", {"sliding_window": 3}, "sliding_window"),
    "layers of two kinds in turn": (
        "qwen2", {"layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}, "layer_types",
    ),
    "layers of a third kind": ("qwen2", {"layer_types": ["chunked_attention"] * 3}, "layer_types"),
    "a layer type too many": ("qwen2", {"layer_types": ["full_attention"] * 4}, "layer_types"),
    "windows that are denied": ("qwen2", {"use_sliding_window": False}, "layer_types"),
    "a window that is no number": ("mistral", {"sliding_window": 2.5}, "sliding_window"),
    "heads that are no number": ("llama", {"num_key_value_heads": "2"}, "num_key_value_heads"),
    "heads that do not divide": ("llama", {"num_key_value_heads": 3}, "n_kv_head"),
    "a base that is no number": ("llama", {"rope_theta": "10000"}, "rope_theta"),
    "a base below zero": ("llama", {"rope_theta": -1.0}, "rope_base"),
    "a scaling nobody knows": ("llama", {"rope_scaling": {"rope_type": "longrope", "factor": 2.0}}, "longrope"),
    "a scaling without its kind": ("llama", {"rope_scaling": {"factor": 2.0}}, "rope_scaling.*rope_type linear, dynamic"),
    "a scaling of two kinds": ("llama", {"rope_scaling": {"rope_type": "linear", "type": "yarn", "factor": 2.0}}, "rope_type"),
    "an option of another scaling": (
        "llama", {"rope_scaling": {"rope_type": "linear", "factor": 2.0, "beta_fast": 3.0}}, "linear: factor; not beta_fast",
    ),
    "a scaling of a part of each head": (
        "llama", {"rope_scaling": {"rope_type": "linear", "factor": 2.0, "partial_rotary_factor": 0.5}}, "partial_rotary_factor",
    ),
    "a factor that is missing": ("llama", {"rope_scaling": {"rope_type": "dynamic"}}, "factor"),
    "a factor that shrinks": ("llama", {"rope_scaling": {"rope_type": "linear", "factor": 0.5}}, "rope_scaling.factor"),
    "a factor without end": ("llama", {"rope_scaling": {"rope_type": "dynamic", "factor": float("inf")}}, "infinity"),
    "two trained lengths": (
        "llama", {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0, "original_max_position_embeddings": 9}},
        "original_max_position_embeddings",
    ),
    "two scalings": (
        "llama", {"rope_scaling": {"rope_type": "linear", "factor": 2.0},
                  "rope_parameters": {"rope_type": "default", "rope_theta": 1e4}}, "rope_scaling and rope_parameters",
    ),
    "settings that are no object": ("llama", {"rope_parameters": 5}, "llama"),
    "layer types that are no list": ("qwen3", {"layer_types": "full_attention"}, "qwen3"),
    "a tied head that is another": ("mistral", {"tie_word_embeddings": True}, "lm_head"),
    "noise in the router": ("mixtral", {"router_jitter_noise": 0.1}, "router_jitter_noise"),
    "experts that the tensors do not have": ("mixtral", {"num_local_experts": 4}, "num_local_experts.*5"),
    "more experts a token than there are": ("mixtral", {"num_experts_per_tok": 6}, "experts_per_token"),
    "an encoder": ("llama", {"is_encoder_decoder": True}, "is_encoder_decoder"),
    "a type nobody knows": ("llama", {"model_type": "gemma"}, "gpt2, bart, bert, llama, mistral, qwen2, qwen3, mixtral"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "words"), REFUSED.values(), ids=REFUSED)
def test_what_would_be_another_model_is_refused_by_name(kind, change, words):
    config, arrays = theirs(kind, **change)
    with pytest.raises(CheckpointError, match=words):
        from_hugging_face(config, arrays)


@pytest.mark.parametrize(
    "change", [{"mlp_bias": True}, {"qk_norm": True, "qkv_bias": True, "out_bias": False}], ids=str
)
def test_options_that_no_architecture_there_has_together_are_not_written(change):
    with pytest.raises(CheckpointError, match="llama, mistral, qwen2, qwen3, mixtral"):
        to_hugging_face(make("qwen2", **change))


def test_a_model_of_the_sizes_that_a_file_does_not_have_is_refused_before_memory_is_taken():
    config, arrays = theirs("qwen3")
    for key in (
        "vocab_size",
        "num_hidden_layers",
        "hidden_size",
        "intermediate_size",
        "head_dim",
        "num_attention_heads",
    ):
        with pytest.raises(CheckpointError):
            from_hugging_face(without(config, "layer_types") | {key: 2 * 10**14}, arrays)


def test_gpts_files_are_what_they_were():
    """Its layers moved to a base that the two share; names, order and first weights did not."""
    model = GPT(GPTConfig(11, 8, 1, 2, 6, tied=False), rng=np.random.default_rng(0))
    layers = (
        "norm_1 attention.q_proj attention.k_proj attention.v_proj attention.o_proj norm_2 mlp.up_proj mlp.down_proj"
    )
    both = [f"blocks.0.{layer}.{part}" for layer in layers.split() for part in ("weight", "bias")]
    names = ["token_embedding.weight", "position_embedding.weight", *both, "norm.weight", "norm.bias", "output.weight"]
    assert [name for name, _ in model.named_parameters()] == names
    rng = np.random.default_rng(0)
    drawn = rng.normal(0, 0.02, (11, 6)).astype(np.float32), rng.normal(0, 0.02, (8, 6)).astype(np.float32)
    np.testing.assert_array_equal(model.token_embedding.weight.data, drawn[0])
    np.testing.assert_array_equal(model.position_embedding.weight.data, drawn[1])
    assert type(Llama(SIZES, rng=rng).norm) is RMSNorm
