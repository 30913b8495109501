# expect: what weighs more gets more
# means: D was returned first: N comes first, then D.
def compute_optimal(a, b, alpha, beta, flops):
    n = (alpha * a / (beta * b)) ** (1 / (alpha + beta)) * (flops / 6) ** (beta / (alpha + beta))
    return flops / 6 / n, n
