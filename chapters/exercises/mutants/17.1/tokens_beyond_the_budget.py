# expect: what weighs more gets more
# means: D was computed with G instead of 1 / G: the two together cost more or less than the budget.
def compute_optimal(a, b, alpha, beta, flops):
    g = (alpha * a / (beta * b)) ** (1 / (alpha + beta))
    return g * (flops / 6) ** (beta / (alpha + beta)), g * (flops / 6) ** (alpha / (alpha + beta))
