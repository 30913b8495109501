# expect: against pytorch
# means: The gradient of w_ih is that of one step: the steps were not added up.
from __future__ import annotations

import numpy as np

from tinygrad_llm.backend import Array


def rnn(x, weight_ih, weight_hh, bias_ih: Array | None = None, bias_hh: Array | None = None, h0: Array | None = None):
    b = (0 if bias_ih is None else bias_ih) + (0 if bias_hh is None else bias_hh)
    h = np.zeros((x.shape[0], weight_hh.shape[1]), x.dtype) if h0 is None else h0
    states = [h]
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ weight_ih.T + h @ weight_hh.T + b)
        states.append(h)

    def vjp(g, needs):
        dx, dw_ih, dw_hh, db = (np.zeros_like(a) for a in (x, weight_ih, weight_hh, weight_hh[:, 0]))
        dh = np.zeros_like(states[0])
        for t in reversed(range(x.shape[1])):
            dz = (g[:, t] + dh) * (1 - states[t + 1] ** 2)
            dx[:, t] = dz @ weight_ih
            dw_ih = dz.T @ x[:, t]
            dw_hh += dz.T @ states[t]
            db += dz.sum(0)
            dh = dz @ weight_hh
        return dx, dw_ih, dw_hh, db, db, dh

    return np.stack(states[1:], axis=1), vjp
