"""Copies: exact ones by a hash, near ones by MinHash and banding.

    J(A, B)     = |A and B| / |A or B|                     Jaccard similarity of two sets of shingles
    m_k(A)      = min over x in A of (a_k x + b_k) mod 2^32                         k = 1 ... K
    P(m_k(A) = m_k(B)) = J(A, B)             for a random order of all x; an affine map is nearly one
    P(candidate | J = s) = 1 - (1 - s^r)^b                 b bands of r numbers, K = b r: the S-curve

Sources: Broder, "On the resemblance and containment of documents", 1997 (MinHash); Indyk and Motwani, 1998 (banding);
Lee et al., "Deduplicating Training Data Makes Language Models Better", 2022 (what it is good for).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError
from tinygrad_llm.ranges import check_whole

SHINGLE = 5
"""Words of a shingle, as Lee et al. take them."""


def exact_copies(texts: Iterable[str]) -> np.ndarray:
    """For each text the number of the first one that is the same; its own where there is none before.  -> (N,)"""
    first: dict[bytes, int] = {}
    return np.array(
        [first.setdefault(hashlib.sha256(text.encode()).digest(), i) for i, text in enumerate(texts)], np.int64
    )


def shingles(text: str, n: int = SHINGLE) -> set[str]:
    """All runs of n words, as white space parts them; a text of fewer words is one shingle, an empty one has none.

    Raises ArgumentError for n < 1.
    """
    check_whole(n=n)
    words = text.split()
    if not words:
        return set()
    return {" ".join(words[i : i + n]) for i in range(max(1, len(words) - n + 1))}


def jaccard(a: set[str], b: set[str]) -> float:
    """|a and b| / |a or b|; 1 for two empty sets."""
    return len(a & b) / len(a | b) if a or b else 1.0


def hashed(parts: Iterable[str]) -> np.ndarray:
    """A number of 32 bits for each string, in sorted order of the strings.  -> (N,) uint32

    The first four bytes of its SHA-1, then mixed (the last step of MurmurHash3): an affine map alone would keep too
    much of the order. The numbers are those of datasketch.
    """
    digests = b"".join(hashlib.sha1(part.encode(), usedforsecurity=False).digest()[:4] for part in sorted(parts))
    h = np.frombuffer(digests, "<u4").astype(np.uint32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
    return h ^ (h >> np.uint32(16))


def permutations(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """a and b of so many maps x -> a x + b mod 2^32, each one to one since a is odd.  -> (K,), (K,) uint32"""
    check_whole(count=count)
    a = rng.integers(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return a, rng.integers(0, 1 << 32, count, dtype=np.uint32)


def signature(hashes: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """For each map the least of the numbers that it makes of the hashes.  (N,), (K,), (K,) -> (K,) uint32

    Two sets have the same number at place k with about the probability of their Jaccard similarity.

    Raises DataError for a set without elements: it has no least one.
    """
    if not len(hashes):
        raise DataError("hashes", "at least one shingle", 0, "Drop empty texts first.")
    return (hashes[:, None].astype(np.uint32) * a + b).min(0)  # (N, K), wrapping at 2^32


def signatures(sets: Sequence[set[str]], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The signature of each set of shingles.  -> (sets, K) uint32"""
    return np.array([signature(hashed(parts), a, b) for parts in sets], np.uint32).reshape(len(sets), len(a))


def s_curve(similarity: np.ndarray | float, bands: int, rows: int) -> np.ndarray:
    """The probability that two sets of this similarity share a whole band: 1 - (1 - s^r)^b."""
    return 1 - (1 - np.asarray(similarity, float) ** rows) ** bands


def candidates(made: np.ndarray, bands: int, rows: int) -> set[tuple[int, int]]:
    """The pairs i < j whose signatures agree in all numbers of some band.  (N, K) -> pairs

    Band k is the numbers k r ... k r + r - 1.  Raises ArgumentError where there are not b r numbers.
    """
    if bands < 1 or rows < 1 or bands * rows > made.shape[1]:
        raise ArgumentError("bands and rows", f"at least 1, their product at most {made.shape[1]}", (bands, rows))
    found = set()
    for band in range(bands):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for i, row in enumerate(np.ascontiguousarray(made[:, band * rows : (band + 1) * rows])):
            buckets[row.tobytes()].append(i)
        for bucket in buckets.values():
            found |= {(i, j) for place, i in enumerate(bucket) for j in bucket[place + 1 :]}
    return found


def clusters(count: int, pairs: Iterable[tuple[int, int]]) -> np.ndarray:
    """For each of so many texts the least number that it is connected with, by pairs of pairs too.  -> (count,)"""
    leader = list(range(count))

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    for i, j in pairs:
        first, second = sorted((find(i), find(j)))
        leader[second] = first
    return np.array([find(i) for i in range(count)], np.int64)


def near_copies(
    texts: Sequence[str], a: np.ndarray, b: np.ndarray, *, bands: int, rows: int, at_least: float, n: int = SHINGLE
) -> np.ndarray:
    """For each text the number of the first one that it is a near copy of, its own where there is none.  -> (N,)

    Two texts are near copies where they share a band and their exact Jaccard similarity is `at_least` that.
    """
    sets = [shingles(text, n) for text in texts]
    found = candidates(signatures(sets, a, b), bands, rows)
    pairs = [(i, j) for i, j in found if jaccard(sets[i], sets[j]) >= at_least]
    return clusters(len(texts), pairs)
