# %% [markdown]
# # 01 · One number at a time
#
# A language model is a program that continues a text. It learns by turning a million knobs, each a little, in the
# direction that makes its error smaller. For that it must know, for every knob, which direction that is. This chapter
# builds the machine that finds out, the *engine*. It works on single numbers (hence *scalar*, in the claim), it is
# shorter than a hundred lines, and nothing that comes later changes its idea.
#
# - **Builds on** nothing. You can read Python, and you know from school what the slope of a curve is.
# - **Reads** [`tinygrad_llm/autograd/scalar.py`](../tinygrad_llm/autograd/scalar.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/01/output.txt) shows all. (It is so in
#   every chapter. The sentence uses words that the chapter has yet to explain: read it again at the end. A *bound*, in
#   the last table the *threshold*, is what a part must keep, written down before the last run. A *baseline* is what
#   something simpler reaches; it stands beside, so that you see what the part is worth.)
# - **Departs from** the usual way to tell this, in one respect. There each result keeps a function that knows the way
#   back. Here it keeps numbers, its *slopes*: nothing more is needed as long as one number is computed at a time.
# - **Run**: `python chapters/01_one_number_at_a_time.py`. It takes about two seconds, with `--fast` too, which leaves
#   nothing out. (The record was made with `--seeds 3`. A *seed* is the number from which all that is drawn at random
#   begins: the same seed, the same run. Where chance matters a chapter is run with three seeds, 0, 1 and 2. Here
#   nothing is drawn.)

# %%
import ast
import json
import math

from tinygrad_llm.autograd import Value
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.visualize import graph_figure, line_chart

run = Chapter(
    "01",
    "A scalar engine of under 100 lines gets PyTorch's gradients to 12 digits; without topological order it is wrong.",
)
TOLERANCE, MOST_LINES, ENOUGH_NOTICE = 1e-12, 100, 250

# %% [markdown]
# ## If I turn this knob a little, how far does the result move?
#
# Take `f(a, b) = tanh(a·b + a)` at `a = 2`, `b = -0.6`. (`tanh` squeezes every number into the range between -1 and 1:
# 0 stays 0, large numbers come close to 1.) You could simply try: turn `a` up by a ten-millionth, and down by as much,
# and divide the change of `f` by the change of `a`. School writes this as df/da.

# %%
h = 1e-7


def f(a, b):
    return math.tanh(a * b + a)


tried_a = (f(2 + h, -0.6) - f(2 - h, -0.6)) / (2 * h)
tried_b = (f(2, -0.6 + h) - f(2, -0.6 - h)) / (2 * h)
print(f"by trying: df/da = {tried_a:.6f}, df/db = {tried_b:.6f}")

# %% [markdown]
# This number, how far the result moves for each unit of `a`, is called the *gradient* of `a`. (It holds for small
# moves: `tanh` bends, and at another `a` the number is another.) To try costs two runs of `f` for each knob. With a
# million knobs, two million runs for one small step. There must be a better way.
#
# **What do we know without trying?** Each single operation. A product `a·b` moves by `b` for each unit of `a`. A sum
# moves by 1. `tanh` moves by `1 - y²`, if `y` is what it gives. So while we compute, let every result remember what it
# was made from, its *parents*, and how fast it moves with each of them: its *slopes*. (`grad` is a place for the
# gradient, later.)

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
# ## How far does the result move with `a`, which is several steps away?
#
# Walk from the result back to `a`, and multiply the slopes on the way: that is how a movement is passed on. There are
# two ways, one through the product and one straight into the sum. Both happen at once, so they add up. In signs, where
# $\sum$ adds and $\prod$ multiplies:
#
# $$\frac{d\,\text{result}}{da} \;=\; \sum_{\text{paths}}\; \prod_{\text{steps}} \text{slope}$$
#
# That is the *chain rule*, all of it.

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
# ways back, so n doublings have 2ⁿ paths. Count the paths, and the steps that it takes to walk them all.

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
    rows.append([doublings, int(x.grad), 2**doublings, steps[0], doublings + 1])
