# expect: equal terms halve the work
# means: N times D was made `flops`: a budget buys a sixth of that.
def compute_optimal(a, b, alpha, beta, flops):
    n = (alpha * a / (beta * b)) ** (1 / (alpha + beta)) * flops ** (beta / (alpha + beta))
    return n, flops / n
