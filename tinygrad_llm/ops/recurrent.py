"""Recurrence: a state that is carried from step to step. Each function is a whole sequence, there and back, in one op.

The inputs of all steps go through one product before the loop; only the state's product has to wait for its turn.
On the way back the loop makes dz, the gradient of what enters the non-linearities; the weights' gradients are one
product each after it. Arrays inside are (T, B, ...), so that the rows of one step are contiguous.
"""

from __future__ import annotations

from typing import Any

from tinygrad_llm.autograd import product_gradient
from tinygrad_llm.autograd.op import op
from tinygrad_llm.backend import Array, gemm, namespace, sum_rows
from tinygrad_llm.errors import ShapeError


@op(integers="refuse")
def rnn(x, weight_ih, weight_hh, bias_ih: Array | None = None, bias_hh: Array | None = None, h0: Array | None = None):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh).  (B, T, I), (F, I), (F, F), (F,), (F,), (B, F) -> (B, T, F)

    With dh_t = g_t + W_hh^T dz_(t+1), what the loss and the step after say of h_t, dz_t = dh_t (1 - h_t^2): it
    passes through W_hh^T once a step, so over many steps it shrinks or grows like a power. h0 is zero where None.
    Source: Elman, "Finding Structure in Time", 1990; back through time: Werbos, 1990.
    """
    xp = namespace(x)
    hidden = _checked(x, weight_ih, weight_hh, (bias_ih, bias_hh), {"h0": h0}, gates=1)
    x_TBI, z_TBF = _inputs(x, weight_ih, bias_ih, bias_hh)
    states = _states(z_TBF, hidden, h0)  # h_0 ... h_T
    for t, z in enumerate(z_TBF):
        z += gemm(states[t], weight_hh, transpose_b=True)
        xp.tanh(z, out=states[t + 1])

    def vjp(g, needs):
        dz_TBF = xp.empty_like(z_TBF)
        dh = xp.zeros_like(states[0])  # from the step after
        for t in reversed(range(len(dz_TBF))):
            dh += g[:, t]
            h, dz = states[t + 1], dz_TBF[t]
            xp.multiply(h, h, out=dz)
            xp.subtract(1, dz, out=dz)
            dz *= dh
            dh = gemm(dz, weight_hh)
        return (*_parents(dz_TBF, dz_TBF, x_TBI, states[:-1], weight_ih, needs), dh if needs[5] else None)

    return states[1:].swapaxes(0, 1), vjp


@op(integers="refuse")
def gru(x, weight_ih, weight_hh, bias_ih: Array | None = None, bias_hh: Array | None = None, h0: Array | None = None):
    """h of every step.  (B, T, I), (3F, I), (3F, F), (3F,), (3F,), (B, F) -> (B, T, F)

    a = W_ih x_t + b_ih and b = W_hh h_(t-1) + b_hh have F entries each for r, z and n, in this order:
        r = sigmoid(a_r + b_r)  reset      z = sigmoid(a_z + b_z)  update      n = tanh(a_n + r b_n)  the new state
    and h_t = (1 - z) n + z h_(t-1). Where z is near 1, the state and its gradient pass a step unchanged.
    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014, in PyTorch's form: r is
    applied after the product with W_hh, and z keeps the old state.
    """
    xp = namespace(x)
    hidden = _checked(x, weight_ih, weight_hh, (bias_ih, bias_hh), {"h0": h0}, gates=3)
    x_TBI, gates = _inputs(x, weight_ih, bias_ih, None)
    states = _states(gates, hidden, h0)
    b_n_TBF = xp.empty_like(states[1:])
    for t, a in enumerate(gates):
        b = gemm(states[t], weight_hh, transpose_b=True)
        if bias_hh is not None:
            b += bias_hh
        b_n_TBF[t] = b[:, 2 * hidden :]
        a_rz, n = a[:, : 2 * hidden], a[:, 2 * hidden :]
        a_rz += b[:, : 2 * hidden]
        a_rz *= 0.5  # sigmoid(u) = tanh(u / 2) / 2 + 1 / 2
        xp.tanh(a_rz, out=a_rz)
        a_rz *= 0.5
        a_rz += 0.5
        n += a[:, :hidden] * b_n_TBF[t]
        xp.tanh(n, out=n)
        xp.multiply(a[:, hidden : 2 * hidden], states[t] - n, out=states[t + 1])
        states[t + 1] += n

    def vjp(g, needs):
        da, db, dh = _gru_back(g, gates, b_n_TBF, states, weight_hh)
        return (*_parents(da, db, x_TBI, states[:-1], weight_ih, needs), dh if needs[5] else None)

    return states[1:].swapaxes(0, 1), vjp


def _gru_back(g: Array, gates: Array, b_n: Array, states: Array, weight_hh: Array) -> tuple[Array, Array, Array]:
    """The gradients of a and b (see gru) of every step, (T, B, 3F), and of h_0."""
    xp = namespace(g)
    da_TBF, db_TBF = xp.empty_like(gates), xp.empty_like(gates)
    dh = xp.zeros_like(states[0])  # from the step after
    for t in reversed(range(len(gates))):
        r, z, n = _gates(gates[t], 3)
        dr, dz, dn = _gates(da_TBF[t], 3)
        dh += g[:, t]
        xp.multiply(dh * (1 - z), 1 - n * n, out=dn)  # tanh' = 1 - tanh^2
        xp.multiply(dn * b_n[t], r - r * r, out=dr)  # sigmoid' = s - s^2
        xp.multiply(dh * (states[t] - n), z - z * z, out=dz)
        db_TBF[t] = da_TBF[t]
        xp.multiply(dn, r, out=_gates(db_TBF[t], 3)[2])
        dh *= z
        dh += gemm(db_TBF[t], weight_hh)
    return da_TBF, db_TBF, dh


@op(integers="refuse")
def lstm(
    x, weight_ih, weight_hh, bias_ih: Array | None = None, bias_hh: Array | None = None,
    h0: Array | None = None, c0: Array | None = None,
):  # fmt: skip
    """h and c of every step.  (B, T, I), (4F, I), (4F, F), (4F,), (4F,), (B, F), (B, F) -> (2, B, T, F), h then c

    z = W_ih x_t + b_ih + W_hh h_(t-1) + b_hh holds, F entries each, what becomes
        i = sigmoid  input gate     f = sigmoid  forget gate     g = tanh  new values     o = sigmoid  output gate
    and then c_t = f c_(t-1) + i g,  h_t = o tanh(c_t).

    From c_t to c_(t-1) the gradient is only multiplied with f: no matrix and no non-linearity, so it does not vanish.
    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997; f: Gers et al., "Learning to Forget", 2000.
    Order and biases are PyTorch's.
    """
    xp = namespace(x)
    hidden = _checked(x, weight_ih, weight_hh, (bias_ih, bias_hh), {"h0": h0, "c0": c0}, gates=4)
    x_TBI, gates = _inputs(x, weight_ih, bias_ih, bias_hh)
    h, c = states = xp.empty((2, len(gates) + 1, gates.shape[1], hidden), x.dtype)
    h[0], c[0] = 0 if h0 is None else h0, 0 if c0 is None else c0
    tanh_c = xp.empty_like(c[1:])
    # sigmoid(z) = tanh(z / 2) / 2 + 1/2, so one tanh serves all four: `half` is 1/2 for i, f, o and 1 for g
    half = xp.full(4 * hidden, 0.5, x.dtype)
    half[2 * hidden : 3 * hidden] = 1
    shift = 1 - half
    gates *= half
    recurrent = weight_hh.T * half
    for t, z in enumerate(gates):
        z += gemm(h[t], recurrent)
        xp.tanh(z, out=z)
        z *= half
        z += shift
        i, f, new, o = _gates(z, 4)
        xp.multiply(f, c[t], out=c[t + 1])
        c[t + 1] += i * new
        xp.tanh(c[t + 1], out=tanh_c[t])
        xp.multiply(o, tanh_c[t], out=h[t + 1])

    def vjp(g, needs):
        dz, dh, dc = _lstm_back(g, gates, c, tanh_c, weight_hh)
        last = dh if needs[5] else None, dc if needs[6] else None
        return (*_parents(dz, dz, x_TBI, h[:-1], weight_ih, needs), *last)

    return states[:, 1:].swapaxes(1, 2), vjp


def _lstm_back(g: Array, gates: Array, c: Array, tanh_c: Array, weight_hh: Array) -> tuple[Array, Array, Array]:
    """dz of every step (T, B, 4F), and the gradients of h_0 and c_0."""
    xp = namespace(g)
    dz_TBF = xp.empty_like(gates)
    dh, dc = xp.zeros_like(c[0]), xp.zeros_like(c[0])  # from the step after
    for t in reversed(range(len(gates))):
        i, f, new, o = _gates(gates[t], 4)
        di, df, dnew, do = _gates(dz_TBF[t], 4)
        dh += g[0, :, t]
        dc += g[1, :, t]
        dh_o = dh * o
        dc += dh_o - dh_o * tanh_c[t] * tanh_c[t]  # tanh' = 1 - tanh^2
        xp.multiply(dc * new, i - i * i, out=di)  # sigmoid' = s - s^2
        xp.multiply(dc * c[t], f - f * f, out=df)
        xp.multiply(dc * i, 1 - new * new, out=dnew)
        xp.multiply(dh * tanh_c[t], o - o * o, out=do)
        dc *= f
        dh = gemm(dz_TBF[t], weight_hh)
    return dz_TBF, dh, dc


def _gates(z_BF: Array, count: int) -> list[Array]:
    """The parts of the gates, views, in the order of the weights."""
    size = z_BF.shape[1] // count
    return [z_BF[:, k * size : (k + 1) * size] for k in range(count)]


def _checked(x: Array, w_ih: Array, w_hh: Array, biases: tuple, firsts: dict[str, Any], gates: int) -> int:
    """The size F of the state.  Raises ShapeError where the arrays do not fit one another."""
    if x.ndim != 3 or not x.shape[1]:
        raise ShapeError("x", "(B, T, I) with T at least 1", x.shape, "Put a single sequence into a batch of one.")
    if w_hh.ndim != 2 or w_hh.shape[0] != gates * w_hh.shape[1]:
        raise ShapeError("weight_hh", f"({gates if gates > 1 else ''}F, F)", w_hh.shape)
    rows, hidden = w_hh.shape
    expected: list[tuple[str, Array, tuple]] = [("weight_ih", w_ih, (rows, x.shape[2]))]
    expected += [(name, b, (rows,)) for name, b in zip(("bias_ih", "bias_hh"), biases) if b is not None]
    expected += [(name, s, (len(x), hidden)) for name, s in firsts.items() if s is not None]
    for name, array, shape in expected:
        if array.shape != shape:
            raise ShapeError(name, f"shape {shape}", array.shape, "The layer was made for other sizes.")
    return hidden


def _inputs(x: Array, weight_ih: Array, bias_ih: Array | None, bias_hh: Array | None) -> tuple[Array, Array]:
    """x as (T, B, I), and W_ih x + b_ih + b_hh of all steps, an array of the op's own."""
    x_TBI = namespace(x).ascontiguousarray(x.swapaxes(0, 1))
    z = gemm(x_TBI.reshape(-1, x.shape[2]), weight_ih, transpose_b=True).reshape(*x_TBI.shape[:2], len(weight_ih))
    for bias in (bias_ih, bias_hh):
        if bias is not None:
            z += bias
    return x_TBI, z