print(table(rows, ["doublings", "gradient", "paths", "steps taken", "numbers there are"]))

# %% [markdown]
# ## Then why not visit each number once?
#
# Good: a number collects what comes back to it, and passes on the sum. One visit each. But *when* may it pass it on?
# Here is the obvious way, which goes deeper as soon as it can. Look at what it does to four times `x`.

# %%


def visit_once_in_any_order(value, seen):
    """Passes on whatever has come so far.  Wrong."""
    for parent, slope in zip(value.parents, value.slopes):
        parent.grad += slope * value.grad
        if id(parent) not in seen:
            seen.add(id(parent))
            visit_once_in_any_order(parent, seen)


def in_any_order(root):
    root.grad = 1.0
    visit_once_in_any_order(root, {id(root)})


def four_times(make):
    x = make(3.0)
    twice = x + x
    return x, twice + twice


x, result = four_times(Number)
in_any_order(result)
by_any_order = x.grad
print(f"four times x moves by 4 for each unit of x. Visiting in any order says {by_any_order:g}")

# %% [markdown]
# `twice` was visited when only the first of its two gradients had come. It passed on 1 instead of 2, and never got a
# second chance.
#
# **A number may pass on its gradient when everything that was made from it has been visited.** An order in which this
# holds for all is called *topological order*: children, which is what was made from a number, before their parents.
# Each number is then visited once, and each is complete.

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


x, result = four_times(Number)
backward(result)
in_order = x.grad
print(f"In topological order: {in_order:g}")
assert in_order == 4.0

# %% [markdown]
# ## The engine of this package
#
# `tinygrad_llm.autograd.Value` is this class with the other operations, and with an order that does not recurse: Python
# would stop at a depth of 1,000, and a long sum is deeper than that. First we see that it agrees with ours, and that a
# sum of 20,001 numbers does not stop it. From here on we use it.

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
# Read the picture from right to left. A box is a number, with its gradient (`grad`) below; each arrow carries a slope.
# A box's gradient is the sum, over the arrows that leave it, of slope times gradient at the arrow's tip. For `a`:
# -0.6 · 0.5591 + 1 · 0.5591 = 0.2236.

# %%
run.show(graph_figure(result, {"a": a, "b": b, "result": result}, "tanh(a·b + a)"), "graph")

# %% [markdown]
# ## Is it right? Ask somebody else
#
# An engine that is checked by its own author against examples of his own is not checked. PyTorch is the library with
# which most language models are trained. So ask it: 1,000 random expressions in three variables, with sums, products,
# quotients, powers, `exp`, `log`, `tanh` and `relu` (which is 0 below 0, and the number itself above). The gradients
# that PyTorch found for them are [recorded](../tests/goldens/make_goldens.py) with its version.
#
# How near must we come? Both compute with 16 digits, and some are lost where nearly equal numbers are subtracted. Let
# "to 9 digits" mean that an error is at most 10⁻⁹ of the gradient, or 10⁻⁹ where the gradient is below 1. **We first
# asked for 9 digits, and that was too little**: the way of the beginning, to move each knob and look, keeps such a
# bound in nearly all of these expressions. So ask for 12.
#
# And a check that cannot fail proves nothing. So the same expressions go through an engine with a mistake in it that is
# easily made: the slope of `tanh` without the square, `1 - y` instead of `1 - y²`. How many would notice? Not all that
# hold a `tanh`: the two slopes differ by `y² - y`, which is nothing where `y` is 0 or 1, and no gradient may come back
# through the `tanh`, or stop behind it. But which must notice can be said. By way of one `tanh` the gradient of `a` is
# off by a product: how the result moves with the `tanh`, times `y² - y`, times how what stands in the brackets moves
# with `a`. If that is more than the bound allows, for some `tanh` and one of the three variables, the mistake must
# show. (A thousand with fewer than 250 such ones would be a poor choice: that is the bound.)


# %% folded
def recorded(name):
    """What PyTorch found: a text in a, b, c; three numbers; the value there; three gradients.  And its version."""
    golden = json.loads((run.root / "tests" / "goldens" / f"{name}.json").read_text(encoding="utf-8"))
    return golden["rows"], golden["made_with"]["torch"]


