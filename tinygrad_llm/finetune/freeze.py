"""Full fine-tuning of a part: parameters frozen by patterns of their paths. Do so before an optimizer is made.

freeze(model, "*_embedding", "blocks.0")        # what lies below a module is meant with it
optimizer = AdamW(model.named_parameters())     # has no state of what is frozen
"""

from __future__ import annotations

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.finetune.config import fits_end
from tinygrad_llm.nn import Module, Parameter


def freeze(model: Module, *patterns: str) -> int:
    """Freezes the parameters that the patterns mean, all where there are none; returns how many numbers these are.

    A pattern is one of `nn.replace`, and fits a parameter's path, or that of a module above it, or the end of one of
    them: "bias", "blocks.0", "attention.*_proj".
    Raises ArgumentError for a pattern that means no parameter.
    """
    return _set(model, patterns, False)


def unfreeze(model: Module, *patterns: str) -> int:
    """The same the other way round: these parameters are learned again."""
    return _set(model, patterns, True)


def _set(model: Module, patterns: tuple[str, ...], learned: bool) -> int:
    chosen: dict[int, Parameter] = {}
    for pattern in patterns or ("**",):
        meant = [p for path, p in model.named_parameters() if _means(pattern, path)]
        if not meant:
            paths = ", ".join(path for path, _ in model.named_parameters())
            raise ArgumentError("pattern", "one that means a parameter", repr(pattern), f"There are: {paths[:200]}")
        chosen |= {id(p): p for p in meant}
    for p in chosen.values():
        p.requires_grad = learned
    return sum(p.size for p in chosen.values())


def _means(pattern: str, path: str) -> bool:
    names = path.split(".")
    return any(fits_end(pattern, ".".join(names[:count])) for count in range(1, len(names) + 1))
