# expect: what weighs more gets more
# means: The root was forgotten: alpha A / (beta B) is raised to 1 / (alpha + beta).
def compute_optimal(a, b, alpha, beta, flops):
    n = alpha * a / (beta * b) * (flops / 6) ** (beta / (alpha + beta))
    return n, flops / 6 / n
