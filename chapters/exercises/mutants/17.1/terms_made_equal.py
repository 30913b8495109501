# expect: the steeper term gets less
# means: The two terms were made equal: at the least loss alpha times the one equals beta times the other.
def compute_optimal(a, b, alpha, beta, flops):
    n = (a / b) ** (1 / (alpha + beta)) * (flops / 6) ** (beta / (alpha + beta))
    return n, flops / 6 / n
