# expect: the steeper term gets less
# means: The exponents of the two terms were exchanged: N grows as C^(beta / (alpha + beta)).
def compute_optimal(a, b, alpha, beta, flops):
    g = (alpha * a / (beta * b)) ** (1 / (alpha + beta))
    n = g * (flops / 6) ** (alpha / (alpha + beta))
    return n, flops / 6 / n
