"""The error function, which NumPy lacks.

erf(x) = 2/sqrt(pi) * integral from 0 to x of exp(-t^2) dt. Three ranges, each a ratio of two polynomials.
Source: W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969), 631-637.
"""

from __future__ import annotations

import math

import numpy as np

from tinygrad_llm.backend.arrays import Array, is_float, namespace
from tinygrad_llm.errors import DtypeError

# erf(x) = x P(x^2) / Q(x^2) for |x| <= 0.46875; highest power first
P_SMALL = (
    1.85777706184603153e-1,
    3.16112374387056560,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
Q_SMALL = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
P_MINUS_Q_SMALL = tuple(p - q for p, q in zip(P_SMALL, Q_SMALL))
LAST_SMALL = 0.55  # Cody stops at 0.46875; measured here, his first fit holds to the last bit up to 0.57
# erfc(x) = exp(-x^2) P(x) / Q(x) for 0.46875 < x <= 4
P_MIDDLE = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
)  # fmt: skip
Q_MIDDLE = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)  # fmt: skip
# erfc(x) = exp(-x^2) / x (1/sqrt(pi) - P(x^-2) / (x^2 Q(x^-2))) for x > 4
P_LARGE = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
Q_LARGE = (
    1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
    2.33520497626869185e-3,
)  # fmt: skip


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Horner's rule, highest power first."""
    total = x * coefficients[0] + coefficients[1]
    for c in coefficients[2:]:
        total *= x
        total += c
    return total


def erf(x: Array) -> Array:
    """erf(x), elementwise, in the dtype of x; within 2 units in the last place.  (...) -> (...)

    float32 is computed in float64 and rounded once, which is exact to half a unit.
    """
    if not hasattr(x, "dtype") or not is_float(x.dtype):
        raise DtypeError("erf", "float32 or float64", getattr(x, "dtype", type(x).__name__))
    xp = namespace(x)
    wide = xp.asarray(x, dtype=np.float64)
    size = xp.minimum(xp.abs(wide), 6.0)  # erf(6) rounds to 1, and exp(-36) is far from underflow
    small, middle = size <= LAST_SMALL, size <= 4.0
    square = size * size
    low = xp.where(small, square, 0.0)
    # x P/Q = x + x (P - Q)/Q: the second term is an eighth of the first, and so is its rounding error
    near = size + size * _polynomial(P_MINUS_Q_SMALL, low) / _polynomial(Q_SMALL, low)
    mid = xp.where(middle, size, 4.0)
    inverse = 1.0 / xp.where(middle, 16.0, square)
    tail = _polynomial(P_MIDDLE, mid) / _polynomial(Q_MIDDLE, mid)
    far = inverse * _polynomial(P_LARGE, inverse) / _polynomial(Q_LARGE, inverse)
    far = (1.0 / math.sqrt(math.pi) - far) / xp.maximum(size, 4.0)
    complement = xp.exp(-square) * xp.where(middle, tail, far)
    result = xp.where(small, near, 1.0 - complement)
    return xp.where(xp.isnan(wide), wide, xp.copysign(result, wide)).astype(x.dtype)
