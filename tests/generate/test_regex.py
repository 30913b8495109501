"""An automaton of an expression matches what `re.fullmatch` matches; and a constrained text can always be finished."""

from __future__ import annotations

import itertools
import math
import random
import re

import numpy as np
import pytest

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate import Constraint, Sampler, generate
from tinygrad_llm.generate.regex import DEAD, MOST_STATES, compiled, utf8_ranges
from tinygrad_llm.generate.text import Text
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.tokenizer import BPETokenizer, ByteTokenizer, CharTokenizer, RegexBPETokenizer

END = "<|endoftext|>"
LETTERS = "ab0é🙂 \n"


def expression(rng, depth=3):
    """A random expression over a few letters."""
    kind = rng.randrange(8 if depth else 4)
    if kind < 4:
        return rng.choice(
            [
                "a",
                "b",
                "0",
                "é",
                ".",
                r"\d",
                r"\w",
                r"\s",
                "[ab]",
                "[^a]",
                "[a-c🙂]",
                "[^é-ü0]",
                r"[\d\s]",
                r"\u00e9",
                r"[^\w\n]",
                r"\D",
                "🙂",
            ]
        )
    if kind == 4:
        return "".join(expression(rng, depth - 1) for _ in range(rng.randrange(4)))
    if kind == 5:
        return "(" + "|".join(expression(rng, depth - 1) for _ in range(rng.randrange(1, 4))) + ")"
    part = f"(?:{expression(rng, depth - 1)})"
    return part + rng.choice(["*", "+", "?", "{2}", "{1,}", "{,2}", "{0,1}", "{1,3}", "{0}"])


def test_an_automaton_matches_what_pythons_re_matches():
    rng, matched, refused = random.Random(0), 0, 0
    texts = ["".join(t) for n in range(4) for t in itertools.product(LETTERS, repeat=n)]
    for _ in range(300):
        pattern = expression(rng)
        automaton = compiled(pattern)
        own = re.compile(pattern, re.ASCII)
        for text in rng.sample(texts, 60):
            expected = own.fullmatch(text) is not None
            assert automaton.matches(text) is expected, (pattern, text)
            matched, refused = matched + expected, refused + (not expected)
    assert matched > 500 and refused > 500


@pytest.mark.parametrize(("pattern", "yes", "no"), [
    (r"\(\[\]\)\.\*\\", ["([]).*\\"], ["([])x*\\"]), (r"[]a^-]+", ["]", "a^-"], ["b"]), (r"[^]]", ["a"], ["]"]), (r"a|", ["a", ""], ["b"]),
    (r"()", [""], ["a"]), (r"\x41\t\u20ac", ["A\t€"], ["A\t"]), (r"[+-.]", ["+", ",", "-", "."], ["/"]), (r"a{2,3}b{1}", ["aab", "aaab"], ["ab", "aaaab"]),
    (r"(a|b)*c", ["c", "abbac"], ["ab"]), (r"[a-zc]+", ["xc"], ["0"]), (r"[^a-zc]", ["0"], ["x"]), (r"[^ac]", ["b"], ["a"]), (r"-", ["-"], [""]), (r"]", ["]"], [""]), (r"}", ["}"], ["{"]), (r"(?:a*)*b", ["aab", "b"], ["a"]),
])  # fmt: skip
def test_signs_and_classes_are_read_as_python_reads_them(pattern, yes, no):
    for text in (*yes, *no):
        assert compiled(pattern).matches(text) is (text in yes) is (re.fullmatch(pattern, text) is not None)


@pytest.mark.parametrize("pattern", [
    "(a", "a)", "[a", "[]", "*", "a**", "a*?", "a++", "a{2", "a{3,2}", "a{1001}", "a{,}", "a{2}{3}", "^a", "a$", r"\1", r"\b", r"\xg1", r"\u12", "\\", "(?=a)", "(?P<n>a)",
    "[b-a]", r"[\d-z]", "|*", "(*a)", r"\x4",
])  # fmt: skip
def test_what_is_no_expression_here_is_refused_with_the_place(pattern):
    with pytest.raises(ArgumentError, match=r"regex: expected .* (at character \d+|the end) of "):
        compiled(pattern)


