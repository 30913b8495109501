"""A linear layer of packed weights computes what the layer with the unpacked ones computes, and stays as it is."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import Tensor
from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.models import GPT, GPTConfig, Llama, LlamaConfig
from tinygrad_llm.nn import Linear, Parameter
from tinygrad_llm.optim import AdamW
from tinygrad_llm.quantize import QuantizedLinear, linear, quantize, quantize_linear
from tinygrad_llm.train import fit


def layer_of(outputs, inputs, seed=0, bias=True, **options):
    rng = np.random.default_rng(seed)
    plain = Linear(inputs, outputs, rng=rng)
    plain.bias = Parameter(rng.normal(size=outputs).astype(np.float32)) if bias else None
    packed = QuantizedLinear(quantize(plain.weight.data, **options), plain.bias)
    unpacked = Linear(inputs, outputs, bias, rng=rng)
    unpacked.weight.assign(packed.weight.data)
    unpacked.bias = Parameter(plain.bias.data.copy()) if bias else None
    return packed, unpacked


@given(
    outputs=st.integers(1, 40), inputs=st.integers(1, 70), block_size=st.sampled_from([2, 6, 64]), bias=st.booleans(),
    name=st.sampled_from(["nf4", "int8"]), double=st.booleans(), at_once=st.sampled_from([1, 700, 1 << 22]),
)  # fmt: skip
def test_values_and_gradients_are_those_of_the_unpacked_weights(
    outputs, inputs, block_size, bias, name, double, at_once
):
    packed, unpacked = layer_of(outputs, inputs, bias=bias, format=name, block_size=block_size, double=double)
    data = np.random.default_rng(1).normal(size=(2, 3, inputs)).astype(np.float32)
    found = []
    before, linear.UNPACKED_BYTES = linear.UNPACKED_BYTES, at_once
    try:
        for layer in (packed, unpacked):
            x = Tensor(data, requires_grad=True)
            y = layer(x)
            (y * np.cos(np.arange(y.size, dtype=np.float32)).reshape(y.shape)).sum().backward()
            found.append([y.numpy(), x.grad, *([layer.bias.grad] if bias else [])])
    finally:
        linear.UNPACKED_BYTES = before
    for one, other in zip(*found):
        np.testing.assert_allclose(Tensor(one).numpy(), Tensor(other).numpy(), rtol=1e-5, atol=1e-5)


def test_float64_keeps_its_precision():
    packed, unpacked = layer_of(9, 33)
    x = np.random.default_rng(2).normal(size=(4, 33))
    exact = x @ unpacked.weight.numpy().astype(np.float64).T + unpacked.bias.numpy()
    packed.bias = Parameter(unpacked.bias.numpy().astype(np.float64))
    np.testing.assert_allclose(packed(Tensor(x)).numpy(), exact, rtol=1e-12)


def test_packed_weights_are_state_and_not_learned():
    packed, _ = layer_of(6, 64, double=True)
    assert packed.n_trainable() == packed.n_parameters() == 6
    assert sorted(packed.state_dict()) == ["bias", "codes", "scale_codes", "scale_offset", "scale_scales"]
    other, _ = layer_of(6, 64, seed=5, double=True)
    other.load_state_dict(packed.state_dict())
    x = Tensor(np.ones((1, 64), np.float32))
    np.testing.assert_array_equal(other(x).numpy(), packed(x).numpy())
    np.testing.assert_array_equal(copy.deepcopy(packed)(x).numpy(), packed(x).numpy())
    assert sum(b.data.nbytes for b in packed.buffers()) == packed.quantized.nbytes == 6 * 32 + 6 + 4 + 4


@pytest.mark.parametrize("kind", ["gpt", "llama"])
def test_a_model_with_packed_layers_is_the_model_with_the_numbers_that_they_stand_for(kind):
    rng = np.random.default_rng(3)
    model = (
        GPT(GPTConfig(30, 8, 2, 2, 16), rng=rng) if kind == "gpt" else Llama(LlamaConfig(30, 8, 2, 2, 16, 24), rng=rng)
    )
    packed = quantize_linear(model, "blocks.**.*_proj", format="nf4", double=True)
    layers = [m for _, m in packed.named_modules() if isinstance(m, QuantizedLinear)]
    assert len(layers) == (12 if kind == "gpt" else 14) and isinstance(model.blocks[0].attention.q_proj, Linear)
    twin = copy.deepcopy(model)
    for path, module in packed.named_modules():
        if isinstance(module, QuantizedLinear):
            dict(twin.named_modules())[path].weight.assign(module.weight.data)
    batch = {"tokens": rng.integers(0, 30, (2, 8)), "targets": rng.integers(0, 30, (2, 8))}
    losses = [m.loss(batch) for m in (packed, twin)]
    for loss in losses:
        loss.backward()
    np.testing.assert_allclose(losses[0].item(), losses[1].item(), rtol=1e-6)
    ours, theirs = (dict(m.named_parameters()) for m in (packed, twin))
    for name, parameter in ours.items():
        np.testing.assert_allclose(parameter.grad, theirs[name].grad, rtol=1e-3, atol=1e-6, err_msg=name)


def test_a_step_moves_what_is_left_and_no_code():
    model = quantize_linear(GPT(GPTConfig(30, 8, 1, 2, 16), rng=np.random.default_rng(0)), "blocks.**.*_proj")
    before = {name: np.array(x) for name, x in model.state_dict().items()}
    rng = np.random.default_rng(1)
    batch = {"tokens": rng.integers(0, 30, (2, 8)), "targets": rng.integers(0, 30, (2, 8))}
    fit(model.loss, AdamW(model.named_parameters(), lr=0.1), [batch])
    packed = {name for name, _ in model.named_buffers()}
    for name, x in model.state_dict().items():
        assert (x == before[name]).all() == (name in packed), name


def test_what_does_not_fit_is_refused():
    packed, _ = layer_of(3, 4)
    with pytest.raises(ShapeError, match="I = 4"):
        packed(Tensor(np.ones((2, 5), np.float32)))
    with pytest.raises(ShapeError, match=r"\(O, I\)"):
        QuantizedLinear(quantize(np.ones(4, np.float32)))
    model = GPT(GPTConfig(30, 8, 1, 2, 16), rng=np.random.default_rng(0))
    with pytest.raises(ArgumentError, match="norm_1, a LayerNorm"):
        quantize_linear(model, "blocks.*.norm_1")
