"""A patch embedding is a convolution whose windows do not overlap."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError, DtypeError, ShapeError
from tinygrad_llm.nn import PatchEmbedding

RNG = np.random.default_rng(4)


def made(channels=3, patch=2, width=5, bias=True):
    layer = PatchEmbedding(channels, patch, width, bias, rng=np.random.default_rng(0), dtype=np.float64)
    for p in layer.parameters():
        p.assign(RNG.normal(size=p.shape))
    return layer


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("channels", "patch", "rows", "columns"), [(3, 2, 3, 2), (1, 1, 2, 3), (2, 3, 1, 4), (2, 4, 1, 1)])  # fmt: skip
def test_each_patch_is_weighed_by_itself_from_left_to_right_and_top_to_bottom(channels, patch, rows, columns, bias):
    layer = made(channels, patch, bias=bias)
    pictures = RNG.normal(size=(2, channels, rows * patch, columns * patch))
    weight = layer.proj.weight.data.reshape(5, channels, patch, patch)
    expected = np.zeros((2, rows * columns, 5))
    for b in range(2):
        for row in range(rows):
            for column in range(columns):
                part = pictures[b, :, row * patch : (row + 1) * patch, column * patch : (column + 1) * patch]
                expected[b, row * columns + column] = (weight * part).sum((1, 2, 3))
    expected += layer.proj.bias.data if bias else 0
    np.testing.assert_allclose(layer(pictures).data, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.oracle
def test_it_is_pytorchs_convolution_with_a_stride_of_its_size():
    torch = pytest.importorskip("torch")
    layer, pictures = made(3, 4), RNG.normal(size=(2, 3, 8, 12))
    weight = torch.tensor(layer.proj.weight.data.reshape(5, 3, 4, 4))
    expected = torch.nn.functional.conv2d(torch.tensor(pictures), weight, torch.tensor(layer.proj.bias.data), stride=4)
    np.testing.assert_allclose(
        layer(pictures).data, expected.flatten(2).transpose(1, 2).numpy(), rtol=1e-12, atol=1e-12
    )


def test_a_picture_that_asks_for_a_gradient_gets_one():
    layer, x = made(2, 2, 3), Tensor(RNG.normal(size=(1, 2, 4, 2)), requires_grad=True)
    wanted = RNG.normal(size=(1, 2, 3))
    (layer(x) * Tensor(wanted)).sum().backward()
    weight = layer.proj.weight.data.reshape(3, 2, 2, 2)
    for row, column in ((r, c) for r in range(4) for c in range(2)):
        expected = wanted[0, row // 2] @ weight[:, :, row % 2, column]
        np.testing.assert_allclose(x.grad[0, :, row, column], expected, rtol=1e-12)


def test_pictures_take_the_precision_of_the_weights():
    layer = PatchEmbedding(1, 2, 3, rng=np.random.default_rng(0))
    assert layer(np.ones((1, 1, 2, 2))).dtype == np.float32


@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (1, 3, 5, 4), (1, 2, 4, 4), (3, 4, 4), (1, 3, 0, 4), (1, 1, 3, 4, 4)])
def test_what_cannot_be_cut_is_refused(shape):
    with pytest.raises(ShapeError, match=r"pictures.*\(B, 3, Y, X\), both sides multiples of 2"):
        made()(np.ones(shape))


def test_bytes_are_refused():
    with pytest.raises(DtypeError, match="255"):
        made()(np.ones((1, 3, 4, 4), np.uint8))


@pytest.mark.parametrize("sizes", [(0, 2, 3), (3, 0, 3), (3, 2, 0), (3, 2.0, 4), (3, -2, 3)])
def test_sizes_are_whole_and_positive(sizes):
    with pytest.raises(ArgumentError):
        PatchEmbedding(*sizes, rng=np.random.default_rng(0))


def test_a_picture_may_be_one_patch_of_one_point():
    assert PatchEmbedding(3, 1, 5, rng=np.random.default_rng(0))(np.ones((2, 3, 1, 1))).shape == (2, 1, 5)
