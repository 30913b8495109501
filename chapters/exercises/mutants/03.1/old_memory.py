# expect: the first step is that of sgd
def momentum_step(w, g, u, lr, momentum=0.9):
    return w - lr * u, momentum * u + g
