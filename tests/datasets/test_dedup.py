"""Copies: signatures are datasketch's, agreement is Jaccard similarity, candidates follow the S-curve."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.datasets.dedup import (
    candidates,
    clusters,
    exact_copies,
    hashed,
    jaccard,
    near_copies,
    permutations,
    s_curve,
    shingles,
    signature,
    signatures,
)
from tinygrad_llm.errors import ArgumentError, DataError

SETS = st.sets(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=12)
TEXT = "the quick brown fox jumps over the lazy dog and runs away from all of them at once"


def mixed(h):
    """The last step of MurmurHash3 on one number, in Python's own whole numbers."""
    h ^= h >> 16
    h = h * 0x85EBCA6B % 2**32
    h ^= h >> 13
    h = h * 0xC2B2AE35 % 2**32
    return h ^ h >> 16


def test_shingles_are_all_runs_of_words():
    assert shingles("a b  c\nd", 3) == {"a b c", "b c d"} and shingles("a b a b a", 2) == {"a b", "b a"}
    assert shingles("a b", 5) == {"a b"} and shingles("  ") == set() and len(shingles(TEXT)) == 18 - 4
    with pytest.raises(ArgumentError, match="n: expected a whole number of at least 1"):
        shingles("a", 0)
    with pytest.raises(ArgumentError, match="n: .* got 1.5"):
        shingles("a", 1.5)


def test_jaccard_by_hand():
    assert jaccard({"a", "b"}, {"b", "c"}) == 1 / 3 and jaccard(set(), set()) == 1 and jaccard(set(), {"a"}) == 0


def test_the_first_of_the_same_texts_is_found():
    assert exact_copies(["a", "b", "a", "a ", "b", "c"]).tolist() == [0, 1, 0, 3, 1, 5]


def test_a_hash_is_sha1_mixed():
    # the first four bytes of SHA-1 of "abc" are a9 99 3e 36, of "" da 39 a3 ee
    assert hashed(["abc"]).tolist() == [mixed(0x363E99A9)] and hashed([""]).tolist() == [mixed(0xEEA339DA)]
    assert hashed({"b", "a"}).tolist() == [*hashed(["a"]), *hashed(["b"])] and len(hashed([])) == 0


def test_permutations_are_one_to_one():
    a, b = permutations(200, np.random.default_rng(0))
    assert (a % 2 == 1).all() and a.dtype == b.dtype == np.uint32
    assert len(set(a.tolist())) > 190 and len(set(b.tolist())) > 190
    assert a.max() > 2**31 and b.max() > 2**31 and b.min() < 2**28
    with pytest.raises(ArgumentError, match="count: expected a whole number of at least 1"):
        permutations(0, np.random.default_rng(0))


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=9), st.integers(0, 99))
def test_a_signature_is_the_least_of_each_order(values, seed):
    a, b = permutations(5, np.random.default_rng(seed))
    made = signature(np.array(values, np.uint32), a, b)
    expected = [min((x * int(i) + int(j)) % 2**32 for x in values) for i, j in zip(a, b)]
    assert made.tolist() == expected and made.dtype == np.uint32


def test_an_empty_set_has_no_signature():
    with pytest.raises(DataError, match="hashes: expected at least one shingle, got 0"):
        signature(hashed([]), *permutations(3, np.random.default_rng(0)))


def test_agreement_is_jaccard_similarity_in_the_mean():
    rng = np.random.default_rng(3)
    a, b = permutations(4000, rng)
    for shared in (0, 10, 20, 30, 38):
        x = {f"x{i}" for i in range(40 - shared)} | {f"s{i}" for i in range(shared)}
        y = {f"y{i}" for i in range(40 - shared)} | {f"s{i}" for i in range(shared)}
        agree = float((signature(hashed(x), a, b) == signature(hashed(y), a, b)).mean())
        j = shared / (80 - shared)
        assert agree == pytest.approx(j, abs=5 * (j * (1 - j) / 4000) ** 0.5 + 0.002)


def test_the_s_curve_by_hand():
    assert s_curve(0.5, 3, 2) == pytest.approx(1 - 0.75**3) and s_curve(np.array([0, 1]), 20, 5).tolist() == [0, 1]
    assert s_curve(0.8, 1, 4) == pytest.approx(0.8**4)


@given(st.lists(st.lists(st.integers(0, 1), min_size=6, max_size=6), max_size=8))
def test_candidates_share_a_whole_band(rows):
    made = np.array(rows, np.uint32).reshape(-1, 6)
    expected = {
        (i, j) for i, j in combinations(range(len(rows)), 2)
        if any(rows[i][k : k + 3] == rows[j][k : k + 3] for k in (0, 3))
    }  # fmt: skip
    assert candidates(made, 2, 3) == expected


@pytest.mark.parametrize(("bands", "rows"), [(0, 2), (2, 0), (4, 2)])
def test_bands_must_fit_the_signature(bands, rows):
    with pytest.raises(ArgumentError, match="bands and rows: expected at least 1, their product at most 7"):
        candidates(np.zeros((2, 7), np.uint32), bands, rows)


