# expect: the first step is that of sgd
# means: The gradient was multiplied by 1 - momentum: that is an average, the other convention.
def momentum_step(w, g, u, lr, momentum=0.9):
    u = 0.9 * u + 0.1 * g
    return w - lr * u, u
