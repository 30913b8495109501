"""How well a model foretells a text, in numbers that can be compared.

    loss        = -1/N · sum of ln p(token | those before it)          nats a token
    perplexity  = exp(loss)                                            of how many equal choices it seems to choose
    bits a byte = -sum of ln p / (ln 2 · bytes of the text in UTF-8)

Loss and perplexity are of a tokenizer's tokens: cut the text into longer ones, and both rise. The bytes of a text are
the same for every tokenizer, and so bits a byte compare models that have different ones. Source: Jelinek et al.,
"Perplexity: a measure of the difficulty of speech recognition tasks", 1977; Gao et al., "The Pile", 2020, section 3.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tinygrad_llm.errors import DataError
from tinygrad_llm.evaluate.numbers import finite_array
from tinygrad_llm.evaluate.texts import check_text


@dataclass(frozen=True)
class Perplexity:
    """loss in nats a token; perplexity, infinite where no float holds it; bits_per_byte."""

    loss: float
    perplexity: float
    bits_per_byte: float


def perplexity(log_probs: Any, text: str) -> Perplexity:
    """Of a text whose tokens a model gave these log-probabilities, (N,), in nats.

    Raises DataError for an empty text or no tokens, and for a log-probability above 0; ShapeError, NonFiniteError.
    """
    log_p = finite_array("log_probs", log_probs, "N")
    size = len(check_text("text", text).encode("utf-8"))
    if not size:
        raise DataError("text", "at least one byte", "none")
    if log_p.max() > 0:
        raise DataError("log_probs", "logarithms of probabilities, at most 0", f"{log_p.max():g}")
    nats = -float(log_p.sum())
    loss = nats / len(log_p)
    try:
        choices = math.exp(loss)
    except OverflowError:
        choices = math.inf
    return Perplexity(loss, choices, nats / math.log(2) / size)
