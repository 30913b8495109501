"""Tokenizers held against tokenizers and tiktoken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.tokenizer import PATTERNS, RegexBPETokenizer

pytestmark = pytest.mark.oracle

# Unicode tables differ on code points that one library's version does not know: letters, signs and spaces that all know
ASSIGNED = st.characters(max_codepoint=0x2FFF, categories=["L", "N", "P", "S", "Zs"], include_characters="\n\t\r'")
SMALL_ALPHABET = st.text(st.sampled_from("ab c"), min_size=1, max_size=60)


def trained_elsewhere(text: str | list[str], merges: int):
    """tokenizers' byte-level BPE of the same text, or texts."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    other = Tokenizer(models.BPE())
    other.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False)
    other.train_from_iterator([text] if isinstance(text, str) else text, trainer)
    return other


def assert_same(text: str, merges: int, probe: str) -> None:
    ours, other = RegexBPETokenizer.train(text, 256 + merges), trained_elsewhere(text, merges)
    assert ours.vocab_size == other.get_vocab_size()
    assert ours.encode(text) == other.encode(text).ids
    assert ours.encode(probe) == other.encode(probe).ids


@given(text=SMALL_ALPHABET, probe=SMALL_ALPHABET, merges=st.integers(0, 20))
def test_merges_equal_those_of_tokenizers_ties_included(text, probe, merges):
    assert_same(text, merges, probe)


@given(text=st.text(ASSIGNED, min_size=1, max_size=80))
def test_merges_of_any_text_equal_those_of_tokenizers(text):
    assert_same(text, 30, text[::-1])


@given(parts=st.lists(SMALL_ALPHABET, min_size=1, max_size=5), merges=st.integers(0, 20))
def test_a_text_with_special_tokens_is_learned_as_tokenizers_learns_the_texts_between(parts, merges):
    ours = RegexBPETokenizer.train("<|end|>".join(parts), 257 + merges, special=["<|end|>"])
    other = trained_elsewhere(parts, merges)
    for part in parts:
        assert ours.encode(part) == other.encode(part).ids


@pytest.mark.long
def test_merges_of_ten_thousand_corpora_equal_those_of_tokenizers():
    rng = np.random.default_rng(0)
    for _ in range(10_000):
        text = "".join(rng.choice(list("abc d"), int(rng.integers(1, 80))))
        assert_same(text, int(rng.integers(0, 30)), text[::-1])


def in_tiktoken(tokenizer: RegexBPETokenizer):
    import tiktoken

    ranks = {token: i for i, token in enumerate(tokenizer.tokens[: tokenizer.vocab_size - len(tokenizer.special)])}
    pattern = PATTERNS[tokenizer.pattern]
    return tiktoken.Encoding("test", pat_str=pattern, mergeable_ranks=ranks, special_tokens=tokenizer.special)


CORPUS = "It's the cat's hat, they'll say: 'HE'LL come at 12345 o'clock!'  \n\n\t Ça va? Über αβγ ." * 4


@pytest.mark.parametrize("name", PATTERNS)
@given(text=st.text(ASSIGNED, max_size=60))
def test_ids_equal_tiktokens_with_both_patterns(name, text):
    tokenizer = RegexBPETokenizer.train(CORPUS, 320, name)
    assert tokenizer.encode(text) == in_tiktoken(tokenizer).encode_ordinary(text)


@pytest.fixture(scope="module")
def gpt2(real_data):
    return RegexBPETokenizer.from_gpt2_files(real_data("gpt2/encoder.json"), real_data("gpt2/vocab.bpe"))


def test_gpt2s_ids_of_shakespeare_equal_tiktokens(gpt2, real_data):
    text = real_data("tinyshakespeare.txt").read_text(encoding="utf-8")
    assert gpt2.encode(text) == in_tiktoken(gpt2).encode_ordinary(text)


def test_gpt2s_ids_equal_those_of_tokenizers(gpt2, real_data):
    from tokenizers import ByteLevelBPETokenizer

    folder = real_data("gpt2/encoder.json").parent
    other = ByteLevelBPETokenizer.from_file(str(folder / "encoder.json"), str(folder / "vocab.bpe"))

    @given(text=st.text(ASSIGNED, max_size=60))
    def same(text):
        assert gpt2.encode(text) == other.encode(text).ids

    same()
