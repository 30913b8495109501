"""What BERT is trained on: texts with hidden tokens, and two texts in one row.

Source: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", 2019,
sections 3.1 and A.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinygrad_llm.datasets.pairs import padded
from tinygrad_llm.errors import ArgumentError, ShapeError
from tinygrad_llm.ops import IGNORE


def hide_tokens(
    tokens: np.ndarray,
    rng: np.random.Generator,
    *,
    mask_id: int,
    vocab_size: int,
    special: Sequence[int] = (),
    rate: float = 0.15,
    masked: float = 0.8,
    random: float = 0.1,
) -> tuple[np.ndarray, np.ndarray]:
    """Texts in which some tokens are hidden, and the tokens to be named.  (B, T) -> (B, T), (B, T)

    Each token is chosen with probability `rate`, independently. A chosen one becomes mask_id with probability `masked`,
    a token of the vocabulary with probability `random`, each alike, and stays what it is otherwise. Targets are the
    tokens that stood at the chosen places, and ops.IGNORE at all others.

    special  ids that are never chosen and never put in (padding, the marks of texts); mask_id is one of them.

    Raises ArgumentError for what is no probability, and where nothing is left to be put in.
    """
    for name, value in {"rate": rate, "masked": masked, "random": random, "masked + random": masked + random}.items():
        if not 0 <= value <= 1:
            raise ArgumentError(name, "a probability, 0 to 1", value)
    words = np.setdiff1d(np.arange(vocab_size), [*special, mask_id])
    if not len(words):
        raise ArgumentError("vocab_size", "a token that is not special", vocab_size)
    chosen = (rng.random(tokens.shape) < rate) & np.isin(tokens, words)
    fate = rng.random(tokens.shape)
    hidden = np.where(chosen & (fate < masked), mask_id, tokens)
    exchanged = chosen & (masked <= fate) & (fate < masked + random)
    hidden = np.where(exchanged, words[rng.integers(0, len(words), tokens.shape)], hidden)
    return hidden, np.where(chosen, tokens, IGNORE)


def join_pairs(
    firsts: Sequence[Sequence[int]],
    seconds: Sequence[Sequence[int]],
    *,
    cls_id: int,
    sep_id: int,
    pad_id: int,
) -> dict[str, np.ndarray]:
    """Pairs of texts, each as one row: [CLS] first [SEP] second [SEP].  -> "tokens", "types" (B, T), "lengths" (B,)

    types    0 up to the first [SEP], itself included, 1 from there to the second, and 0 in the padding.
    lengths  how many tokens of a row are not padding.

    Raises ShapeError unless there are as many seconds as firsts.
    """
    if len(firsts) != len(seconds):
        raise ShapeError("seconds", f"as many as firsts, {len(firsts)}", len(seconds))
    rows = [[cls_id, *first, sep_id, *second, sep_id] for first, second in zip(firsts, seconds)]
    types = [[0] * (len(first) + 2) + [1] * (len(second) + 1) for first, second in zip(firsts, seconds)]
    lengths = np.array([len(row) for row in rows], np.int64)
    return {"tokens": padded(rows, pad_id), "types": padded(types, 0), "lengths": lengths}
