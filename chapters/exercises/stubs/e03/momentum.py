"""03.1  Momentum.

    u <- 0.9 u + g          what it remembers; 0 before the first step
    w <- w - lr u

`momentum_step(w, g, u, lr, momentum)` returns the new w and the new u. It changes neither of those that it was given.
"""

from tinygrad_llm.course import Todo


def momentum_step(w, g, u, lr, momentum=0.9):
    raise Todo("(new w, new u)")
