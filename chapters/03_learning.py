# %% [markdown]
# # 03 · Learning
#
# We have gradients. Learning is what one does with them: step downhill, look, step again. An *optimizer* is the rule
# that makes a step of a gradient. This chapter writes the three that nearly everybody uses, lets them untangle a
# spiral, and then breaks them, since a run that fails teaches more than one that works.
#
# - **Builds on** 02, tensors.
# - **Reads** [`nn/module.py`](../tinygrad_llm/nn/module.py), [`nn/layers.py`](../tinygrad_llm/nn/layers.py),
#   [`optim/`](../tinygrad_llm/optim), [`ops/loss.py`](../tinygrad_llm/ops/loss.py),
#   [`train/fit.py`](../tinygrad_llm/train/fit.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/03/output.txt) shows them all.
# - **Departs from** the papers nowhere; AdamW is Loshchilov and Hutter's (2019), clipping Pascanu's (2013); as in
#   PyTorch 10⁻⁶ is added to the length that one divides by.
# - **Run**: `python chapters/03_learning.py`. It takes some forty seconds; `--seeds 3` a minute and a half. (In the
#   code `run.pick(a, b)` is `a` in a full run, and `b`, which is less work, with `--fast`.)

# %%
import warnings
from collections import Counter
from functools import partial

import numpy as np

from tinygrad_llm import Module, nn, no_grad, ops
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.optim import SGD, AdamW, clip_scale, schedule
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import line_chart, trailing_mean
from tinygrad_llm.visualize.figure import INK, PALE_INK, Figure

run = Chapter(
    "03",
    "All three optimizers learn the spiral, momentum and AdamW in fewer steps than SGD; clipping saves a run from one "
    "bad batch; warm-up saves at least two thirds of the bad starts, clipping or a tenth of the rate no fewer.",
)
ENOUGH, RUINED, STARTS, SPOILED_BATCH = 0.95, 0.5, run.pick(24, 2), 300
STEPS, REACHED, OTHERS = run.pick(600, 450), 0.15, run.pick(4, 1)
warnings.filterwarnings("ignore", category=RuntimeWarning)  # runs that are meant to break overflow

# %% [markdown]
# ## What shall be learned?
#
# Three arms of a spiral, 200 points each, scattered a little. Given a point, say its arm. One neuron (chapter 01)
# divides the plane by a straight line, and no straight line separates the arms, so one layer of neurons is not enough.
# We keep 600 other points aside: what counts is being right where one has not looked.

# %%


def spiral(count, rng):
    """Points (3 count, 2) and their arm (3 count,)."""
    radius = np.sqrt(rng.uniform(0.02, 1, (3, count)))
    angle = 4.5 * radius + 2 * np.pi / 3 * np.arange(3)[:, None] + rng.normal(0, 0.15, (3, count))
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).reshape(-1, 2)
    return points.astype(np.float32), np.repeat(np.arange(3), count)


# %% [markdown]
# A layer is many neurons side by side, and a network is layers one after another; what comes out of one goes into the
# next. In the code it is a tree of modules, and its leaves are *parameters*, the numbers that are learned. Here are
# three layers with a bend between them. A layer, `Linear`, is $y = x W^T + b$: points $x$ of shape (N, I), weights $W$
# (O, I) and $b$ (O,), so $y$ is (N, O). The bend, *ReLU*, is $\max(0, y)$ for each number: without it three layers
# would be no more than one.
#
# With which numbers does one begin? The first weights are drawn so that a layer neither enlarges nor shrinks what
# passes through: around 0, with a standard deviation of $\sqrt{2/I}$ for $I$ inputs, the 2 because `relu` throws half
# away (He et al., 2015). `gain` lets us do it wrong later.


