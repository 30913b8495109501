"""The one key to the letters that name axes, and the check that uses it.

A suffix on a variable spells its axes, so a reader can check a product by eye:
`q_BHTK @ k_BHSK.transpose(0, 1, 3, 2)` is `(B, H, T, S)`.
"""

from __future__ import annotations

from typing import Any

from tinygrad_llm.errors import ShapeError

AXES: dict[str, str] = {
    "B": "batch: how many sequences",
    "T": "time: positions that ask (queries), or simply positions",
    "S": "source: positions that are looked at (keys and values)",
    "D": "model width, the size of the residual stream",
    "H": "heads that ask (query heads)",
    "G": "heads that are looked at (key and value heads); H is a multiple of G",
    "K": "size of one head",
    "V": "vocabulary size",
    "F": "width of what is hidden: the middle layer of an MLP, a recurrent state",
    "N": "rows, where leading axes are flattened into one",
    "C": "columns or classes, where the last axis has no name of its own",
    "I": "input features of a linear layer",
    "O": "output features of a linear layer",
}


def check_shape(name: str, array: Any, axes: str, next_step: str = "", **sizes: int) -> dict[str, int]:
    """Holds the shape of `array` against `axes`, and returns the sizes of its axes by letter.

    `axes` is a word of letters from `AXES`, one an axis: `"BTV"`. A leading `*` stands for any axes: `"*D"`.
    A size given by keyword is required; a letter that occurs twice must have one size.

    >>> import numpy as np
    >>> check_shape("logits", np.zeros((2, 8, 50)), "BTV", T=8)
    {'B': 2, 'T': 8, 'V': 50}

    Raises ShapeError with the name, the symbols, the numbers and `next_step`.
    """
    shape = tuple(array.shape)
    letters = axes.lstrip("*")
    unknown = [letter for letter in letters if letter not in AXES]
    assert not unknown, f"{unknown} are not in shapes.AXES"
    found = dict(sizes)
    tail = shape[len(shape) - len(letters) :] if axes.startswith("*") else shape
    fits = len(tail) == len(letters)
    fits = fits and all(found.setdefault(letter, size) == size for letter, size in zip(letters, tail))
    if not fits:
        symbols = ", ".join((["..."] if axes.startswith("*") else []) + list(letters))
        numbers = ", ".join(str(sizes.get(letter, letter)) for letter in letters)
        wanted = f"({symbols})" + (f" with {numbers}" if sizes else "")
        raise ShapeError(name, wanted, f"{shape}", next_step)
    return {letter: found[letter] for letter in letters}
