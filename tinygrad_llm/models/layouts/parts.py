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

    def key(name: str) -> str:
        return f"{part.key}.{name}"

    def keyed(values: Mapping[str, Any]) -> dict[str, Any]:
        """What is a function of its configuration becomes one of the whole's."""
        return {key(name): _of(value, of) if callable(value) else value for name, value in values.items()}

    def size(inner_size: Size) -> Size:
        tensor = part.there + inner_size.tensor if inner_size.tensor else ""
        stack, same = part.path + inner_size.stack if inner_size.stack else "", tuple(map(key, inner_size.same))
        return replace(inner_size, key=key(inner_size.key), tensor=tensor, stack=stack, same=same)

    def option(inner_option: Option) -> Option:
        return replace(inner_option, key=key(inner_option.key))

    return replace(
        whole,
        sizes={**whole.sizes, **{f"{part.field}.{ours}": size(s) for ours, s in inner.sizes.items()}},
        given={**whole.given, **{f"{part.field}.{ours}": value for ours, value in inner.given.items()}},
        normal=_normal(whole.normal, part.key, inner.normal),
        parts={**whole.parts, part.key: inner.model_type},
        products={
            **whole.products,
            **{
                part.there + name: (f"{part.field}.{a}", f"{part.field}.{b}") for name, (a, b) in inner.products.items()
            },
        },
        options={**whole.options, **{f"{part.field}.{ours}": option(o) for ours, o in inner.options.items()}},
        fixed={**whole.fixed, **keyed({"model_type": (inner.model_type,), **inner.fixed})},
        assumed={**whole.assumed, **keyed(inner.assumed)},
        harmless={*whole.harmless, *map(key, inner.harmless)},
        written={**whole.written, **keyed(inner.written)},
        tensors={**whole.tensors, **under(part.path, part.there, inner.tensors, of)},
        copies={**whole.copies, **{part.there + a: part.there + b for a, b in inner.copies.items()}},
        ignored=(*whole.ignored, *(part.there + name for name in inner.ignored)),
        optional=(*whole.optional, *(part.there + name for name in inner.optional)),
        renamed={**whole.renamed, **{part.there + a: part.there + b for a, b in inner.renamed.items()}},
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
