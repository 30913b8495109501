# expect: what weighs more gets more
# means: alpha A / (beta B) was turned upside down: a large A asks for more parameters.
def compute_optimal(a, b, alpha, beta, flops):
    n = (beta * b / (alpha * a)) ** (1 / (alpha + beta)) * (flops / 6) ** (beta / (alpha + beta))
    return n, flops / 6 / n
