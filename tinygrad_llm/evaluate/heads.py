"""What the heads of an attention layer look at, as one number a head."""

from __future__ import annotations

import numpy as np

from tinygrad_llm.errors import ShapeError


def induction_score(weights: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """The share of its attention that a head gives, at a token that was there before, to what stood behind it then.

        score_h = mean over (b, t) of sum over s < t with x_s = x_t of weights[b, h, t, s + 1]

    The mean is over all (b, t) whose token x_t stands before t as well; NaN where there is none. A token that stands
    directly before t has t itself behind it.

    weights  (B, H, T, T), the attention of each token (third axis) to each (fourth).
    tokens   (B, T).

    -> (H,). Source: the "prefix matching" of Olsson et al., "In-context Learning and Induction Heads", 2022.
    Raises ShapeError where the two do not fit.
    """
    weights, tokens = np.asarray(weights), np.asarray(tokens)
    if (
        tokens.ndim != 2
        or weights.ndim != 4
        or (*weights.shape[:1], *weights.shape[2:]) != (*tokens.shape, tokens.shape[1])
    ):
        raise ShapeError("weights", f"(B, H, T, T) for tokens (B, T) = {tokens.shape}", weights.shape)
    before = np.tril(tokens[:, :, None] == tokens[:, None, :], -1)  # (B, T, T): s before t, and the same token
    behind = np.zeros_like(before)
    behind[:, :, 1:] = before[:, :, :-1]
    asked = before.any(2)  # (B, T)
    shares = np.einsum("bhts,bts->bht", weights, behind.astype(weights.dtype))
    return shares.transpose(1, 0, 2)[:, asked].mean(1) if asked.any() else np.full(weights.shape[1], np.nan)
