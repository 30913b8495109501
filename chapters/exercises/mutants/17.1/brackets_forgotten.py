# expect: the steeper term gets less
# means: alpha A / beta * B divides by beta alone, and multiplies by B: B stands below the line, too.
def compute_optimal(a, b, alpha, beta, flops):
    spent = flops / 6
    n = (alpha * a / beta * b) ** (1 / (alpha + beta)) * spent ** (beta / (alpha + beta))
    return n, spent / n
