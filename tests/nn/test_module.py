"""The tree of modules: everything in it is found, once, by name; what would be lost is refused; copies stand alone.

Names and their order are compared with torch.nn.Module where both have the construct.
"""

from __future__ import annotations

import copy
import pickle
import weakref
from collections import OrderedDict, deque, namedtuple
from types import MappingProxyType

import numpy as np
import pytest

from tinygrad_llm import Module, Parameter, Tensor, nn
from tinygrad_llm.errors import ArgumentError, CheckpointError, GradientError
from tinygrad_llm.nn import Buffer, LayerNorm, Linear, replace
from tinygrad_llm.optim import SGD, AdamW

Pair = namedtuple("Pair", "left right")


class Node(Module):
    """Attributes as given, in their order."""

    def __init__(self, **attributes):
        for name, value in attributes.items():
            setattr(self, name, value)


def linear(inputs=2, outputs=3):
    return Linear(inputs, outputs, rng=np.random.default_rng(0))


def ones(*shape):
    return Parameter(np.ones(shape, np.float32))


# -- what is found ---------------------------------------------------------------------------------------------------


@pytest.mark.oracle
def test_names_and_their_order_are_those_of_torch():
    import torch

    class Theirs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", torch.zeros(1, dtype=torch.int64))
            self.first = torch.nn.Linear(2, 3)
            self.scale = torch.nn.Parameter(torch.ones(2))
            self.layers = torch.nn.ModuleList(
                [torch.nn.Linear(3, 3), torch.nn.ModuleDict({"norm": torch.nn.LayerNorm(3)})]
            )
            self.heads = torch.nn.ModuleDict({"b": torch.nn.Linear(2, 2), "a": self.first})
            self.rates = torch.nn.ParameterList([torch.ones(1), torch.ones(2)])

    ours = Node(
        count=Buffer(np.zeros(1, np.int64)), first=linear(), scale=ones(2), layers=[linear(3, 3), {"norm": LayerNorm(3)}],
    )  # fmt: skip
    ours.heads = {"b": linear(2, 2), "a": ours.first}
    theirs = Theirs()
    shapes = {name: tuple(p.shape) for name, p in theirs.named_parameters() if not name.startswith("rates")}
    assert {name: p.shape for name, p in ours.named_parameters()} == shapes
    assert [name for name, _ in ours.named_parameters()] == list(shapes)
    containers = ("layers", "layers.1", "heads", "rates")
    for unique in (True, False):
        theirs_named = [n for n, _ in theirs.named_modules(remove_duplicate=unique) if n not in containers]
        assert [n for n, _ in ours.named_modules(remove_duplicate=unique)] == theirs_named
    saved = [name for name in theirs.state_dict() if not name.startswith(("rates", "heads.a"))]
    assert list(ours.state_dict()) == saved  # of two names of one parameter theirs lists both, ours the first
    ours.rates = [ones(1), ones(2)]
    assert ours.state_dict().keys() == {n for n in theirs.state_dict() if not n.startswith("heads.a")}
    assert ours.n_parameters() == sum(p.numel() for p in theirs.parameters())


def test_state_is_found_through_lists_tuples_and_dicts_to_any_depth():
    node = Node(
        a=[(ones(1), {"b": [ones(2)]})], pair=Pair(linear(), Buffer(np.zeros(3, bool))), c=OrderedDict(d=ones(4))
    )
    names = ["a.0.0", "a.0.1.b.0", "c.d", "pair.1", "pair.0.weight", "pair.0.bias"]
    assert list(node.state_dict()) == names
    assert [name for name, _ in node.named_buffers()] == ["pair.1"] and len(node.buffers()) == 1


def test_what_is_appended_later_is_found():
    node = Node(layers=[])
    node.layers.append(linear())
    assert [name for name, _ in node.named_parameters()] == ["layers.0.weight", "layers.0.bias"]


def test_all_parameters_are_counted_and_those_that_are_learned():
    node = Node(a=linear(), mean=Buffer(np.zeros(100, np.float32)))
    node.b = node.a
    node.a.bias.requires_grad = False
    assert (node.n_parameters(), node.n_trainable()) == (9, 6)


def test_the_picture_shows_own_parameters_and_buffers_too():
    node = Node(a=[linear()], scale=ones(2), packed=Buffer(np.zeros((4, 2), np.uint8)), rates=[ones(1)])
    assert repr(node) == (
        "Node(scale [2], packed [4, 2] uint8 buffer, rates.0 [1]\n  a.0: Linear(weight [3, 2], bias [3])\n)"
    )


# -- what is refused -------------------------------------------------------------------------------------------------

