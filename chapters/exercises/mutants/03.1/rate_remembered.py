# expect: you got
def momentum_step(w, g, u, lr, momentum=0.9):
    u = momentum * u + lr * g
    return w - u, u