def errors_of(method, rows, **options):
    """For each row the largest error of a gradient, as a share of its size (or of 1, where it is smaller)."""
    return [
        max(abs(found - g) / max(1.0, abs(g)) for found, g in zip(method(text, at, **options), gradient))
        for text, at, _, gradient in rows
    ]


def count_within(errors, bound=TOLERANCE):
    return sum(error <= bound for error in errors)


# %%
FUNCTIONS = {name: lambda v, name=name: getattr(v, name)() for name in ("exp", "log", "tanh", "relu")}


def by_engine(text, at, backward=Value.backward, **others):
    """The gradients of a, b, c; `others` are functions by name, which stand in the places of the right ones."""
    leaves = [Value(x) for x in at]
    backward(eval(text, FUNCTIONS | others | dict(zip("abc", leaves))))
    return [leaf.grad for leaf in leaves]


def by_trying(text, at, step=1e-6):
    """The same by moving each number up and down; 1e-6 is the best step of six that we tried."""

    def value(knob, move):
        moved = [Value(x + move * (i == knob)) for i, x in enumerate(at)]
        return eval(text, FUNCTIONS | dict(zip("abc", moved))).data

    return [(value(knob, step) - value(knob, -step)) / (2 * step) for knob in range(3)]


def mistaken_tanh(value):
    """tanh, but its slope is 1 - y instead of 1 - y²."""
    y = math.tanh(value.data)
    return Value(y, (value,), (1 - y,))


def must_notice(text, at, gradient):
    """Whether the mistake, by way of one `tanh`, changes one of the three gradients by more than TOLERANCE."""
    leaves, made = [Value(x) for x in at], []
    noted = {"tanh": lambda value: made.append(value.tanh()) or made[-1]}
    eval(text, FUNCTIONS | noted | dict(zip("abc", leaves))).backward()
    for y, slope in [(y, y.grad) for y in made]:  # all of them first: the next line changes them
        for leaf in leaves:
            leaf.grad = 0.0
        y.parents[0].backward()  # how what stands in the brackets moves with a, b, c
        change = slope * (y.data**2 - y.data)
        if any(abs(change * leaf.grad) > TOLERANCE * max(1.0, abs(g)) for leaf, g in zip(leaves, gradient)):
            return True
    return False


expressions, version = recorded("expressions")
errors, tried = errors_of(by_engine, expressions), errors_of(by_trying, expressions)
agree, agree_tried = count_within(errors), count_within(tried)
notices = [error > TOLERANCE for error in errors_of(by_engine, expressions, tanh=mistaken_tanh)]
must = [must_notice(text, at, gradient) for text, at, _, gradient in expressions]
holding = sum("tanh" in text for text, *_ in expressions)
print(f"{agree} of {len(errors)} agree with PyTorch {version} to 12 digits; the worst error is {max(errors):.1e}")
print(f"found by trying, {agree_tried} do, and to 9 digits {count_within(tried, 1e-9)}")
print(f"{holding} hold a tanh, {sum(must)} must notice the mistaken one, {sum(notices)} do", end="; ")
print("these are the same" if notices == must else "and these are not the same")

# %% [markdown]
# ## Would they notice the wrong order?
#
# We asked, and the answer was a surprise. Visited in any order, all thousand are right. Why? Look at how an expression
# is written: what stands in brackets is used once. Only `a`, `b` and `c` are used again, and they have no parents to
# pass anything on to. **So a thousand examples said nothing about half of our claim.**
#
# It takes results that are used again. So here are 300 short programs of eight lines. Each line takes one or two of the
# three results before it. PyTorch was asked about these, too.

# %%
programs, _ = recorded("programs")
run.say("one of them:", programs[0][0][1:-5].replace(" :=", " ="))
program_errors = errors_of(by_engine, programs)
agree_programs = count_within(program_errors)
any_order = [count_within(errors_of(by_engine, rows, backward=in_any_order)) for rows in (expressions, programs)]
print(f"in topological order {agree_programs} of {len(programs)} programs agree with PyTorch")
print(f"in any order {any_order[0]} of the {len(expressions)} expressions do, and {any_order[1]} of the programs")

