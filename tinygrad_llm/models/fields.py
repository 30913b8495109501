"""Configurations that hold others: `text.n_embd` is the n_embd of the one that is the field `text`.

What is nested is spoken of by such names, ours and those of files alike, so that a table is flat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import replace
from typing import Any, get_type_hints

from tinygrad_llm.errors import CheckpointError


def value_of(config: Any, name: str) -> Any:
    """The field of this name."""
    for part in name.split("."):
        config = getattr(config, part)
    return config


def changed(config: Any, values: Mapping[str, Any]) -> Any:
    """The configuration with other values of these fields."""
    own, within = _by_part(values)
    inner = {part: changed(getattr(config, part), below) for part, below in within.items()}
    return replace(config, **own, **inner)


def unchecked(config: Any, values: Mapping[str, Any]) -> Any:
    """The same, but what the values are together need not be a configuration that is possible."""
    own, within = _by_part(values)
    twin = copy(config)
    for name, value in own.items():
        object.__setattr__(twin, name, value)
    for part, below in within.items():
        object.__setattr__(twin, part, unchecked(getattr(config, part), below))
    return twin


def built(kind: type, values: Mapping[str, Any]) -> Any:
    """The configuration of this class with these values."""
    own, within = _by_part(values)
    kinds = get_type_hints(kind) if within else {}
    return kind(**own, **{part: built(kinds[part], below) for part, below in within.items()})


def flat(said: Mapping[str, Any], known: Iterable[str], name: str) -> dict[str, Any]:
    """A file's content with what is nested under `known` keys such as "text_config.hidden_size" under such names.

    Raises CheckpointError where something else stands there.
    """
    found = dict(said)
    for part in {key.partition(".")[0] for key in known if "." in key} & said.keys():
        inner = found.pop(part)
        if not isinstance(inner, Mapping):
            raise CheckpointError(f"{name} {part}", "a configuration", type(inner).__name__, "Was the file altered?")
        found |= {f"{part}.{key}": value for key, value in inner.items()}
    return found


def nested(said: Mapping[str, Any]) -> dict[str, Any]:
    """The other direction: what is named so lies nested."""
    own, within = _by_part(said)
    return own | {part: nested(below) for part, below in within.items()}


def _by_part(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What belongs to a configuration itself, and what to those within it."""
    own: dict[str, Any] = {}
    within: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        part, dot, rest = name.partition(".")
        if dot:
            within.setdefault(part, {})[rest] = value
        else:
            own[name] = value
    return own, within
