"""Rotary position embedding: queries and keys are rotated by angles proportional to their positions, so that their
product depends only on the distance. Source: Su et al., "RoFormer", 2021, in the two-halves layout of Llama."""

from __future__ import annotations

from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, fused, namespace, to_device_of
from tinygrad_llm.errors import ArgumentError, ShapeError


def rope_table(positions: Array, head_size: int, base: float = 10_000.0) -> tuple[Array, Array]:
    """cos and sin of position * base^(-2i/K) for i = 0 .. K/2 - 1.  (T,) -> two of (T, K/2), float64

    The angle of pair i makes a full turn every 2 pi base^(2i/K) positions. Computed where `positions` are.
    """
    if head_size % 2:
        raise ArgumentError("head_size", "an even number: coordinates are rotated in pairs", head_size)
    xp = namespace(positions)
    angles = xp.asarray(positions, dtype="float64")[:, None] * base ** (-xp.arange(0, head_size, 2) / head_size)
    return xp.cos(angles), xp.sin(angles)


@op(integers="refuse")
def rope(x, cos=None, sin=None):
    """Rotates each pair (x_i, x_(i+K/2)) of position t by its angle.  (..., T, K) -> (..., T, K)

    y_i = x_i cos - x_(i+K/2) sin,  y_(i+K/2) = x_(i+K/2) cos + x_i sin.  dL/dx is g rotated back.
    cos, sin  (T, K/2), or with leading axes that broadcast to those of x where examples stand at different positions.
    """
    half = x.shape[-1] // 2
    if x.shape[-1] % 2 or cos.shape[-2:] != (x.shape[-2], half) or sin.shape != cos.shape or cos.ndim > x.ndim:
        raise ShapeError("rope", f"cos and sin of shape (..., T, K/2) = (..., {x.shape[-2]}, {half})", cos.shape)
    xp = namespace(x)
    cos, sin = to_device_of(cos, x), to_device_of(sin, x)
    if cos.ndim == 2 and (kernels := fused(x)) is not None:
        return kernels.rope(x, cos.astype("float32", copy=False), sin.astype("float32", copy=False))
    cos, sin = (table.astype(x.dtype) for table in (cos, sin))
    return _rotate(xp, x, cos, sin), lambda g, needs: _rotate(xp, g, cos, -sin)


def _rotate(xp, x, cos, sin):
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    return xp.concatenate((first * cos - second * sin, second * cos + first * sin), -1)
