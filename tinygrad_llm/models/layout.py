"""How an architecture lies in files: a table for each, and the two ways that read it, into a model and out of one.

This file has the tables and what they say of tensors; layout_config.py has what they say of configurations. A table
says what every key of a configuration means and where every tensor stands. What is in neither direction known to be the
same model is refused by its name: a key that no table knows, a tensor left over, a tree that was rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any

import numpy as np

from tinygrad_llm.autograd import read_only
from tinygrad_llm.backend import as_dtype, is_float
from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.models.fields import changed, unchecked, value_of
from tinygrad_llm.nn import Dropout, Module
from tinygrad_llm.nn.module import join

ANOTHER = "This is another architecture."


@dataclass(frozen=True)
class Size:
    """A whole number of the configuration, by the key that it has there.

    tensor   has this size along `axis`, with `extra` on top; where its name has a `*`, there are so many of them.
    stack    our path of that many modules, one like the other.
    same     other keys that must say the same.
    default  what it is where the key is absent; it must be there where this is None.
    """

    key: str
    tensor: str = ""
    axis: int = 0
    extra: int = 0
    stack: str = ""
    same: tuple[str, ...] = ()
    default: int | None = None

    def found(self, arrays: Mapping[str, np.ndarray]) -> int | None:
        """What the file's tensors say, None where they do not."""
        if "*" in self.tensor:
            pattern = _regex(self.tensor)
            return sum(pattern.fullmatch(name) is not None for name in arrays)
        array = arrays.get(self.tensor)
        return None if array is None or array.ndim <= self.axis else array.shape[self.axis] - self.extra


@dataclass(frozen=True)
class Option:
    """A setting of the configuration: its key there, what it is where that is absent, and its form in both directions.

    read   what is there -> ours; raises ValueError, KeyError or TypeError for what it cannot be.
    write  ours -> what is there.
    kinds  the types that a value may have; that of the default where there are none.
    """

    key: str
    default: Any
    read: Callable[[Any], Any] = lambda value: value
    write: Callable[[Any], Any] = lambda value: value
    kinds: tuple[type, ...] = ()


