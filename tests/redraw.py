"""First weights that show mistakes: with a library's own, most vectors are constants that hide what is done with them."""

from __future__ import annotations

from typing import Any


def redraw(module: Any, seed: int) -> Any:
    """Draws a torch module's matrices anew from N(0, 0.2) and its vectors from U(0.5, 1.5); returns the generator."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            if p.ndim > 1:
                p.normal_(0, 0.2, generator=generator)
            else:
                p.uniform_(0.5, 1.5, generator=generator)
    return generator