# %%
class Network(Module):
    """(N, 2) points -> (N, 3) scores, one an arm."""

    def __init__(self, rng, sizes=(2, 32, 32, 3), gain=1.0):
        self.layers = [nn.Linear(a, b, rng=rng, std=gain * (2 / a) ** 0.5) for a, b in zip(sizes, sizes[1:])]

    def __call__(self, x):
        for layer in self.layers[:-1]:
            x = ops.relu(layer(x))
        return self.layers[-1](x)

    def loss(self, batch, *, rng=None, divisor=None, dtype=None):
        return ops.cross_entropy(self(batch["points"]), batch["targets"], divisor=divisor)


# %% [markdown]
# ## How wrong is it?
#
# The network gives a score $s_k$ for each arm, (N, 3). *Softmax* makes shares of them that sum to 1 for each point:
#
# $$p_k = \frac{e^{s_k}}{e^{s_1} + e^{s_2} + e^{s_3}}$$
#
# The *loss*, the number that shall become small, is $-\ln p$ of the right arm: 0 if it got everything, and without
# bound if it got nothing. It is called *cross-entropy*, and its unit is the *nat*, since the logarithm is the natural
# one. Not knowing anything, three equal shares, costs $-\ln \tfrac13 = \ln 3 = 1.10$ nats. The loss is the mean over
# the points of a *batch*, those of one step. (A batch can be cut into pieces; then their sums are divided by the
# `divisor`, the size of the whole.)
#
# ## Which step?
#
# The three answers, for a parameter $w$ with gradient $g$, and $\eta$ the *learning rate*:
#
# | | remembers | step |
# |---|---|---|
# | *SGD* | nothing | $w \leftarrow w - \eta\,g$ |
# | *momentum* | $u \leftarrow 0.9\,u + g$ | $w \leftarrow w - \eta\,u$ |
# | *AdamW* | $m$ and $v$, means of $g$ and of $g^2$ that fade | below |
#
# $$m \leftarrow \beta_1 m + (1-\beta_1)\,g \qquad v \leftarrow \beta_2 v + (1-\beta_2)\,g^2
# \qquad w \leftarrow w - \eta\,\hat m / (\sqrt{\hat v} + \epsilon) - \eta\,\lambda\,w$$
#
# The usual numbers are $\beta_1 = 0.9$, $\beta_2 = 0.999$, $\lambda = 0.01$ and $\epsilon = 10^{-8}$, which only sees
# to it that nothing is divided by 0. $m$ and $v$ start at 0 and are too small at first: $\hat m$ and $\hat v$ are they,
# divided by $1 - \beta^t$ in step $t$, which makes up for it.
#
# Momentum keeps going where gradients agree, and cancels where they point to and fro. AdamW divides each parameter's
# step by the usual size of its gradient: where gradients agree all move at about the rate $\eta$, whatever their scale.
# The last term is *weight decay*: it pulls every weight towards 0, by the share $\eta\lambda$ a step. (SGD means
# stochastic gradient descent: each batch is drawn at random.) Written down, they are as short as the table:

# %%


def sgd(w, g, memory, t, lr):
    return w - lr * g


def momentum(w, g, memory, t, lr):
    memory["u"] = 0.9 * memory.get("u", 0) + g
    return w - lr * memory["u"]


def adamw(w, g, memory, t, lr, b1=0.9, b2=0.999, eps=1e-8, decay=0.01):
    memory["m"] = b1 * memory.get("m", 0) + (1 - b1) * g
    memory["v"] = b2 * memory.get("v", 0) + (1 - b2) * g * g
    step = (memory["m"] / (1 - b1**t)) / (np.sqrt(memory["v"] / (1 - b2**t)) + eps)
    return w - lr * step - lr * decay * w


MAKE = {
    "SGD": lambda parameters, lr: SGD(parameters, lr=lr),
    "momentum": lambda parameters, lr: SGD(parameters, lr=lr, momentum=0.9),
    "AdamW": lambda parameters, lr: AdamW(parameters, lr=lr),
}
for name, rule in (("SGD", sgd), ("momentum", momentum), ("AdamW", adamw)):
    rng, memory = np.random.default_rng(0), {}
    w = rng.normal(size=(3, 2))
    parameter = nn.Parameter(w.copy()).to(run.device)
    optimizer = MAKE[name]([parameter], 0.1)
    for t in range(1, 21):
        g = rng.normal(size=w.shape)
        w, parameter.grad = rule(w, g, memory, t, 0.1), g
        optimizer.step()
    np.testing.assert_allclose(parameter.numpy(), w, rtol=1e-10)
