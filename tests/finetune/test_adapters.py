"""What every kind of adapter promises: the formula, that nothing else moves, that threads and files change nothing."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
from cached_models import redrawn

from tinygrad_llm import Module, Tensor, nn, ops
from tinygrad_llm.errors import ArgumentError, CheckpointError, ShapeError
from tinygrad_llm.finetune import (
    IA3,
    Adapted,
    DoRA,
    Houlsby,
    HoulsbyConfig,
    IA3Config,
    LoRA,
    LoraConfig,
    PeftModel,
    get_peft_model,
)
from tinygrad_llm.finetune.adapted import calling
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models import GPT, BERTConfig, BERTForSequenceClassification, GPTConfig, Llama, LlamaConfig
from tinygrad_llm.nn import Linear, replace
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train import EagerStep, ThreadedStep, fit, load_checkpoint, save_checkpoint

KINDS: dict[str, Any] = {
    "lora": LoraConfig(("q_proj", "v_proj", "up_proj"), r=2, lora_alpha=3),
    "rslora with dropout": LoraConfig("attention.*_proj", r=3, lora_dropout=0.4, use_rslora=True),
    "dora": LoraConfig(("k_proj", "down_proj"), r=2, use_dora=True),
    "dora with dropout": LoraConfig("**", r=2, use_dora=True, lora_dropout=0.3),
    "ia3": IA3Config(),
    "houlsby": HoulsbyConfig(bottleneck=3, bottleneck_dropout=0.2),
}
LINEAR = {name: config for name, config in KINDS.items() if name != "houlsby"}
RNG = np.random.default_rng(0)
BATCHES = [{name: RNG.integers(0, 11, (4, 6)) for name in ("tokens", "targets")} for _ in range(4)]
TOKENS = BATCHES[0]["tokens"]
EXACT = {"rtol": 1e-12, "atol": 1e-12}
each_kind = pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)
each_linear_kind = pytest.mark.parametrize("config", LINEAR.values(), ids=LINEAR)


def base(dtype=np.float64) -> GPT:
    return redrawn(GPT(GPTConfig(11, 8, 2, 2, 8), rng=np.random.default_rng(1), dtype=dtype), 1)


def adapted(config, dtype=np.float64, drawn=0.3):
    """A small GPT with an adapter that does something."""
    model = get_peft_model(base(dtype), config, rng=np.random.default_rng(2))
    move(model, drawn)
    return model


def move(model, drawn=0.3, seed=3):
    rng = np.random.default_rng(seed)
    for p in model.parameters():
        if p.requires_grad:
            p.assign(p.numpy() + drawn * rng.normal(size=p.shape))


# -- formulas --------------------------------------------------------------------------------------------------------


def linear(rng, bias=True):
    layer = Linear(5, 3, bias, rng=rng, dtype=np.float64)
    for p in layer.parameters():
        p.assign(rng.normal(size=p.shape))
    return layer


def by_hand(adapter, w, b, x):
    """y, row by row, from the papers' formulas."""
    if isinstance(adapter, IA3):
        l = adapter.ia3_l.numpy()
        return (x * l) @ w.T + b if adapter.is_feedforward else (x @ w.T + b) * l
    s = adapter.lora_alpha / (adapter.r**0.5 if adapter.use_rslora else adapter.r)
    changed = w + s * adapter.lora_B.numpy() @ adapter.lora_A.numpy()
    if isinstance(adapter, DoRA):
        changed = np.stack(
            [m * row / np.linalg.norm(row) for m, row in zip(adapter.lora_magnitude_vector.numpy(), changed)]
        )
    return x @ changed.T + b