def test_an_expression_of_too_many_states_is_refused():
    with pytest.raises(ArgumentError, match=f"at most {MOST_STATES} states"):
        compiled("(a|b)*a(a|b){15}")


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (0, 0x10FFFF),
        (0x41, 0x5A),
        (0x7F, 0x80),
        (0x7FF, 0x800),
        (0xD000, 0xE001),
        (0xFFFE, 0x10001),
        (0xE9, 0xFC),
        (0x3A3, 0x10437),
    ],
)
def test_ranges_of_characters_are_the_same_ranges_of_bytes(low, high):
    found = set()
    for ranges in utf8_ranges(low, high):
        assert math.prod(b - a + 1 for a, b in ranges) < 10**7
        if high - low < 10**5:
            found |= {bytes(data) for data in itertools.product(*(range(a, b + 1) for a, b in ranges))}
    if high - low < 10**5:
        assert found == {chr(c).encode() for c in range(low, high + 1) if not 0xD800 <= c <= 0xDFFF}
    else:
        every = sum(math.prod(b - a + 1 for a, b in ranges) for ranges in utf8_ranges(low, high))
        assert every == 0x110000 - 0x800  # surrogates are no characters


def allowed_plainly(pattern, pieces, written, longest):
    """Tokens after which some text of at most `longest` further tokens matches: by trying all."""
    own = re.compile(pattern, re.ASCII)
    tails = ["".join(t) for n in range(longest) for t in itertools.product(pieces, repeat=n)]
    return [i for i, piece in enumerate(pieces) if any(own.fullmatch(written + piece + tail) for tail in tails)]


@pytest.mark.parametrize("pattern", ["a(b|cab)*", "(ab)+c?", "[ab]{2}c", "aabc|b", "(a|ab)(c|bcd)", "c*", "(abc|ac)+b"])
def test_tokens_are_allowed_with_which_some_text_can_still_match(pattern):
    """Over a vocabulary in which not every letter is a token: with "d" alone nothing can be written."""
    pieces = ["a", "b", "c", "ab", "ca"]

    class Pieces(CharTokenizer):
        def token_bytes(self, token):
            return pieces[token].encode()

    tokenizer = Pieces("abcde")
    assert tokenizer.vocab_size == len(pieces)
    rule = Constraint(pattern, tokenizer)
    for n in range(3):
        for ids in itertools.product(range(len(pieces)), repeat=n):
            written = "".join(pieces[i] for i in ids)
            try:
                found = rule.allowed(ids).tolist()
            except ArgumentError:
                assert not allowed_plainly(pattern, pieces, written, 3) and not re.fullmatch(pattern, written)
                continue
            assert found == allowed_plainly(pattern, pieces, written, 4)
            assert rule.matches(ids) == bool(re.fullmatch(pattern, written))
            assert rule.complete(ids) == (rule.matches(ids) and not found)


