# expect: what weighs more gets more
# means: Parameters and tokens were made equally many: how much each term weighs, and how steep it is, did not matter.
def compute_optimal(a, b, alpha, beta, flops):
    n = (flops / 6) ** 0.5
    return n, n
