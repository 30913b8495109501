"""Our gradients under Hugging Face's names, laid out as the weights are there."""

from __future__ import annotations

import copy

import numpy as np

from tinygrad_llm.models.hugging_face import to_hugging_face


def gradients_by_their_names(model) -> dict[str, np.ndarray]:
    """The .grad of every parameter as the tensor there whose gradient it is."""
    twin = copy.deepcopy(model)
    for p, own in zip(twin.parameters(), model.parameters()):
        p.assign(np.zeros(p.shape) if own.grad is None else own.grad)  # None: of an expert that nobody chose
    return to_hugging_face(twin)[1]
