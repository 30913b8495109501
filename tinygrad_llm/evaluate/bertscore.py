"""BERTScore: two texts are alike where each token of the one has a token in the other that an encoder sees as like it.

    precision = mean over the candidate's tokens of the largest cosine with any of the reference's
    recall    = mean over the reference's tokens of the largest cosine with any of the candidate's
    F_1       = 2 · precision · recall / (precision + recall)

A cosine goes from -1 to 1, and with most encoders those of any two texts lie close together: compare two scores, and do
not read one as a share. With idf weights the means are weighted, and a token that stands in few references counts more:

    idf(w) = ln((M + 1) / (references with w + 1)),  M references in all

Source: Zhang et al., "BERTScore: Evaluating Text Generation with BERT", 2020, section 3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_llm.autograd import no_grad
from tinygrad_llm.errors import DataError, ShapeError
from tinygrad_llm.evaluate.numbers import finite_array
from tinygrad_llm.evaluate.overlap import Overlap, f_measure
from tinygrad_llm.ranges import check_whole

if TYPE_CHECKING:  # metrics of texts do not load every model
    from tinygrad_llm.models import BERT

Texts = Sequence[Sequence[int]]
"""One list of token ids a text."""


def bert_score(
    model: BERT,
    candidates: Texts,
    references: Texts,
    *,
    idf: Mapping[int, float] | None = None,
    ignored: Collection[int] = (),
    batch_size: int = 32,
) -> list[Overlap]:
    """BERTScore of each candidate with its reference, both as the encoder's tokens, [CLS] and [SEP] among them.

    idf         the weight of each token that occurs, as `idf_weights` makes them; all alike where None.
    ignored     tokens that the encoder reads and that are not compared: [CLS], [SEP].
    batch_size  texts that the encoder reads at a time.

    Raises DataError where there is nothing to judge, or not one reference a candidate, or a text of no weight;
    TokenError and ShapeError as the encoder.
    """
    check_whole(batch_size=batch_size)
    if not len(candidates) or len(candidates) != len(references):
        raise DataError("references", f"{len(candidates) or 'at least one'}, one a candidate", len(references))
    weights = []
    for name, texts in (("candidates", candidates), ("references", references)):
        for i, text in enumerate(texts):
            own = [1.0 if idf is None else idf[token] for token in text if token not in ignored]
            if not any(own):
                raise DataError(f"{name}[{i}]", "a token with a weight above 0", f"the tokens {list(text)}")
            weights.append(own)
    texts = [*candidates, *references]
    states = [
        state[[token not in ignored for token in text]] for text, state in zip(texts, _states(model, texts, batch_size))
    ]
    half = len(candidates)
    return [greedy_match(states[i], states[half + i], weights[i], weights[half + i]) for i in range(half)]


def idf_weights(texts: Texts, others: Texts = ()) -> dict[int, float]:
    """The idf of each token of `texts`, the references, and of `others`, of which they may have none: ln(M + 1)."""
    having = Counter(token for text in texts for token in set(text))
    tokens = {token for text in [*texts, *others] for token in text}
    return {token: float(np.log((len(texts) + 1) / (having[token] + 1))) for token in tokens}


def greedy_match(
    candidate: Any, reference: Any, candidate_weights: Any = None, reference_weights: Any = None
) -> Overlap:
    """Precision, recall and F_1 of the states of two texts, each token with its nearest in the other.

    candidate, reference  (T, D) and (S, D).
    weights               (T,) and (S,), those of the means; all alike where None.

    Raises ShapeError where axes do not fit, DataError for a state or weights that are all 0, NonFiniteError.
    """
    sides = []
    for name, states, weights in (
        ("candidate", candidate, candidate_weights),
        ("reference", reference, reference_weights),
    ):
        states = finite_array(name, states, "TD")
        lengths = np.linalg.norm(states, axis=1, keepdims=True)
        weights = np.ones(len(states)) if weights is None else finite_array(f"{name}_weights", weights, "T")
        if len(weights) != len(states):
            raise ShapeError(f"{name}_weights", f"({len(states)},), one a token", weights.shape)
        if not lengths.all() or weights.min() < 0 or not weights.any():
            raise DataError(name, "states with a direction, and weights above 0", "zeros")
        sides.append((states / lengths, weights / weights.sum()))
    (own, own_shares), (other, other_shares) = sides
    if own.shape[1] != other.shape[1]:
        raise ShapeError("reference", f"(S, D) with D = {own.shape[1]}, as the candidate", other.shape)
    cosines = own @ other.T  # (T, S)
    precision, recall = float(own_shares @ cosines.max(1)), float(other_shares @ cosines.max(0))
    return Overlap(precision, recall, f_measure(precision, recall))


def _states(model: BERT, texts: Texts, batch_size: int) -> list[np.ndarray]:
    """The encoder's states of each text, (T, D) each, texts of about one length together."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found: dict[int, np.ndarray] = {}
    with no_grad():
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            lengths = np.array([len(texts[i]) for i in batch])
            tokens = np.full((len(batch), lengths.max()), model.config.pad_id)
            for row, i in zip(tokens, batch):
                row[: len(texts[i])] = texts[i]
            states = model(tokens, lengths=lengths).numpy()
            found |= {i: states[row, : lengths[row]] for row, i in enumerate(batch)}
    return [found[i] for i in range(len(texts))]