print("our three rules and the package's optimizers agree over 20 steps")

# %% [markdown]
# The package's versions do the same in a few passes over one flat array. From here on we use them.
#
# ## The loop
#
# All of learning is five lines, over and over: how wrong, its gradient, how long that is, a step, and forget the
# gradient. (All gradients together are one arrow; its *length*, in the code `norm`, is the root of the sum of their
# squares. It is for later, with `clip`.) Batches are drawn at random, with a name for each of their arrays; one of them
# may be spoiled, which is for later too.

# %%


def by_hand(loss, optimizer, batches, lr, clip):
    """A step for each batch, the first being number 1.  Returns the losses."""
    losses = []
    for number, batch in enumerate(batches, 1):
        value = loss(batch)
        value.backward()
        norm = float(sum((p.grad**2).sum() for p in optimizer.flat.parameters) ** 0.5)
        optimizer.step(lr=lr(number), scale=clip_scale(norm, clip))
        optimizer.zero_grad()
        losses.append(value.item())
    return losses


def draws(points, arms, steps, rng, spoil=None):
    """So many batches of 32; the points of number `spoil`, counted from 0, are a thousand times too large."""
    for step in range(steps):
        chosen = rng.integers(0, len(points), 32)
        yield {"points": points[chosen] * (1000 if step == spoil else 1), "targets": arms[chosen]}


def first_losses(loop, clip):
    network = Network(np.random.default_rng(1)).to(run.device)
    batches = draws(*spiral(200, np.random.default_rng(0)), 20, np.random.default_rng(2))
    return loop(network.loss, AdamW(network.parameters(), 0.03), batches, lr=schedule("linear", 0.03, 20), clip=clip)


for clip in (0.0, 0.3):
    ours, package = first_losses(by_hand, clip), first_losses(partial(fit, threads=1), clip)
    np.testing.assert_allclose(ours, package, rtol=1e-5)
print("our loop and the package's agree over 20 steps, with clipping and without")

# %% [markdown]
# The package's is [`fit`](../tinygrad_llm/train/fit.py). It stops with an error where a number is no longer finite, and
# it can share a batch between threads, which pays for larger models (04). From here on we use it.
#
# ## Let them run
#
# A rate that suits one optimizer does not suit another. So each gets the best of five rates of its own, chosen on a
# spiral that is not used afterwards: the rate with which the loss is soonest below 0.15 and *stays* there. A batch's
# loss jumps, so we look at the mean of the last 20. (A run has 600 steps. Where 600 is printed the loss was not below
# 0.15 at its end.)
#
# In the runs that count, the rate falls from its best value to 0 along half a cosine: a rate that hurries well does not
# settle well. The table's last column is the share of the 600 unseen points that are right.
#
# `.to(run.device)` puts the network where `--device` says, on the CPU or on a GPU. What it is given follows it there,
# and `.numpy()` brings its answers back.

# %%


def train(
    make, lr, seed, *, steps=STEPS, clip=0.0, spoil=None, gain=1.0, warmup=0, sizes=(2, 32, 32, 3), kind="constant"
):
    """Trains; returns the losses, the share of unseen points that are right, and the network."""
    rng = np.random.default_rng(seed)
    (x, arm), (unseen, unseen_arm) = spiral(200, rng), spiral(200, rng)
    network = Network(rng, sizes, gain).to(run.device)
    batches, rate = draws(x, arm, steps, rng, spoil), schedule(kind, lr, steps, warmup)
    losses = fit(network.loss, make(network.parameters(), lr), batches, lr=rate, clip=clip, threads=1)
    with no_grad():
        right = float((network(unseen).numpy().argmax(-1) == unseen_arm).mean())
    return losses, right, network