@dataclass(frozen=True)
class Stored:
    """The name of a tensor or module there, and what is done to it. Several of ours in one lie side by side.

    transposed  matrices are (inputs, outputs).
    unread      rows before the first that the model reads.
    form        the shape there, from our configuration, where its axes are others: the same numbers in the same order.
    """

    name: str
    transposed: bool = False
    unread: int = 0
    form: Callable[[Any], tuple[int, ...]] | None = None

    def shape(self, shapes: list[tuple[int, ...]], config: Any = None) -> tuple[int, ...]:
        """The shape there of tensors with these shapes here."""
        if self.form is not None:
            return self.form(config)
        rows, rest = sum(shape[0] for shape in shapes) + self.unread, shapes[0][1:]
        return (*rest, rows) if self.transposed and rest else (rows, *rest)

    def outward(self, arrays: list[np.ndarray], config: Any = None) -> np.ndarray:
        """Ours as one tensor there."""
        if self.form is not None:
            return arrays[0].reshape(self.form(config))
        unread = [np.zeros((self.unread, *arrays[0].shape[1:]), arrays[0].dtype)] if self.unread else []
        parts = [*unread, *arrays]
        array = np.concatenate(parts) if len(parts) > 1 else parts[0]
        return np.ascontiguousarray(array.T) if self.transposed else array

    def inward(self, array: np.ndarray, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
        """One tensor there as ours."""
        if self.form is not None:
            return [array.reshape(shapes[0])]
        rows = (array.T if self.transposed else array)[self.unread :]
        return np.split(rows, np.cumsum([shape[0] for shape in shapes])[:-1])


@dataclass(frozen=True)
class Layout:
    """The table of one architecture.

    sizes     our configuration's field -> Size.
    options   our field -> Option.
    given     our field -> what it is in all models of this architecture, whose files do not say it.
    normal    a configuration -> the form of it that the table reads, where there are several; raises as Option.read.
    fixed     key -> the values that mean what this model computes, the first of them where absent; or a function that
              gives them from our configuration.
    assumed   the same for keys that are not written.
    harmless  keys that do not change what the model computes, and are not written.
    written   key -> value, or a function of our configuration, for keys that are written and not read.
    tensors   our path of a module or tensor -> its name or Stored; of several that fit the first. `*` is one name, the
              same in both; `{a,b}` are several that lie there as one.
    prefix    of names there that files of the model without its head leave out.
    copies    names under which files may repeat a tensor -> that tensor.
    ignored   names of tensors in files that are no weights.
    optional  names of tensors that may be absent, and are zero then.
    renamed   how names begin in other files -> how they do in the table.
    products  name of a tensor -> two numbers of our configuration whose product is how many rows it has.
    parts     key of a configuration within -> its model_type: by these, too, one of several tables is chosen.
    zeros     a field of ours, false where what it leaves out is written as zeros.
    """

    model_type: str
    architecture: str
    model: type
    config: type
    sizes: Mapping[str, Size]
    tensors: Mapping[str, str | Stored]
    options: Mapping[str, Option] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    normal: Callable[[dict[str, Any]], dict[str, Any]] = lambda said: said
    fixed: Mapping[str, Any] = field(default_factory=dict)
    assumed: Mapping[str, Any] = field(default_factory=dict)
    harmless: Iterable[str] = ()
    written: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = ""
    copies: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    products: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    zeros: str = ""

    def holds(self, model: Module) -> bool:
        """Whether the model is one of this architecture."""
        config: Any = vars(model).get("config")
        return type(model) is self.model and changed(config, self.given) == config

    def known_keys(self) -> set[str]:
        """Every key of a configuration that this table says something about."""
        sizes = {key for size in self.sizes.values() for key in (size.key, *size.same)}
        options = {option.key for option in self.options.values()}
        return {"model_type", *sizes, *options, *self.fixed, *self.assumed, *self.harmless, *self.written}

    def skeleton(self, config: Any, dtype: Any) -> Module:
        """The model without weights: all of the tree, and matrices that take no memory."""
        return self.model(config, rng=_NoWeights(), dtype=dtype)

    def skeletons(self, config: Any, dtype: Any) -> tuple[Module, Module]:
        """The same, and that of the model that their files hold: with what ours leaves out."""
        full = replace(config, **{self.zeros: True}) if self.zeros else config
        own = self.skeleton(config, dtype)
        return own, own if full == config else self.skeleton(full, dtype)

    def shapes(self, config: Any, dtype: Any) -> dict[str, tuple[int, ...]]:
        """Shapes of all that the files of a model hold, by our path.

        One layer of each stack is made and its shapes repeated, so that nothing is made for what a file does not have.
        """
        stacks = {size.stack: value_of(config, ours) for ours, size in self.sizes.items() if size.stack}
        low = unchecked(config, {ours: 1 for ours, size in self.sizes.items() if size.stack})
        found = {}
        for path, leaf in self.skeletons(low, dtype)[1].named_state():
            stack = next((stack for stack in stacks if path.startswith(f"{stack}.0.")), "")
            for i in range(stacks.get(stack, 1)):
                found[f"{stack}.{i}{path[len(stack) + 2 :]}" if stack else path] = leaf.shape
        return found

    def places(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[Stored, list[str]]]:
        """Name there -> how it is stored, and the paths of ours that it holds, in their order.

        Raises CheckpointError for a path that the table does not know.
        """
        found: dict[str, tuple[Stored, list[tuple[int, str]]]] = {}
        rules = [rule for ours, theirs in self.tensors.items() for rule in _rules(ours, theirs)]
        for path in shapes:
            for number, pattern, stored in rules:
                if match := pattern.fullmatch(path):
                    *names, leaf = match.groups(default="")
                    found.setdefault(_filled(stored.name, names) + leaf, (stored, []))[1].append((number, path))
                    break
            else:
                raise CheckpointError(path, f"a tensor that {self.architecture} has", "one that it has not", ANOTHER)
        return {name: (stored, [path for _, path in sorted(held)]) for name, (stored, held) in found.items()}


def write_arrays(layout: Layout, model: Module) -> dict[str, np.ndarray]:
    """The arrays of a model by their names there.  Raises CheckpointError for a tree that is not this architecture."""
    config: Any = vars(model)["config"]
    own = {path: leaf.numpy() for path, leaf in model.named_state()}
    dtype = next(iter(own.values())).dtype
    wanted, full = layout.skeletons(config, dtype)
    _check_tree(model, wanted)
    shapes = {path: leaf.shape for path, leaf in full.named_state()}
    arrays = {path: own[path] if path in own else np.zeros(shape, dtype) for path, shape in shapes.items()}
    places = layout.places(shapes)
    return {name: stored.outward([arrays[path] for path in paths], config) for name, (stored, paths) in places.items()}


def read_arrays(layout: Layout, config: Any, arrays: Mapping[str, np.ndarray], dtype: Any) -> Any:
    """The model with this configuration of ours and these arrays of theirs.

    Raises CheckpointError that lists what is missing, left over, or of another shape; nothing is allocated before.
    """
    dtype, arrays = as_dtype(dtype), _canonical(layout, config, arrays)
    _check_sizes(layout, config, arrays)
    shapes = layout.shapes(config, dtype)
    places = layout.places(shapes)
    there = {name: stored.shape([shapes[p] for p in paths], config) for name, (stored, paths) in places.items()}
    for name in layout.optional:
        if name in there and name not in arrays:
            arrays[name] = np.zeros(there[name], dtype)
    _check_arrays(layout, arrays, there)
    model = layout.skeleton(config, dtype)
    leaves = dict(model.named_state())
    for name, (stored, paths) in places.items():
        for path, array in zip(paths, stored.inward(arrays[name], [shapes[p] for p in paths])):
            if path in leaves:
                leaves[path].data = read_only(np.array(array, leaves[path].dtype, order="C"))
            elif array.any():
                next_step = f"Load it with {layout.zeros} = true."
                raise CheckpointError(name, f"zeros, for a model with {layout.zeros} = false", "others", next_step)
    return model


class _NoWeights:
    """Stands for a generator of random numbers where none are wanted, since the weights come from a file."""

    def normal(self, mean: float, std: float, shape: tuple[int, ...]) -> Any:
        return _Unset(shape)


class _Unset:
    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def astype(self, dtype: Any) -> np.ndarray:
        return np.broadcast_to(np.zeros((), dtype), self.shape)


def _canonical(layout: Layout, config: Any, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays under the names of the table, without what is no weight, and copies merged into what they copy."""
    bare = not any(name.startswith(layout.prefix) for name in arrays)
    ignored = [_regex(pattern) for pattern in layout.ignored]
    found = {}
    for name, array in arrays.items():
        name = layout.prefix + name if bare and name not in layout.copies else name
        for there, ours in layout.renamed.items():
            name = ours + name.removeprefix(there) if name.startswith(there) else name
        if not any(pattern.fullmatch(name) for pattern in ignored):
            found[name] = array
    if not getattr(config, "tied", True):
        return found
    for name, original in layout.copies.items():
        copied = found.pop(name, None)
        if copied is not None and not np.array_equal(copied, found.setdefault(original, copied)):
            raise CheckpointError(name, f"{original} itself, to which it is tied", "another tensor", "It is not tied.")
    return found


def _check_sizes(layout: Layout, config: Any, arrays: Mapping[str, np.ndarray]) -> None:
    for ours, size in layout.sizes.items():
        said, found = value_of(config, ours), size.found(arrays) if size.tensor else None
        if size.tensor and found != said:
            there = "no such tensor" if found is None else f"{found}, in {size.tensor}"
            raise CheckpointError(
                f"config.json {size.key}", f"what the tensors are, {there}", said, "Is it their file?"
            )
    for name, (one, other) in layout.products.items():
        said, array = (value_of(config, one), value_of(config, other)), arrays.get(name)
        if array is None or array.ndim == 0 or len(array) != said[0] * said[1]:
            got = f"{said[0]} and {said[1]}, which is another number of rows of {name}"
            raise CheckpointError(f"config.json {one} and {other}", "what the tensors are", got, "Is it their file?")


def _check_arrays(layout: Layout, arrays: Mapping[str, np.ndarray], there: Mapping[str, tuple[int, ...]]) -> None:
    wrong = [f"missing {name}" for name in there if name not in arrays]
    wrong += [f"extra {name}" for name in arrays if name not in there]
    for name, expected in there.items():
        if name in arrays and tuple(arrays[name].shape) != expected:
            wrong.append(f"{name} of shape {tuple(arrays[name].shape)} instead of {expected}")
        elif name in arrays and not is_float(arrays[name].dtype):
            wrong.append(f"{name} of dtype {arrays[name].dtype} instead of floats")
    if wrong:
        got = "; ".join(sorted(wrong)[:20])
        next_step = "Is it another configuration's file?"
        raise CheckpointError("weights", f"the {len(there)} tensors of {layout.architecture}", got, next_step)


def _check_tree(model: Module, wanted: Module) -> None:
    """Raises CheckpointError unless the model is what its configuration says: its layers, tensors and settings."""
    (structure, settings), (wanted_structure, wanted_settings) = _described(model), _described(wanted)
    compared = [(path, wanted_structure.get(path), structure.get(path)) for path in {**wanted_structure, **structure}]
    compared += [(path, value, settings.get(path)) for path, value in wanted_settings.items()]
    for path, expected, got in compared:
        if got != expected:
            expected, got = (x.__name__ if isinstance(x, type) else repr(x) for x in (expected, got))
            next_step = "It was rewritten: save its state_dict() instead, or undo the change."
            raise CheckpointError(path, expected, got, next_step)


def _described(tree: Module) -> tuple[dict[str, Any], dict[str, Any]]:
    """Classes of layers and shapes of tensors by path; and what else is set in the layers, but for dropout's rates."""
    layers = list(tree.named_modules(remove_duplicate=False))
    structure: dict[str, Any] = {path or "model": type(layer) for path, layer in layers}
    structure |= {path: leaf.shape for path, leaf in tree.named_state()}
    settings = {
        join(path, name): value
        for path, layer in layers
        if type(layer) is not Dropout
        for name, value in vars(layer).items()
        if isinstance(value, bool | int | float | str | None) or is_dataclass(value)
    }
    return structure, settings


def _rules(ours: str, theirs: str | Stored) -> list[tuple[int, re.Pattern[str], Stored]]:
    """(place among those in one, pattern of our path, what it becomes) for each of `{a,b}` in our path."""
    stored = theirs if isinstance(theirs, Stored) else Stored(theirs)
    head, _, rest = ours.partition("{")
    among, _, tail = rest.partition("}")
    return [(i, _regex(head + name + tail, r"(\.[^.]+)?"), stored) for i, name in enumerate(among.split(","))]


def _regex(pattern: str, end: str = "") -> re.Pattern[str]:
    """`*` is one name."""
    return re.compile(re.escape(pattern).replace(r"\*", "([^.]+)") + end)


def _filled(pattern: str, names: Iterable[str]) -> str:
    rest = iter(names)
    return re.sub(r"\*", lambda _: next(rest), pattern)