ADAPTERS = {
    "lora": lambda layer, rng: LoRA(layer, 2, 5, rng=rng, dtype=np.float64),
    "rslora": lambda layer, rng: LoRA(layer, 2, 5, 0.0, True, rng=rng, dtype=np.float64),
    "dora": lambda layer, rng: DoRA(layer, 2, 5, rng=rng, dtype=np.float64),
    "ia3": lambda layer, rng: IA3(layer, dtype=np.float64),
    "ia3 of the input": lambda layer, rng: IA3(layer, True, dtype=np.float64),
}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("make", ADAPTERS.values(), ids=ADAPTERS)
def test_a_layer_computes_the_formula_merged_or_not(make, bias):
    rng = np.random.default_rng(0)
    layer, x = linear(rng, bias), rng.normal(size=(2, 4, 5))
    w, b = layer.weight.numpy().copy(), layer.bias.numpy().copy() if bias else 0.0
    adapter = make(layer, rng)
    found = Adapted(layer, {"default": adapter})
    np.testing.assert_allclose(found(Tensor(x)).numpy(), x @ w.T + b, **EXACT)  # at first nothing is changed
    for p in adapter.parameters():
        p.assign(p.numpy() + rng.normal(size=p.shape))
    expected = by_hand(adapter, w, b, x)
    assert np.abs(expected - (x @ w.T + b)).max() > 0.1
    np.testing.assert_allclose(found(Tensor(x)).numpy(), expected, **EXACT)
    np.testing.assert_allclose(ops.linear(Tensor(x), found.weight, found.bias).numpy(), expected, **EXACT)
    alone = found.unloaded(merge=True)
    assert type(alone) is Linear and found.unloaded(merge=False) is layer
    np.testing.assert_allclose(alone(Tensor(x)).numpy(), expected, **EXACT)
    found.merge()
    found.merge()  # once is enough
    np.testing.assert_allclose(found(Tensor(x)).numpy(), expected, **EXACT)
    np.testing.assert_allclose(layer(Tensor(x)).numpy(), expected, **EXACT)
    found.unmerge()
    np.testing.assert_array_equal(layer.weight.numpy(), w)
    np.testing.assert_allclose(found(Tensor(x)).numpy(), expected, **EXACT)


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_houlsbys_computes_its_formula_and_is_not_merged(activation):
    rng = np.random.default_rng(0)
    layer, x = linear(rng), rng.normal(size=(2, 4, 5))
    adapter = Houlsby(layer, 2, activation, rng=rng, dtype=np.float64)
    found, h = Adapted(layer, {"default": adapter}), layer(Tensor(x)).numpy()
    np.testing.assert_array_equal(found(Tensor(x)).numpy(), h)
    for p in adapter.parameters():
        p.assign(rng.normal(size=p.shape))
    inside = h @ adapter.down.weight.numpy().T + adapter.down.bias.numpy()
    bent = np.maximum(inside, 0) if activation == "relu" else inside * ndtr(inside)
    expected = h + bent @ adapter.up.weight.numpy().T + adapter.up.bias.numpy()
    np.testing.assert_allclose(found(Tensor(x)).numpy(), expected, **EXACT)
    for call in (found.merge, lambda: found.unloaded(merge=True), lambda: found.weight):
        with pytest.raises(ArgumentError, match="Houlsby's, which bends"):
            call()
    with pytest.raises(ArgumentError, match="activation"):
        Houlsby(layer, 2, "sine", rng=rng)
    with pytest.raises(CheckpointError, match="HoulsbyConfig"):
        adapted(KINDS["houlsby"]).save_pretrained("nowhere")


def ndtr(x):
    return np.vectorize(lambda value: 0.5 * (1 + math.erf(value / 2**0.5)))(x)


def test_first_weights_are_those_of_peft():
    """A uniform within 1/sqrt(I), B zero."""
    layer = Linear(400, 50, rng=np.random.default_rng(0))
    made = LoRA(layer, 16, rng=np.random.default_rng(1))
    a = made.lora_A.numpy()
    assert a.shape == (16, 400) and a.dtype == np.float32 and not made.lora_B.numpy().any()
    assert 0.049 < np.abs(a).max() <= 0.05 and abs(a.std() - 0.05 / 3**0.5) < 1e-3 and abs(a.mean()) < 2e-3
    np.testing.assert_array_equal(LoRA(layer, 16, rng=np.random.default_rng(1)).lora_A.numpy(), a)


def test_several_are_added_up():
    rng = np.random.default_rng(0)
    layer, x = linear(rng), Tensor(rng.normal(size=(4, 5)))
    made = {name: LoRA(layer, 2, rng=rng, dtype=np.float64) for name in "abc"}
    found = Adapted(layer, made)
    for adapter in made.values():
        adapter.lora_B.assign(rng.normal(size=(3, 2)))
    single = {}
    for name in made:
        found.activate([name])
        single[name] = found(x).numpy() - layer(x).numpy()
    found.activate(["c", "a"])
    np.testing.assert_allclose(found(x).numpy() - layer(x).numpy(), single["a"] + single["c"], **EXACT)
    assert [p.requires_grad for name in "abc" for p in made[name].parameters()] == [True] * 2 + [False] * 2 + [True] * 2