def nearest(x, arm, unseen, unseen_arm):
    """The share of unseen points that have the arm of the nearest known one: no learning at all."""
    distance = ((unseen[:, None] - x) ** 2).sum(-1)
    return float((arm[distance.argmin(1)] == unseen_arm).mean())


def steps_needed(losses, width=20):
    """The first step from which on the smoothed loss stays below REACHED; all of them, where it never does."""
    above = np.flatnonzero(~(trailing_mean(losses, width) < REACHED))  # what is no number is not below
    return min(len(losses), width + int(above[-1]) + 1) if len(above) else width


def points_of(losses, width=20, every=5, cut=np.inf):
    """The smoothed curve for a figure, each point at the step that ends its window."""
    curve = np.minimum(trailing_mean(losses, width), cut)
    return [(width + i, float(curve[i])) for i in range(0, len(curve), every)]


GRIDS = {
    "SGD": (0.03, 0.1, 0.3, 1.0, 3.0),
    "momentum": (0.01, 0.03, 0.1, 0.3, 1.0),
    "AdamW": (0.003, 0.01, 0.03, 0.1, 0.3),
}
best = {}
for name, grid in GRIDS.items():
    needed = {lr: steps_needed(train(MAKE[name], lr, seed=1000)[0]) for lr in grid}
    best[name] = min(needed, key=needed.get)
    print(f"{name:9} steps needed by rate: {needed} -> {best[name]}")

# %%
rows, curves, networks, learned, needed = [], {}, {}, [], {name: [] for name in MAKE}
for seed in run.seeds:
    for name, make in MAKE.items():
        losses, right, networks[name] = train(make, best[name], seed, kind="cosine")
        needed[name].append(steps_needed(losses))
        learned.append(right)
        rows.append([seed, name, best[name], needed[name][-1], right])
        curves[name] = points_of(losses)[:56]
print(table(rows, ["seed", "optimizer", "rate", f"steps to {REACHED}", "right, unseen"]))
run.show(
    line_chart(curves, title="Three ways downhill", ylabel="loss in nats, mean of the last 20 steps", xlabel="step"),
    "curves",
)

# %% [markdown]
# **We first counted otherwise, and the count said that momentum is worth nothing.** We took the step at which the loss
# *first* dips below 0.15. A rate that is too large dips early, and jumps out again. So by that count SGD did best with
# a rate that it cannot hold, and momentum, careful with its own, came in behind it. Nothing was wrong with the runs;
# the question was. Ask what you want to know: not when a loss was once small, but from when on it is.
#
# What has each of them learned? Colour the plane by the arm that the network would say. Nobody needs a network for
# this: whoever looks up the nearest known point is right every time, and the networks nearly so (the last table has
# both). The spiral is there to watch how one learns.

# %%
CELLS, PALE = 56, ("#b6d4fe", "#ffd8b5", "#c7ebce")
STRONG = ("#0969da", "#cf5b16", "#1a7f37")


def regions(networks, points, arms):
    """The plane in the colours of the arms, a panel a network."""
    figure = Figure(760, 300, "What each network would say", "Decision regions over the points of the spiral")
    figure.text((20, 28), "What each network would say, everywhere", INK, 16, weight=600)
    side, grid = 220, np.linspace(-1.2, 1.2, CELLS)
    xs, ys = np.meshgrid(grid, grid[::-1])
    cell = side / CELLS
    for number, (name, network) in enumerate(networks.items()):
        left, top = 20 + number * 245, 66
        figure.text((left, 54), name, PALE_INK, 13)
        with no_grad():
            said = network(np.stack([xs.ravel(), ys.ravel()], -1).astype(np.float32)).numpy().argmax(-1)
        for i, line in enumerate(said.reshape(CELLS, CELLS)):
            edges = [0, *(np.flatnonzero(np.diff(line)) + 1), CELLS]
            for a, b in zip(edges, edges[1:]):  # neighbours of one colour in one rectangle
                figure.rect((left + a * cell, top + i * cell), (b - a) * cell, cell + 0.5, PALE[line[a]])
        for (px, py), arm in zip(points, arms):
            figure.dot((left + (px + 1.2) / 2.4 * side, top + (1.2 - py) / 2.4 * side), STRONG[arm], 2)
    return figure