# %% [markdown]
# ## How long is it?
#
# We promised under a hundred lines. Comments, docstrings and empty lines do not compute, so they do not count.


# %% folded
def lines_of_code(path):
    """How many lines hold something that is executed."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    lines = {line for node in nodes if hasattr(node, "lineno") for line in (node.lineno, node.end_lineno)}
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


# %%
lines = lines_of_code(run.root / "tinygrad_llm" / "autograd" / "scalar.py")
print(f"{lines} lines of code")

# %% [markdown]
# ## What is it good for?
#
# For a machine that learns. The smallest has two knobs, a `weight` and a `bias`, and is called a *neuron*: it takes a
# number x and says `tanh(weight · x + bias)`. Show it 31 numbers, from -1 to 2 in steps of a tenth. It shall say +1 for
# those above 0.7 and -1 for the others. Its error is the mean, over the 31, of the squared difference between what it
# says and what it should say.
#
# How does it learn? Turn each knob against its gradient, by half of that gradient: where the error rises with the knob,
# down, where it falls, up. Do that two hundred times.

# %%
inputs = [i / 10 for i in range(-10, 21)]
wanted = [1.0 if x > 0.7 else -1.0 for x in inputs]
weight, bias = Value(0.1), Value(0.0)


def count_right():
    """For how many inputs the neuron's answer has the sign that it should have."""
    return sum((math.tanh(weight.data * x + bias.data) > 0) == (t > 0) for x, t in zip(inputs, wanted))


curve, right_before = [], count_right()
for turn in range(200):
    error = Value(0.0)
    for x, t in zip(inputs, wanted):
        error = error + ((weight * x + bias).tanh() - t) ** 2
    error = error * (1 / len(inputs))
    error.backward()
    curve.append((turn, error.data))
    weight, bias = Value(weight.data - 0.5 * weight.grad), Value(bias.data - 0.5 * bias.grad)
right = count_right()
print(
    f"error {curve[0][1]:.3f} -> {curve[-1][1]:.3f}; right: {right_before} -> {right} of {len(inputs)}; "
    f"the neuron changes sign at {-bias.data / weight.data:.2f}"
)
run.show(
    line_chart(
        {"error": curve}, title="Two knobs, turned two hundred times: the error falls", ylabel="mean squared error",
        xlabel="turns of both knobs",
    ),
    "one-neuron",
)  # fmt: skip

# %% [markdown]
# That was learning. Nobody told it 0.7: it saw 31 numbers with their answers, and any place between the last -1, at
# 0.7, and the first +1, at 0.8, gets all of them right. Everything after this is the same with more knobs.
#
# **Exercises**: 01.1 slopes, 01.2 children first, 01.3 an engine of your own. `tgl`, the command that comes with this
# package, lays them out (`tgl start`), and `tgl chapter 01 --mine` runs this page on your engine.

# %%
run.check(
    "random expressions on which it agrees with PyTorch", agree, equals=len(errors), baseline={"by trying": agree_tried}
)
run.check(
    "of them, those that notice a mistaken tanh", sum(notices), at_least=ENOUGH_NOTICE, baseline={"must": sum(must)}
)
run.check("those that should notice and do not, or the reverse", sum(a != b for a, b in zip(notices, must)), equals=0)
run.check(
    "random programs on which it agrees with PyTorch",
    agree_programs,
    equals=len(programs),
    baseline={"in any order": any_order[1]},
)
run.check("programs that are right in any order", any_order[1], below=len(programs))
run.check("lines of code", lines, below=MOST_LINES)
run.check("error of the gradient of 4x, in any order", abs(by_any_order - 4), above=0)
run.check("error of the gradient of 4x, in topological order", abs(in_order - 4), equals=0)
run.report("worst error against PyTorch", max(errors + program_errors))
run.report("expressions that are right in any order", any_order[0])
run.report("steps along every path, 14 doublings", rows[-1][3])
run.report("numbers that the neuron gets right, of 31", right)
run.finish()
