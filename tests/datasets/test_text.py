"""Texts as they are read and split, and the batches that are cut from them, against definitions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tinygrad_llm.datasets.batches import Batches, check_token_ids, read_tokens, sequential, write_tokens
from tinygrad_llm.datasets.text import read_text, split_text
from tinygrad_llm.errors import ArgumentError, DataError, TokenError


@pytest.mark.parametrize(
    ("raw", "kept", "lf"),
    [
        (b"ab", "ab", "ab"), (b"\xef\xbb\xbfab", "ab", "ab"), (b"a\xef\xbb\xbfb", "a\ufeffb", "a\ufeffb"),
        (b"a\r\nb\rc\n\rd\r\r\n", "a\r\nb\rc\n\rd\r\r\n", "a\nb\nc\n\nd\n\n"), (b" a \n", " a \n", " a \n"),
        ("é\u2028🙂\x0c\x85".encode(), "é\u2028🙂\x0c\x85", "é\u2028🙂\x0c\x85"), (b"\0" * 9, "\0" * 9, "\0" * 9),
    ],
)  # fmt: skip
def test_a_text_is_what_its_bytes_say(raw, kept, lf, tmp_path):
    (tmp_path / "t.txt").write_bytes(raw)
    assert read_text(tmp_path / "t.txt") == read_text(str(tmp_path / "t.txt"), "keep") == kept
    assert read_text(tmp_path / "t.txt", "lf") == lf


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"ab\xff", "0xff at offset 2"), (b"\xef\xbb\xbf", "empty file"), (b"\xed\xa0\x80", "0xed at offset 0"),
        ("ab".encode("utf-16"), "UTF-16"), ("ab".encode("utf-32"), "UTF-32"), (b"\xfe\xff\0a", "UTF-16"),
        (b"\0\0\xfe\xff\0\0\0a", "UTF-32"), ("some words".encode("utf-16-le"), "UTF-16LE"), ("some words".encode("utf-16-be"), "UTF-16BE"),
    ],
)  # fmt: skip
def test_what_is_no_utf_8_is_refused_and_never_mended(raw, said, tmp_path):
    (tmp_path / "t.txt").write_bytes(raw)
    with pytest.raises(DataError, match=said):
        read_text(tmp_path / "t.txt")


def test_the_first_part_is_cut_down_to_whole_characters_and_nothing_is_lost():
    """floor(9 n / 10) of them, and with other fractions as many as these say."""
    for n in range(300):
        text = "".join(chr(0x4E00 + i) for i in range(n))
        for fraction, cut in ((None, 9 * n // 10), (0.5, n // 2), (0.25, 3 * n // 4), (0.75, n // 4)):
            first, rest = split_text(text) if fraction is None else split_text(text, fraction)
            assert (len(first), first + rest) == (cut, text)
    for fraction in (0.0, 1.0, -0.1, float("nan")):
        with pytest.raises(ArgumentError, match="val_fraction"):
            split_text("abc", fraction)


# ---- random batches


def batch(seed, n, **changes):
    sizes = {"block_size": 4, "batch_size": 6} | changes
    return Batches(np.arange(1000), **sizes, seed=seed)[n]


def test_no_batch_of_any_seed_is_one_of_another():
    """Least of all batch n of seed s that of n - 1 of s + 1."""
    found = {key: batch(*key)["tokens"][:, 0].tobytes() for key in itertools.product(range(12), range(12))}
    assert len(set(found.values())) == 144


def test_rows_of_a_batch_are_drawn_one_by_one_and_with_replacement():
    starts = np.concatenate([batch(0, n)["tokens"][:, 0] for n in range(40)]).reshape(40, 6)
    assert all(len(set(row)) > 1 for row in starts), "not one window six times"
    assert len({int(b - a) for row in starts for a, b in itertools.pairwise(row)}) > 100, "nor neighbours"
    few = Batches(np.arange(6), block_size=4, batch_size=64, seed=0)[0]["tokens"][:, 0]
    assert set(few) == {0, 1}


def test_rows_stand_in_the_order_in_which_their_places_were_drawn():
    """Not sorted: threads take rows by their place in the batch."""
    starts = batch(3, 5)["tokens"][:, 0]
    assert starts.tolist() == np.random.default_rng((3, 5)).integers(0, 996, 6).tolist() != sorted(starts)


def test_a_larger_batch_or_a_longer_window_are_cut_from_the_same_text():
    for changes in ({}, {"batch_size": 1}, {"block_size": 999}):
        found = batch(3, 5, **changes)
        np.testing.assert_array_equal(found["targets"], found["tokens"] + 1)
        assert found["tokens"].shape == (changes.get("batch_size", 6), changes.get("block_size", 4))


# ---- in sequence


def by_definition(n, block, size, limit):
    """Windows of `block` targets; `size` of them a batch; the rest; or `limit` batches, evenly spread."""
    rows = [list(range(s, s + block)) for s in range(0, (n - 1) // block * block, block)]
    groups = [rows[i : i + size] for i in range(0, len(rows), size)]
    rest = [list(range(len(rows) * block, n - 1))] if (n - 1) % block else []
    if limit is None or len(groups) < limit:
        return [*groups, *([rest] if rest else [])]
    return [groups[i * len(groups) // limit] for i in range(limit)]


@pytest.mark.parametrize("limit", [None, 1, 2, 3, 4, 5, 6, 99])
@pytest.mark.parametrize(("block", "size"), [(1, 1), (3, 2), (4, 3), (7, 10)])
def test_in_sequence_batches_are_those_of_the_definition(block, size, limit):
    for n in (2, 3, 8, 9, 12, 13, 14, 25, 40):
        found = list(sequential(np.arange(n), block, size, limit))
        assert [part["tokens"].tolist() for part in found] == by_definition(n, block, size, limit), n
        for part in found:
            np.testing.assert_array_equal(part["targets"], part["tokens"] + 1)


def test_tokens_of_a_file_are_widened_wherever_they_are_cut(tmp_path):
    ids = np.array([0, 1, 2, 65535] * 5)
    write_tokens(tmp_path / "t.npy", ids)
    for n in (8, 20):
        for part in sequential(read_tokens(tmp_path / "t.npy")[:n], 4, 2):
            assert part["tokens"].dtype == part["targets"].dtype == np.int64
    np.testing.assert_array_equal(read_tokens(tmp_path / "t.npy"), ids)


def test_the_first_id_outside_the_vocabulary_is_the_size_itself():
    check_token_ids(np.array([0, 6, 3]), 7)
    for ids, said in (([6, 7, 9], "7 at position 1"), ([0, 0, -2, 8], "-2 at position 2")):
        with pytest.raises(TokenError, match=rf"0 to 6, got {said}"):
            check_token_ids(np.array(ids), 7)
