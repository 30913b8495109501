"""Cases of attention_delta.cu: delta, and the factors of dropout."""

from __future__ import annotations

import numpy as np

from kernel_cases import Case, Launch, unwritten
from kernel_cases.attention import CALL, COUNTER, Problem, attention_cases, factors

CASES, TINY = attention_cases("attention_delta")


def dropout_mask() -> Case:
    problem = Problem("float32", 2, 1, 1, 9, 11, 1, False, 0.3)
    shape = problem.batch, problem.heads, problem.time, problem.source
    mask = unwritten(shape)
    args = mask, *map(np.int32, shape), np.float32(problem.p), COUNTER, np.int32(CALL)
    launch = Launch("attention_dropout_mask", -(-mask.size // 128), 128, args)
    return Case([launch], lambda: np.testing.assert_allclose(mask, factors(problem), rtol=1e-6))


CASES["dropout mask"] = dropout_mask
TINY.append("dropout mask")
