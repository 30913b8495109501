"""What the text of a special token means where a user gives it: a mistake, the token, or only its characters."""

from __future__ import annotations

import numpy as np

from tinygrad_llm.errors import TokenError
from tinygrad_llm.tokenizer.base import Tokenizer
from tinygrad_llm.tokenizer.regex_bpe import RegexBPETokenizer

SPECIAL = ("refuse", "allow", "text")


def encode_text(tokenizer: Tokenizer, text: str, special: str = "refuse") -> np.ndarray:
    """The ids of a text: "allow" takes `<|endoftext|>` for the token, "text" for its characters.

    Raises TokenError for it with "refuse": what somebody wrote must not end a document unnoticed. A tokenizer without
    special tokens knows only characters.
    """
    names = tokenizer.special if isinstance(tokenizer, RegexBPETokenizer) else {}
    places = {text.find(name): name for name in sorted(names, key=len) if name in text}  # at one place the longest
    if not places or not isinstance(tokenizer, RegexBPETokenizer):
        return tokenizer.encode_array(text)
    if special == "allow":
        return np.array(tokenizer.encode(text, tokenizer.special), np.int64)
    if special == "text":
        return np.array(tokenizer.encode_ordinary(text), np.int64)
    first = min(places)
    got = f"the special token {places[first]!r} at position {first}"
    next_step = "Say what it means: --special allow (the token), or --special text (its characters)."
    raise TokenError("text", "ordinary text", got, next_step)