def test_what_the_last_numbers_say_does_not_count_where_bands_leave_them_out():
    made = np.array([[1, 2, 3, 4, 5], [9, 9, 9, 9, 5]], np.uint32)
    assert candidates(made, 2, 2) == set() and candidates(made[:, 4:], 1, 1) == {(0, 1)}


@given(st.integers(1, 9), st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=9))
def test_clusters_are_connected_parts_named_by_their_first(count, pairs):
    pairs = [(i % count, j % count) for i, j in pairs]
    reach = [{i} for i in range(count)]
    for _ in range(count):
        for i, j in pairs:
            reach[i] = reach[j] = reach[i] | reach[j]
    assert clusters(count, pairs).tolist() == [min(found) for found in reach]


@given(st.lists(SETS, min_size=1, max_size=6), st.sampled_from([0.3, 0.6, 1.0]))
def test_near_copies_are_those_of_a_search_through_all_pairs(sets, at_least):
    texts = [" ".join(sorted(parts)) for parts in sets]
    a, b = permutations(60, np.random.default_rng(0))
    found = near_copies(texts, a, b, bands=60, rows=1, at_least=at_least, n=1)  # misses none but by great luck
    pairs = [(i, j) for i, j in combinations(range(len(sets)), 2) if jaccard(sets[i], sets[j]) >= at_least]
    assert found.tolist() == clusters(len(sets), pairs).tolist()


def test_a_pair_on_the_threshold_is_a_near_copy():
    a, b = permutations(60, np.random.default_rng(0))
    texts = ["a b c", "b c d"]  # 2 of 4
    for at_least, leader in ((0.5, 0), (0.51, 1)):
        assert near_copies(texts, a, b, bands=60, rows=1, at_least=at_least, n=1).tolist() == [0, leader]


def test_near_copies_of_nothing_are_none():
    a, b = permutations(4, np.random.default_rng(0))
    assert near_copies([], a, b, bands=2, rows=2, at_least=0.5).tolist() == []


def test_signatures_are_those_of_each_text():
    a, b = permutations(8, np.random.default_rng(1))
    made = signatures([shingles(TEXT, 2), {"one two"}], a, b)
    assert made.shape == (2, 8) and (made[0] == signature(hashed(shingles(TEXT, 2)), a, b)).all()
    assert signatures([], a, b).shape == (0, 8)


def test_candidates_follow_the_s_curve():
    rng = np.random.default_rng(9)
    for shared, bands, rows in ((20, 8, 3), (30, 8, 3), (30, 4, 6)):
        similarity, found, tries = shared / (80 - shared), 0, 1500
        x, y = ({f"{n}{i}" for i in range(40 - shared)} | {f"s{i}" for i in range(shared)} for n in "xy")
        hx, hy = hashed(x), hashed(y)
        for _ in range(tries):
            a, b = permutations(bands * rows, rng)
            found += bool(candidates(np.stack([signature(hx, a, b), signature(hy, a, b)]), bands, rows))
        p = float(s_curve(similarity, bands, rows))
        assert found / tries == pytest.approx(p, abs=5 * (p * (1 - p) / tries) ** 0.5)


# -- datasketch -------------------------------------------------------------------------------------------------------


@pytest.mark.oracle
@given(st.lists(SETS, min_size=1, max_size=5), st.integers(1, 5))
def test_signatures_and_candidates_are_those_of_datasketch(sets, seed):
    from datasketch import MinHash, MinHashLSH

    theirs = []
    for parts in sets:
        theirs.append(MinHash(num_perm=24, seed=seed, scheme="affine32"))
        theirs[-1].update_batch([part.encode() for part in parts])
    a, b = (np.asarray(values, np.uint32) for values in theirs[0].permutations)
    made = np.stack([signature(hashed(parts), a, b) for parts in sets])
    assert (made == np.stack([m.hashvalues for m in theirs])).all()
    index = MinHashLSH(num_perm=24, params=(8, 3))
    for i, m in enumerate(theirs):
        index.insert(i, m)
    pairs = {(i, j) for j, m in enumerate(theirs) for i in index.query(m) if i < j}
    assert candidates(made, 8, 3) == pairs
    for i, j in combinations(range(len(sets)), 2):
        assert float((made[i] == made[j]).mean()) == pytest.approx(theirs[i].jaccard(theirs[j]), abs=1e-12)


@pytest.mark.oracle
def test_our_own_permutations_give_datasketch_the_same_signature():
    from datasketch import MinHash

    a, b = permutations(64, np.random.default_rng(7))
    theirs = MinHash(num_perm=64, permutations=(a, b), scheme="affine32")
    theirs.update_batch([part.encode() for part in shingles(TEXT)])
    assert (signature(hashed(shingles(TEXT)), a, b) == theirs.hashvalues).all()
