"""The checks that all configurations of models share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from tinygrad_llm.errors import ConfigError
from tinygrad_llm.nn import ACTIVATIONS


def check_sizes(config: Any, count: int = 0, names: Iterable[str] = ()) -> None:
    """Raises ConfigError unless the first `count` fields, and those named, are whole numbers of at least 1."""
    for name in (*[field.name for field in fields(config)[:count]], *names):
        value = getattr(config, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigError(name, "a whole number of at least 1", repr(value))


def check_transformer(config: Any) -> None:
    """Raises ConfigError for heads that do not divide the width, or a dropout that is no probability below 1."""
    check_heads(config)
    check_dropout(config)


def check_heads(config: Any) -> None:
    """Raises ConfigError for heads that do not divide the width."""
    if config.n_embd % config.n_head:
        raise ConfigError("n_head", f"a divisor of n_embd = {config.n_embd}", config.n_head)


def check_dropout(config: Any) -> None:
    """Raises ConfigError for a dropout that is no probability below 1."""
    if not isinstance(config.dropout, int | float) or not 0 <= config.dropout < 1:
        raise ConfigError("dropout", "a probability in [0, 1)", repr(config.dropout))


def check_activation(config: Any) -> None:
    """Raises ConfigError for an activation that is not known."""
    if config.activation not in ACTIVATIONS:
        raise ConfigError("activation", " or ".join(ACTIVATIONS), repr(config.activation))


def check_token_ids(config: Any, *names: str) -> None:
    """Raises ConfigError unless the fields so named are ids of the vocabulary."""
    for name in names:
        if not 0 <= getattr(config, name) < config.vocab_size:
            raise ConfigError(name, f"a token id, 0 to {config.vocab_size - 1}", getattr(config, name))


def check_labels(config: Any) -> None:
    """Raises ConfigError for a classifier without classes."""
    if not config.labels:
        raise ConfigError("labels", "at least one class", "none")
