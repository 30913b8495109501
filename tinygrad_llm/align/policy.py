"""What all policy gradients here share: the ratio to the policy that wrote, clipped, and estimates of a divergence."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_llm import ops
from tinygrad_llm.align.log_probs import constant
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError, ShapeError

ESTIMATORS = ("k1", "k2", "k3")


def clipped_surrogate(log_probs: Tensor, old: Any, advantages: Any, low: float = 0.2, high: float = 0.2) -> Tensor:
    """-min(r A, clip(r, 1 - low, 1 + high) A) of every token, with r = p / p_old = e^(ln p - ln p_old).  -> (B, T)

    log_probs   (B, T), of the policy that is learned, with gradient.
    old         (B, T), of the policy that wrote: numbers.
    advantages  (B, T), or (B, 1) where all tokens of an answer have one.

    The smaller of the two has no gradient once r has gone as far as it may in the direction that A wants, and keeps it
    on the way back. Where the policy is still the one that wrote, r = 1 and the gradient is that of -A ln p.

    Sources: Schulman et al., "Proximal Policy Optimization Algorithms", 2017, eq. 7; with two bounds Yu et al., "DAPO",
    2025.
    """
    check_alike("old", old, log_probs)
    ratio = ops.exp(log_probs - constant(old, log_probs))
    advantages = constant(advantages, log_probs)
    if advantages.shape not in (log_probs.shape, (log_probs.shape[0], 1)):
        raise ShapeError("advantages", f"(B, T) = {log_probs.shape}, or (B, 1)", advantages.shape)
    return -ops.minimum(ratio * advantages, ops.clip(ratio, 1 - low, 1 + high) * advantages)


def kl_estimate(log_p: Any, log_q: Any, kind: str = "k3") -> Any:
    """KL(p || q) of each token that was drawn from p, by what is known of that token alone.  (B, T), (B, T) -> (B, T)

    With d = ln p - ln q of the token:
    k1  d: its mean over draws is the KL, a single one may be negative.
    k2  d^2 / 2: never negative, and off by a third-order term. Its gradient is that of the KL.
    k3  e^-d - 1 + d: never negative, its mean is the KL, and it varies less than k1 while p and q are near.

    Source: Schulman, "Approximating KL Divergence", 2020 (joschu.net/blog/kl-approx.html).
    """
    if kind not in ESTIMATORS:
        raise ArgumentError("kind", f"one of {', '.join(ESTIMATORS)}", repr(kind))
    difference = log_p - log_q
    if kind == "k1":
        return difference
    if kind == "k2":
        return difference * difference * 0.5
    return ops.exp(-difference) - 1 + difference


def check_alike(name: str, values: Any, log_probs: Tensor) -> None:
    """Raises ShapeError for numbers that are not one a token."""
    if tuple(values.shape) != log_probs.shape:
        raise ShapeError(name, f"(B, T) = {log_probs.shape}, one a place", tuple(values.shape))


def check_clip(**bounds: float) -> None:
    """Raises ArgumentError for a bound of the ratio that is none."""
    for name, bound in bounds.items():
        if isinstance(bound, bool) or not isinstance(bound, int | float) or not 0 < bound < math.inf:
            raise ArgumentError(name, "a number above 0", repr(bound))
