# expect: it keeps going without a gradient
# means: The memory shrinks to 0.9 of itself whatever `momentum` is: the argument is ignored.
def momentum_step(w, g, u, lr, momentum=0.9):
    u = 0.9 * u + g
    return w - lr * u, u
