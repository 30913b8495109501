"""A tree is rewritten in a copy; what is not replaced is shared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from tinygrad_llm import Module, Parameter, nn
from tinygrad_llm.nn import LayerNorm, Linear, replace


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


class Special(Linear):
    """A layer that is a Linear, and more."""


class Pair(NamedTuple):
    first: Module
    second: Module


class Holder(Module):
    def __init__(self):
        rng = np.random.default_rng(0)
        self.plain, self.special, self.norm = Linear(2, 2, rng=rng), Special(2, 2, rng=rng), LayerNorm(2)
        self.pair, self.table = (
            Pair(Linear(2, 2, rng=rng), LayerNorm(2)),
            {"a": [LayerNorm(2), (Linear(2, 2, rng=rng),)]},
        )
        self.again = self.table["a"][0]


ALL = {"plain", "special", "norm", "pair.0", "pair.1", "table.a.0", "table.a.1.0"}


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        (Linear, {"plain", "special", "pair.0", "table.a.1.0"}), (Special, {"special"}), ((Special, LayerNorm), {"special", "norm", "pair.1", "table.a.0"}),
        ("table.**", {"table.a.0", "table.a.1.0"}), ("*", {"plain", "special", "norm", "table.a.0"}), ("again", {"table.a.0"}), ("**", {""}),
        ("**.0", {"pair.0", "table.a.0", "table.a.1.0"}), ("pair.?", {"pair.0", "pair.1"}), ("p*", {"plain"}),
        (lambda path, module: path == "again", {"table.a.0"}), (lambda path, module: isinstance(module, LayerNorm), {"norm", "pair.1", "table.a.0"}),
    ],
)  # fmt: skip
def test_what_a_kind_means(kind, paths):
    """A class with its subclasses, classes, a pattern of any of a module's paths, or a question."""
    model, made = Holder(), {}

    class Mark(Module):
        def __init__(self, module):
            self.module = module

    def make(path, module):
        made[id(module)] = path
        return Mark(module)

    twin = replace(model, kind, make)
    places = dict(model.named_modules())
    assert {path for path, module in places.items() if id(module) in made} == paths
    assert {type(module) for _, module in model.named_modules()} == {Holder, Linear, Special, LayerNorm}
    if "" not in paths:
        assert type(twin.pair) is Pair and twin.again is twin.table["a"][0] and twin.table is not model.table
        assert [p for p, m in twin.named_modules() if isinstance(m, Mark)] == [p for p in places if p in paths]
