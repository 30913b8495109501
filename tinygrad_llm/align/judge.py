"""Preferences that a model makes: it is shown two answers, and says which is the better one.

    judge = ModelJudge(model, tokenizer, "Question: {prompt}\\nA: {first}\\nB: {second}\\nBetter:", (" A", " B"))
    rows = judged_preferences(triples, judge)                      # [{"prompt": …, "chosen": …, "rejected": …}, …]

Sources: Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023; Lee et al., "RLAIF", 2023; Bai et
al., "Constitutional AI", 2022.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.backend import to_device
from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.models.base import LanguageModel
from tinygrad_llm.tokenizer.base import Tokenizer

Judge = Callable[[str, str, str], float]
"""judge(prompt, first, second): how probable it is that the first answer is the better one."""
MARK = re.compile(r"\{(?:prompt|first|second)\}")


class ModelJudge:
    """P(first is better) = p(label of the first) / (p(label of the first) + p(label of the second)), after a form.

    form    the text that the model reads, with {prompt}, {first} and {second} in it.
    labels  what it may go on with: the first token of each text is what is looked at.
    Raises ArgumentError for a form without one of the three, and for labels that begin with the same token.
    """

    def __init__(self, model: LanguageModel, tokenizer: Tokenizer, form: str, labels: tuple[str, str]) -> None:
        if missing := {"{prompt}", "{first}", "{second}"} - set(MARK.findall(form)):
            raise ArgumentError("form", "a text with {prompt}, {first} and {second}", f"none with {min(missing)}")
        self.model, self.tokenizer, self.form = model, tokenizer, form
        self.labels = [tokenizer.encode(label)[:1] for label in labels]
        if len(set(map(tuple, self.labels))) < 2 or [] in self.labels:
            raise ArgumentError("labels", "two texts that begin with different tokens", labels)

    def __call__(self, prompt: str, first: str, second: str) -> float:
        """How probable it is that the first answer is the better one."""
        parts = {"{prompt}": prompt, "{first}": first, "{second}": second}
        ids = self.tokenizer.encode(MARK.sub(lambda found: parts[found[0]], self.form))
        with no_grad():
            logits = to_device(self.model.next_logits(np.array([ids])).data, "cpu")[0].astype(np.float64)
        (first_label,), (second_label,) = self.labels
        return 1 / (1 + math.exp(min(logits[second_label] - logits[first_label], 700.0)))


def both_orders(judge: Judge, prompt: str, one: str, other: str) -> tuple[float, bool]:
    """P(one is better) as the mean over both orders of showing them, and whether both orders chose the same answer.

    A judge that likes what it reads first (or last) says 1/2 to equals in this way, whatever its liking.
    """
    first, second = judge(prompt, one, other), 1 - judge(prompt, other, one)
    return (first + second) / 2, (first > 0.5) == (second > 0.5)


def judged_preferences(
    triples: Iterable[tuple[str, str, str]], judge: Judge, *, least: float = 0.0, consistent: bool = True
) -> list[dict[str, Any]]:
    """Prompt and two answers, as preferences: {"prompt", "chosen", "rejected", "probability"} each.

    least       how far the probability has to be from 1/2.
    consistent  leaves out what was decided by the order in which the answers were shown.

    Answers that are equal, or equally good to the judge, are left out: there is nothing to prefer.
    """
    if not 0 <= least < 0.5:
        raise ArgumentError("least", "a number from 0 to below 0.5", least)
    rows = []
    for prompt, one, other in triples:
        p, agreed = both_orders(judge, prompt, one, other)
        if one == other or p == 0.5 or abs(p - 0.5) < least or (consistent and not agreed):
            continue
        chosen, rejected = (one, other) if p > 0.5 else (other, one)
        rows.append({"prompt": prompt, "chosen": chosen, "rejected": rejected, "probability": max(p, 1 - p)})
    return rows


def position_bias(triples: Iterable[tuple[str, str, str]], judge: Judge) -> float:
    """The mean of P(what is shown first) - 1/2 over both orders: 0 for a judge that does not care for the order."""
    found = [(judge(p, one, other) + judge(p, other, one)) / 2 - 0.5 for p, one, other in triples]
    if not found:
        raise ArgumentError("triples", "at least one", "none")
    return float(np.mean(found))
