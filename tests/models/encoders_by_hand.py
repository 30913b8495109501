"""The encoders of pictures and texts once more, in NumPy, from the papers' formulas: no loop is saved, nothing fused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

GELU = np.vectorize(lambda v: v * (1 + math.erf(v / math.sqrt(2))) / 2)
ACTIVATIONS = {
    "gelu": GELU, "quick_gelu": lambda x: x / (1 + np.exp(-1.702 * x)), "relu": lambda x: np.maximum(x, 0),
}  # fmt: skip


def norm(x: np.ndarray, state: dict, path: str, eps: float) -> np.ndarray:
    centered = x - x.mean(-1, keepdims=True)
    scaled = centered / np.sqrt((centered**2).mean(-1, keepdims=True) + eps)
    return scaled * state[f"{path}.weight"] + state[f"{path}.bias"]


def linear(x: np.ndarray, state: dict, path: str) -> np.ndarray:
    return x @ state[f"{path}.weight"].T + state.get(f"{path}.bias", 0)


def attention(x: np.ndarray, state: dict, path: str, heads: int, causal: bool) -> np.ndarray:
    q, k, v = (linear(x, state, f"{path}.{part}_proj") for part in "qkv")
    size, out = q.shape[-1] // heads, np.zeros_like(q)
    for b in range(len(x)):
        for h in range(heads):
            part = slice(h * size, (h + 1) * size)
            for t in range(x.shape[1]):
                seen = t + 1 if causal else x.shape[1]
                scores = k[b, :seen, part] @ q[b, t, part] / math.sqrt(size)
                weights = np.exp(scores - scores.max())
                out[b, t, part] = weights / weights.sum() @ v[b, :seen, part]
    return linear(out, state, f"{path}.o_proj")


def blocks(x: np.ndarray, state: dict, config: Any, causal: bool, prefix: str = "") -> np.ndarray:
    for i in range(config.n_layer):
        at = f"{prefix}blocks.{i}"
        inside = norm(x, state, f"{at}.norm_1", config.norm_eps)
        x = x + attention(inside, state, f"{at}.attention", config.n_head, causal)
        up = linear(norm(x, state, f"{at}.norm_2", config.norm_eps), state, f"{at}.mlp.up_proj")
        x = x + linear(ACTIVATIONS[config.activation](up), state, f"{at}.mlp.down_proj")
    return x


def pictures(x: np.ndarray, state: dict, config: Any, prefix: str = "") -> np.ndarray:
    """Class token and patches with their positions.  (B, C, S, S) -> (B, 1 + N, D)"""
    at, side = f"{prefix}embedding", config.patch_size
    rows = range(0, config.image_size, side)
    patches = np.stack([x[:, :, r : r + side, c : c + side].reshape(len(x), -1) for r in rows for c in rows], 1)
    first = np.broadcast_to(state[f"{at}.class_token"], (len(x), 1, config.n_embd))
    return np.concatenate([first, linear(patches, state, f"{at}.patches.proj")], 1) + state[f"{at}.positions.weight"]
