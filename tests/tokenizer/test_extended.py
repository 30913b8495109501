"""Further special tokens behind any tokenizer's own: its ids stay, theirs follow, and nobody can write one."""

from __future__ import annotations

import json

import pytest

from tinygrad_llm.errors import ArgumentError, CheckpointError, TokenError
from tinygrad_llm.tokenizer import (
    CHATML,
    PLAIN,
    ByteTokenizer,
    CharTokenizer,
    ExtendedTokenizer,
    RegexBPETokenizer,
    tokenizer_from_dict,
)
from tinygrad_llm.tokenizer.chat import fitting_template

MARKS = ["<|im_start|>", "<|im_end|>"]
KINDS = [
    ByteTokenizer(),
    CharTokenizer("\n<>_|adeimnrstu"),
    RegexBPETokenizer.train("the cat the user " * 9, 262, special=["<|endoftext|>"]),
]


@pytest.mark.parametrize("base", KINDS, ids=lambda base: base.kind)
def test_old_ids_stay_and_new_ones_follow(base, tmp_path):
    tokenizer, size = ExtendedTokenizer(base, MARKS), base.vocab_size
    assert tokenizer.vocab_size == size + 2 and [tokenizer.special[mark] for mark in MARKS] == [size, size + 1]
    assert tokenizer.encode("a\nrestaurant") == base.encode("a\nrestaurant")
    ids = tokenizer.encode(f"{MARKS[0]}a{MARKS[1]}", MARKS)
    assert ids == [size, *base.encode("a"), size + 1] and tokenizer.decode(ids) == f"{MARKS[0]}a{MARKS[1]}"
    assert (
        tokenizer.encode_ordinary(MARKS[0])[0] < size
        and tokenizer.decode(tokenizer.encode_ordinary(MARKS[0])) == MARKS[0]
    )
    with pytest.raises(TokenError, match="special token"):
        tokenizer.encode(MARKS[0])
    again = tokenizer_from_dict(json.loads(json.dumps(tokenizer.to_dict())))
    assert again.to_dict() == tokenizer.to_dict() and again.encode(f"a{MARKS[1]}", MARKS) == tokenizer.encode(
        f"a{MARKS[1]}", MARKS
    )
    found = CHATML.encode(tokenizer, [{"role": "user", "content": "a"}, {"role": "assistant", "content": "e"}])
    assert found.ids.tolist().count(size) == 2 and found.ids[found.learned].tolist() == [*base.encode("e"), size + 1]


def test_the_bases_own_marks_are_only_characters_in_what_somebody_says():
    tokenizer = ExtendedTokenizer(KINDS[2], MARKS)
    assert tokenizer.decode(tokenizer.encode_ordinary("<|endoftext|>")) == "<|endoftext|>"
    assert tokenizer.special["<|endoftext|>"] not in tokenizer.encode_ordinary("<|endoftext|>")


def test_texts_that_are_not_new_are_refused():
    for added in ([], ["<|endoftext|>"], ["a", "a"], [""]):
        with pytest.raises(ArgumentError, match="special tokens"):
            ExtendedTokenizer(KINDS[2], added)
    with pytest.raises(CheckpointError, match="texts"):
        tokenizer_from_dict({"type": "extended", "base": {"type": "byte"}, "added": [1]})
    with pytest.raises(TokenError, match="0 to 257"):
        ExtendedTokenizer(KINDS[0], MARKS).token_bytes(258)


def test_a_template_is_chosen_that_the_tokenizer_can_write():
    assert [fitting_template(base) for base in KINDS] == ["plain", "chatml", "plain"]
    assert fitting_template(ExtendedTokenizer(KINDS[0], MARKS)) == "chatml"
    assert fitting_template(ExtendedTokenizer(KINDS[0], MARKS[:1])) == "plain" and not PLAIN.special