LOST = {
    "a set": lambda: {linear()},
    "a frozen set": lambda: frozenset([ones(1)]),
    "a deque": lambda: deque([linear()]),
    "a view of values": lambda: {"a": linear()}.values(),
    "a read-only mapping": lambda: MappingProxyType({"a": linear()}),
    "a set in a list": lambda: [{linear()}],
    "a tuple in a set": lambda: {(linear(),)},
    "a generator": lambda: (linear() for _ in range(2)),
    "a map": lambda: map(linear, [1, 2]),
    "numbers as keys": lambda: {1: linear()},
    "a dot in a key": lambda: {"a.b": linear()},
    "no name as a key": lambda: {"": linear()},
    "modules as keys": lambda: {linear(): 1},
    "a leaf": lambda: Tensor(np.ones(2, np.float32), requires_grad=True),
    "leaves": lambda: [Tensor(np.ones(2, np.float32), requires_grad=True)],
}


@pytest.mark.parametrize("make", LOST.values(), ids=LOST)
def test_state_that_would_not_be_found_is_refused_when_it_is_set(make):
    node = Node(kept=linear())
    with pytest.raises(ArgumentError, match="lost"):
        node.lost = make()
    assert list(vars(node)) == ["kept"]


def test_the_same_collections_are_free_where_they_hold_no_state():
    x = Parameter([1.0])
    held = Node(
        a={1, 2}, b=deque("ab"), c={0: "x", "y.z": 1}, d=np.ones(3), e=Tensor(np.ones(2)), f="text", g=range(3), h=2 * x,
    )  # fmt: skip
    assert held.state_dict() == {} and held.named_modules and held.n_parameters() == 0


def test_a_dot_in_an_attribute_s_name_is_refused():
    with pytest.raises(ArgumentError, match="a\\.b"):
        setattr(Node(), "a.b", linear())


def test_a_module_that_holds_its_parent_is_refused_and_a_weak_reference_is_not():
    child = Node()
    parent = Node(child=child)
    for ring in (parent, [parent], {"up": Node(over=parent)}):
        with pytest.raises(ArgumentError, match="weakref"):
            child.parent = ring
    with pytest.raises(ArgumentError, match="weakref"):
        child.self = child
    child.parent = weakref.ref(parent)
    assert child.parent() is parent and len(list(parent.named_modules())) == 2


def test_a_ring_made_behind_the_tree_s_back_ends():
    child = Node(above=[], own=ones(1))
    parent = Node(child=child)
    child.above.append(parent)
    assert list(parent.state_dict()) == ["child.own"] and "..." in repr(parent)
    assert [path for path, _ in parent.named_modules(remove_duplicate=False)] == ["", "child"]
    twin = replace(parent, LayerNorm, lambda path, module: module)
    assert twin.child.above[0] is twin and twin.child.own is child.own
    assert parent.to("cpu") is parent


# -- buffers, and state that reloads itself --------------------------------------------------------------------------

BUFFERS = [
    np.arange(3), np.array([200, 7], np.uint8), np.array([-3], np.int8), np.array([True, False]), np.array([[1 << 62]]),
    np.arange(2, dtype=np.int32), np.array([np.pi]), np.array([1.5], np.float32), np.array(7), np.zeros((0, 4), np.uint16),
]  # fmt: skip


def test_buffers_are_state_and_not_learned():
    node = Node(**{f"b{i}": Buffer(a) for i, a in enumerate(BUFFERS)}, w=linear())
    assert [name for name, _ in node.named_parameters()] == ["w.weight", "w.bias"]
    assert len(node.state_dict()) == len(BUFFERS) + 2 and not any(b.requires_grad for b in node.buffers())
    assert AdamW(node.parameters()).flat.data.size == 9
    with pytest.raises(TypeError):
        Buffer(np.ones(2), requires_grad=True)


def test_a_state_reloads_itself_exactly_whatever_its_dtypes():
    def node(of):
        return Node(
            **{f"b{i}": Buffer(of(a)) for i, a in enumerate(BUFFERS)}, w=linear(), f=Parameter(of(BUFFERS[0]), False)
        )

    full, other = node(np.copy), node(np.zeros_like)
    state = {name: array.copy() for name, array in full.state_dict().items()}
    full.load_state_dict(full.state_dict())
    other.load_state_dict(state)
    for model in (full, other):
        for name, array in model.state_dict().items():
            assert array.dtype == state[name].dtype
            np.testing.assert_array_equal(array, state[name])


