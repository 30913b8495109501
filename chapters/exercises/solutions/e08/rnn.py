"""08.2  Back through time.

    h_t = tanh(W_ih x_t + W_hh h_(t-1) + b)      x (B, T, I), W_ih (F, I), W_hh (F, F), b = b_ih + b_hh (F,)
                                                 ->  all h (B, T, F)

You write the step, and the way back through it. At step t the gradient of h_t comes from two sides: from the loss,
g[:, t], and from the step after, which has left it in dh. From dh go to dz, the gradient of what stood inside the
tanh; from dz to everything that was inside: x_t, both matrices, b, and the state before, which is the dh of the next
turn. The matrices were used at every step: their gradients add up.

states[0] is h_0, states[t + 1] is what step t made.
"""

from __future__ import annotations

import numpy as np

from tinygrad_llm.backend import Array


def rnn(x, weight_ih, weight_hh, bias_ih: Array | None = None, bias_hh: Array | None = None, h0: Array | None = None):
    b = (0 if bias_ih is None else bias_ih) + (0 if bias_hh is None else bias_hh)
    h = np.zeros((x.shape[0], weight_hh.shape[1]), x.dtype) if h0 is None else h0
    states = [h]
    for t in range(x.shape[1]):
        # >>> h_t from x[:, t] and h
        h = np.tanh(x[:, t] @ weight_ih.T + h @ weight_hh.T + b)
        # <<<
        states.append(h)

    def vjp(g, needs):
        dx, dw_ih, dw_hh, db = (np.zeros_like(a) for a in (x, weight_ih, weight_hh, weight_hh[:, 0]))
        dh = np.zeros_like(states[0])
        for t in reversed(range(x.shape[1])):
            # >>> dz; then dx[:, t], and what is added to dw_ih, dw_hh and db; then the dh of the step before
            dz = (g[:, t] + dh) * (1 - states[t + 1] ** 2)
            dx[:, t] = dz @ weight_ih
            dw_ih += dz.T @ x[:, t]
            dw_hh += dz.T @ states[t]
            db += dz.sum(0)
            dh = dz @ weight_hh
            # <<<
        return dx, dw_ih, dw_hh, db, db, dh

    return np.stack(states[1:], axis=1), vjp
