"""What bytes a token stands for, as the decoder of a tokenizer.json says it.

    ByteLevel       its letters are bytes
    Metaspace       ▁ is a space, and none stands before a text
    ByteFallback    <0x0A> is a byte
    Replace, Fuse, Strip, Sequence      the same in single steps: Llama 2's are Replace ▁, ByteFallback, Fuse, Strip

tokenizers writes U+FFFD for every byte of a run that is no UTF-8 as a whole; here, as in all of this package, only for
those that are none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import regex

from tinygrad_llm.tokenizer.byte import utf8
from tinygrad_llm.tokenizer.json_parts import Builders, build, options, pattern_of, refused
from tinygrad_llm.tokenizer.pre_tokenizers import metaspace_options
from tinygrad_llm.tokenizer.regex_bpe import BYTE_LETTERS

Step = Callable[[str], str | bytes]
_BYTE = regex.compile(r"<0x([0-9A-Fa-f]{2})>")


@dataclass(frozen=True)
class Decoder:
    """The steps from a token to its bytes, and what is different where a text begins.

    steps        what is done to the token, one after the other, until it is bytes.
    at_first     what is done to the first token before that: Metaspace takes ▁ away.
    first_space  what is taken from the first token's bytes, once.
    """

    steps: tuple[Step, ...] = ()
    at_first: Callable[[str], str] = str
    first_space: bytes = b""

    def bytes_of(self, token: str, first: bool = False) -> bytes:
        """The token's bytes, at a text's beginning or inside of it."""
        found: str | bytes = self.at_first(token) if first else token
        for step in self.steps:
            if isinstance(found, bytes):
                break
            found = step(found)
        found = found if isinstance(found, bytes) else utf8(found)
        return found.removeprefix(self.first_space) if first else found


def decoder_of(said: Mapping[str, Any] | None, where: str = "decoder") -> Decoder:
    """The decoder.  Raises CheckpointError for one that cannot be applied token by token."""
    if said is None:
        raise refused(where, f"one of {', '.join(DECODERS)}", None)
    return build(DECODERS, said, where)


def _byte_level(said: Any, where: str) -> Decoder:
    options(said, where, add_prefix_space=(True, False), trim_offsets=(True, False), use_regex=(True, False))

    def bytes_of(token: str) -> str | bytes:
        found = [BYTE_LETTERS.get(letter) for letter in token]
        return token if None in found else bytes(byte for byte in found if byte is not None)

    return Decoder((bytes_of,))


def _metaspace(said: Any, where: str) -> Decoder:
    scheme, sign = metaspace_options(said, where)
    at_first = str if scheme == "never" else lambda token: token.replace(sign, "")
    return Decoder((lambda token: token.replace(sign, " "),), at_first)


def _byte_fallback(said: Any, where: str) -> Decoder:
    options(said, where)

    def bytes_of(token: str) -> str | bytes:
        found = _BYTE.fullmatch(token)
        return token if found is None else bytes((int(found[1], 16),))

    return Decoder((bytes_of,))


def _replace(said: Any, where: str) -> Decoder:
    found = options(said, where, pattern=dict, content=str)
    pattern, content = pattern_of(found["pattern"], f"{where}.pattern"), found["content"]
    return Decoder((lambda token: pattern.sub(lambda _: content, token),))


def _fuse(said: Any, where: str) -> Decoder:
    options(said, where)
    return Decoder()


def _sequence(said: Any, where: str) -> Decoder:
    """Steps on tokens, up to Fuse; after it, a space may be taken from the text's beginning."""
    parts = options(said, where, decoders=list)["decoders"]
    whole, fused = Decoder(), False
    for i, part in enumerate(parts):
        name = f"{where}.decoders[{i}]"
        if isinstance(part, dict) and part.get("type") == "Strip" and fused and i + 1 == len(parts):
            stripped = options(part, name, content=str, start=(1, 0), stop=(0,))
            return replace(whole, first_space=utf8(stripped["content"]) * stripped["start"])
        if fused:
            raise refused(name, "nothing after Fuse, or Strip at the end", part)
        one = build(DECODERS, part, name)
        fused = part["type"] == "Fuse"
        whole = Decoder(whole.steps + one.steps, whole.at_first if one.at_first is str else one.at_first)
    return whole


DECODERS: Builders[Decoder] = {
    "Sequence": _sequence, "ByteLevel": _byte_level, "Metaspace": _metaspace, "ByteFallback": _byte_fallback,
    "Replace": _replace, "Fuse": _fuse,
}  # fmt: skip
