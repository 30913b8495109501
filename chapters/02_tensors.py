# %% [markdown]
# # 02 · Tensors
#
# One number at a time is slow: each costs a Python object. A tensor is a whole array of numbers under one name, with
# one memory of how it was made. The chain rule stays. What is new is that shapes must fit on the way back too, and that
# a derivative can now be wrong in ways that are hard to see.
#
# - **Builds on** 01, one number at a time.
# - **Reads** [`autograd/tensor.py`](../tinygrad_llm/autograd/tensor.py),
#   [`autograd/op.py`](../tinygrad_llm/autograd/op.py), [`autograd/backward.py`](../tinygrad_llm/autograd/backward.py),
#   [`autograd/gradcheck.py`](../tinygrad_llm/autograd/gradcheck.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/02/output.txt) shows them all.
# - **Run**: `python chapters/02_tensors.py`. It takes about two seconds.

# %%
import numpy as np

from tinygrad_llm import Tensor, ops
from tinygrad_llm.autograd import op
from tinygrad_llm.autograd.backward import unbroadcast
from tinygrad_llm.backend import to_device
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.visualize.chart import shade
from tinygrad_llm.visualize.figure import INK, PALE_INK, Figure

run = Chapter(
    "02",
    "Every derivative agrees with differences; a check by the plain sum is blind to at least a third of the planted "
    "mistakes.",
)
TOLERANCE, BLIND_SHARE = 1e-6, 1 / 3

# %% [markdown]
# ## What is the slope of an operation on arrays?
#
# For one number the slope was one number. For `y = x @ w` with a thousand entries on each side it would be a matrix
# with a million slopes, nearly all of them zero. Nobody wants that matrix. What we want is what it does on the way
# back: turn `g = dL/dy`, which has the shape of `y`, into `dL/dx`, which has the shape of `x`. So each operation comes
# with a *function* that does this. Its name in the literature is vector-Jacobian product, and in this package `vjp`.
#
# | operation | value | on the way back, with $g = dL/dy$ |
# |---|---|---|
# | add | $y = a + b$ | $dL/da = g$, $dL/db = g$ |
# | multiply | $y = a\,b$ | $dL/da = g\,b$, $dL/db = g\,a$ |
# | matmul, $(N, I) @ (I, O) \to (N, O)$ | $y = a\,b$ | $dL/da = g\,b^T$, $dL/db = a^T g$ |
# | sum, any shape $\to ()$ | $y = \sum x$ | $dL/dx = g$, everywhere |
#
# For the matrix product you need not remember which side is transposed: only one way has the right shape.

# %%


def multiply(a, b):
    return a * b, lambda g: (g * b, g * a)


def matmul(a, b):
    return a @ b, lambda g: (g @ b.T, a.T @ g)


def total(a):
    return a.sum(), lambda g: (np.broadcast_to(g, a.shape),)


# %% [markdown]
# ## What does a tensor remember?
#
# What it was made from, and the function for the way back. Here is all of it. Compare `backward` with chapter 01: it is
# the same.


# %%
class Array:
    """An array that remembers how it was made."""

    def __init__(self, data, parents=(), vjp=None):
        self.data, self.parents, self.vjp, self.grad = np.asarray(data), parents, vjp, 0.0

    def backward(self):
        order, seen = [], set()

        def visit(array):
            if id(array) not in seen:
                seen.add(id(array))
                for parent in array.parents:
                    visit(parent)
                order.append(array)

        visit(self)
        self.grad = np.ones_like(self.data)
        for array in reversed(order):
            if array.vjp:
                for parent, g in zip(array.parents, array.vjp(array.grad)):
                    parent.grad = parent.grad + g


def apply(operation, *parents):
    data, vjp = operation(*(p.data for p in parents))
    return Array(data, parents, vjp)


rng = np.random.default_rng(0)
x, w, scale = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=(4, 2))
ours = [Array(a) for a in (x, w, scale)]
apply(total, apply(multiply, apply(matmul, ours[0], ours[1]), ours[2])).backward()

theirs = [Tensor(a, requires_grad=True) for a in (x, w, scale)]
((theirs[0] @ theirs[1]) * theirs[2]).sum().backward()
for mine, package in zip(ours, theirs):
    np.testing.assert_allclose(mine.grad, package.grad, rtol=1e-12)
print("our forty lines and the package's Tensor agree on", [a.grad.shape for a in theirs])

# %% [markdown]
# From here on `Tensor` is used. Its operations are written with a decorator: a function on arrays returns its value and
# its derivative, side by side, and becomes an operation on tensors.

# %%


@op
def square(x):
    """x².  dL/dx = 2 x g."""
    return x * x, lambda g, needs: 2 * x * g


t = Tensor([1.0, -3.0], requires_grad=True)
square(t).sum().backward()
print("d(x²)/dx at 1 and -3:", t.grad)

