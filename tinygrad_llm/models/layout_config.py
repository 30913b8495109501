"""Configurations in files: an architecture's table (layout.py), read into ours and out of it.

What is in neither direction known to be the same model is refused by its name: a key that no table knows, a value that
means another model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_llm.errors import CheckpointError, ConfigError
from tinygrad_llm.models.fields import built, flat, nested, value_of
from tinygrad_llm.models.layout import ANOTHER, Layout, Option, Size


def write_config(layout: Layout, config: Any, dtype: Any) -> dict[str, Any]:
    """What config.json says of a model with this configuration."""
    said: dict[str, Any] = {"architectures": [layout.architecture], "model_type": layout.model_type}
    for ours, size in layout.sizes.items():
        said |= dict.fromkeys((size.key, *size.same), value_of(config, ours))
    said |= {option.key: option.write(value_of(config, ours)) for ours, option in layout.options.items()}
    said |= {key: _accepted(values, config)[0] for key, values in layout.fixed.items()}
    said |= {key: value(config) if callable(value) else value for key, value in layout.written.items()}
    return nested(said | {"torch_dtype": str(np.dtype(dtype))})


def read_config(layout: Layout, said: Mapping[str, Any], name: str = "config.json") -> Any:
    """Our configuration.  Raises CheckpointError for one of another model, or with a key that nobody here knows."""
    try:
        said = layout.normal(dict(said))
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
    ) as error:  # a file may hold anything
        raise CheckpointError(name, f"a configuration of {layout.model_type}", "another", f"{error}") from error
    said = flat(said, layout.known_keys(), name)
    unknown = sorted(key for key in said.keys() - layout.known_keys() if said[key] is not None)
    if unknown:
        next_step = "Remove what does not change what the model computes."
        raise CheckpointError(name, f"keys of {layout.model_type} that are known here", ", ".join(unknown), next_step)
    found = {ours: _whole(said, size, name) for ours, size in layout.sizes.items()}
    for ours, size in layout.sizes.items():
        for key in size.same:
            if said.get(key) != found[ours]:
                raise CheckpointError(f"{name} {key}", f"{found[ours]}, as {size.key}", repr(said.get(key)), ANOTHER)
    found |= {ours: _alike(said, option, name) for ours, option in layout.options.items()} | dict(layout.given)
    try:
        config = built(layout.config, found)
    except (ConfigError, TypeError) as error:
        raise CheckpointError(name, "a model that is possible here", "another", str(error)) from error
    for key, values in (*layout.fixed.items(), *layout.assumed.items()):
        accepted = _accepted(values, config)
        if said.get(key, accepted[0]) not in accepted:
            raise CheckpointError(f"{name} {key}", " or ".join(map(repr, accepted)), repr(said[key]), ANOTHER)
    return config


def _whole(said: Mapping[str, Any], size: Size, name: str) -> int:
    value = said.get(size.key, size.default)
    if type(value) is not int or value < 1:
        raise CheckpointError(
            f"{name} {size.key}", "a whole number of at least 1", repr(value), "Was the file altered?"
        )
    return value


def _alike(said: Mapping[str, Any], option: Option, name: str) -> Any:
    """Our form of an option, whose value is of the type that its default has."""
    value, default = said.get(option.key, option.default), option.default
    kinds = option.kinds or ((int, float) if type(default) is float else (type(default),))
    if type(value) not in kinds:
        next_step = "Was the file altered?"
        raise CheckpointError(f"{name} {option.key}", f"a {kinds[-1].__name__}", repr(value), next_step)
    try:
        return option.read(value)
    except (ValueError, KeyError, TypeError) as error:
        expected = f"as in {default!r}" if default else f"what is known here ({error})"
        raise CheckpointError(f"{name} {option.key}", expected, repr(value)[:60]) from error


def _accepted(values: Any, config: Any) -> tuple:
    return values(config) if callable(values) else values
