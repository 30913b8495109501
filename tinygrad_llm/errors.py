"""The exceptions a caller may catch.

    TinygradLLMError
    ├── ShapeError          an array has the wrong shape
    ├── DtypeError          an array has the wrong element type
    ├── ArgumentError       an argument is outside its range (temperature <= 0, top_k = 0, ...)
    ├── ConfigError         a configuration or a flag is unknown or contradicts another
    ├── GradientError       backward() was asked for something the graph cannot give
    ├── TokenError          a token id or a character is outside the vocabulary
    ├── DataError           a corpus is empty, too short, or not valid UTF-8
    ├── CheckpointError     a saved model or run is torn, altered, or of another configuration
    ├── NonFiniteError      a loss or a gradient became NaN or infinite
    ├── StorageError        the disk is full, read-only, or refused the file
    └── DeviceError         the device asked for is not there

Each also derives from the built-in exception that a reader would expect (`ValueError`, `TypeError`, ...),
and each says four things in one line: the name, what was expected, what came instead, and what to do next:

    ShapeError: logits: expected (B, T, V) = (2, 8, 50), got (2, 7, 50). Did you shift the targets by one?

`raise` is for callers. `assert` is for this package's own invariants.
"""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "CheckpointError",
    "ConfigError",
    "DataError",
    "DeviceError",
    "DtypeError",
    "GradientError",
    "NonFiniteError",
    "ShapeError",
    "StorageError",
    "TinygradLLMError",
    "TokenError",
    "reason",
]


class TinygradLLMError(Exception):
    """`name: expected EXPECTED, got GOT. NEXT STEP`, with each part kept as an attribute."""

    def __init__(self, name: str, expected: object, got: object, next_step: str = "") -> None:
        self.name, self.expected, self.got, self.next_step = name, expected, got, next_step
        super().__init__(f"{name}: expected {expected}, got {got}." + (f" {next_step}" if next_step else ""))

    def __reduce__(self):  # an exception of four arguments must survive pickling between processes
        return type(self), (self.name, self.expected, self.got, self.next_step), vars(self)


class ShapeError(TinygradLLMError, ValueError):
    """An array has the wrong shape."""


class DtypeError(TinygradLLMError, TypeError):
    """An array has the wrong element type."""


class ArgumentError(TinygradLLMError, ValueError):
    """An argument is outside its range."""


class ConfigError(TinygradLLMError, ValueError):
    """A configuration or a flag is unknown, or contradicts another."""


class GradientError(TinygradLLMError, RuntimeError):
    """backward() was asked for something that the graph cannot give."""


class TokenError(TinygradLLMError, ValueError):
    """A token id or a character is outside the vocabulary; `character` is the one, "" where it is about an id."""

    def __init__(self, name: str, expected: object, got: object, next_step: str = "", *, character: str = "") -> None:
        super().__init__(name, expected, got, next_step)
        self.character = character


class DataError(TinygradLLMError, ValueError):
    """A corpus is empty, too short, or not valid UTF-8."""


class CheckpointError(TinygradLLMError, ValueError):
    """A saved model or run is torn, altered, or of another configuration."""


class NonFiniteError(TinygradLLMError, ArithmeticError):
    """A loss or a gradient became NaN or infinite; nothing was updated with it."""


class StorageError(TinygradLLMError, OSError):
    """The disk is full, read-only, or refused the file; what was saved before is untouched."""


class DeviceError(TinygradLLMError, RuntimeError):
    """The device asked for is not there."""


def reason(error: BaseException) -> str:
    """Why the system refused, as words that stand after "got"."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a folder"
    if isinstance(error, NotADirectoryError):
        return "a path through something that is no folder"
    words = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().rstrip(".")
    first = words.split(" ")[0]
    return words[:1].lower() + words[1:] if first[1:].islower() else words  # NaN and MemoryError are names
