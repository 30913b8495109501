# expect: the first step is that of sgd
# means: w moves by the memory from before this step, without the new gradient.
def momentum_step(w, g, u, lr, momentum=0.9):
    return w - lr * u, momentum * u + g
