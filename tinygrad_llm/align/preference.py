"""Learning from preferences without a reward model: DPO and its kin, one family.

A policy that earns reward r and pays beta for each nat of KL to a reference is best at p(y|x) ~ ref(y|x) e^(r / beta).
Turned around, every policy has an implicit reward, beta times

    d(y) = ln p(y|x) - ln ref(y|x)                                                                            (B,)

up to a number that depends on the prompt alone (Rafailov et al. 2023, eq. 5). So the loss of a reward model,
-ln s(r(chosen) - r(rejected)) with s the sigmoid, is a loss of the policy. Members of the family differ in a few
settings, and are rows of the table `PREFERENCES`:

    dpo     -ln s(h), h = beta (d(chosen) - d(rejected))
            Rafailov et al., "Direct Preference Optimization", 2023, eq. 7
    cdpo    (1 - e) (-ln s(h)) + e (-ln s(-h)): one label in 1/e is wrong
            Mitchell, "A note on DPO with noisy preferences", 2023, eq. 3
    ipo     (d(chosen) - d(rejected) - 1 / (2 beta))^2: a distance that is wanted, not one without end. Here, as in
            trl, d is a mean over tokens, else long answers would have to differ less a token than short ones; per_token
            = False is the paper's. Azar et al., "A General Theoretical Paradigm…", 2023, eq. 17; their tau is beta
    hinge   max(0, 1 - h)
            Zhao et al., "SLiC-HF", 2023; with a reference Liu et al., "Statistical Rejection Sampling…", 2024
    simpo   -ln s(beta (mean ln p(chosen) - mean ln p(rejected)) - gamma): no reference
            Meng et al., "SimPO", 2024, eq. 6; their gamma is `margin`
    kto     1 - s(h), with h = beta (d - z) for a desirable answer, beta (z - d) for another: no pairs
            Ethayarajh et al., "KTO: Model Alignment as Prospect Theoretic Optimization", 2024, eq. 8
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor
from tinygrad_llm.errors import ArgumentError

LINKS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "sigmoid": lambda h, beta: -ops.log_sigmoid(h),
    "hinge": lambda h, beta: ops.relu(1 - h),
    "squared": lambda h, beta: ((h - 0.5) * (1 / beta)) ** 2,  # of h = beta d: (d - 1 / (2 beta))^2
    "probability": lambda h, beta: ops.sigmoid(-h),
}
"""What a margin h costs, by name; beta is for the one that does not see d as beta d."""


@dataclass(frozen=True)
class PreferenceConfig:
    """A member of the family.

    beta             how much a nat of difference to the reference counts: the larger, the closer the policy stays.
    link             what a margin costs, a name of LINKS.
    margin           by how much the chosen answer has to win: h = beta d - margin.
    label_smoothing  e, the share of labels that are taken to be wrong, below 1/2.
    per_token        log-probabilities of answers are means over their tokens, not sums.
    reference        whether they are held against a reference.
    desirable        the weight of answers that are wanted, where answers come one by one.
    undesirable      the weight of those that are not.
    """

    beta: float = 0.1
    link: str = "sigmoid"
    margin: float = 0.0
    label_smoothing: float = 0.0
    per_token: bool = False
    reference: bool = True
    desirable: float = 1.0
    undesirable: float = 1.0

    def __post_init__(self) -> None:
        if self.link not in LINKS:
            raise ArgumentError("link", f"one of {', '.join(LINKS)}", repr(self.link))
        if not 0 < self.beta < math.inf:
            raise ArgumentError("beta", "a number above 0", self.beta)
        if not 0 <= self.label_smoothing < 0.5:
            next_step = "With half of the labels wrong or more, they say nothing, or the contrary."
            raise ArgumentError("label_smoothing", "a number from 0 to below 0.5", self.label_smoothing, next_step)
        for name in ("margin", "desirable", "undesirable"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ArgumentError(name, "a number of at least 0", getattr(self, name))

    def cost(self, difference: Tensor) -> Tensor:
        """(1 - e) f(h) + e f(-h), with h = beta difference - margin and f the link.  (B,) -> (B,)"""
        link, e, h = LINKS[self.link], self.label_smoothing, difference * self.beta - self.margin
        return link(h, self.beta) if not e else link(h, self.beta) * (1 - e) + link(-h, self.beta) * e


PREFERENCES = {
    "dpo": PreferenceConfig(),
    "cdpo": PreferenceConfig(label_smoothing=0.1),
    "ipo": PreferenceConfig(link="squared", per_token=True),
    "hinge": PreferenceConfig(link="hinge"),
    "simpo": PreferenceConfig(beta=2.0, margin=1.0, per_token=True, reference=False),
    "kto": PreferenceConfig(link="probability"),
}
"""The family by name; `dataclasses.replace` sets what a run has otherwise."""