@pytest.mark.parametrize(
    "pattern", [r"\d{4}-\d\d-\d\d", r"(yes|no|may ?be)", r"[A-Z][a-zé]{0,9}(, [a-z]+){1,3}\.", r"é+🙂?"]
)
def test_whatever_the_model_wants_the_text_matches_and_ends(pattern):
    tokenizer = RegexBPETokenizer.train("yes no maybe, é 1234-05-06 🙂 may be the cat" * 9, 300, special=[END])
    end = tokenizer.special[END]
    model = GPT(
        GPTConfig(tokenizer.vocab_size + 3, 32, 1, 1, 8), rng=np.random.default_rng(0)
    )  # padded: 3 are no tokens
    rule = Constraint(pattern, tokenizer, end)
    for sampler in (
        Sampler(3.0, first=(rule,)),
        Sampler(greedy=True, first=(rule,)),
        Sampler(1.0, 2, 0.8, first=(rule,)),
    ):
        found = generate(model, [[5, 6], [7], [8]] * 4, 200, sampler, np.random.default_rng(1), stop_ids=[end])
        for tokens in found.tokens:
            done = tokens[-1] == end
            text = tokenizer.decode(tokens[: len(tokens) - done])
            assert re.fullmatch(pattern, text, re.ASCII) if done else len(tokens) == 200
            assert end not in tokens[:-1] and max(tokens) < tokenizer.vocab_size
        assert sum(found.stopped) == 12 or "+" in pattern  # what may go on for ever need not end


def test_what_the_constraint_allows_keeps_its_logits_and_the_prompt_is_no_part_of_it():
    rule, logits = Constraint("ab*", ByteTokenizer()), np.random.default_rng(0).normal(size=(3, 256))
    texts = [Text(b"zzz", 3), Text(b"a", 0), Text(b"qab", 1)]
    found = rule(logits, texts)
    for row, kept, own in zip(found, (b"a", b"b", b"b"), logits):
        assert np.flatnonzero(np.isfinite(row)).tolist() == list(kept)
        np.testing.assert_array_equal(row[list(kept)], own[list(kept)])


def test_after_the_end_only_the_end_follows_and_without_one_a_complete_text_is_an_error():
    rule = Constraint("ab?", RegexBPETokenizer([], special={END: 256}), 256)
    ids = RegexBPETokenizer([], special={END: 256}).encode("ab")
    assert rule.allowed([]).tolist() == ids[:1] and rule.allowed(ids[:1]).tolist() == [ids[1], 256]
    assert rule.allowed(ids).tolist() == rule.allowed([*ids, 256]).tolist() == [256]
    assert [rule.complete(x) for x in ([], ids[:1], ids, [*ids, 256])] == [False, False, True, True]
    endless = Constraint("ab?", ByteTokenizer())
    with pytest.raises(ArgumentError, match="regex: expected a text that can go on"):
        endless(np.zeros((1, 256)), [list(b"ab")])
    with pytest.raises(ArgumentError, match="regex: expected a text that can still match, got token 99"):
        endless(np.zeros((1, 256)), [list(b"ac")])


def test_special_tokens_are_no_text_and_the_first_token_may_lose_its_space():
    tokenizer = RegexBPETokenizer([], special={END: 256})
    assert 256 not in Constraint(r"[^q]*", tokenizer).allowed([])

    class Spaced(CharTokenizer):
        def token_bytes(self, token):
            return (b"", b" a", b"b")[token]

        def first_bytes(self, token):
            return (b"", b"a", b"b")[token]

    spaced = Spaced("abc")
    assert Constraint("( a)+", spaced).allowed([]).tolist() == [1]
    assert Constraint("a( a)*", spaced, begun=False).allowed([]).tolist() == [1]
    assert Constraint("a( a)*", spaced, begun=False).allowed([1]).tolist() == [1]
    for pattern, begun in (("a( a)*", True), ("( a)+", False), ("c", True)):
        with pytest.raises(ArgumentError, match="regex: expected an expression that texts of this vocabulary match"):
            Constraint(pattern, spaced, begun=begun)


def test_a_tokens_bytes_are_walked_one_after_the_other():
    tokenizer = BPETokenizer([(97, 98), (256, 99), (257, 100)])  # ab, abc, abcd
    automaton, rule = compiled("xabcd?"), Constraint("xabcd?", tokenizer)
    row = rule.after[automaton.after(b"x")]
    assert np.flatnonzero(row != DEAD).tolist() == [97, 256, 257, 258]
    assert [int(row[t]) for t in (256, 257)] == [automaton.after(b"xab"), automaton.after(b"xabc")]