x, arm = spiral(200, np.random.default_rng(run.seeds[-1]))
run.show(regions(networks, x[::4], arm[::4]), "regions")

# %% [markdown]
# ## One bad batch
#
# Somewhere in every large collection of text there is a page of garbage. Let batch number 300 be read a thousand times
# too large. Its gradient is enormous, and momentum will carry it on for many steps.
#
# *Clipping* is one line: if the whole gradient is longer than 1, shorten it to 1. The direction stays. Three runs, each
# at its best rate from beginning to end: momentum, the same clipped, and AdamW, not clipped.
#
# And why would a network not simply learn again? Let us look into the ruined one. The 32 numbers that its last layer
# reads are hidden between layers: how many of them are still above 0 for at least one of the points? Where `relu` gives
# 0, it lets no gradient through.


# %%
def alive(network, points):
    """How many of the last hidden layer's numbers are above 0 for at least one point."""
    x = points
    with no_grad():
        for layer in network.layers[:-1]:
            x = ops.relu(layer(x))
    return int((x.numpy() > 0).any(0).sum())


after = {"momentum": [], "momentum, clipped": [], "AdamW": []}
rows, panel = [], {}
for seed in run.seeds:
    for name, optimizer, clip in zip(after, ("momentum", "momentum", "AdamW"), (0, 1, 0)):
        losses, right, network = train(MAKE[optimizer], best[optimizer], seed, spoil=SPOILED_BATCH, clip=clip)
        after[name].append(right)
        end = float(np.mean(losses[-50:]))
        rows.append([seed, name, right, end, alive(network, spiral(200, np.random.default_rng(seed))[0])])
        panel[name] = points_of(losses, width=8, every=4, cut=2.0)
print(table(rows, ["seed", "after the bad batch", "right, unseen", "loss at the end", "of 32 alive"]))
run.show(
    line_chart(panel, title="Batch 300 is garbage", ylabel="loss in nats, cut off at 2", xlabel="step"), "clipping"
)

# %% [markdown]
# None is alive. The ruined network says the same for every point, its loss stays about the ln 3 = 1.0986 of not knowing
# anything, and no gradient reaches the layers below. It is not slow, it is dead.
#
# AdamW survives by itself, though not unhurt: about half of its numbers are dead, and fewer points are right than
# with clipping. (At a third of its best rate, which we had taken first, it got off with 96 % and more.) It divides by
# the size of what it saw. How far does one gradient that is a thousand times too large move a weight? Our rule from
# above can say:

# %%
place, memory, path, normal = 0.0, {}, [], np.random.default_rng(0)
for t in range(1, 401):
    place = adamw(place, 1000.0 if t == 300 else normal.normal(), memory, t, 1.0, decay=0)
    path.append(place)
at_once, in_all = abs(path[299] - path[298]), abs(path[339] - path[298])
print(f"AdamW: {at_once:.2f} times the rate at once, {in_all:.1f} times in the 40 steps after; SGD: 1000 times at once")

# %% [markdown]
# At once less than two rates; ten times that in all, since $m$ goes on for some ten steps. That is far more than these
# random gradients move a weight otherwise, less than a fifth of a rate a step, and a small fraction of SGD's 1000.
# After it $v$ remembers the shock for a thousand steps, and every step is small. The run survives, and has not
# recovered in the 300 steps that are left. Large models clip as well.
#
# ## A bad start
#
# Now draw the first weights three times too large. The network starts out loud and wrong, and its first gradients are
# steep. At a rate of 0.07 the first steps throw it out of reach. *Warm-up* lets the rate rise from 0 over the first 100
# steps: by the time it is large, the steep part is behind. A start *fails* if fewer than nine in ten of the unseen
# points are right in the end.
#
# What would a sceptic try? Clipping at 1, which we have just met, or simply a tenth of the rate.

