"""Dropout: activations are set to zero at random during training, so that no single one is relied on."""

from __future__ import annotations

import numpy as np

from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import DeviceStream, fused, to_device_of
from tinygrad_llm.errors import ArgumentError


def check_probability(name: str, p: float) -> float:
    """p in [0, 1), else ArgumentError."""
    if not 0 <= p < 1:
        raise ArgumentError(name, "a probability in [0, 1)", p)
    return p


def keep_mask(shape, p, rng, dtype):
    """1/(1-p) where an entry is kept, which happens with probability 1-p, else 0: the expectation stays the same."""
    drawn = rng.random(shape, dtype=np.float32)  # on the device of the stream
    mask = (drawn >= p).astype(dtype)
    mask *= 1 / (1 - p)
    return mask


@op
def dropout(x, p=0.1, rng=None):
    """y = x m, with m = 1/(1-p) or 0, drawn from `rng`.  dL/dx = g m.  With p = 0 nothing is drawn.

    `rng` is an `np.random.Generator`, or a `backend.KeyedStream`, whose draws do not depend on how a batch is split, or
    on a GPU a `backend.DeviceStream`, whose numbers are drawn there and never stored.
    Source: Srivastava et al., "Dropout", JMLR 2014.
    """
    check_probability("p", p)
    if p == 0:
        return x, lambda g, needs: g
    if rng is None:
        next_step = "Pass rng=, or leave dropout out: nn.Dropout does so when it is called without one."
        raise ArgumentError("rng", "a random generator to draw from", "none", next_step)
    if isinstance(rng, DeviceStream) and x.ndim and (kernels := fused(x)) is not None:
        return kernels.dropout(x, p, rng)
    mask = to_device_of(keep_mask(x.shape, p, rng, x.dtype), x)
    return x * mask, lambda g, needs: g * mask
