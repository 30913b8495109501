"""The words of the requests in `chat`."""

from __future__ import annotations

KINDS = {
    "animal": ("cat", "dog", "goat", "duck"),
    "food": ("apple", "pear", "cake", "bun"),
    "color": ("red", "blue", "green", "white"),
    "thing": ("kite", "ball", "drum", "cup"),
}
"""kind -> its words; no word has two."""
NOUNS = tuple(word for words in KINDS.values() for word in words)
KIND_OF = {word: kind for kind, words in KINDS.items() for word in words}
PAIRS = (("big", "small"), ("hot", "cold"), ("old", "new"), ("early", "late"), ("happy", "sad"), ("fast", "slow"))
OPPOSITE = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}
