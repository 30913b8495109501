# expect: equal terms halve the work
# means: N is right, and D is `flops` over N: a token costs six operations for each of the N.
def compute_optimal(a, b, alpha, beta, flops):
    spent = flops / 6
    n = (alpha * a / (beta * b)) ** (1 / (alpha + beta)) * spent ** (beta / (alpha + beta))
    return n, flops / n