# %% [markdown]
# ## A column plus a row makes a table. What happens on the way back?
#
# NumPy adds shapes that do not fit, as long as an axis has size 1 or is missing: the small one is repeated. That is
# *broadcasting*. On the way back `g` has the shape of the table, but the gradient of the column must have the shape of
# the column.
#
# Ask what one entry of the column does. It was used once in every column of the table. Used several times means:
# gradients add up. So the way back of repeating is **summing over the axis that was repeated**.

# %%
column, row = Tensor(np.zeros((3, 1)), requires_grad=True), Tensor(np.zeros((1, 4)), requires_grad=True)
g = np.array([[1.0, 2, 0, 1], [0, 3, 3, 1], [2, 0, 0, 0]])
(column + row).backward(g)
assert (column.grad == g.sum(1, keepdims=True)).all() and (row.grad == g.sum(0, keepdims=True)).all()
assert (unbroadcast(g, (3, 1)) == column.grad).all() and (unbroadcast(g, ()) == g.sum())


def drawn(blocks, title):
    """Blocks of numbers as grids of cells: (x, y, values, name)."""
    figure = Figure(
        700, 320, title, "The gradient of a broadcast array is the sum over the axes along which it was repeated"
    )
    figure.text((24, 30), title, INK, 16, weight=600)
    for left, top, values, name in blocks:
        figure.text((left, top - 10), name, PALE_INK, 13)
        for i, line in enumerate(values):
            for j, value in enumerate(line):
                figure.rect((left + 42 * j, top + 42 * i), 40, 40, shade(abs(value) / 9))
                figure.text((left + 42 * j + 20, top + 42 * i + 25), f"{value:g}", INK, 14, anchor="middle")
    figure.arrow((375, 145), (425, 145), PALE_INK)
    figure.text((400, 132), "sum", PALE_INK, 12, anchor="middle")
    figure.arrow((270, 212), (270, 239), PALE_INK)
    return figure


run.show(
    drawn(
        [
            (190, 80, g, "dL/d(table), (3, 4)"),
            (440, 80, column.grad, "dL/d(column) = row sums, (3, 1)"),
            (190, 266, row.grad, "dL/d(row) = column sums, (1, 4)"),
        ],
        "What was repeated is summed",
    ),
    "unbroadcast",
)

# %% [markdown]
# The package does this in one place, in `backward`, for all operations. No operation needs to know that its input was
# repeated.
#
# ## How do we know that a derivative is right?
#
# By trying, as in chapter 01: move one entry by a little, both ways, and see how the result moves. With arrays the
# result has many entries. To get one number, most people add them all up. We will see that this is a trap. Instead,
# weigh them with random numbers $c$, and compare
#
# $$\frac{\langle c,\,f(x + h)\rangle - \langle c,\,f(x - h)\rangle}{2h} \qquad\text{with}\qquad \text{vjp}(c).$$
#
# $h = 10^{-5}$: smaller, and rounding (10⁻¹⁶ divided by $h$) spoils the difference; larger, and the curve bends within
# $h$.
#
# (`.to(device)` puts a tensor where `--device` says: on the CPU, or with `cuda` on a GPU, where the same operations
# must be right, too.)

# %%
H = 1e-5


def disagreement(function, arrays, weigh, device="cpu"):
    """The largest error of a gradient, as a share of its size (or of 1), with weigh(shape) as c."""
    tensors = [Tensor(a, requires_grad=True).to(device) for a in arrays]
    y = function(*tensors)
    c = weigh(y.shape)
    y.backward(c)
    gradients = [to_device(t.grad, "cpu") for t in tensors]
    worst = 0.0
    for place, array in enumerate(arrays):
        for index in np.ndindex(array.shape):
            ends = []
            for step in (H, -H):
                moved = [a.copy() for a in arrays]
                moved[place][index] += step
                ends.append((function(*[Tensor(a).to(device) for a in moved]).numpy() * c).sum())
            tried = (ends[0] - ends[1]) / (2 * H)
            worst = max(worst, abs(gradients[place][index] - tried) / max(1.0, abs(tried)))
    return worst


def random_weights(shape):
    return np.random.default_rng(1).normal(size=shape)