# %%
CURES = {
    "none": (0.07, {}),
    "warm-up": (0.07, {"warmup": 100}),
    "clipping": (0.07, {"clip": 1}),
    "a tenth of the rate": (0.007, {}),
}
failures, soon = dict.fromkeys(CURES, 0), {cure: [] for cure in CURES}
for start in run.progress(range(STARTS), "starts"):
    for cure, (rate, options) in CURES.items():
        losses, right, _ = train(
            MAKE["momentum"], rate, 200 + start, gain=3.0, steps=600, sizes=(2, 64, 64, 64, 3), **options
        )
        failures[cure] += right < 0.9
        soon[cure].append(steps_needed(losses))
rows = [[cure, failures[cure], int(np.median(soon[cure]))] for cure in CURES]
print(table(rows, ["cure", f"of {STARTS} bad starts fail", f"steps to {REACHED}, median"]))

# %% [markdown]
# Warm-up helps, and is no guarantee: with twelve starts, as we first had it, three failed in spite of it, more than the
# two that we had allowed. Twelve are few, so now there are more.
#
# **And it is not needed here.** Our claim was once that warm-up saves a bad start, and nothing else stood beside it.
# The sceptic's two cures save more of them, and the network has learned sooner. They all do the same: they make the
# first steps short, where the harm is done. From a good start we found no rate where warm-up made a difference on this
# problem: we tried eight layers, both optimizers and four rates each. So it is one cure of three for a steep beginning.
# Transformers (chapter 09) are usually trained with it, and with clipping besides; chapter 11 comes back to it.
#
# ## Something is wrong. What?
#
# Three runs, each with one setting that is wrong on purpose. Look at the curves before you read on: which one has a
# rate that is too small, which one too large, which one decays its weights too much? (The table helps: the mean loss of
# the last 100 steps; the same as a share of that of the 100 steps before, so that 1 means flat; and the largest jump of
# the mean of five steps. The fourth run is a good one.)

# %%
RUNS = {
    "a": (MAKE["momentum"], 0.003),
    "b": (MAKE["momentum"], 0.6),
    "c": (lambda parameters, lr: AdamW(parameters, lr=lr, weight_decay=8.0), 0.01),
    "good": (MAKE["momentum"], best["momentum"]),
}


def signs_of(losses):
    """The loss at the end; it, as a share of the loss before; the largest jump."""
    losses = np.nan_to_num(np.array(losses), nan=5.0)
    late, before = losses[-100:].mean(), losses[-200:-100].mean()
    return float(late), float(late / before), float(np.abs(np.diff(trailing_mean(losses, 5))).max())


signs, shown = {}, {}
for name, (make, lr) in RUNS.items():
    losses, _, _ = train(make, lr, seed=0)
    signs[name] = signs_of(losses)
    shown[name] = points_of(losses, every=10, cut=2.0)
rows = [[name, *numbers] for name, numbers in signs.items()]
print(table(rows, ["run", "loss at the end", "of the loss before", "largest jump"]))
run.show(
    line_chart(
        {name: shown[name] for name in "abc"}, title="One setting is wrong in each",
        ylabel="loss in nats, cut off at 2", xlabel="step",
    ),
    "diagnosis",
)  # fmt: skip

# %% [markdown]
# - **a** falls smoothly and is still falling when it ends: the rate is too small. Try three times as much.
# - **b** jumps: the rate is too large. Try a third.
# - **c** is smooth and flat, and its loss is still some six times the 0.15 that a good run passes: it is not stuck for
#   lack of steps, something holds it. Here the decay pulls every weight towards 0 as fast as the gradient pushes it
#   away.
#
# The order of questions is always this: is it good already? does it jump? is it still falling? what holds it? Written
# down, with limits about halfway between the runs above. But limits that were set on some runs prove nothing about
# these runs. So let them judge others, from other seeds. Beside them stands a cheaper rule: look at the loss at the end
# alone, and say what was wrong with the run above that came nearest to it.