def test_floats_of_another_precision_are_taken_and_other_integers_are_not():
    node = Node(w=ones(2), mean=Buffer(np.zeros(1)), ids=Buffer(np.zeros(1, np.int64)), mask=Buffer(np.zeros(1, bool)))
    good = {
        "w": np.array([2, 3], np.float16),
        "mean": np.ones(1, np.float32),
        "ids": np.array([9]),
        "mask": np.array([True]),
    }
    node.load_state_dict(good)
    assert node.w.data.tolist() == [2, 3] and node.w.dtype == np.float32 and node.mean.dtype == np.float64
    bad = {"w": np.ones(2, int), "mean": np.ones(1, bool), "ids": np.ones(1, np.int32), "mask": np.ones(1, np.uint8)}
    for name, array in bad.items():
        with pytest.raises(CheckpointError, match=f"{name} of dtype {array.dtype} instead of"):
            node.load_state_dict(good | {"w": np.zeros(2)} | {name: array})
        assert node.w.data.tolist() == [2, 3]


def test_moving_to_where_it_is_keeps_the_memory_and_the_gradients():
    node = Node(w=ones(2), ids=Buffer(np.arange(2)))
    (node.w * node.w).sum().backward()
    arrays, gradient = node.state_dict(), node.w.grad
    assert node.to(node.device) is node and node.w.grad is gradient and gradient is not None
    assert all(array is arrays[name] for name, array in node.state_dict().items())


@pytest.mark.gpu
def test_buffers_and_gradients_move_with_the_model():
    node = Node(w=ones(2), ids=Buffer(np.arange(2)))
    (node.w * node.w).sum().backward()
    node.to("cuda")
    assert {type(a).__module__.partition(".")[0] for a in [*node.state_dict().values(), node.w.grad]} == {"cupy"}
    assert Node(ids=node.ids).device == "cuda" and node.to("cpu").w.grad.tolist() == [2, 2]


# -- replace ---------------------------------------------------------------------------------------------------------


class Wrapped(Module):
    """What stands for a module in these tests."""

    def __init__(self, path, module):
        self.path, self.module = path, module


class Attention(Module):
    def __init__(self):
        self.q_proj, self.k_proj = linear(), linear()


def model():
    first = linear(4, 4)
    return Node(
        first=first, blocks=[Node(attention=Attention(), norms={"a": LayerNorm(2), "b": LayerNorm(2)}) for _ in range(2)],
        tied=first, pair=Pair(first, LayerNorm(3)), table=first.weight, names=("x", "y"),
    )  # fmt: skip


def replaced(kind, tree=None):
    """The paths that were made, and the copy."""
    made = []

    def make(path, module):
        made.append(path)
        return Wrapped(path, module)

    return made, replace(tree or model(), kind, make)


KINDS = {
    "blocks.*.attention.q_proj": ["blocks.0.attention.q_proj", "blocks.1.attention.q_proj"],
    "blocks.1.attention.?_proj": ["blocks.1.attention.q_proj", "blocks.1.attention.k_proj"],
    "**.q_proj": ["blocks.0.attention.q_proj", "blocks.1.attention.q_proj"],
    "blocks.*.norms.*": [f"blocks.{i}.norms.{n}" for i in (0, 1) for n in "ab"],
    "blocks.*": ["blocks.0", "blocks.1"],
    "**.norms.a": ["blocks.0.norms.a", "blocks.1.norms.a"],
    "tied": ["tied"],
    "first.**": ["first"],
    Attention: ["blocks.0.attention", "blocks.1.attention"],
    (Attention, LayerNorm): [
        "blocks.0.attention", "blocks.0.norms.a", "blocks.0.norms.b",
        "blocks.1.attention", "blocks.1.norms.a", "blocks.1.norms.b", "pair.1",
    ],
    lambda path, m: path.endswith("k_proj") and m.weight.shape == (3, 2): [f"blocks.{i}.attention.k_proj" for i in (0, 1)],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_matches_is_replaced_and_the_rest_is_shared(kind):
    tree = model()
    before = dict(tree.named_modules(remove_duplicate=False))
    state = tree.state_dict()
    made, twin = replaced(kind, tree)
    assert made == KINDS[kind]
    after = dict(twin.named_modules(remove_duplicate=False))
    for path in made:
        assert type(after[path]) is Wrapped and after[path].module is before[path]
    assert {id(p) for p in twin.parameters()} == {id(p) for p in tree.parameters()}
    assert dict(tree.named_modules(remove_duplicate=False)) == before and tree.state_dict().keys() == state.keys()
    assert twin.table is tree.table and twin.names == ("x", "y") and type(twin.pair) is Pair


@pytest.mark.parametrize("pattern", ["blocks.*.q_proj", "blocks.*.norms", "q_proj", "Blocks.0", "first.*"])
def test_a_star_stays_within_one_name_and_a_pattern_that_fits_nothing_is_refused(pattern):
    with pytest.raises(ArgumentError, match="There are: first, blocks.0"):
        replaced(pattern)


@pytest.mark.parametrize("kind", [Linear, "first", "tied", "pair.0"], ids=str)
def test_what_is_tied_stays_tied(kind):
    made, twin = replaced(kind)
    assert type(twin.first) is Wrapped and twin.tied is twin.first is twin.pair[0]
    assert [path for path in made if "proj" not in path] == [kind if isinstance(kind, str) else "first"]
    _, twin = replaced(LayerNorm)
    assert type(twin.first) is Linear and twin.tied is twin.first is twin.pair.left and twin.table is twin.first.weight


def test_a_list_in_two_places_stays_one():
    layers = [linear()]
    twin = replace(Node(a=layers, b=layers), LayerNorm, Wrapped)
    assert twin.a is twin.b and twin.a is not layers and twin.a[0] is not layers[0]


def test_the_root_can_be_replaced_and_a_result_that_is_no_module_cannot():
    tree = linear()
    assert replace(tree, Linear, Wrapped).module is tree and replace(tree, Linear, Wrapped).path == ""
    with pytest.raises(ArgumentError, match="NoneType"):
        replace(model(), LayerNorm, lambda path, module: None)


# -- copies ----------------------------------------------------------------------------------------------------------

COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda x: pickle.loads(pickle.dumps(x))}


