"""31.2  The length-controlled win rate.

A judge preferred the first system's answer in example i with probability y_i, and z_i says by how much it was the
longer one; y and z are (N,). Suppose that

    P(the first is preferred) = s(c + f · z_i),   s(x) = 1 / (1 + exp(-x))

Then c is what the systems differ in, and f what the judge gives for length. Find the c and f of the greatest
likelihood, and return s(c), the win rate at equal length.

Newton's method goes from b = (c, f) = 0 to b + H⁻¹ g, so many rounds. With the rows x_i = (1, z_i) and p_i the
probability by the b of the round before,

    g = sum over i of (y_i - p_i) x_i               (2,)
    H = sum over i of p_i (1 - p_i) x_i x_iᵀ        (2, 2)

`controlled(y, z, rounds)`
"""

import numpy as np


def controlled(y, z, rounds):
    # >>> a number from 0 to 1
    x, b = np.stack([np.ones(len(z)), z], 1), np.zeros(2)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-x @ b))
        b = b + np.linalg.solve((x.T * (p * (1 - p))) @ x, x.T @ (y - p))
    return float(1 / (1 + np.exp(-b[0])))
    # <<<
