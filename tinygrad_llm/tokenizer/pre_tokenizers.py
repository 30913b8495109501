"""How a normalized text is cut into words, as tokenizer.json names it; the model cuts each word into tokens.

Metaspace        a space becomes ▁, which begins a word; one may be added before the text
ByteLevel        each byte of UTF-8 becomes one of 256 letters; by GPT-2's pattern unless `use_regex` is false
Split            by any pattern: Llama 3's and Qwen 2's
WhitespaceSplit, Whitespace, Digits, Punctuation, Sequence
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import regex

from tinygrad_llm.tokenizer.json_parts import Builders, build, options, pattern_of, refused
from tinygrad_llm.tokenizer.regex_bpe import BYTE_LETTERS, PATTERNS

PreTokenizer = Callable[[str, bool], list[str]]
"""The words of a text; true says that nothing stands before it, for Metaspace with "first"."""
BEHAVIORS = ("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous")
_SPACE = regex.compile(r"\p{White_Space}")
_PUNCTUATION = regex.compile(r"[\p{P}!-/:-@\[-`{-~]")
_NUMBER = regex.compile(r"\p{N}")
_GPT2 = regex.compile(PATTERNS["gpt2"])
_WORDS = regex.compile(
    r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+"
    r"|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+"
)
_LETTER_OF_BYTE = {byte: letter for letter, byte in BYTE_LETTERS.items()}


def pre_tokenizer_of(said: Mapping[str, Any] | None, where: str = "pre_tokenizer") -> PreTokenizer:
    """The function; null leaves a text whole."""
    return (lambda text, first: [text]) if said is None else build(PRE_TOKENIZERS, said, where)


def byte_letters(text: str) -> str:
    """The letters that stand for the UTF-8 bytes of a text."""
    return "".join([_LETTER_OF_BYTE[byte] for byte in text.encode("utf-8")])


def split(text: str, pattern: regex.Pattern[str], behavior: str, invert: bool = False) -> list[str]:
    """The parts of a text, cut at what the pattern finds (`invert`: at what lies between).

    What is found stands by itself (Isolated), is left out (Removed), goes with what is before or after it (Merged…), or
    with what is found right beside it (Contiguous).
    """
    parts: list[tuple[int, int]] = []
    before = None  # was the part before one that was found?
    runs = list(_runs(text, pattern, invert))
    for start, end, found in reversed(runs) if behavior == "MergedWithNext" else runs:
        joins = {
            "MergedWithPrevious": found and before is False, "MergedWithNext": found and before is False,
            "Contiguous": found == before,
        }  # fmt: skip
        if joins.get(behavior) and parts:
            parts[-1] = (min(parts[-1][0], start), max(parts[-1][1], end))
        elif not (found and behavior == "Removed"):
            parts.append((start, end))
        before = found
    return [text[start:end] for start, end in sorted(parts)]


def _runs(text: str, pattern: regex.Pattern[str], invert: bool) -> Iterator[tuple[int, int, bool]]:
    """The text from the left to the right: what is found and what is not."""
    at = 0
    for found in pattern.finditer(text):
        if at < found.start():
            yield at, found.start(), invert
        if found.start() < found.end():
            yield found.start(), found.end(), not invert
        at = found.end()
    if at < len(text):
        yield at, len(text), invert


def _cut_by(pattern: regex.Pattern[str], behavior: str, invert: bool = False) -> PreTokenizer:
    return lambda text, first: split(text, pattern, behavior, invert)


def _split(said: Any, where: str) -> PreTokenizer:
    found = options(said, where, pattern=dict, behavior=BEHAVIORS, invert=False)
    return _cut_by(pattern_of(found["pattern"], f"{where}.pattern"), found["behavior"], found["invert"])


def _byte_level(said: Any, where: str) -> PreTokenizer:
    found = options(said, where, add_prefix_space=True, use_regex=True, trim_offsets=(True, False))

    def cut(text: str, first: bool) -> list[str]:
        if found["add_prefix_space"] and text and not text.startswith(" "):
            text = " " + text
        parts = split(text, _GPT2, "Isolated") if found["use_regex"] else [text]
        return [byte_letters(part) for part in parts]

    return cut


def _metaspace(said: Any, where: str) -> PreTokenizer:
    scheme, sign = metaspace_options(said, where)
    whole = said.get("split", True) is False
    pattern = regex.compile(regex.escape(sign))

    def cut(text: str, first: bool) -> list[str]:
        text = text.replace(" ", sign)
        if text and not text.startswith(sign) and (scheme == "always" or (scheme == "first" and first)):
            text = sign + text
        return [text] if whole else split(text, pattern, "MergedWithNext")

    return cut


def metaspace_options(said: Any, where: str) -> tuple[str, str]:
    """When a sign is put before a text ("always", "first", "never"), and which; earlier files say add_prefix_space."""
    found = options(
        said, where, replacement=str, split=(True, False), str_rep=(None, said.get("replacement")),
        add_prefix_space=(None, True, False), prepend_scheme=(None, "always", "first", "never"),
    )  # fmt: skip
    if len(found["replacement"]) != 1:
        raise refused(f"{where}.replacement", "one character", found["replacement"])
    scheme = found["prepend_scheme"] or ("never" if found["add_prefix_space"] is False else "always")
    return scheme, found["replacement"]


def depends_on_place(said: Any) -> bool:
    """Is a word cut in another way where the text begins?"""
    return isinstance(said, dict) and said.get("prepend_scheme") == "first"


def _digits(said: Any, where: str) -> PreTokenizer:
    single = options(said, where, individual_digits=False)["individual_digits"]
    return _cut_by(_NUMBER, "Isolated" if single else "Contiguous")


def _punctuation(said: Any, where: str) -> PreTokenizer:
    return _cut_by(_PUNCTUATION, options(said, where, behavior=BEHAVIORS)["behavior"])


def _whitespace_split(said: Any, where: str) -> PreTokenizer:
    options(said, where)
    return _cut_by(_SPACE, "Removed")


def _whitespace(said: Any, where: str) -> PreTokenizer:
    options(said, where)
    return _cut_by(_WORDS, "Removed", invert=True)


def _sequence(said: Any, where: str) -> PreTokenizer:
    parts = options(said, where, pretokenizers=list)["pretokenizers"]
    if any(depends_on_place(part) for part in parts):  # what comes before may leave out the text's beginning
        raise refused(f"{where}.prepend_scheme", "always or never within a Sequence", "first")
    steps = [build(PRE_TOKENIZERS, part, f"{where}.pretokenizers[{i}]") for i, part in enumerate(parts)]

    def cut(text: str, first: bool) -> list[str]:
        words = [text]
        for step in steps:
            words = [word for part in words for word in step(part, first)]
        return words

    return cut


PRE_TOKENIZERS: Builders[PreTokenizer] = {
    "Sequence": _sequence, "Split": _split, "ByteLevel": _byte_level, "Metaspace": _metaspace, "Digits": _digits,
    "Punctuation": _punctuation, "WhitespaceSplit": _whitespace_split, "Whitespace": _whitespace,
}  # fmt: skip
