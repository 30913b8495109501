"""Pairs of texts: read strictly, and one place apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.datasets.pairs import Pair, format_pairs, padded, read_pairs, teacher_forcing
from tinygrad_llm.errors import DataError
from tinygrad_llm.ops import IGNORE

PAIR = Pair(("the", "cat", "did", "see"), ("vido", "nem"), ((2, 3), (1,)))
texts = st.lists(st.lists(st.integers(3, 9), max_size=5), min_size=1, max_size=4)


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text(format_pairs([PAIR, PAIR]))
    assert path.read_text().splitlines()[0] == "the cat did see\tvido nem\t2,3 1"
    assert read_pairs(path) == [PAIR, PAIR]


@pytest.mark.parametrize("sign", "\v\f\r\x1c\x1d\x1e\x85\u2028\u2029")
def test_only_a_newline_ends_a_pair(sign, tmp_path):
    pair = Pair((f"the{sign}", f"{sign}cat"), (f"a{sign}b", sign), ((0,), (1,)))
    path = tmp_path / "pairs.tsv"
    path.write_bytes(format_pairs([pair, PAIR]).encode())
    assert read_pairs(path) == [pair, PAIR]


def test_lines_of_another_system_are_the_same_pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_bytes(format_pairs([PAIR, PAIR]).replace("\n", "\r\n").encode())
    assert read_pairs(path) == [PAIR, PAIR]


@pytest.mark.parametrize("word", ["a b", "a\tb", "a\nb", ""])
def test_a_word_that_would_not_be_read_again_is_not_written(word):
    with pytest.raises(DataError, match="word"):
        format_pairs([PAIR, Pair((word,), ("a",), ((0,),))])
    with pytest.raises(DataError, match="word"):
        format_pairs([Pair(("a",), (word,), ((0,),))])


@pytest.mark.parametrize(
    "line", ["a b\tc", "a\tb\t0\t0", "a b\tc d\t0", "a\tb\t1", "a\tb\t-1", "a\tb\tx", "a  b\tc\t0", "\tb\t0", "a\t\t0", "a\tb\t"]
)  # fmt: skip
def test_a_line_that_is_no_pair_is_refused_by_number(line, tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text(f"a\tb\t0\n{line}\n")
    with pytest.raises(DataError, match=r"pairs.tsv:2"):
        read_pairs(path)
    with pytest.raises(DataError):
        read_pairs(tmp_path / "missing.tsv")


def test_texts_are_filled_up_behind():
    np.testing.assert_array_equal(padded([[5, 6], [7]], 0), [[5, 6], [7, 0]])
    np.testing.assert_array_equal(padded([[7], [5, 6], []], 4), [[7, 4], [5, 6], [4, 4]])
    assert padded([[]], 0).shape == (1, 0) and padded([], 0).shape == (0, 0) and padded([[5]], 0).dtype == np.int64


@given(texts=texts)
def test_what_is_said_is_what_is_read_next(texts):
    read, say = teacher_forcing(texts, 1, 2, 0)
    assert read.shape == say.shape == (len(texts), max(len(t) + 1 for t in texts))
    for text, r, s in zip(texts, read.tolist(), say.tolist()):
        n = len(text) + 1
        assert r[:n] == [1, *text] and s[:n] == [*text, 2]
        assert r[1:n] == s[: n - 1]
        assert set(r[n:]) <= {0} and set(s[n:]) <= {IGNORE}
