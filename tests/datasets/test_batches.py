"""Claims about texts and batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.datasets.batches import Batches, check_token_ids, read_tokens, sequential, write_tokens
from tinygrad_llm.datasets.text import read_text, split_text
from tinygrad_llm.errors import ArgumentError, DataError, StorageError, TokenError

TOKENS = np.arange(100)


def test_a_batch_is_a_pure_function_of_seed_and_number():
    make = lambda seed: Batches(TOKENS, block_size=7, batch_size=5, seed=seed)
    a, b = make(1), make(1)
    _ = [b[n] for n in range(5)]  # what was drawn before does not matter
    for name in ("tokens", "targets"):
        np.testing.assert_array_equal(a[9][name], b[9][name])
    first = a[9]["tokens"]
    assert not np.array_equal(first, a[8]["tokens"]) and not np.array_equal(first, make(2)[9]["tokens"])


@given(length=st.integers(8, 30), seed=st.integers(0, 9))
def test_targets_are_the_inputs_one_later(length, seed):
    batch = Batches(np.arange(length), block_size=7, batch_size=64, seed=seed)[0]
    assert list(batch) == ["tokens", "targets"]
    x, y = batch.values()
    assert x.shape == y.shape == (64, 7) and x.dtype == np.int64 and x.flags.c_contiguous and y.flags.c_contiguous
    np.testing.assert_array_equal(x + 1, y)
    assert x.min() >= 0 and y.max() <= length - 1


def test_every_place_is_drawn_alike_the_last_one_too():
    starts = np.concatenate(
        [Batches(np.arange(12), block_size=7, batch_size=100, seed=0)[n]["tokens"][:, 0] for n in range(20)]
    )
    counts = np.bincount(starts, minlength=5)
    assert len(counts) == 5
    assert ((counts - 400) ** 2 / 400).sum() < 18.5  # chi-square, 4 degrees: one in a thousand


@given(length=st.integers(2, 60), block=st.integers(1, 9), batch=st.integers(1, 4))
def test_in_sequence_every_token_but_the_first_is_a_target_once(length, block, batch):
    pairs = [(part["tokens"], part["targets"]) for part in sequential(np.arange(length), block, batch)]
    targets = np.concatenate([y.ravel() for _, y in pairs])
    np.testing.assert_array_equal(targets, np.arange(1, length))
    assert all(x.shape == y.shape and (x + 1 == y).all() and len(x) <= batch and x.shape[1] <= block for x, y in pairs)


def test_a_limit_takes_batches_from_all_over():
    batches = list(sequential(np.arange(1001), 10, 2, limit=5))
    assert [int(batch["tokens"][0, 0]) for batch in batches] == [0, 200, 400, 600, 800]


def test_tokens_in_a_file_are_mapped_not_read(tmp_path):
    for ids, dtype in (
        (np.array([0, 65535]), np.uint16),
        (np.array([0, 65536]), np.uint32),
        (np.zeros(0, int), np.uint16),
    ):
        write_tokens(tmp_path / "t.npy", ids)
        found = read_tokens(tmp_path / "t.npy")
        assert isinstance(found, np.memmap) or not len(ids)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, ids)
    write_tokens(tmp_path / "t.npy", TOKENS)
    batch = Batches(read_tokens(tmp_path / "t.npy"), block_size=7, batch_size=2, seed=0)[0]
    assert batch["tokens"].dtype == batch["targets"].dtype == np.int64


@pytest.mark.parametrize("ids", [[-1, 3], [3, -1], [2**32 + 5, 3], [0, 2**32], [2**63 + 1]], ids=str)
def test_ids_that_no_file_holds_are_refused_and_none_is_written_as_another(ids, tmp_path):
    with pytest.raises(TokenError, match="0 to 4294967295"):
        write_tokens(tmp_path / "t.npy", np.array(ids))
    assert not (tmp_path / "t.npy").exists()
    write_tokens(tmp_path / "t.npy", np.array([0, 2**32 - 1]))
    assert read_tokens(tmp_path / "t.npy").tolist() == [0, 2**32 - 1]


@pytest.mark.parametrize("ids", [[1.5], [np.nan], [[1, 2]], 3, [True], ["a"], [2**64]], ids=str)
def test_what_are_no_whole_numbers_on_one_axis_are_no_tokens_to_write(ids, tmp_path):
    with pytest.raises(ArgumentError, match="one axis of whole numbers"):
        write_tokens(tmp_path / "t.npy", np.array(ids))


def test_files_that_are_no_tokens_are_refused(tmp_path):
    path = tmp_path / "t.npy"
    for array in (np.ones((2, 2), int), np.ones(3), np.array([object()])):
        np.save(path, array, allow_pickle=True)
        with pytest.raises(DataError):
            read_tokens(path)
    path.write_bytes(b"no array")
    with pytest.raises(DataError):
        read_tokens(path)
    with pytest.raises(StorageError):
        write_tokens(tmp_path / "nowhere" / "t.npy", TOKENS)


def test_an_id_outside_the_vocabulary_is_named_with_its_place():
    check_token_ids(np.array([0, 4]), 5)
    with pytest.raises(TokenError, match="5 at position 1"):
        check_token_ids(np.array([0, 5]), 5)
    with pytest.raises(TokenError, match="-1 at position 0"):
        check_token_ids(np.array([-1]), 5)


def test_what_is_too_short_is_refused():
    with pytest.raises(DataError, match="101"):
        Batches(TOKENS, block_size=100, batch_size=1, seed=0)
    Batches(TOKENS, block_size=99, batch_size=1, seed=0)
    with pytest.raises(DataError):
        list(sequential(np.arange(1), 4, 1))
    with pytest.raises(ArgumentError):
        Batches(TOKENS, block_size=0, batch_size=1, seed=0)


def test_a_text_is_read_strictly_and_split_once(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes("naïve 🙂".encode())
    assert read_text(path) == "naïve 🙂"
    assert split_text("0123456789") == ("012345678", "9")
    for content, said in ((b"", "empty"), (b"ab\xe2\x28", "0xe2 at offset 2")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=said):
            read_text(path)
    with pytest.raises(DataError, match="path"):
        read_text(tmp_path / "none")
    with pytest.raises(ArgumentError):
        split_text("abc", 0.0)


@pytest.mark.parametrize(
    "bad",
    [{"block_size": 0}, {"block_size": 7.0}, {"batch_size": -1}, {"batch_size": 2.5}, {"batch_size": None}],
    ids=str,
)
def test_sizes_of_batches_are_whole_numbers_of_at_least_1(bad):
    sizes = {"block_size": 7, "batch_size": 2} | bad
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        Batches(TOKENS, **sizes, seed=0)
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        next(sequential(TOKENS, **sizes))
    for limit in (-1, 1.5):
        with pytest.raises(ArgumentError, match="limit"):
            next(sequential(TOKENS, 7, 2, limit))
