"""17.1  Large, or long?

A law says what the loss of N parameters after D tokens will be:

    L(N, D) = E + A / N^alpha + B / D^beta

and a budget of `flops` operations buys any N and D with

    6 N D = flops

Return the N and the D of the least loss, as two floats.

`a` and `b` are A and B. Both of them, both exponents and `flops` are above 0. E is not given. Why is it not needed?
"""


def compute_optimal(a, b, alpha, beta, flops):
    # >>> N, D
    product = flops / 6
    n = (alpha * a / (beta * b) * product**beta) ** (1 / (alpha + beta))
    return n, product / n
    # <<<
