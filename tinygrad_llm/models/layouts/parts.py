"""Tables of models that are made of others, whose tables are taken whole: under other names, none is told twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tinygrad_llm.models.fields import value_of
from tinygrad_llm.models.layout import Layout, Option, Size, Stored


@dataclass(frozen=True)
class Part:
    """A model within another.

    layout  its table.
    field   our configuration's field that holds its own, `key` the file's.
    path    our path of it, with the last dot; `there` how its tensors' names begin in the file.
    """

    layout: Layout
    field: str
    key: str
    path: str
    there: str


def under(
    path: str, there: str, tensors: Mapping[str, str | Stored], of: Callable[[Any], Any] = lambda config: config
) -> dict[str, str | Stored]:
    """The rules for the same tensors, when our paths and the names there begin so.

    of  gives the configuration that a form is of.
    """
    return {path + ours: _moved(theirs, there, of) for ours, theirs in tensors.items()}


def _moved(theirs: str | Stored, there: str, of: Callable[[Any], Any]) -> str | Stored:
    if isinstance(theirs, str):
        return there + theirs
    form = theirs.form
    return replace(theirs, name=there + theirs.name, form=None if form is None else lambda config: form(of(config)))


def joined(layout: Layout, *parts: Part) -> Layout:
    """The table of the whole: `layout` says what belongs to no part."""
    for part in parts:
        layout = _with_part(layout, part)
    return layout


def _with_part(whole: Layout, part: Part) -> Layout:
    inner = part.layout

    def of(config: Any) -> Any:
        return value_of(config, part.field)

    def ours(name: str) -> str:
        return f"{part.field}.{name}"

    def key(name: str) -> str:
        return f"{part.key}.{name}"

    def there(name: str) -> str:
        return part.there + name

    def keyed(values: Mapping[str, Any]) -> dict[str, Any]:
        """What is a function of its configuration becomes one of the whole's."""
        return {key(name): _of(value, of) if callable(value) else value for name, value in values.items()}

    def size(found: Size) -> Size:
        tensor, stack = there(found.tensor) if found.tensor else "", part.path + found.stack if found.stack else ""
        return replace(found, key=key(found.key), tensor=tensor, stack=stack, same=tuple(map(key, found.same)))

    def option(found: Option) -> Option:
        return replace(found, key=key(found.key))

    return replace(
        whole,
        sizes={**whole.sizes, **{ours(name): size(found) for name, found in inner.sizes.items()}},
        options={**whole.options, **{ours(name): option(found) for name, found in inner.options.items()}},
        given={**whole.given, **{ours(name): value for name, value in inner.given.items()}},
        normal=_normal(whole.normal, part.key, inner.normal),
        fixed={**whole.fixed, **keyed({"model_type": (inner.model_type,), **inner.fixed})},
        assumed={**whole.assumed, **keyed(inner.assumed)},
        harmless={*whole.harmless, *map(key, inner.harmless)},
        written={**whole.written, **keyed(inner.written)},
        tensors={**whole.tensors, **under(part.path, part.there, inner.tensors, of)},
        copies={**whole.copies, **{there(copy): there(name) for copy, name in inner.copies.items()}},
        ignored=(*whole.ignored, *map(there, inner.ignored)),
        optional=(*whole.optional, *map(there, inner.optional)),
        renamed={**whole.renamed, **{there(old): there(new) for old, new in inner.renamed.items()}},
        products={**whole.products, **{there(name): (ours(a), ours(b)) for name, (a, b) in inner.products.items()}},
        parts={**whole.parts, part.key: inner.model_type},
    )


Normal = Callable[[dict[str, Any]], dict[str, Any]]


def _normal(whole: Normal, key: str, inner: Normal) -> Normal:
    """What lies under the key is brought into its own table's form."""

    def both(said: dict[str, Any]) -> dict[str, Any]:
        said = whole(said)
        return said | {key: inner(dict(said[key]))} if isinstance(said.get(key), Mapping) else said

    return both


def _of(value: Callable[[Any], Any], of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda config: value(of(config))
