"""Which token comes next. The probabilities are a pure function of the logits; drawing is separate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinygrad_llm.errors import ArgumentError


@dataclass(frozen=True)
class Sampler:
    """temperature  divides the logits: below 1 bolder in what is likely, above 1 more even.
    top_k        keeps the k most likely tokens, of equals those with the smallest ids; None keeps all.
    top_p        keeps the smallest set of most likely tokens that holds at least this probability; 1 keeps all.
    greedy       takes the most likely token, of equals the one with the smallest id.

    top_k comes before top_p, both after the temperature. Source of top_p: Holtzman et al., "The Curious Case of Neural
    Text Degeneration", 2020.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    greedy: bool = False

    def __post_init__(self) -> None:
        if not self.temperature > 0 or self.temperature == float("inf"):
            raise ArgumentError(
                "temperature", "a positive number", self.temperature, "For no randomness at all use greedy."
            )
        if self.top_k is not None and self.top_k < 1:
            raise ArgumentError("top_k", "at least 1", self.top_k, "Leave it out to keep all tokens.")
        if not 0 < self.top_p <= 1:
            raise ArgumentError("top_p", "a probability in (0, 1]", self.top_p)

    def probabilities(self, logits_V: np.ndarray) -> np.ndarray:
        """The distribution that a token is drawn from.  (V,) -> (V,), float64, its sum 1."""
        logits = np.asarray(logits_V, np.float64)
        if logits.ndim != 1 or not logits.size or np.isnan(logits).any() or not np.isfinite(logits.max()):
            raise ArgumentError(
                "logits",
                "one axis of numbers, the largest finite",
                f"shape {logits.shape}, largest {logits.max(initial=-np.inf)}",
            )
        ranking = np.argsort(-logits, kind="stable")
        if self.greedy:
            return np.eye(1, len(logits), int(ranking[0]))[0]
        weights = np.exp((logits - logits.max()) / self.temperature)
        kept = ranking[: self.top_k]
        shares = weights[kept] / weights[kept].sum()
        if self.top_p < 1:
            before = np.cumsum(shares) - shares  # a token stays while those before it do not yet hold top_p
            kept = kept[: max(1, int((before < self.top_p).sum()))]
        out = np.zeros_like(logits)
        out[kept] = weights[kept] / weights[kept].sum()
        return out

    def draw(self, logits_V: np.ndarray, rng: np.random.Generator) -> int:
        """One token id."""
        cumulative = np.cumsum(self.probabilities(logits_V))
        return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
