"""Few-shot examples: which of those that are known a prompt shows.

    random    any; what another way is held against
    balanced  as many of each label as of any other: a model that sees one label more often says it more often
    nearest   those that are most like the question, the most like it last, next to the question

Each gives the numbers of the examples, in the order in which they should stand. Source: Brown et al., "Language Models
are Few-Shot Learners", 2020; Liu et al., "What Makes Good In-Context Examples for GPT-3?", 2022 (nearest); Zhao et al.,
"Calibrate Before Use", 2021 (labels that are seen more often, and last, are said more often).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, DataError, ShapeError
from tinygrad_llm.evaluate.numbers import finite_array
from tinygrad_llm.prompt.tfidf import TfIdf
from tinygrad_llm.ranges import check_whole


def random_examples(count: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """k different ones of `count`, each as likely as any other.  -> (k,)

    Raises ArgumentError for a k above the count.
    """
    check_whole(count=count, k=k)
    _check_enough(k, count)
    return rng.choice(count, k, replace=False)


def balanced_examples(labels: Sequence[Hashable], k: int, rng: np.random.Generator) -> np.ndarray:
    """k different ones with as many of each label as there can be, in an order at random.  -> (k,)

    Where k is no multiple of the labels, some of them, by lot, have one more; where there are too few examples of a
    label, all of them, and the others make up for it.

    Raises ArgumentError for a k above the number of labels, DataError for none.
    """
    check_whole(k=k)
    if not len(labels):
        raise DataError("labels", "at least one", "none")
    _check_enough(k, len(labels))
    places: dict[Hashable, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label, []).append(place)
    pools = [rng.permutation(found).tolist() for found in places.values()]
    chosen: list[int] = []
    while len(chosen) < k:  # a round takes one of each label, as long as it has any
        left = [pools[i] for i in rng.permutation(len(pools)) if pools[i]]
        chosen += [pool.pop() for pool in left[: k - len(chosen)]]
    return rng.permutation(chosen)


def nearest_examples(
    queries: Any, known: Any, k: int, *, exclude: Sequence[int] | np.ndarray | None = None, nearest_last: bool = True
) -> np.ndarray:
    """The k whose vectors have the largest cosine with the query's; of equals, those that come first.

    queries, known  (Q, D) and (N, D), any vectors: of a model, or of `TfIdf`. One of length 0 is like none.
    exclude         (Q,) for each query the number of one that is not to be shown: itself, where it is among them.
    nearest_last    the most similar stands last, next to the question; else first.

    -> (Q, k).  Raises ShapeError where the vectors do not fit, ArgumentError for a k above what there is,
    NonFiniteError.
    """
    check_whole(k=k)
    queries, known = finite_array("queries", queries, "NC"), finite_array("known", known, "NC")
    if queries.shape[1] != known.shape[1]:
        raise ShapeError("queries", f"(Q, {known.shape[1]}), as those that are known", queries.shape)
    _check_enough(k, len(known) - (exclude is not None))
    cosines = _unit(queries) @ _unit(known).T
    cosines = np.round(cosines, 12)  # equal but for the order of adding is equal
    if exclude is not None:
        left_out = np.asarray(exclude)
        if left_out.shape != (len(queries),) or left_out.dtype.kind not in "iu":
            raise ShapeError("exclude", f"({len(queries)},) whole numbers, one a query", left_out.shape)
        if left_out.min() < 0 or left_out.max() >= len(known):
            raise ArgumentError("exclude", f"numbers from 0 to {len(known) - 1}", f"{left_out.min()}, {left_out.max()}")
        cosines[np.arange(len(queries)), left_out] = -np.inf
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return order[:, ::-1] if nearest_last else order


def nearest_by_words(
    queries: Sequence[str], known: Sequence[str], k: int, *, nearest_last: bool = True
) -> np.ndarray:  # fmt: skip
    """The k texts most like each query by TF-IDF of the known texts' words.  -> (Q, k)

    Raises DataError for no words and what is no text, else as `nearest_examples`.
    """
    weights = TfIdf.fit(known)
    return nearest_examples(weights.vectors(queries), weights.vectors(known), k, nearest_last=nearest_last)


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.sqrt(np.square(rows).sum(1, keepdims=True))
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def _check_enough(k: int, count: int) -> None:
    if k > count:
        raise ArgumentError("k", f"at most the {count} examples that there are", k)
