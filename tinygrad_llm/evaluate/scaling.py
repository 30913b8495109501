"""Scaling laws: what the loss of a larger run will be, and how a budget is split between parameters and tokens.

    L(N, D) = E + A / N^alpha + B / D^beta        C = 6 N D

N counts the weights that every token is multiplied by, D the tokens learned from, C the floating-point operations of
training: two a weight and token forwards, a product and a sum, and twice that backwards. E is what no model can go
below, the entropy of the text.

The law's numbers are found as Hoffmann et al. found them: with a Huber loss between logarithms, from a grid of starts.
They used L-BFGS; here it is Gauss-Newton with Levenberg's damping, five numbers at a time, and each residual weighs
as the Huber loss says (iteratively reweighted least squares: Huber, "Robust Statistics", 1981, section 7.8).

Sources: Kaplan et al., "Scaling Laws for Neural Language Models", 2020; Hoffmann et al., "Training Compute-Optimal
Large Language Models", 2022, section 3; Besiroglu et al., "Chinchilla Scaling: A replication attempt", 2024.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_llm.errors import ArgumentError, NonFiniteError
from tinygrad_llm.ranges import check_whole

DELTA = 1e-3
"""Where the Huber loss turns from a square into a line, in logarithms of the loss: Hoffmann et al.'s."""
STARTS = {"log_E": (-2.0, -1.0, 0.0, 1.0), "log_A": (0, 5, 10, 15, 20, 25), "log_B": (0, 5, 10, 15, 20, 25),
          "alpha": (0.0, 0.5, 1.0, 1.5, 2.0), "beta": (0.0, 0.5, 1.0, 1.5, 2.0)}  # fmt: skip
LEAST = 1e-300
"""What is taken for an E, A or B that a fit has brought to 0."""
POLISHED, STEPS = 12, 400
"""So many of the grid's best are walked down from, and each at most so many steps."""


@dataclass(frozen=True)
class ScalingLaw:
    """L(N, D) = E + A / N^alpha + B / D^beta, in the unit of E."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def loss(self, n: Any, d: Any) -> Any:
        """The loss of N parameters after D tokens; numbers or arrays."""
        return self.E + self.A * np.asarray(n, float) ** -self.alpha + self.B * np.asarray(d, float) ** -self.beta

    def optimal(self, flops: float) -> tuple[float, float]:
        """The N and D of the least loss at C = 6 N D; see `compute_optimal`."""
        return compute_optimal(self.A, self.B, self.alpha, self.beta, flops)

    @property
    def exponent(self) -> float:
        """a of N_opt ~ C^a; D_opt ~ C^(1 - a)."""
        return self.beta / (self.alpha + self.beta)


HOFFMANN = ScalingLaw(1.69, 406.4, 410.7, 0.34, 0.28)
"""As printed by Hoffmann et al., 2022, section 3.3."""
BESIROGLU = ScalingLaw(1.8172, 482.01, 2085.43, 0.3478, 0.3658)
"""The same form fitted anew to their data by Besiroglu et al., 2024."""


def compute_optimal(a: float, b: float, alpha: float, beta: float, flops: float) -> tuple[float, float]:
    """N and D of the least A / N^alpha + B / D^beta at 6 N D = flops.

    With D = C / 6N the derivative is zero where alpha A / N^alpha = beta B / D^beta, so

    N = G (C / 6)^(beta / (alpha + beta))      D = 1/G (C / 6)^(alpha / (alpha + beta))
    G = (alpha A / (beta B))^(1 / (alpha + beta))         (Hoffmann et al., 2022, equation 4)

    Raises ArgumentError unless all five are above 0.
    """
    if not all(number > 0 for number in (a, b, alpha, beta, flops)):
        raise ArgumentError("A, B, alpha, beta and flops", "numbers above 0", (a, b, alpha, beta, flops))
    g = (alpha * a / (beta * b)) ** (1 / (alpha + beta))
    n = g * (flops / 6) ** (beta / (alpha + beta))
    return n, flops / 6 / n


def training_cost(
    vocab_size: int, n_layer: int, n_embd: int, tokens: int, *, embedding: bool = True
) -> tuple[int, int]:
    """N and C = 6 N D of a decoder whose head is its embedding's table, after D tokens.

    N = 12 L W^2 + V W: in each of L layers four matrices of W x W for attention, and two of W x 4W for the MLP; and the
    table of V x W, once. It is looked up in at the bottom, which costs nothing, and multiplied by at the top. Norms,
    biases and positions are not counted, nor the products of queries and keys.

    embedding  False leaves the table out of N, and so out of C, as Kaplan et al. did.
    """
    check_whole(vocab_size=vocab_size, n_layer=n_layer, n_embd=n_embd)
    check_whole(0, tokens=tokens)
    n = 12 * n_layer * n_embd**2 + embedding * vocab_size * n_embd
    return n, 6 * n * tokens


def huber(residuals: np.ndarray, delta: float = DELTA) -> np.ndarray:
    """r^2 / 2 up to |r| = delta, from there on delta (|r| - delta / 2), a line.  Any shape."""
    size = np.abs(residuals)
    return np.where(size <= delta, 0.5 * size**2, delta * (size - 0.5 * delta))


def law_objective(
    theta: np.ndarray, log_n: np.ndarray, log_d: np.ndarray, log_loss: np.ndarray, delta: float = DELTA
) -> float:
    """The sum over runs of huber(ln L(N, D) - ln loss).  Runs as (R,) arrays.

    theta  (5,): ln E, ln A, ln B, alpha, beta. Then ln L is a log-sum-exp of three terms,

        ln L(N, D) = LSE(ln E, ln A - alpha ln N, ln B - beta ln D)

    which no theta lets overflow, and none gives a negative E, A or B.
    """
    return float(huber(_log_law(theta, log_n, log_d)[0] - log_loss, delta).sum())


def _log_law(theta: np.ndarray, log_n: np.ndarray, log_d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln L (R,), and the share of L that each term has (3, R): also LSE's derivative."""
    log_e, log_a, log_b, alpha, beta = theta
    terms = np.stack([np.full_like(log_n, log_e), log_a - alpha * log_n, log_b - beta * log_d])
    top = terms.max(0)
    parts = np.exp(terms - top)
    total = parts.sum(0)
    return top + np.log(total), parts / total


