# expect: what weighs more gets more
# means: D was computed with alpha A over beta B, as N is: with it upside down the two cost the budget.
def compute_optimal(a, b, alpha, beta, flops):
    g = (alpha * a / (beta * b)) ** (1 / (alpha + beta))
    return g * (flops / 6) ** (beta / (alpha + beta)), g * (flops / 6) ** (alpha / (alpha + beta))