def _states(z_TBF: Array, hidden: int, h0: Array | None) -> Array:
    """Room for T + 1 states, of which the first is there."""
    states = namespace(z_TBF).empty((len(z_TBF) + 1, z_TBF.shape[1], hidden), z_TBF.dtype)
    states[0] = 0 if h0 is None else h0
    return states


def _parents(
    da_TBF: Array, db_TBF: Array, x_TBI: Array, before_TBF: Array, weight_ih: Array, needs: tuple
) -> tuple[Array | None, ...]:
    """The gradients of x, of the weights and of the biases, each one product over all steps at once.

    da is the gradient of W_ih x + b_ih, db that of W_hh h + b_hh: the same array where the two are only added.
    """
    da_NF, db_NF = (d.reshape(-1, d.shape[-1]) for d in (da_TBF, db_TBF))
    dx = dw_ih = dw_hh = None
    if needs[0]:
        dx = gemm(da_NF, weight_ih).reshape(x_TBI.shape).swapaxes(0, 1)
    if needs[1]:
        dw_ih = product_gradient(needs[1], da_NF, x_TBI.reshape(-1, x_TBI.shape[2]), transpose_a=True)
    if needs[2]:
        dw_hh = product_gradient(needs[2], db_NF, before_TBF.reshape(-1, before_TBF.shape[2]), transpose_a=True)
    db_ih = sum_rows(da_NF) if needs[3] or (needs[4] and da_TBF is db_TBF) else None
    db_hh = (db_ih if da_TBF is db_TBF else sum_rows(db_NF)) if needs[4] else None
    return dx, dw_ih, dw_hh, db_ih, db_hh
