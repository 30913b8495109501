"""GPT-2's and GPT-4's patterns cut every text as the published ones do, and bytes have GPT-2's ids."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import regex

from tinygrad_llm.tokenizer import PATTERNS, RegexBPETokenizer
from tinygrad_llm.tokenizer.regex_bpe import ASCII_PATTERNS

# as openai/gpt-2 (encoder.py) and openai/tiktoken (cl100k_base, version 0.3) write them
PUBLISHED = {
    "gpt2": r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""",
    "gpt4": r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"""
    r"""| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""",
}
PIECES = [*"aZé日½٣7!$_'( \t\n\r\u00a0\u0301\u2028\x0b\x0c\x1c\x85🙂", "  ", "12345", "\r\n", "..."]
PIECES += [f"'{ending}" for ending in ("s", "t", "re", "ve", "m", "ll", "d", "x", "S", "T", "RE", "vE", "M", "LL", "D")]
WORDS = [
    ("gpt2", "it's he'd I'm", ["it", "'s", " he", "'d", " I", "'m"]),
    ("gpt2", "IT'S", ["IT", "'", "S"]),
    ("gpt2", "in 12345 days", ["in", " 12345", " days"]),
    ("gpt2", "a   b  ", ["a", "  ", " b", "  "]),
    ("gpt2", "x !?\n\ny", ["x", " !?", "\n", "\n", "y"]),
    ("gpt2", "e\u0301 naïve", ["e", "\u0301", " naïve"]),
    ("gpt4", "it's IT'S I'LL", ["it", "'s", " IT", "'S", " I", "'LL"]),
    ("gpt4", "in 12345 days", ["in", " ", "123", "45", " days"]),
    ("gpt4", "a   b  ", ["a", "  ", " b", "  "]),
    ("gpt4", "x !?\n\ny", ["x", " !?\n\n", "y"]),
    ("gpt4", "(word\tnext \n\n b", ["(word", "\tnext", " \n\n", " b"]),
]


@pytest.mark.parametrize(("name", "text", "words"), WORDS, ids=repr)
def test_a_text_is_cut_into_these_words(name, text, words):
    assert RegexBPETokenizer([], name).words(text) == words


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_text_is_cut_as_by_the_published_pattern(name):
    tokenizer, published, rng = RegexBPETokenizer([], name), regex.compile(PUBLISHED[name]), np.random.default_rng(0)
    texts = ["".join(pair) for pair in itertools.product(PIECES, repeat=2)]
    texts += ["".join(rng.choice(PIECES, int(rng.integers(3, 12)))) for _ in range(4000)]
    for text in texts:
        assert tokenizer.words(text) == published.findall(text), text


@pytest.mark.parametrize("name", PATTERNS)
def test_the_ascii_pattern_cuts_every_ascii_text_of_two_signs_as_the_whole_one(name):
    """Each sign alone, beside itself, and beside a letter, a digit, an apostrophe, a mark and each kind of space."""
    whole = regex.compile(PATTERNS[name])
    for sign, other in itertools.product(map(chr, range(128)), "a7's! \n\t"):
        for text in (sign + other, other + sign, sign * 2 + other, other + sign + other, f"a {sign}b", f"1{sign} 2"):
            assert ASCII_PATTERNS[name].findall(text) == whole.findall(text), text


def test_bytes_have_the_ids_that_gpt2_gives_them():
    """In the order of encoder.json: "!" is 0, a space (written Ġ there) 220, a line end 198."""
    tokenizer = RegexBPETokenizer([])
    known = {0x21: 0, 0x41: 32, 0x7E: 93, 0xA1: 94, 0xAC: 105, 0xAE: 106, 0xFF: 187, 0: 188, 0x0A: 198, 0x20: 220}
    known |= {0x7F: 221, 0x80: 222, 0xA0: 254, 0xAD: 255}
    assert {byte: tokenizer.encode_word(bytes([byte])) for byte in known} == {b: [i] for b, i in known.items()}
    assert sorted(tokenizer.encode_word(bytes(range(256)))) == list(range(256))
    assert b"".join(map(tokenizer.token_bytes, tokenizer.encode_word(bytes(range(256))))) == bytes(range(256))