def layered():
    node = Node(a=linear(2, 2), b=[LayerNorm(2)], ids=Buffer(np.arange(3)))
    node.table = node.a.weight
    return node


def learn(tree, optimizer, steps=3):
    for _ in range(steps):
        optimizer.zero_grad()
        loss = tree.b[0](tree.a(Tensor([[1.0, 2.0]])))
        (loss * loss * Tensor([1.0, 3.0])).sum().backward()
        optimizer.step()
    return {name: array.copy() for name, array in tree.state_dict().items()}


def equal(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("kind", [AdamW, SGD])
def test_a_copied_pair_learns_as_the_original_does_and_apart_from_it(make, kind):
    tree = layered()
    optimizer = kind(tree.parameters(), lr=0.1)
    before = learn(tree, optimizer)
    twin, its = make((tree, optimizer))
    assert twin.table is twin.a.weight and its.steps == 3 and equal(twin.state_dict(), before)
    assert its.flat.names == optimizer.flat.names
    assert all(np.shares_memory(p.data, its.flat.data) for p in twin.parameters())
    assert not np.shares_memory(its.flat.data, optimizer.flat.data) and its.flat.storage is not optimizer.flat.storage
    learned = learn(twin, its)
    assert not equal(learned, before) and equal(tree.state_dict(), before)
    assert equal(learn(tree, optimizer), learned)


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_a_model_copied_alone_has_parameters_of_its_own(make):
    tree = layered()
    tree.a.bias.requires_grad = False
    optimizer = AdamW(tree.parameters(), lr=0.1)
    before = learn(tree, optimizer, 1)
    twin = make(tree)
    assert equal(twin.state_dict(), before) and type(twin.ids) is Buffer and twin.table is twin.a.weight
    assert not twin.a.bias.requires_grad and twin.a.weight.grad.tolist() == tree.a.weight.grad.tolist()
    assert len({id(p.storage) for p in [*twin.parameters(), *tree.parameters()]}) == len(twin.parameters()) + 2
    y = twin.a.weight * twin.a.weight
    twin.b[0].bias.assign(np.ones(2))  # another's change is none of this graph's
    y.sum().backward()
    learn(twin, AdamW(twin.parameters(), lr=0.1))
    assert equal(tree.state_dict(), before) and not equal(twin.state_dict(), before)


def test_a_shallow_copy_of_a_parameter_shares_memory_and_version():
    p = ones(2)
    y = p * p
    copy.copy(p).assign(np.zeros(2))
    assert p.data.tolist() == [0, 0]
    with pytest.raises(GradientError):
        y.sum().backward()


def test_an_optimizer_that_has_lost_its_parameters_is_not_copied():
    tree = layered()
    optimizer = AdamW(tree.parameters())
    tree.a.weight.data = np.zeros((2, 2), np.float32)
    with pytest.raises(GradientError, match="replaced array"):
        copy.deepcopy((tree, optimizer))


def test_a_language_model_and_its_optimizer_survive_a_pickle():
    from tinygrad_llm.models import GPT, GPTConfig

    gpt = GPT(GPTConfig(7, 4, 1, 1, 4), rng=np.random.default_rng(0))
    tokens = np.array([[1, 2, 3]])
    optimizer = AdamW(gpt.parameters(), lr=0.1)
    for twin, its in (pickle.loads(pickle.dumps((gpt, optimizer))), copy.deepcopy((gpt, optimizer))):
        np.testing.assert_array_equal(twin(tokens).data, gpt(tokens).data)
        (twin(tokens) * twin(tokens)).sum().backward()
        its.step()
        assert abs(twin(tokens).data - gpt(tokens).data).max() > 0.01
    assert nn.replace is replace
