# %% [markdown]
# # 11 · Depth
#
# One layer of attention looks once. To look, think about it and look again one stacks layers, and for long stacking did
# not work: He et al. (2015) saw 56 layers learn less than 20, on the very pictures they trained on. Their networks had
# norms, and they held it unlikely that gradients vanished in them. In a stack without norms it is the first thing that
# happens. This chapter measures it, mends it with one plus sign, and then asks what else a layer needs: a norm, its
# place, a bend.
#
# - **Builds on** 03, learning, and 09, attention.
# - **Reads** [`nn/block.py`](../tinygrad_llm/nn/block.py), [`ops/norm.py`](../tinygrad_llm/ops/norm.py),
#   [`ops/activation.py`](../tinygrad_llm/ops/activation.py), [`nn/mlp.py`](../tinygrad_llm/nn/mlp.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/11/output.txt) shows them all.
# - **Departs from** He et al. (2015), whose plain networks had batch norm: ours have none, and fail for another reason.
# - **Run**: `python chapters/11_depth.py`. It takes one to two minutes; `--fast` four seconds, `--seeds 3` four
#   minutes.

# %%
import math
import warnings

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import Module, Tensor, nn, no_grad, ops
from tinygrad_llm.backend import to_device
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets.batches import Batches
from tinygrad_llm.datasets.locate import tales_files
from tinygrad_llm.datasets.text import read_text
from tinygrad_llm.errors import NonFiniteError
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.tokenizer import CharTokenizer
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import line_chart, trailing_mean