# %%
def by_three_signs(late, share, jump):
    if late < REACHED:
        return "good"
    return "b" if jump > 0.25 else "a" if share < 0.93 else "c"


def by_the_end(late, share, jump):
    return min(signs, key=lambda name: abs(np.log(late / signs[name][0])))


RULES = {"three signs": by_three_signs, "the loss at the end": by_the_end}
told, mistaken = {rule: [] for rule in RULES}, {rule: Counter() for rule in RULES}
for seed in run.seeds:
    others = range(100 + OTHERS * seed, 100 + OTHERS * (seed + 1))  # seed 0 set the limits
    judged = [(name, signs_of(train(*RUNS[name], seed=other)[0])) for other in others for name in RUNS]
    for which, rule in RULES.items():
        told[which].append(sum(rule(*numbers) == name for name, numbers in judged))
        mistaken[which].update(f"{name} for {rule(*n)}" for name, n in judged if rule(*n) != name)
JUDGED = OTHERS * len(RUNS)
rows = [[rule, JUDGED * len(told[rule]), sum(told[rule]), ", ".join(sorted(mistaken[rule])) or "-"] for rule in RULES]
print(table(rows, ["rule", "other runs", "told", "taken for another"]))

# %% [markdown]
# The loss at the end takes some runs with too large a rate for runs that are held: the two may end alike, and only the
# way there tells them apart. Are the three signs sure? No. We first asked them about the twelve runs of seeds 1, 2 and
# 3, and asked for all. They told eleven: one run with too small a rate hardly fell in its last 100 steps, and was taken
# for one that is held. (The loss at the end told eleven as well.) So the bound is now three in four, on runs that we
# had not seen.
#
# **Exercises**: 03.1 momentum, 03.2 AdamW, 03.3 clipping, 03.4 warm-up and cosine.

# %%
rngs = map(np.random.default_rng, run.seeds)
looked_up = [nearest(*spiral(200, rng), *spiral(200, rng)) for rng in rngs]
name = "share right of points never seen, every optimizer"
run.check(name, learned, at_least=ENOUGH, baseline={"nearest known point": looked_up})
for name in ("momentum", "AdamW"):
    run.check(f"steps that {name} needs", needed[name], below=needed["SGD"], baseline={"SGD": needed["SGD"]})
ruined, saved, adam = after.values()
run.check("share right after the bad batch, not clipped", ruined, at_most=RUINED)
run.check("share right after the bad batch, clipped", saved, at_least=ENOUGH, baseline={"not clipped": ruined})
run.check("bad starts that fail without a cure", failures["none"], at_least=STARTS * 2 / 3, full_only=True)
run.check(
    "bad starts that fail with warm-up",
    failures["warm-up"],
    at_most=STARTS / 3,
    baseline={"none": failures["none"]},
    full_only=True,
)
run.check(
    "bad starts that fail with the sceptic's cures",
    {cure: failures[cure] for cure in ("clipping", "a tenth of the rate")},
    at_most=failures["warm-up"],
    baseline={"warm-up": failures["warm-up"]},
    full_only=True,
)
run.check(
    f"of {JUDGED} other runs, those that three signs tell",
    told["three signs"],
    at_least=JUDGED * 3 / 4,
    baseline={"the loss at the end": told["the loss at the end"], "always the same": OTHERS},
)
run.report("best rates", best)
run.report("share right after the bad batch, AdamW not clipped", adam)
run.report("AdamW's move at once after one huge gradient, in rates", at_once)
run.report("the same with the 40 steps after it", in_all)
run.report("bad starts", STARTS)
run.finish()