def fit_law(
    n: Any, d: Any, loss: Any, *, floor: float | None = None, delta: float = DELTA, near: ScalingLaw | None = None
) -> ScalingLaw:
    """The law whose `law_objective` is least, for runs of N parameters and D tokens that came to `loss`; (R,) each.

    floor  E, where it is known; it is found with the other four otherwise.
    near   a law to start from instead of the grid: for fits to nearly the same runs, as a bootstrap needs them.

    Raises ArgumentError for fewer than five runs, arrays of different lengths, or a number or a floor that is not above
    0, and NonFiniteError for one that is no number.
    """
    columns = [np.ravel(np.asarray(values, np.float64)) for values in (n, d, loss)]
    if len({len(values) for values in columns}) > 1:
        raise ArgumentError("n, d and loss", "as many of each", tuple(map(len, columns)))
    runs = np.array(columns)
    if runs.shape[1] < 5:
        raise ArgumentError("runs", "at least as many as the law has numbers, 5", runs.shape[1])
    if not np.isfinite(runs).all():
        raise NonFiniteError("runs", "numbers", f"{int((~np.isfinite(runs)).sum())} that are none")
    if runs.min() <= 0:
        raise ArgumentError("n, d and loss", "numbers above 0", runs.min())
    if floor is not None and not floor > 0:
        raise ArgumentError("floor", "a number above 0", floor)
    logs, free = np.log(runs), 0 if floor is None else 1
    if near is None:
        grid = STARTS if floor is None else STARTS | {"log_E": (math.log(floor),)}
        starts = np.array(list(itertools.product(*grid.values())), np.float64)
        order = np.argsort([law_objective(theta, logs[0], logs[1], logs[2], delta) for theta in starts], kind="stable")
        starts = starts[order[:POLISHED]]
    else:
        sizes = [floor or near.E, near.A, near.B]
        starts = np.array([[*(math.log(max(size, LEAST)) for size in sizes), near.alpha, near.beta]])
    found = [_walked_down(theta, logs, delta, free) for theta in starts]
    best = min(found, key=lambda theta: law_objective(theta, logs[0], logs[1], logs[2], delta))
    return ScalingLaw(*map(float, np.exp(best[:3])), *map(float, best[3:]))


def _walked_down(theta: np.ndarray, logs: np.ndarray, delta: float, free: int) -> np.ndarray:
    """From theta down to where no step makes the objective less; theta[free:] is what may move.

    A residual r weighs min(1, delta / |r|): the parabola of that weight touches the Huber loss at r, and lies above it.
    """
    log_n, log_d, log_loss = logs
    value, damping = law_objective(theta, log_n, log_d, log_loss, delta), 1e-3
    for _ in range(STEPS):
        log_l, shares = _log_law(theta, log_n, log_d)
        residuals = log_l - log_loss
        weights = delta / np.maximum(np.abs(residuals), delta)
        slopes = np.stack([*shares, -shares[1] * log_n, -shares[2] * log_d])[free:]  # (5, R), of ln L by theta
        gradient, curvature = slopes @ (weights * residuals), (slopes * weights) @ slopes.T
        scale = np.diag(np.diag(curvature) + 1e-12)
        while damping < 1e9:
            ahead = theta.copy()
            ahead[free:] -= np.linalg.solve(curvature + damping * scale, gradient)
            now = law_objective(ahead, log_n, log_d, log_loss, delta)
            if now < value:
                break
            damping *= 4
        else:
            return theta
        settled = value - now <= 1e-12 * value
        theta, value, damping = ahead, now, max(damping / 4, 1e-9)
        if settled:
            return theta
    return theta


def parabola_minimum(log_n: Any, loss: Any) -> tuple[float, float]:
    """Where the parabola through the runs of one budget has its least loss: (ln N, loss there). By least squares.

    Raises ArgumentError for fewer than three sizes, and for a parabola that has no lowest point.
    """
    log_n, loss = np.asarray(log_n, np.float64), np.asarray(loss, np.float64)
    if len(np.unique(log_n)) < 3:
        raise ArgumentError("sizes of one budget", "at least 3", len(np.unique(log_n)))
    middle = log_n.mean()
    bend, slope, height = np.polyfit(log_n - middle, loss, 2)
    if bend <= 1e-12 * np.abs(loss).max():
        raise ArgumentError("runs of one budget", "losses that fall and rise again", f"a bend of {bend:.3g}")
    return float(middle - slope / (2 * bend)), float(height - slope**2 / (4 * bend))


def power_law(x: Any, y: Any) -> tuple[float, float]:
    """(k, a) of y = k x^a, by least squares between logarithms.  (R,), (R,), all above 0"""
    a, log_k = np.polyfit(np.log(np.asarray(x, np.float64)), np.log(np.asarray(y, np.float64)), 1)
    return float(np.exp(log_k)), float(a)
