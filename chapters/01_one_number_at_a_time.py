# %% [markdown]
# # 01 · One number at a time
#
# A language model learns by turning a million knobs, each a little, in the direction that makes its error smaller. For
# that it must know, for every knob, which direction that is. This chapter builds the machine that finds out. It works
# on single numbers, it is shorter than a hundred lines, and nothing that comes later changes its idea.
#
# - **Builds on** nothing. You can read Python.
# - **Reads** [`tinygrad_llm/autograd/scalar.py`](../tinygrad_llm/autograd/scalar.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/01/output.txt) shows them all.
# - **Departs from** the usual telling in one respect: each result keeps its *slopes*, numbers, and no functions. That
#   is all a chain rule needs, as long as one number is computed at a time. Chapter 02 needs functions.
# - **Run**: `python chapters/01_one_number_at_a_time.py`. It takes about two seconds.

# %%
import json
import math
import tokenize

from tinygrad_llm.autograd import Value
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.visualize import graph_figure, line_chart

run = Chapter(
    "01", "A scalar engine of under 100 lines gets PyTorch's gradients; without topological order it is wrong."
)
TOLERANCE, MOST_LINES = 1e-9, 100

# %% [markdown]
# ## If I turn this knob a little, how far does the result move?
#
# Take `f(a, b) = tanh(a·b + a)` at `a = 2`, `b = -0.6`. You could simply try: turn `a` by a ten-millionth, and look.

# %%
h = 1e-7


def f(a, b):
    return math.tanh(a * b + a)


tried_a = (f(2 + h, -0.6) - f(2 - h, -0.6)) / (2 * h)
tried_b = (f(2, -0.6 + h) - f(2, -0.6 - h)) / (2 * h)
print(f"by trying: df/da = {tried_a:.6f}, df/db = {tried_b:.6f}")

# %% [markdown]
# That costs two runs of `f` for each knob. With a million knobs, two million runs for one small step. There must be a
# better way.
#
# **What do we know without trying?** Each single operation. A product `a·b` moves by `b` for each unit of `a`. A sum
# moves by 1. `tanh` moves by `1 - tanh²`. So while we compute, let every result remember what it was made from, and how
# fast it moves with each of those: its *slopes*.

# %%