# -- what a model promises -------------------------------------------------------------------------------------------


@each_kind
def test_a_new_adapter_changes_nothing_and_learns_only_its_own(config):
    model, plain = get_peft_model(base(), config, rng=np.random.default_rng(2)), base()
    np.testing.assert_allclose(model(TOKENS).numpy(), plain(TOKENS).numpy(), **EXACT)
    learned = [name for name, p in model.named_parameters() if p.requires_grad]
    assert learned and all(".adapters.default." in name for name in learned)
    optimizer = AdamW(model.named_parameters(), lr=1e-2)
    assert optimizer.flat.names and set(optimizer.flat.names) == set(learned)
    assert all(array.size == model.n_trainable() for array in optimizer.state.values())
    assert 0 < model.n_trainable() < model.n_parameters() - model.n_trainable() == plain.n_parameters()


@each_kind
@pytest.mark.parametrize("threads", [1, 2])
def test_training_moves_the_adapter_and_nothing_else(config, threads):
    model = get_peft_model(base(), config, rng=np.random.default_rng(2))
    before = {name: p.numpy().copy() for name, p in model.named_parameters()}
    losses = fit(model.loss, AdamW(model.named_parameters(), lr=3e-2), [BATCHES[0]] * 12, threads=threads)
    assert np.mean(losses[-3:]) < np.mean(losses[:3]) - 0.005
    for name, p in model.named_parameters():
        assert np.array_equal(p.numpy(), before[name]) is not p.requires_grad, name
    with model.disable_adapter():
        np.testing.assert_array_equal(model(TOKENS).numpy(), model.unload()(TOKENS).numpy())


@each_kind
def test_threads_change_nothing_but_rounding(config):
    found = []
    for step_kind, options in ((EagerStep, {}), (ThreadedStep, {"threads": 2}), (ThreadedStep, {"threads": 3})):
        model = adapted(config)
        optimizer = AdamW(model.named_parameters(), lr=1e-2)
        step = step_kind(model.loss, optimizer, seed=5, **options)
        losses = [step([batch], number, 1e-2, 24).loss for number, batch in enumerate(BATCHES)]
        step.close()
        found.append([*losses, *optimizer.flat.data.tolist()])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found[2], found[0], rtol=1e-8, atol=1e-10)


