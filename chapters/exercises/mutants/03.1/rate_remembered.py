# expect: you got
# means: The memory holds lr times the gradient, and not the gradient.
def momentum_step(w, g, u, lr, momentum=0.9):
    u = momentum * u + lr * g
    return w - u, u
