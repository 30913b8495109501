"""What one label tells of another: mutual information, counted."""

from __future__ import annotations

import numpy as np

from tinygrad_llm.errors import ShapeError


def mutual_information(a: np.ndarray, b: np.ndarray, given: np.ndarray | None = None) -> float:
    """I(A; B | C) = sum over a, b, c of p(a, b, c) ln(p(a, b, c) p(c) / (p(a, c) p(b, c))), in nats.

    a, b, given  (N,) each: labels that were seen together, numbers or words. p are their shares among the N.

    Without `given` it is I(A; B) = sum p(a, b) ln(p(a, b) / (p(a) p(b))). It is 0 where b says nothing of a that c has
    not said, and H(B) where a tells all of b. Counted on N cases it is too large: chance looks like knowledge. So hold
    it against the same number with `shuffled` labels.

    Raises ShapeError for labels that are not as many, or none.
    """
    codes = [_coded("a", a), _coded("b", b)]
    codes.append(np.zeros_like(codes[0]) if given is None else _coded("given", given))
    if any(code.shape != codes[0].shape for code in codes):
        raise ShapeError("labels", "as many of each", [len(code) for code in codes])
    x, y, z = codes
    return max(0.0, _entropy(x, z) + _entropy(y, z) - _entropy(x, y, z) - _entropy(z))


def shuffled(labels: np.ndarray, rng: np.random.Generator, given: np.ndarray | None = None) -> np.ndarray:
    """The labels in another order; with `given`, each among those that have the same of it.  (N,) -> (N,)"""
    labels = np.asarray(labels)
    if given is None:
        return rng.permutation(labels)
    z = _coded("given", given)
    if z.shape != labels.shape:
        raise ShapeError("given", f"as many as labels, {labels.shape}", z.shape)
    out = np.empty_like(labels)
    # both orders go through the groups one after the other; within each the second one is drawn
    out[np.argsort(z, kind="stable")] = labels[np.lexsort((rng.random(len(z)), z))]
    return out


def _coded(name: str, labels: np.ndarray) -> np.ndarray:
    """Each label as a number from 0 on.  (N,) -> (N,)"""
    labels = np.asarray(labels)
    if labels.ndim != 1 or not len(labels):
        raise ShapeError(name, "(N,) labels, at least one", labels.shape)
    return np.unique(labels, return_inverse=True)[1]


def _entropy(*codes: np.ndarray) -> float:
    """-sum p ln p of the labels taken together, in nats."""
    joint = codes[0]
    for code in codes[1:]:
        joint = np.unique(joint * (code.max() + 1) + code, return_inverse=True)[1]
    p = np.bincount(joint) / len(joint)
    return float(-(p * np.log(p)).sum())
