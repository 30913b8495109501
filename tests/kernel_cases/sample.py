"""Cases of sample.cu: the token is the one that `Sampler.draw` takes for the same uniform number."""

from __future__ import annotations

from functools import partial

import numpy as np

from kernel_cases import Case
from kernel_cases.builder import Builder
from tinygrad_llm.generate.sampling import Sampler

SAMPLERS = {
    "plain": Sampler(),
    "temperature": Sampler(temperature=0.3),
    "temperature tiny": Sampler(temperature=1e-320),
    "top_k": Sampler(top_k=5),
    "top_k 1": Sampler(top_k=1),
    "top_k of all": Sampler(top_k=1000),
    "top_p": Sampler(top_p=0.7),
    "top_p tiny": Sampler(top_p=1e-9),
    "all": Sampler(temperature=1.7, top_k=20, top_p=0.6),
    "greedy": Sampler(greedy=True),
}


def draws(sampler: Sampler, kind: str, width: int, block: int, rows: int = 40) -> Case:
    """Rows of logits: normal numbers, or whole ones, where most are equal to others and -0 stands beside 0."""
    b = Builder(width)
    x = b.normal((rows, width), scale=2)
    if kind == "ties":
        x.array[...] = np.round(x.array / 2)
    if kind == "holes":
        x.array[b.rng.random((rows, width)) < 0.5] = -np.inf
        x.array[:, -1] = 0
    uniform = b.array(rows, "float64", b.rng.random(rows))
    uniform.array[:2] = 0, 1 - 2**-53
    weights, token = b.array((rows, width), "float64"), b.array(rows, "int64")
    options = np.float64(sampler.temperature), sampler.top_k or 0, np.float64(sampler.top_p), int(sampler.greedy)
    numbers = None if sampler.greedy else uniform
    b.launch("draw", rows, block, x, None if sampler.greedy else weights, token, width, *options, numbers)
    b.expect(token, sampler.pick(x.array, uniform.array))
    return b.case()


def not_to_be_drawn_from() -> Case:
    """-1 where the host raises ArgumentError."""
    b = Builder()
    rows, width = 5, 40
    x = b.normal((rows, width))
    x.array[0, 7], x.array[1], x.array[2, 3] = np.nan, -np.inf, np.inf
    x.array.view(np.uint32)[3, 9] = 0xFFC00000  # NaN with a minus sign
    weights, token, uniform = b.array((rows, width), "float64"), b.array(rows, "int64"), b.array(rows, "float64", 0.0)
    options = np.float64(1), 3, np.float64(0.9), 0
    b.launch("draw", rows, 64, x, weights, token, width, *options, uniform)
    b.expect(token, [-1, -1, -1, -1, int(np.sort(np.argsort(-x.array[4])[:3])[0])])
    return b.case()


CASES = {
    **{
        f"{name}, {kind}": partial(draws, sampler, kind, width, block)
        for name, sampler in SAMPLERS.items()
        for kind, width, block in (("normal", 200, 64), ("ties", 65, 32), ("holes", 33, 96))
    },
    "the largest block": partial(draws, SAMPLERS["all"], "normal", 3000, 1024, 2),
    "one token": partial(draws, SAMPLERS["all"], "normal", 1, 64, 2),
    "not to be drawn from": not_to_be_drawn_from,
}
TINY = {
    "ties, few": partial(draws, SAMPLERS["all"], "ties", 40, 64, 2),
    "plain, few": partial(draws, SAMPLERS["plain"], "normal", 200, 64, 2),
    "one token, few": partial(draws, SAMPLERS["all"], "normal", 1, 64, 2),
}
CASES |= TINY