class Number:
    """A number, what it was made from, and its slope with respect to each."""

    def __init__(self, data, parents=(), slopes=()):
        self.data, self.parents, self.slopes, self.grad = data, parents, slopes, 0.0

    def __add__(self, other):
        return Number(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        return Number(self.data * other.data, (self, other), (other.data, self.data))

    def tanh(self):
        y = math.tanh(self.data)
        return Number(y, (self,), (1 - y * y,))


a, b = Number(2.0), Number(-0.6)
product = a * b
total = product + a
result = total.tanh()
print(f"result {result.data:.6f}; it moves by {result.slopes[0]:.6f} for each unit of `total`")

# %% [markdown]
# ## How far does the result move with `a`, which is three steps away?
#
# Walk from the result back to `a`, and multiply the slopes on the way: that is how a movement is passed on. There are
# two ways, one through the product and one straight into the sum. Both happen at once, so they add up.
#
# $$\frac{d\,\text{result}}{da} \;=\; \sum_{\text{paths}}\; \prod_{\text{steps}} \text{slope}$$
#
# That is the chain rule, all of it.

# %%
through_product = result.slopes[0] * total.slopes[0] * product.slopes[0]
straight = result.slopes[0] * total.slopes[1]
by_paths = through_product + straight
print(
    f"through the product {through_product:+.6f}, straight {straight:+.6f}, together {by_paths:+.6f}; "
    f"tried {tried_a:+.6f}"
)
assert abs(by_paths - tried_a) < 1e-6

# %% [markdown]
# ## Why not walk every path?
#
# Because there are too many. Double a number, double the result, and so on: `x + x`, n times. Every doubling has two
# ways back, so n doublings have 2ⁿ paths.

# %%


def walk_every_path(value, gradient, count):
    """Adds the product of slopes along each path.  Right, and hopeless."""
    count[0] += 1
    value.grad += gradient
    for parent, slope in zip(value.parents, value.slopes):
        walk_every_path(parent, gradient * slope, count)


rows = []
for doublings in (2, 8, 14):
    x = Number(1.0)
    y = x
    for _ in range(doublings):
        y = y + y
    steps = [0]
    walk_every_path(y, 1.0, steps)
    rows.append([doublings, x.grad, steps[0], doublings + 1])
print(table(rows, ["doublings", "gradient", "steps taken", "numbers there are"]))

# %% [markdown]
# ## Then why not visit each number once?
#
# Good: a number collects what comes back to it, and passes on the sum. One visit each. But *when* may it pass it on?
# Here is the obvious way, which goes deeper as soon as it can. Look at what it does to four times `a`.

# %%


def visit_once_in_any_order(value, seen):
    """Passes on whatever has come so far.  Wrong."""
    for parent, slope in zip(value.parents, value.slopes):
        parent.grad += slope * value.grad
        if id(parent) not in seen:
            seen.add(id(parent))
            visit_once_in_any_order(parent, seen)


def four_times(make):
    a = make(3.0)
    b = a + a
    c = b + b
    return a, c


a, c = four_times(Number)
c.grad = 1.0
visit_once_in_any_order(c, {id(c)})
in_any_order = a.grad
print(f"c = 4a, so dc/da = 4. Visiting in any order says {in_any_order:g}")

# %% [markdown]
# `b` was visited when only the first of its two gradients had come. It passed on 1 instead of 2, and never got a second
# chance.
#
# **A number may pass on its gradient when everything that was made from it has been visited.** An order in which this
# holds for all is called *topological*: children first. Each number is then visited once, and each is complete.

# %%


def children_first(root):
    """Every number that `root` was made from, each before its parents."""
    order, seen = [], set()

    def visit(value):
        if id(value) not in seen:
            seen.add(id(value))
            for parent in value.parents:
                visit(parent)
            order.append(value)  # after its parents

    visit(root)
    return order[::-1]


def backward(root):
    root.grad = 1.0
    for value in children_first(root):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope * value.grad


a, c = four_times(Number)
backward(c)
in_order = a.grad
print(f"In topological order: {in_order:g}")
assert in_order == 4.0

# %% [markdown]
# ## The engine of this package
#
# `tinygrad_llm.autograd.Value` is this class with the other operations, and with an order that does not recurse: Python
# would stop at a depth of 1,000, and a long sum is deeper than that. First we see that it agrees with ours. From here
# on we use it.

# %%
ours_a, ours_b = Number(2.0), Number(-0.6)
backward((ours_a * ours_b + ours_a).tanh())
a, b = Value(2.0), Value(-0.6)
product = a * b
result = (product + a).tanh()
result.backward()
assert (a.grad, b.grad) == (ours_a.grad, ours_b.grad)

deep = Value(1.0)
y = deep
for _ in range(20_000):
    y = y + deep
y.backward()
assert deep.grad == 20_001

# %% [markdown]
# Read the picture from right to left. Each arrow carries a slope. A box's gradient is the sum, over the arrows that
# leave it, of slope times gradient at the arrow's head.

# %%
run.show(graph_figure(result, {"a": a, "b": b, "result": result}, "tanh(a·b + a)"), "graph")

# %% [markdown]
# ## Is it right? Ask somebody else
#
# An engine that is checked by its own author against examples of his own is not checked. So: 1,000 random expressions
# in three variables, with sums, products, quotients, powers, `exp`, `log`, `tanh` and `relu`, and the gradients that
# PyTorch found for them, [recorded](../tests/goldens/make_goldens.py) with its version. The bound was chosen before:
# 10⁻⁹ of the gradient's size, since both compute with 16 digits and some expressions cancel.
#
# And a check that cannot fail proves nothing. So the same expressions go through an engine with a mistake in it that is
# easily made: the slope of `tanh` without the square. How many of the thousand would notice?

# %%
golden = json.loads((run.root / "tests" / "goldens" / "expressions.json").read_text(encoding="utf-8"))
expressions = golden["rows"][: run.pick(1000, 200)]


def functions_of(kind):
    return {name: lambda v, name=name: getattr(v, name)() for name in ("exp", "log", "tanh", "relu")}


class Mistaken(Value):
    """Value, but tanh's slope is 1 - y instead of 1 - y²."""

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, (self,), (1 - y,))