@each_kind
def test_dropout_is_active_exactly_when_a_call_is_given_an_rng(config):
    model = adapted(config)
    still = model(TOKENS).numpy()
    np.testing.assert_array_equal(model(TOKENS).numpy(), still)
    drawn = [model(TOKENS, rng=np.random.default_rng(seed)).numpy() for seed in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert bool(np.abs(drawn[0] - still).max() > 1e-6) is (config.dropout > 0)
    assert bool(np.abs(drawn[0] - drawn[2]).max() > 1e-6) is (config.dropout > 0)
    losses = [model.loss(BATCHES[0], rng=rng).item() for rng in (None, np.random.default_rng(0))]
    assert (losses[0] != losses[1]) is (config.dropout > 0)


def test_dropout_is_of_what_the_adapter_reads():
    """Each entry of x is dropped or scaled before A; the layer itself reads all of it."""
    rng = np.random.default_rng(0)
    layer, x = linear(rng), rng.normal(size=(4, 6, 5))
    adapter = LoRA(layer, 2, lora_dropout=0.25, rng=rng, dtype=np.float64)
    adapter.lora_B.assign(rng.normal(size=(3, 2)))
    drawn = np.random.default_rng(7).random(x.shape, dtype=np.float32)
    kept = x * (drawn >= 0.25) / 0.75
    expected = layer(Tensor(x)).numpy() + 4.0 * kept @ adapter.lora_A.numpy().T @ adapter.lora_B.numpy().T
    with calling(np.random.default_rng(7)):
        found = Adapted(layer, {"default": adapter})(Tensor(x)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@each_linear_kind
def test_merged_it_is_the_same_function_and_unmerged_the_same_bits(config):
    model = adapted(config)
    before, weights = model(TOKENS).numpy(), {name: p.numpy().copy() for name, p in model.named_parameters()}
    merged = model.merge_and_unload()
    assert (
        type(merged) is GPT
        and merged.n_trainable() == 0
        and [n for n, _ in merged.named_parameters()] == [n for n, _ in base().named_parameters()]
    )
    np.testing.assert_allclose(merged(TOKENS).numpy(), before, rtol=1e-6, atol=1e-9)
    model.merge_adapter()
    assert model.n_trainable() == 0
    np.testing.assert_allclose(model(TOKENS).numpy(), before, rtol=1e-6, atol=1e-9)
    model.unmerge_adapter()
    assert model.n_trainable() > 0
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(p.numpy(), weights[name])


@each_linear_kind
def test_it_is_sampled_from_as_the_merged_model_is(config):
    """With its cache, prompts of several lengths, and texts longer than the block."""
    model = adapted(config)
    prompts = [[1, 2, 3], [4], [5, 6]]
    options = {"count": 9, "rng": np.random.default_rng(0)}
    assert (
        generate(model, prompts, sampler=Sampler(greedy=True), **options).tokens
        == generate(model.merge_and_unload(), prompts, sampler=Sampler(greedy=True), **options).tokens
    )


@each_kind
def test_a_checkpoint_of_the_adapter_alone_goes_on_to_the_same_bits(config, tmp_path):
    def made():
        model = get_peft_model(base(), config, rng=np.random.default_rng(2))
        optimizer = AdamW(model.named_parameters(), lr=1e-2)
        return model, optimizer, EagerStep(model.loss, optimizer, seed=1)

    model, optimizer, step = made()
    for number, batch in enumerate(BATCHES):
        if number == 2:
            arrays = {name: p.numpy() for name, p in zip(optimizer.flat.names, optimizer.flat.parameters)}
            state = {name: Tensor(array).numpy() for name, array in optimizer.state_dict().items()}
            save_checkpoint(
                tmp_path / "last", {"model": arrays, "optimizer": state}, {"run": {"steps": optimizer.steps}}
            )
        step([batch], number, 1e-2, 24)
    saved = load_checkpoint(tmp_path / "last")
    other, other_optimizer, other_step = made()
    for name, p in zip(other_optimizer.flat.names, other_optimizer.flat.parameters):
        p.assign(saved.group("model")[name])
    other_optimizer.load_state_dict(saved.group("optimizer"), saved.document("run")["steps"])
    for number in (2, 3):
        other_step([BATCHES[number]], number, 1e-2, 24)
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(dict(other.named_parameters())[name].numpy(), p.numpy())


@each_linear_kind
def test_an_adapter_that_was_saved_is_opened(config, tmp_path):
    if any("proj" not in pattern for pattern in config.target_modules):
        config = LoraConfig(("c_proj", "o_proj", "mlp.*"), r=2, use_dora=True)
    model = adapted(config, np.float32)
    model.save_pretrained(tmp_path)
    again = PeftModel.from_pretrained(base(np.float32), tmp_path)
    np.testing.assert_allclose(again(TOKENS).numpy(), model(TOKENS).numpy(), rtol=1e-5, atol=1e-6)
    assert again.n_trainable() > 0 and again.active_adapters == ("default",)


@each_kind
def test_a_copy_has_adapters_of_its_own(config):
    model = adapted(config)
    before, twin = model(TOKENS).numpy(), copy.deepcopy(model)
    move(twin)
    np.testing.assert_array_equal(model(TOKENS).numpy(), before)
    assert np.abs(twin(TOKENS).numpy() - before).max() > 1e-3


# -- several, by row, in all kinds of models -------------------------------------------------------------------------


def test_each_row_may_have_an_adapter_of_its_own():
    model = adapted(KINDS["lora"])
    model.add_adapter("other", LoraConfig("o_proj", r=1), rng=np.random.default_rng(5))
    model.set_adapter("other")
    move(model)
    expected = {"other": model(TOKENS).numpy()}
    with model.disable_adapter():
        expected["__base__"] = model(TOKENS).numpy()
    model.set_adapter("default")
    expected["default"] = model(TOKENS).numpy()
    rows = ["other", "default", "__base__", "other"]
    found = model(TOKENS, adapter_names=rows).numpy()
    for row, name in enumerate(rows):
        np.testing.assert_allclose(found[row], expected[name][row], rtol=1e-10, atol=1e-12)
        assert all(np.abs(expected[other][row] - found[row]).max() > 1e-4 for other in expected if other != name)
    with pytest.raises(ArgumentError, match="adapter_names.*nobody"):
        model(TOKENS, adapter_names=["nobody"] * 4)
    with pytest.raises(ShapeError, match="one a row, 4"):
        model(TOKENS, adapter_names=["other"])


def test_what_cannot_be_told_apart_by_row_is_refused():
    """Weights that adapters are merged into, and a head that is read for all rows at once."""
    model = adapted(KINDS["lora"])
    model.merge_adapter()
    with pytest.raises(ArgumentError, match="not merged"):
        model(TOKENS, adapter_names=["__base__"] * 4)
    with model.disable_adapter(), pytest.raises(ArgumentError, match="not merged"):
        model(TOKENS)
    with pytest.raises(ArgumentError, match="not merged"):
        model.set_adapter("default")
    model.unmerge_adapter()
    model.set_adapter("default")
    plain = GPT(GPTConfig(11, 8, 1, 2, 8, tied=False), rng=np.random.default_rng(1), dtype=np.float64)
    headed = get_peft_model(plain, LoraConfig("output", r=2), rng=np.random.default_rng(2))
    for call in (headed, headed.next_logits, headed.hidden):
        with pytest.raises(ArgumentError, match="A head is read"):
            call(TOKENS, adapter_names=["default"] * 4)


def test_adapters_are_added_chosen_and_deleted():
    model = adapted(KINDS["lora"])
    expected = model(TOKENS).numpy()
    model.add_adapter("other", KINDS["ia3"], rng=np.random.default_rng(5))
    np.testing.assert_array_equal(model(TOKENS).numpy(), expected)
    assert model.active_adapters == ("default",)
    model.set_adapter(["other", "default"])
    move(model, 0.1)
    both = model(TOKENS).numpy()
    np.testing.assert_allclose(model.merge_and_unload()(TOKENS).numpy(), both, rtol=1e-8, atol=1e-10)
    model.delete_adapter("other")
    assert np.abs(model(TOKENS).numpy() - both).max() > 1e-3 and list(model.peft_config) == ["default"]
    for name in ("default", "__base__", "", "a.b"):
        with pytest.raises(ArgumentError, match="adapter_name"):
            model.add_adapter(name, KINDS["ia3"], rng=np.random.default_rng(5))
    for call in (model.set_adapter, model.delete_adapter, lambda name: model.save_pretrained("nowhere", name)):
        with pytest.raises(ArgumentError, match="one of default"):
            call("other")


def test_a_dora_is_alone():
    model = adapted(KINDS["dora"])
    model.add_adapter("other", LoraConfig("k_proj"), rng=np.random.default_rng(5))
    with pytest.raises(ArgumentError, match="DoRA"):
        model.set_adapter(["default", "other"])
    assert all(
        layer.active_adapters == ("default",) for layer in model.adapted().values() if "default" in layer.adapters
    )
    model.set_adapter("other")


class Packed(Module):
    """Linear, but for how its weights are kept: as a quantized layer's."""

    def __init__(self, layer):
        self.in_features, self.out_features = layer.weight.shape[::-1]
        self.scale = float(np.abs(layer.weight.numpy()).max()) / 127
        self.codes = nn.Buffer(np.round(layer.weight.numpy() / self.scale).astype(np.int64))
        self.bias = layer.bias

    @property
    def weight(self):
        return Tensor(self.codes.numpy() * self.scale)

    def __call__(self, x):
        return ops.linear(x, self.weight, self.bias)


def test_any_linear_layer_may_stand_below(tmp_path):
    """One that only shows an unpacked weight: trained beside, saved and opened, not merged into."""
    packed = replace(base(), Linear, lambda path, layer: Packed(layer))
    for use_dora in (False, True):
        model = get_peft_model(
            packed, LoraConfig(("q_proj", "down_proj"), r=2, use_dora=use_dora), rng=np.random.default_rng(2)
        )
        np.testing.assert_allclose(model(TOKENS).numpy(), packed(TOKENS).numpy(), rtol=1e-10, atol=1e-12)
        losses = fit(model.loss, AdamW(model.named_parameters(), lr=3e-2), [BATCHES[0]] * 8)
        assert losses[-1] < losses[0]
        with pytest.raises(ArgumentError, match="Parameters.*Packed"):
            model.merge_adapter()
        model.save_pretrained(tmp_path)
        again = PeftModel.from_pretrained(packed, tmp_path)
        np.testing.assert_allclose(again(TOKENS).numpy(), model(TOKENS).numpy(), rtol=1e-10, atol=1e-12)


def test_a_heads_own_matrix_may_have_an_adapter():
    """The head is read, not called: what is read is the changed one, and learns."""
    plain = GPT(GPTConfig(11, 8, 1, 2, 8, tied=False), rng=np.random.default_rng(1), dtype=np.float64)
    model = get_peft_model(plain, LoraConfig("output", r=2), rng=np.random.default_rng(2))
    assert (
        fit(model.loss, AdamW(model.named_parameters(), lr=3e-2), [BATCHES[0]] * 8)[-1] < plain.loss(BATCHES[0]).item()
    )
    np.testing.assert_allclose(model(TOKENS).numpy(), model.merge_and_unload()(TOKENS).numpy(), rtol=1e-10, atol=1e-12)


def test_experts_have_adapters_without_dropout():
    sizes = LlamaConfig(11, 8, 1, 2, 8, 12, n_experts=3, experts_per_token=2, balance=0.1)
    plain = Llama(sizes, rng=np.random.default_rng(1), dtype=np.float64)
    model = get_peft_model(plain, LoraConfig(("up_proj", "router"), r=2), rng=np.random.default_rng(2))
    assert model.couples_examples and len(model.adapted()) == 4
    losses = fit(model.loss, AdamW(model.named_parameters(), lr=3e-2), [BATCHES[0]] * 8, threads=1)
    assert losses[-1] < losses[0]
    with pytest.raises(ArgumentError, match="no layer of Experts"):
        model.add_adapter("other", LoraConfig("up_proj", lora_dropout=0.1), rng=np.random.default_rng(2))


def test_models_that_are_no_language_models_have_adapters_too():
    config = BERTConfig(11, 8, 1, 2, 8, 16)
    plain = BERTForSequenceClassification(config, rng=np.random.default_rng(1), dtype=np.float64)
    model = get_peft_model(plain, LoraConfig(("q_proj", "v_proj"), r=2, lora_dropout=0.1), rng=np.random.default_rng(2))
    assert type(model) is PeftModel
    np.testing.assert_array_equal(model(TOKENS).numpy(), plain(TOKENS).numpy())
    batch = {"tokens": TOKENS, "targets": np.array([0, 1, 1, 0])}
    losses = fit(model.loss, AdamW(model.named_parameters(), lr=3e-2), [batch] * 8)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("patterns", ["nothing", ("q_proj.weight",), "token_embedding"])
def test_a_pattern_that_means_no_linear_layer_is_refused(patterns):
    with pytest.raises(ArgumentError, match=r"target_modules.*blocks\.0\.attention\.q_proj"):
        get_peft_model(base(), LoraConfig(patterns), rng=np.random.default_rng(2))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: LoraConfig(()), "target_modules"), (lambda: LoraConfig(""), "target_modules"), (lambda: LoraConfig((1,)), "target_modules"),
        (lambda: LoRA(linear(RNG), 0, rng=RNG), "r"), (lambda: LoRA(linear(RNG), 1.5, rng=RNG), "r"), (lambda: LoRA(linear(RNG), 1, 0, rng=RNG), "lora_alpha"),
        (lambda: LoRA(linear(RNG), 1, float("inf"), rng=RNG), "lora_alpha"), (lambda: LoRA(linear(RNG), 1, 1, 1.0, rng=RNG), "p"),
        (lambda: LoRA(nn.LayerNorm(3), rng=RNG), "layer"), (lambda: IA3(nn.LayerNorm(3)), "layer"), (lambda: Adapted(nn.LayerNorm(3)), "base_layer"),
    ],
)  # fmt: skip
def test_what_is_no_adapter_is_refused(make, name):
    with pytest.raises(ArgumentError, match=f"^{name}:"):
        make()


def test_an_adapter_of_another_model_is_refused(tmp_path):
    adapted(KINDS["lora"], np.float32).save_pretrained(tmp_path)
    other = GPT(GPTConfig(11, 8, 2, 2, 12), rng=np.random.default_rng(1))
    with pytest.raises(CheckpointError, match="c_attn"):
        PeftModel.from_pretrained(other, tmp_path)
    with pytest.raises(CheckpointError, match="linear layers of the model"):
        PeftModel.from_pretrained(GPT(GPTConfig(11, 8, 1, 2, 8), rng=np.random.default_rng(1)), tmp_path)
