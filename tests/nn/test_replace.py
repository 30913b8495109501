"""A tree is rewritten in a copy; what is not replaced is shared."""

from __future__ import annotations

import numpy as np

from tinygrad_llm import Module, Parameter, nn


class Tree(Module):
    """Layers in a list, and what is no module."""

    def __init__(self, layers):
        self.layers, self.names, self.nothing, self.bias = layers, ("a", "b"), None, Parameter(np.zeros(3))


def test_a_replaced_tree_shares_what_was_not_replaced():
    rng = np.random.default_rng(0)
    layers = [nn.CausalSelfAttention(8, 2, rng=rng), nn.MultiHeadAttention(8, 4, rng=rng)]
    model = Tree(layers)
    paths = []

    def make(path, layer):
        paths.append(path)
        return nn.Linear(8, 8, rng=np.random.default_rng(1))

    twin = nn.replace(model, nn.MultiHeadAttention, make)
    assert paths == ["layers.1"] and isinstance(twin.layers[1], nn.Linear)
    assert twin.layers[0].c_attn.weight is model.layers[0].c_attn.weight
    assert isinstance(model.layers[1], nn.MultiHeadAttention)
    assert model.layers is layers and twin.layers is not layers and twin.names == ("a", "b")
    assert twin.nothing is None and twin.bias is model.bias
    assert nn.replace(model.layers[0], nn.CausalSelfAttention, make).weight.shape == (8, 8) and paths.pop() == ""
    twin = nn.replace(model, nn.Linear, make)
    assert paths[1:] == [f"layers.0.{n}" for n in ("c_attn", "c_proj")] + [
        f"layers.1.{n}_proj" for n in ("k", "v", "q", "out")
    ]
