"""The words of the requests in `chat`: most of them stand in the tales, too."""

from __future__ import annotations

from tinygrad_llm.datasets import tales_words

KINDS = {
    "animal": ("cat", "dog", "goat", "duck", "hen", "pony", "crow", "mouse"),
    "color": ("red", "blue", "green", "yellow", "white", "silver"),
    "food": ("apple", "pear", "cake", "bun", "tart", "cheese"),
    "place": ("harbor", "market", "forest", "meadow", "river", "castle"),
    "thing": ("kite", "ball", "drum", "book", "basket", "ribbon", "map", "cup"),
}
"""kind -> its words; no word has two."""
NOUNS = tuple(word for words in KINDS.values() for word in words)
KIND_OF = {word: kind for kind, words in KINDS.items() for word in words}
NUMBERS = ("one", "two", "three", "four")
PAIRS = (("big", "small"), ("hot", "cold"), ("old", "new"), ("early", "late"), ("happy", "sad"), ("fast", "slow"))
OPPOSITE = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}
CHILDREN = tales_words.GIRLS[:4] + tales_words.BOYS[:4]
