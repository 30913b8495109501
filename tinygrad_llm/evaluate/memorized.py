"""Exposure: how far a model prefers a secret that it has seen to all that it could have been.

    exposure = log2 |R| - log2 rank

R is all candidates of the secret's form, rank the place of the true one among them by the model's log-probability,
1 for the likeliest. It lies between 0 and log2 |R| bits: with 10,000 candidates, between 0 and 13.3. Of a secret that
was never seen the rank is any, and exposure is 1.44 bits (1 / ln 2) in the mean.

Source: Carlini et al., "The Secret Sharer: Evaluating and Testing Unintended Memorization in Neural Networks", 2019,
section 4.
"""

from __future__ import annotations

import math

import numpy as np

from tinygrad_llm.errors import ArgumentError, NonFiniteError


def exposure(log_probs: np.ndarray, secret: int) -> float:
    """Bits, from the log-probabilities of all candidates (R,) and the number of the true one.

    Candidates that are as likely as it stand before it: nobody may call a secret exposed for a tie.

    Raises ArgumentError for a number outside the candidates, NonFiniteError for a NaN among them.
    """
    log_probs = np.asarray(log_probs)
    if log_probs.ndim != 1 or not 0 <= secret < len(log_probs):
        raise ArgumentError("secret", f"a number of one of the candidates, shape {log_probs.shape}", secret)
    if np.isnan(log_probs).any():
        raise NonFiniteError("log_probs", "numbers", f"{int(np.isnan(log_probs).sum())} NaN")
    rank = int((log_probs >= log_probs[secret]).sum())
    return math.log2(len(log_probs)) - math.log2(rank)
