"""That a loss is a sum over examples: over threads, and over accumulated batches, it is the same to the last digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_llm.backend import KeyedStream
from tinygrad_llm.train.step import examples

TIGHT = {"rtol": 1e-10, "atol": 1e-12}


def gradients(model: Any) -> dict[str, np.ndarray]:
    """Those of all parameters, on the host; they are taken away."""
    found = {}
    for name, p in model.named_parameters():
        gradient = np.zeros(p.shape) if p.grad is None else p.grad
        found[name] = np.array(gradient.get() if hasattr(gradient, "get") else gradient)
        p.grad = None
    return found


def assert_splits(loss: Any, model: Any, batch: dict[str, np.ndarray]) -> None:
    """The loss and every gradient of the whole are the sums of those of its parts, with dropout too."""
    for seed in (None, 3):

        def stream(first: int, seed: int | None = seed) -> KeyedStream | None:
            return None if seed is None else KeyedStream(seed, 1, first)

        whole = loss(batch, rng=stream(0))
        whole.backward()
        expected, divisor = gradients(model), loss.divisor(batch)
        assert any(np.abs(g).max() > 1e-6 for g in expected.values())
        for cuts in ([0, 1, examples(batch)], [*range(examples(batch) + 1)]):
            total, divisors = 0.0, 0.0
            for start, stop in zip(cuts, cuts[1:]):
                part = {name: array[start:stop] for name, array in batch.items()}
                value = loss(part, rng=stream(start), divisor=divisor)
                value.backward()
                total += value.item()
                divisors += loss.divisor(part)
            np.testing.assert_allclose(total, whole.item(), **TIGHT)
            np.testing.assert_allclose(divisors, divisor, rtol=1e-12)
            found = gradients(model)
            for name, gradient in expected.items():
                np.testing.assert_allclose(found[name], gradient, **TIGHT, err_msg=name)


def assert_gradient(loss: Any, model: Any, batch: dict[str, np.ndarray], seed: int = 0, eps: float = 1e-6) -> None:
    """Along random directions through all parameters, the derivative is that of central differences."""
    loss(batch).backward()
    gradient = gradients(model)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        steps = {name: rng.normal(size=g.shape) for name, g in gradient.items()}
        sides = []
        for sign in (1, -1):
            for name, p in model.named_parameters():
                p.assign(p.numpy() + sign * eps * steps[name])
            sides.append(loss(batch).item())
            for name, p in model.named_parameters():
                p.assign(p.numpy() - sign * eps * steps[name])
        found = sum((gradient[name] * step).sum() for name, step in steps.items())
        np.testing.assert_allclose(found, (sides[0] - sides[1]) / (2 * eps), rtol=1e-5, atol=1e-7)