A, B, POSITIVE = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.uniform(0.5, 2, (3, 4))
OPERATIONS = {
    "add": (ops.add, [A, B[:1]]), "subtract": (ops.subtract, [A, B[:, :1]]), "multiply": (ops.multiply, [A, B[0]]),
    "divide": (ops.divide, [A, POSITIVE]), "power": (ops.power, [POSITIVE, B]), "negative": (ops.negative, [A]),
    "exp": (ops.exp, [A]), "log": (ops.log, [POSITIVE]), "log1p": (ops.log1p, [POSITIVE]),
    "sqrt": (ops.sqrt, [POSITIVE]), "rsqrt": (ops.rsqrt, [POSITIVE]), "sin": (ops.sin, [A]), "cos": (ops.cos, [A]),
    "tanh": (ops.tanh, [A]), "sigmoid": (ops.sigmoid, [A]), "erf": (ops.erf, [A]), "relu": (ops.relu, [A]),
    "silu": (ops.silu, [A]), "gelu": (ops.gelu, [A]), "maximum": (ops.maximum, [A, B]), "absolute": (ops.absolute, [A]),
    "sum": (lambda x: ops.sum(x, axis=0), [A]), "mean": (lambda x: ops.mean(x, axis=1), [A]),
    "var": (lambda x: ops.var(x, axis=1), [A]), "max": (lambda x: ops.max(x, axis=1), [A]),
    "logsumexp": (ops.logsumexp, [A]), "cumsum": (ops.cumsum, [A]),
    "matmul": (ops.matmul, [A, B.T]), "transpose": (ops.transpose, [A]), "flip": (lambda x: ops.flip(x, axis=0), [A]),
    "concat": (lambda a, b: ops.concat([a, b], axis=0), [A, B]), "softmax": (ops.softmax, [A]),
    "log_softmax": (ops.log_softmax, [A]), "layer_norm": (ops.layer_norm, [A, B[0], B[1]]),
    "rms_norm": (ops.rms_norm, [A, B[0]]), "mse": (ops.mse, [A, B]),
}  # fmt: skip
errors = {name: disagreement(f, arrays, random_weights, run.device) for name, (f, arrays) in OPERATIONS.items()}
worst = max(errors, key=errors.get)
print(f"{len(errors)} operations; the worst is {worst} with an error of {errors[worst]:.1e} (bound {TOLERANCE:g})")

# %% [markdown]
# ## Can this check fail? And what about the plain sum?
#
# Plant mistakes that people really make. For each, ask both checks: the one with random weights, and the one with the
# sum, which is weights of 1.
#
# Before you look: which ones will the sum miss? Think of softmax. Its entries add up to 1, whatever `x` is. So the
# sum's derivative is 0, and a derivative that is 0 everywhere passes.

# %%


def planted(value, wrong):
    """An operation with the right value and a wrong derivative."""

    @op
    def mistake(x):
        return value(x), lambda g, needs: wrong(x, g)

    return mistake


def shares(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def centred(x):
    return x - x.mean(-1, keepdims=True)


S = rng.normal(size=(4, 4))
MISTAKES = {
    "softmax: always 0": planted(shares, lambda x, g: np.zeros_like(x)),
    "softmax: without its mean": planted(shares, lambda x, g: g * shares(x)),
    "softmax: twice as large": planted(
        shares, lambda x, g: 2 * shares(x) * (g - (g * shares(x)).sum(-1, keepdims=True))
    ),
    "centring: the mean forgotten": planted(centred, lambda x, g: g),
    "centring: three times as large": planted(centred, lambda x, g: 3 * centred(g)),
    "transpose: not turned back": planted(lambda x: x.T, lambda x, g: g),
    "flip: not flipped back": planted(lambda x: x[::-1], lambda x, g: g),
    "roll: the wrong way": planted(lambda x: np.roll(x, 1, 0), lambda x, g: np.roll(g, 1, 0)),
    "sort: not unsorted": planted(lambda x: np.sort(x, 0), lambda x, g: g),
    "cumsum: from the wrong end": planted(lambda x: x.cumsum(0), lambda x, g: g.cumsum(0)),
    "square: the 2 forgotten": planted(lambda x: x * x, lambda x, g: x * g),
    "tanh: without the square": planted(np.tanh, lambda x, g: g * (1 - np.tanh(x))),
    "mean: a sum": planted(lambda x: x.mean(0), lambda x, g: np.broadcast_to(g, x.shape).copy()),
    "exp: detached": planted(np.exp, lambda x, g: np.zeros_like(x)),
    "maximum: to the first row": planted(lambda x: x.max(0), lambda x, g: np.eye(1, 4).T * g),
}  # fmt: skip
rows, found_by_random, found_by_sum = [], 0, 0
for name, mistake in MISTAKES.items():
    by_random, by_sum = disagreement(mistake, [S], random_weights), disagreement(mistake, [S], np.ones)
    found_by_random += by_random > TOLERANCE
    found_by_sum += by_sum > TOLERANCE
    rows.append([name, "found" if by_random > TOLERANCE else "MISSED", "found" if by_sum > TOLERANCE else "missed"])
print(table(rows, ["planted mistake", "random weights", "plain sum"]))
print(f"random weights find {found_by_random} of {len(MISTAKES)}, the plain sum {found_by_sum}")

# %% [markdown]
# The sum misses whatever only moves gradients to other places (a permutation of ones is ones), and whatever concerns a
# total that never changes. Softmax, centring, transposing: attention and layer norm are made of just these. That is why
# `gradcheck` in this package draws its weights.
#
# **Exercises**: 02.1 un-broadcasting, 02.2 the matrix product, 02.3 a check that can fail.

# %%
missed = 1 - found_by_sum / len(MISTAKES)
run.check("errors of the derivatives, by operation", errors, at_most=TOLERANCE)
run.check("planted mistakes that random weights find", found_by_random, equals=len(MISTAKES))
run.check("share of them that the plain sum misses", missed, at_least=BLIND_SHARE, baseline={"random weights": 0})
run.report("planted mistakes that the plain sum finds", found_by_sum)
run.finish()