def worst_errors(kind):
    """For each expression the largest error of a gradient, as a share of its size (or of 1, where it is smaller)."""
    errors = []
    for text, at, _, gradient in expressions:
        leaves = [kind(x) for x in at]
        eval(text, functions_of(kind) | dict(zip("abc", leaves))).backward()
        errors.append(max(abs(leaf.grad - g) / max(1.0, abs(g)) for leaf, g in zip(leaves, gradient)))
    return errors


errors, mistaken = worst_errors(Value), worst_errors(Mistaken)
agree = sum(error <= TOLERANCE for error in errors)
noticed = sum(error > TOLERANCE for error in mistaken)
print(
    f"{agree} of {len(errors)} agree with PyTorch {golden['made_with']['torch']}; the worst error is {max(errors):.1e}"
)
print(f"with the mistaken tanh, {noticed} do not: wherever a gradient comes back through a tanh")

# %% [markdown]
# ## How long is it?
#
# We promised under a hundred lines. Comments, docstrings and empty lines do not compute, so they do not count.

# %%


def lines_of_code(path):
    """How many lines hold something that is executed."""
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}
    lines, last = set(), None
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            starts_statement = last is None or last.type in (
                tokenize.NEWLINE,
                tokenize.INDENT,
                tokenize.DEDENT,
                tokenize.NL,
            )
            if token.type == tokenize.STRING and starts_statement:
                last = token
                continue  # a docstring
            if token.type not in ignored and token.type != tokenize.ENDMARKER:
                lines.update(range(token.start[0], token.end[0] + 1))
            last = token
    return len(lines)


lines = lines_of_code(run.root / "tinygrad_llm" / "autograd" / "scalar.py")
print(f"{lines} lines of code")

# %% [markdown]
# ## What is it good for?
#
# One neuron, two knobs. It shall say +1 for the numbers above 0.7 and -1 for those below. Its error is the mean of the
# squared differences. Turn both knobs against their gradients, two hundred times.

# %%
inputs = [i / 10 for i in range(-10, 21)]
wanted = [1.0 if x > 0.7 else -1.0 for x in inputs]
weight, bias = Value(0.1), Value(0.0)
curve = []
for step in range(201):
    error = Value(0.0)
    for x, t in zip(inputs, wanted):
        error = error + ((weight * x + bias).tanh() - t) ** 2
    error = error * (1 / len(inputs))
    error.backward()
    curve.append((step, error.data))
    weight, bias = Value(weight.data - 0.5 * weight.grad), Value(bias.data - 0.5 * bias.grad)
right = sum((math.tanh(weight.data * x + bias.data) > 0) == (t > 0) for x, t in zip(inputs, wanted))
print(
    f"error {curve[0][1]:.3f} -> {curve[-1][1]:.3f}; {right} of {len(inputs)} right; the neuron turns "
    f"at {-bias.data / weight.data:.2f}"
)
run.show(
    line_chart(
        {"error": curve}, title="Two knobs, turned two hundred times", ylabel="mean squared error", xlabel="step"
    ),
    "one-neuron",
)

# %% [markdown]
# That was learning. Everything after this is the same with more knobs.
#
# **Exercises**: 01.1 slopes, 01.2 children first, 01.3 an engine of your own. `tgl chapter 01 --mine` runs this page on
# it.

# %%
run.check("random expressions on which it agrees with PyTorch", agree, equals=len(errors))
run.check("of them, those that notice a mistaken tanh", noticed, above=0)
run.check("lines of code", lines, below=MOST_LINES)
run.check("error of dc/da = 4, visited in any order", abs(in_any_order - 4), above=0)
run.check("error of dc/da = 4, in topological order", abs(in_order - 4), equals=0)
run.report("worst error against PyTorch", max(errors))
run.report("steps along every path, 14 doublings", rows[-1][2])
run.report("numbers that the neuron gets right", right)
run.finish()
