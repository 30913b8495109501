"""Cases of optimizer.cu: norm, clipping, AdamW, SGD, and what is kept of it for the host."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from kernel_cases import Case
from kernel_cases.builder import BLOCK, FEW_PLACES, GRID, PLACES, Builder
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.optim import SGD, AdamW
from tinygrad_llm.optim.clip import clip_scale

UPDATE = {"rtol": 2e-6, "atol": 1e-7}
"""Float32 on both sides, in the same order; only the compiler's joined multiply and add may differ."""


def norm(max_norm: float, places=PLACES) -> Case:
    b = Builder()
    for n, shift, _ in places:
        g, parts, state = b.normal(n, shift=shift), b.array(GRID), b.array(4, values=[9, 9, 1, 7])
        loss, hyper = b.array(1, values=2.5), b.array(5, values=[0, 0, 0, 0, 12])
        b.launch("square_sums", GRID, BLOCK, g, parts, np.int64(n))
        b.launch("finish_norm", 1, 32, parts, GRID, loss, max_norm, hyper, state)
        exact = math.sqrt((g.values**2).sum())
        b.expect(state, [exact, clip_scale(exact, max_norm), 1, 7])
    return b.case()


def flag() -> Case:
    """It falls for a gradient or a loss that is not finite, says when, and stays down."""
    b = Builder()
    parts, good, state = b.array(40, values=1), b.array(1, values=2.5), b.array(4, values=[0, 0, 1, 0])
    for step, loss in ((3, 2.5), (4, np.nan), (5, 2.5), (6, np.inf)):
        loss, hyper = b.array(1, values=loss), b.array(5, values=[0, 0, 0, 0, step])
        b.launch("finish_norm", 1, 32, parts, 40, loss, 1.0, hyper, state)
    root = math.sqrt(40)
    b.expect(state, [root, 1 / (root + 1e-6), 0, 4])
    for bad in (np.inf, np.nan):
        state, parts = b.array(4, values=[0, 0, 1, 0]), b.array(3, values=[1, bad, 1])
        b.launch("finish_norm", 1, 32, parts, 3, good, 1.0, b.array(5, values=8), state)
        b.expect(state, lambda state=state: [state.array[0], state.array[1], 0, 8])
    return b.case()


def matrices_and_vectors(n: int, decaying: int, w: np.ndarray) -> list[Tensor]:
    """Parameters of which the first `decaying` entries are a matrix, which decays, and the others a vector."""
    parts = w[None, :decaying], w[decaying:]
    return [Tensor(part.copy(), requires_grad=True) for part in parts if part.size]


def adamw(places=PLACES) -> Case:
    """Three steps of optim.AdamW, itself float32."""
    b = Builder()
    betas, eps, decay = (0.9, 0.999), 1e-3, 0.1
    for n, first, others in places:
        decaying, clip = n // 2 + n % 2, 0.7
        w, g = b.normal(n, shift=first), b.normal(n, shift=others)
        m, v = b.array(n, values=0, shift=others), b.array(n, values=0, shift=others)
        ours = AdamW(matrices_and_vectors(n, decaying, w.array), betas=betas, eps=eps, weight_decay=decay)
        for step in (1, 2, 3):
            ours.lr = lr = 0.01 / step
            bias = lr / (1 - betas[0] ** step), 1 / math.sqrt(1 - betas[1] ** step)
            hyper, state = b.array(5, values=[lr, *bias, lr * decay, step]), b.array(4, values=[1, clip, 1, 0])
            args = w, m, v, g, np.int64(n), np.int64(decaying), hyper, state
            b.launch("adamw", GRID, BLOCK, *args, *map(np.float64, betas), eps)
            ours.step(g.array.copy(), scale=clip)
        b.expect(w, ours.flat.data, **UPDATE)
        b.expect(m, ours.state["m"], **UPDATE)
        b.expect(v, ours.state["v"], **UPDATE)
    return b.case()


def nothing_after_the_flag_fell() -> Case:
    b = Builder()
    n, down, hyper = 50, b.array(4, values=[1, 1, 0, 3]), b.array(5, values=1)
    w, m, v, g = (b.normal(n) for _ in range(4))
    before = [a.values for a in (w, m, v)]
    sizes = np.int64(n), np.int64(n), hyper, down
    b.launch("adamw", GRID, BLOCK, w, m, v, g, *sizes, np.float64(0.9), np.float64(0.999), 1e-8)
    b.launch("sgd", GRID, BLOCK, w, m, g, *sizes, 0.9, 0, 0.1)
    for array, values in zip((w, m, v), before):
        b.expect(array, values, rtol=0, atol=0)
    return b.case()


def sgd(momentum: float, nesterov: bool, places=PLACES) -> Case:
    """Three steps of optim.SGD."""
    b = Builder()
    decay, clip = 0.1, 0.7
    for n, first, others in places:
        decaying = n // 2 + n % 2
        w, g = b.normal(n, shift=first), b.normal(n, shift=others)
        velocity = b.array(n, values=0, shift=others) if momentum else None
        ours = SGD(matrices_and_vectors(n, decaying, w.array), 0, momentum, nesterov, decay)
        for step in (1, 2, 3):
            ours.lr = lr = 0.1 / step
            hyper, state = b.array(5, values=[lr, 0, 0, 0, step]), b.array(4, values=[1, clip, 1, 0])
            sizes = np.int64(n), np.int64(decaying), hyper, state
            b.launch("sgd", GRID, BLOCK, w, velocity, g, *sizes, momentum, int(nesterov), decay)
            ours.step(g.array.copy(), scale=clip)
        b.expect(w, ours.flat.data, **UPDATE)
        if velocity:
            b.expect(velocity, ours.state["velocity"], **UPDATE)
    return b.case()


def ring() -> Case:
    b = Builder()
    rows = b.array((3, 2), values=-1)
    for step in (1, 2, 3, 4):
        loss, state = b.array(1, values=step + 0.5), b.array(4, values=[10 * step, 1, 1, 0])
        b.launch("log_losses", 1, 32, loss, state, rows, b.array(5, values=[0, 0, 0, 0, step]), 3)
    b.expect(rows, [[3.5, 30], [4.5, 40], [2.5, 20]])
    return b.case()


CASES = {
    **{f"norm clipped at {most}": partial(norm, most) for most in (0.0, 1.0, 1000.0)},
    "flag": flag,
    "adamw": adamw,
    "nothing after the flag fell": nothing_after_the_flag_fell,
    **{f"sgd {m} {nesterov}": partial(sgd, m, nesterov) for m, nesterov in ((0.0, False), (0.9, False), (0.9, True))},
    "ring": ring,
}
TINY = {
    "norm, few": partial(norm, 1.0, FEW_PLACES),
    "adamw, few": partial(adamw, FEW_PLACES),
    "sgd, few": partial(sgd, 0.9, True, FEW_PLACES),
    "ring, few": ring,
}
CASES |= TINY
