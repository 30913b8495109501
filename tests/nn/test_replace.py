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
    layers = [nn.Attention(8, 2, rng=rng), nn.MLP(8, rng=rng)]
    model = Tree(layers)
    paths = []

    def make(path, layer):
        paths.append(path)
        return nn.Linear(8, 8, rng=np.random.default_rng(1))

    twin = nn.replace(model, nn.MLP, make)
    assert paths == ["layers.1"] and isinstance(twin.layers[1], nn.Linear)
    assert twin.layers[0].q_proj.weight is model.layers[0].q_proj.weight
    assert isinstance(model.layers[1], nn.MLP)
    assert model.layers is layers and twin.layers is not layers and twin.names == ("a", "b")
    assert twin.nothing is None and twin.bias is model.bias
    assert nn.replace(model.layers[0], nn.Attention, make).weight.shape == (8, 8) and paths.pop() == ""
    twin = nn.replace(model, nn.Linear, make)
    assert paths[1:] == [f"layers.0.{n}_proj" for n in "qkvo"] + [f"layers.1.{n}_proj" for n in ("up", "down")]