run = Chapter(
    "11",
    "48 layers deep the gradient vanishes in a plain stack, explodes with residual paths alone and stays with "
    "residual paths and norms; at 12 layers of these three only the last learns; post-norm needs warm-up, pre-norm "
    "does not; an MLP without a bend is worse than any with one.",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
VANISHED, EXPLODED, STAYED = 1e-9, 1e9, 30
REACHED, STUCK, FAILED, MOST_FAIL, FEW_FAIL, BEND_WORTH, FURTHER = 2.6, 2.9, 2.7, 1 / 2, 1 / 10, 0.0, 1.5
WIDTH, CONTEXT, HEADS, BATCH = 32, 32, 2, 8
DEPTHS, DEEPEST = (2, 6, 12, 24, 48), 48
STEPS, STARTS, STEPS_POST, STEPS_BEND = run.pick(150, 40), run.pick(4, 1), run.pick(160, 40), run.pick(300, 30)
warnings.filterwarnings("ignore", category=RuntimeWarning)  # runs that are meant to break overflow

train_text, unseen_text = map(read_text, tales_files())
tokenizer = CharTokenizer.train(train_text)
letters, unseen = (np.array(tokenizer.encode(text)) for text in (train_text, unseen_text))
V = tokenizer.vocab_size

# %% [markdown]
# ## What is in a layer?
#
# Two parts. *Attention* lets positions exchange what they know (09). An *MLP* lets each position think by itself: it
# widens the vector four times, bends it, and narrows it again. Both take (B, T, D) and return (B, T, D), so that any
# number of them can be stacked.
#
# How would you stack them? The table is all of this chapter. `f` is a part, `x` what comes in, and `norm` brings a
# vector to a fixed size: we come to that too.

# %%
STACK = {
    "plain": lambda x, f, norm: f(x),
    "residual": lambda x, f, norm: x + f(x),
    "residual, small": lambda x, f, norm: x + f(x),  # with smaller first weights: we come to that
    "pre-norm": lambda x, f, norm: x + f(norm(x)),
    "post-norm": lambda x, f, norm: norm(x + f(x)),
}


def self_attention(width, n_head, **options):
    return nn.Attention(width, n_head, causal=True, **options)


class Deep(Module):
    """(B, T) letters -> (B, T, V) scores of the next one, through `depth` layers stacked as `kind` says."""

    def __init__(self, kind, depth, rng, mlp=nn.MLP, attention=self_attention, dtype=np.float32):
        self.kind, options = kind, {"rng": rng, "dtype": dtype}
        small = 1 / math.sqrt(2 * depth) if kind == "residual, small" else 1
        self.letters = nn.Embedding(V, WIDTH, **options)
        self.places = nn.Embedding(CONTEXT, WIDTH, **options)
        self.parts = []
        for _ in range(depth):
            self.parts.append(attention(WIDTH, HEADS, out_std=small * WIDTH**-0.5, **options))
            self.parts.append(mlp(WIDTH, out_std=small * (4 * WIDTH) ** -0.5, **options))
        self.norms = [nn.LayerNorm(WIDTH, dtype=dtype) if "norm" in kind else None for _ in self.parts]
        self.last_norm = nn.LayerNorm(WIDTH, dtype=dtype) if kind == "pre-norm" else None
        self.head = nn.Linear(WIDTH, V, **options)

    def stream(self, tokens):
        """What flows, (B, T, D): below the first layer, and above each."""
        x = self.letters(tokens) + self.places.weight[: tokens.shape[1]]
        seen = [x]
        for number, (part, norm) in enumerate(zip(self.parts, self.norms)):
            x = STACK[self.kind](x, part, norm)
            if number % 2:
                seen.append(x)
        return seen

    def loss(self, batch, seen=None, rng=None, divisor=None):
        x = (seen or self.stream(batch["tokens"]))[-1]
        x = x if self.last_norm is None else self.last_norm(x)
        return ops.cross_entropy(self.head(x), batch["targets"], divisor=divisor)


# %% [markdown]
# ## How does the bottom learn of a mistake at the top?
#
# By the gradient, which walks down through all layers, and each multiplies it. Let one layer shrink it by a third: who
# would notice? After 48 layers $(2/3)^{48} = 4 \cdot 10^{-9}$ of it are left. So we ask before any training, with
# random weights: how long is $dL/dx$, the gradient of the loss, above each layer, compared with the top? In float64,
# since the answer does not fit into float32, and with attention in its readable form: our first figure showed 10⁷⁷, and
# most of that was rounding. (The fused form subtracts two numbers that are nearly the same. Where the scores are 10²²,
# what is left of such a difference is noise.)

# %%


class ReadableAttention(nn.Attention):
    """The same, through ops.composed."""

    def __call__(self, x):
        qkv = ops.concat([self.q_proj(x), self.k_proj(x), self.v_proj(x)], axis=-1)
        return self.o_proj(ops.composed.packed_attention(qkv, n_head=self.n_head))


def length(array):
    return float(np.linalg.norm(to_device(array, "cpu")))


def gradient_by_layer(kind, depth, seed):
    """Norms of dL/dx below the first layer and above each, (depth + 1,); the last gradient's; the stream's growth."""
    model = Deep(kind, depth, np.random.default_rng(seed), attention=ReadableAttention, dtype=np.float64)
    model.to(run.device)
    batch = Batches(letters, block_size=CONTEXT, batch_size=4, seed=seed)[0]
    seen = model.stream(batch["tokens"])
    model.loss(batch, seen).backward(retain_graph=True)
    weights = model.parts[-1].down_proj.weight.grad
    growth = length(seen[-1].data) / length(seen[0].data)
    return [length(x.grad) for x in seen], length(weights), growth


ratios = {kind: {depth: [] for depth in DEPTHS} for kind in STACK}
top_weights, profiles, growths = {kind: [] for kind in STACK}, {}, {}
for seed in run.seeds:
    for kind in STACK:
        for depth in DEPTHS:
            norms, at_the_top, growths[kind] = gradient_by_layer(kind, depth, seed)
            ratios[kind][depth].append(norms[0] / norms[-1])
            if depth == 12:
                top_weights[kind].append(at_the_top)
            if depth == DEEPEST:
                profiles[kind] = [(layer, norm / norms[-1]) for layer, norm in enumerate(norms)]
rows = [[kind, *(f"{np.median(r):.2g}" for r in by_depth.values())] for kind, by_depth in ratios.items()]
print("gradient at the bottom, as a multiple of that at the top, by the number of layers")
print(table(rows, ["stack", *map(str, DEPTHS)]))

# %%
shown = {"plain": "plain", "residual": "residual", "pre-norm": "residual and norm"}
run.show(
    line_chart(
        {name: [(DEEPEST - layer, r) for layer, r in profiles[kind][::-1]] for kind, name in shown.items()},
        title="What the gradient is worth on its way down 48 layers",
        subtitle="length of dL/dx, as a multiple of that at the top; no training yet",
        xlabel="layers below the top",
        log_y=True,
    ),
    "gradient",
)
vanished, exploded = max(ratios["plain"][DEEPEST]), min(ratios["residual"][DEEPEST])
stayed = max(max(r, 1 / r) for r in ratios["pre-norm"][DEEPEST])
print(f"at {DEEPEST} layers: plain {vanished:.1e}, residual {exploded:.1e}, with norms within a factor of {stayed:.1f}")

# %% [markdown]
# Read the axis twice: a step on it is a factor, not a sum. (Where there are several starts, the table shows the one in
# the middle, and the last line the worst.)
#
# ## Why does the plain one vanish?
#
# Because every part shrinks what passes through, and by the same token what comes back. Take the MLP. Its first matrix
# keeps the size of a vector whose numbers have variance 1. The bend between its matrices, GELU (its formula stands
# below), lets through less than half: of a normal $u$ the mean of $\mathrm{gelu}(u)^2$ is 0.43. The second matrix keeps
# that. Attention takes a mean over up to 32 places, and means are small. So a layer keeps a share of the variance, the
# next a share of the share. The product is what we saw.

# %%
u = np.random.default_rng(0).normal(size=200_000)
print(f"of a normal number's variance GELU lets through {np.mean(ops.gelu(Tensor(u)).data ** 2):.2f}")

# %% [markdown]
# ## Why does one plus sign help?
#
# Because the derivative of $x + f(x)$ is $1 + f'(x)$. The 1 is a road on which nothing multiplies. Here it is, with a
# part that kills every gradient:

# %%
x = Tensor(np.array([1.0, -2.0]), requires_grad=True)
(x + 0 * x).backward(np.array([0.5, 3.0]))
assert (x.grad == [0.5, 3.0]).all()
print("through a dead part and its residual path the gradient arrives whole:", x.grad)

# %% [markdown]
# He et al. (2015) trained 152 layers with it. The vector that flows past all parts is called the *residual stream*:
# each part reads it, and adds what it has to say.
#
# ## Then why does it explode?
#
# Because the parts talk louder and louder. Each reads a stream that all those below have added to, and answers in
# proportion: if $f(x)$ has half the variance of $x$, the stream has 1.5 times as much after it, and $1.5^{96}$ times
# after 96 parts. Its length is the root of that, $1.5^{48} = 3 \cdot 10^8$. That is how it grows, if not how much:
# where the parts answer a little louder, 96 of them make a great difference.

# %%
for kind in ("plain", "residual", "residual, small", "pre-norm"):
    print(f"{kind:15} the stream is {growths[kind]:.2g} times as long above 48 layers as below them")

# %% [markdown]
# There are two ways out. What would you try?
#
# **Whisper.** Let each of the $2n$ parts of $n$ layers begin with weights smaller by $1/\sqrt{2n}$. Variances of
# independent parts add up, so all together they now add about as much as one did. GPT-2 starts that way. It is the row
# "residual, small" above.
#
# **Normalise.** Let each part read not the stream but the stream brought to size 1. Then it answers in the same voice
# at every height. *Layer norm* does that: from each vector subtract its mean $\bar x$, divide by its deviation, then
# let a weight $w$ and a bias $b$, (D,) each, choose another scale. A tiny $\epsilon$ keeps a vector of equal numbers
# from a division by 0.
#
# $$y = \frac{x - \bar x}{\sqrt{\mathrm{var}(x) + \epsilon}}\, w + b \qquad (\dots, D) \to (\dots, D)$$

# %%


def layer_norm(x, weight, bias, eps=1e-5):
    away = x - x.mean(-1, keepdims=True)
    return away / ops.sqrt((away * away).mean(-1, keepdims=True) + eps) * weight + bias


rng = np.random.default_rng(0)
inputs, cotangent = [rng.normal(size=shape) for shape in ((2, 3, 8), (8,), (8,))], rng.normal(size=(2, 3, 8))
found = []
for norm in (layer_norm, ops.layer_norm):
    parents = [Tensor(a, requires_grad=True).to(run.device) for a in inputs]
    y = norm(*parents)
    y.backward(cotangent)
    found.append([to_device(a, "cpu") for a in (y.data, *(p.grad for p in parents))])
for mine, package in zip(*found):
    np.testing.assert_allclose(mine, package, rtol=1e-9, atol=1e-12)
loud = ops.layer_norm(Tensor(1000 * inputs[0])).data
np.testing.assert_allclose(loud, ops.layer_norm(Tensor(inputs[0])).data, atol=1e-4)
run.say(
    "our two lines and ops.layer_norm agree, value and gradients; a stream a thousand times louder is read as the same"
)

# %% [markdown]
# It is the mean over the features of *one* position, not over the batch: so it does the same in training and in use,
# for one sentence or for a hundred. From here on we use the package's.
#
# A layer with both inventions is what nearly all language models are made of, and it is two lines:

# %%
block = nn.TransformerBlock(
    nn.LayerNorm(WIDTH), self_attention(WIDTH, HEADS, rng=rng), nn.LayerNorm(WIDTH), nn.MLP(WIDTH, rng=rng)
).to(run.device)
x = Tensor(rng.normal(size=(2, 5, WIDTH)).astype(np.float32)).to(run.device)
y = STACK["pre-norm"](x, block.attention, block.norm_1)
y = STACK["pre-norm"](y, block.mlp, block.norm_2)
np.testing.assert_array_equal(y.numpy(), block(x).numpy())
print("two rows of our table are nn.TransformerBlock")

# %% [markdown]
# ## Does it matter for learning?
#
# At 12 layers the plain stack still has some ten-thousandths of its gradient at the bottom. That might do: AdamW
# divides by its size. So train. Letters of the tales, 12 layers of width 32, one rate for all, the whole gradient
# clipped to 1. What must be beaten is cheap: knowing how frequent each letter is, and no more.


# %%
def train(model, seed, lr, steps, warmup=0, kind="constant"):
    """Trains on windows of the tales; returns the loss of each step."""
    model.to(run.device)
    batches = Batches(letters, block_size=CONTEXT, batch_size=BATCH, seed=seed)
    optimizer, losses = AdamW(model.named_parameters(), lr=lr, weight_decay=0.0), []
    steps_of = (batches[step] for step in range(steps))
    try:
        fit(
            model.loss,
            optimizer,
            steps_of,
            lr=schedule(kind, lr, steps, warmup),
            after=lambda n, loss: losses.append(loss),
        )
    except NonFiniteError:  # of the runs that are meant to break, some do
        losses += [math.nan] * (steps - len(losses))
    return losses


def steps_to(losses, loss):
    below = np.flatnonzero(trailing_mean(losses) < loss)
    return int(below[0]) + 20 if len(below) else None


counts = np.bincount(letters, minlength=V)
pairs = np.zeros((V, V))
np.add.at(pairs, (letters[:-1], letters[1:]), 1)
frequencies = -float((counts / counts.sum() * np.log(counts / counts.sum())).sum())
after_one = -float(
    (pairs / pairs.sum() * np.log(np.maximum(pairs, 1) / np.maximum(pairs.sum(1, keepdims=True), 1))).sum()
)
print(
    f"knowing nothing costs {math.log(V):.2f} nats a letter, frequencies {frequencies:.2f}, the letter "
    f"before {after_one:.2f}"
)

# %%
RATE, needed, ended, curves = 3e-3, {kind: [] for kind in STACK}, {kind: [] for kind in STACK}, {}
for seed in run.seeds:
    for kind in run.progress(STACK, "stacks"):
        losses = train(Deep(kind, 12, np.random.default_rng(seed)), seed, RATE, STEPS)
        needed[kind].append(steps_to(losses, REACHED))
        ended[kind].append(float(trailing_mean(losses)[-1]))
        label = "residual: off the chart" if kind == "residual" else kind
        curves[label] = [(i + 20, min(4.2, float(v))) for i, v in enumerate(trailing_mean(losses))][::3]
rows = [
    [kind, ", ".join("never" if n is None else str(n) for n in needed[kind]), *(f"{v:.2f}" for v in ended[kind])]
    for kind in STACK
]
print(table(rows, [f"12 layers, stack ({STEPS} steps)", f"steps to {REACHED}", *(f"end, seed {s}" for s in run.seeds)]))
run.show(
    line_chart(
        curves,
        title="12 layers learn letters, or do not",
        subtitle="loss in nats a letter, mean of 20 steps, cut off at 4.2",
        xlabel="step",
        baselines={"letter counts": frequencies, "the letter before": after_one},
    ),
    "stacks",
)

# %% [markdown]
# The plain stack and the residual one cannot be blamed on the rate. We tried the plain one at 0.0003, 0.001 and 0.01
# and the residual one at 0.0001, 0.001 and 0.01: none got below 3.0.
#
# **The small residual stack surprises.** It has no norm at all, and learns at least as fast as the one that has. A good
# start is half of what a norm gives. What is the other half? Raise the rate tenfold.

# %%
survived = {}
for kind in ("residual, small", "pre-norm"):
    losses = train(Deep(kind, 12, np.random.default_rng(0)), 0, 3e-2, STEPS)
    survived[kind] = bool(np.isfinite(losses).all()) and trailing_mean(losses)[-1] < frequencies
    print(f"at a rate of 0.03, {kind}: ends at {losses[-1]:.2f} nats")

# %% [markdown]
# `nan` is no number: it ran away. The start is right only at the start; a norm holds at every step, whatever has been
# learned. That is what it is for: not to learn faster, but to survive what one does to it.
#
# ## Before the part, or after the sum?
#
# The first transformer (Vaswani et al., 2017) normalised the sum, *post-norm*: `norm(x + f(x))`. GPT-2 and most models
# of its kind since normalise what a part reads, *pre-norm*: `x + f(norm(x))`. In the table above post-norm has no
# vanishing gradient to speak of, and still it did not learn. What is wrong with it?
#
# Xiong et al. (2020) found that near its top the gradient of the *weights* is large and does not shrink with depth,
# since each norm brings the stream back to size 1, and so the last part is as loud as all before it together. In
# pre-norm the stream has grown, the last part is one voice in many, and its gradient is small. We measure their
# premise, before any training, at 12 layers:

# %%
top = {kind: float(np.median(top_weights[kind])) for kind in ("post-norm", "pre-norm")}
print(f"gradient of the last layer's weights: post-norm {top['post-norm']:.2f}, pre-norm {top['pre-norm']:.2f}")

# %% [markdown]
# The premise holds. But is it the reason? AdamW divides the size of a gradient away: its first step moves every weight
# by the rate, steep or not. So let us ask as Liu et al. (2020) did: after *one* such step, how far has moved what the
# stack says? Four layers, a rate of 0.001; the measure is the length of the change, as a share of what was said before.

# %%
DEPTH_NORMS = 4


def moved(kind, seed):
    """How far one step of AdamW moves the top of the stream: |after - before| / |before|."""
    model = Deep(kind, DEPTH_NORMS, np.random.default_rng(seed)).to(run.device)
    batches = Batches(letters, block_size=CONTEXT, batch_size=BATCH, seed=seed)
    optimizer = AdamW(model.named_parameters(), lr=1e-3, weight_decay=0.0)

    def top():
        with no_grad():
            x = model.stream(batches[1]["tokens"])[-1]
            return (x if model.last_norm is None else model.last_norm(x)).numpy()

    before = top()
    model.loss(batches[0]).backward()
    optimizer.step()
    return length(top() - before) / length(before)


moves = {kind: [moved(kind, 100 + seed) for seed in range(4)] for kind in ("post-norm", "pre-norm")}
further = float(np.median(moves["post-norm"]) / np.median(moves["pre-norm"]))
for kind, shares in moves.items():
    print(f"one step moves what {kind} says by {', '.join(f'{share:.0%}' for share in shares)}")

# %% [markdown]
# The same step moves post-norm about twice as far. Each of its norms brings the stream, and whatever has changed in it,
# back to full size; in pre-norm a part that has changed is one voice among many. So it is not that post-norm's hill is
# steep. It is that the same stride goes further in it, and the first strides are the blindest. Let them be small:
# *warm-up*. Four layers, a high rate of 0.01, with and without 100 steps of it:

# %%
fates = {"post-norm": [], "post-norm, warm-up": [], "pre-norm": []}
warm_curves = {}
for start in run.progress([seed * 10 + s for seed in run.seeds for s in range(STARTS)], "starts"):
    for name, warmup in (("post-norm", 0), ("post-norm, warm-up", 100), ("pre-norm", 0)):
        kind, _, _ = name.partition(",")
        losses = train(Deep(kind, DEPTH_NORMS, np.random.default_rng(start)), start, 1e-2, STEPS_POST, warmup)
        fates[name].append(float(trailing_mean(losses)[-1]))
        warm_curves[name] = [(i + 20, float(v)) for i, v in enumerate(trailing_mean(losses))][::3]
failed = {name: float(np.mean(np.array(ends) > FAILED)) for name, ends in fates.items()}
for name, ends in fates.items():
    run.say(f"{name:19} ends at {', '.join(f'{v:.2f}' for v in ends)}; {failed[name]:.0%} above {FAILED}")
run.show(
    line_chart(
        warm_curves,
        title="Post-norm needs a slow start",
        subtitle="4 layers at a rate of 0.01; loss in nats a letter, mean of 20 steps",
        xlabel="step",
        baselines={"letter counts": frequencies},
    ),
    "warmup",
)

# %% [markdown]
# So warm-up is not superstition, and pre-norm makes it optional. **We first claimed three quarters of failures without
# it**, and found nine in twelve: true, and with nothing to spare. A claim that the next start may overturn is luck; so
# now we claim half. Warm-up is still used with pre-norm: it costs nothing. At 12 layers even 100 steps of warm-up did
# not save post-norm here, at three rates. Depth is where the order matters.
#
# ## What is the bend for?
#
# Two linear layers without a bend between them are one linear layer: $W_2 (W_1 x) = (W_2 W_1)\,x$. The MLP would be a
# matrix, and the model's only bends would be those of softmax and of the norms. Four choices:
#
# | | |
# |---|---|
# | none | $W_2 W_1 x$ |
# | ReLU | $W_2 \max(W_1 x, 0)$ |
# | *GELU* | $W_2\,u\,\Phi(u)$, $u = W_1 x$: each number times the share of a normal crowd that it exceeds |
# | *SwiGLU* | $W_d\,(u\,\sigma(u) \cdot v)$, $u = W_g x$, $v = W_u x$: one half gates the other, entry by entry |
#
# $\Phi$, the normal distribution function, is made of `erf`, and $\sigma$ is the sigmoid (06). The letters of SwiGLU's
# three matrices stand for gate, up and down. GPT-2 has a formula with tanh that comes close to GELU.

# %%


def gelu(x):
    return x * (1 + ops.erf(x * math.sqrt(0.5))) * 0.5


u = Tensor(np.linspace(-6, 6, 241)).to(run.device)
np.testing.assert_allclose(gelu(u).numpy(), ops.gelu(u).numpy(), atol=1e-14)
tanh_away = float(abs(ops.gelu(u, approximate="tanh") - ops.gelu(u)).max())
assert tanh_away < 1e-3
print(f"our gelu and the package's agree; the tanh form is nowhere more than {tanh_away:.1e} away")


class Bent(Module):
    """nn.MLP with the bend of your choice."""

    def __init__(self, bend, width, out_std, rng, dtype):
        self.bend, self.mlp = bend, nn.MLP(width, out_std=out_std, rng=rng, dtype=dtype)

    def __call__(self, x):
        return self.mlp.down_proj(self.bend(self.mlp.up_proj(x)))


BENDS = {
    "GELU": lambda width, out_std, **options: nn.MLP(width, out_std=out_std, **options),
    "ReLU": lambda width, out_std, **options: Bent(ops.relu, width, out_std, **options),
    "SwiGLU": lambda width, out_std, **options: nn.SwiGLU(
        width, 8 * width // 3, **options
    ),  # as many weights: 3 · 8/3 = 2 · 4
    "none": lambda width, out_std, **options: Bent(lambda x: x, width, out_std, **options),
}
held_out = Batches(unseen, block_size=CONTEXT, batch_size=256, seed=0)[0]
bends = {name: [] for name in BENDS}
for seed in run.seeds:
    for name, mlp in run.progress(BENDS.items(), "bends"):
        model = Deep("pre-norm", 4, np.random.default_rng(seed), mlp)
        train(model, seed, 6e-3, STEPS_BEND, kind="cosine")
        with no_grad():
            bends[name].append(model.loss(held_out).item())
print(table([[name, *losses] for name, losses in bends.items()], ["bend", *(f"unseen, seed {s}" for s in run.seeds)]))
worst_margin = min(
    none - max(bent) for none, bent in zip(bends["none"], zip(*(bends[n] for n in BENDS if n != "none")))
)
spread = max(max(bent) - min(bent) for bent in zip(*(bends[n] for n in BENDS if n != "none")))
print(
    f"none is worse than the worst of the others by {worst_margin:.3f} nats or more; these differ by at "
    f"most {spread:.3f}"
)

# %% [markdown]
# Having none is worst, at each start. The three that bend differ among themselves by about as much as the worst of them
# is better than none, and not always in one order: at this size we claim nothing about it. In Shazeer's table (2020) a
# large model ends at 1.636 nats with SwiGLU and at 1.677 with ReLU, 2.5 % more. Why? "We offer no explanation", says
# the paper.
#
# **Exercises**: 11.1 layer norm, 11.2 SwiGLU, 11.3 the residual path.
# `tgl chapter 11 --mine` runs this page on your layer norm and your SwiGLU.

# %%
stuck = [loss for kind in ("plain", "residual", "post-norm") for loss in ended[kind]]
run.check(f"gradient at the bottom, {DEEPEST} layers: plain", vanished, at_most=VANISHED, baseline={"the top": 1})
run.check(f"gradient at the bottom, {DEEPEST} layers: residual", exploded, at_least=EXPLODED, baseline={"the top": 1})
run.check("the same with norms, as a factor", stayed, at_most=STAYED, baseline={"residual": exploded})
run.check(f"runs with norms that do not reach {REACHED} nats", needed["pre-norm"].count(None), equals=0, full_only=True)
run.check(
    "where the other three end, nats", stuck, above=STUCK, baseline={"letter counts": frequencies}, full_only=True
)
run.check("share of starts that fail, post-norm", failed["post-norm"], at_least=MOST_FAIL, full_only=True)
run.check("how much further a step moves post-norm than pre-norm", further, at_least=FURTHER)
run.check(
    "share of starts that fail, warm-up",
    failed["post-norm, warm-up"],
    at_most=FEW_FAIL,
    baseline={"post-norm": failed["post-norm"]},
    full_only=True,
)
run.check(
    "share of starts that fail, pre-norm",
    failed["pre-norm"],
    at_most=FEW_FAIL,
    baseline={"post-norm": failed["post-norm"]},
    full_only=True,
)
run.check("nats that no bend costs, against the worst bend", worst_margin, above=BEND_WORTH, full_only=True)
run.report("starts", len(fates["pre-norm"]))
run.report("steps that pre-norm needs", needed["pre-norm"])
run.report("ends", {kind: [round(v, 3) for v in ends] for kind, ends in ended.items()})
run.report("share that survives ten times the rate", survived)
run.report("top weights", top)
run.report("nats by bend", bends)
run.report("spread of the bends", spread)
run.finish()
