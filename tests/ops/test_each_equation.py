"""Every einsum of the table, and recurrences with one bias alone: values by NumPy, gradients by differences."""

from __future__ import annotations

import numpy as np
import pytest
from op_cases import EQUATIONS

from tinygrad_llm import ops
from tinygrad_llm.autograd import Tensor, gradcheck

RNG = np.random.default_rng(1)
SIZES = {"b": 2, "i": 3, "j": 2, "k": 4}


@pytest.mark.parametrize("subscripts", EQUATIONS)
def test_an_einsum_is_numpys(subscripts):
    arrays = []
    for part in subscripts.split("->")[0].split(","):
        before, dots, after = part.partition("...")
        middle = (2,) if dots else ()
        arrays.append(RNG.normal(size=(*(SIZES[c] for c in before), *middle, *(SIZES[c] for c in after))))
    expected = np.einsum(subscripts, *arrays)
    found = ops.einsum(subscripts, *arrays)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.data, expected, rtol=1e-12, atol=1e-12)
    gradcheck(lambda *xs: ops.einsum(subscripts, *xs), arrays)


@pytest.mark.parametrize("given", [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize(("name", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_each_bias_of_a_recurrence_counts_by_itself(name, gates, given):
    x, w, u = (RNG.normal(size=shape) for shape in ((2, 3, 4), (gates * 2, 4), (gates * 2, 2)))
    biases = [RNG.normal(size=gates * 2) if there else None for there in given]
    expected = getattr(ops.composed, name)(*map(Tensor, (x, w, u)), *(b if b is None else Tensor(b) for b in biases))
    np.testing.assert_allclose(getattr(ops, name)(x, w, u, *biases).data, expected.data, rtol=1e-12, atol=1e-12)
