# %% [markdown]
# # 23 · QLoRA
#
# To tune all of LLaMA's 65 billion weights takes more than 780 GB of a GPU's memory. LoRA trains a few numbers beside
# them and still has to *hold* them: 130 GB, in two bytes each. In 2023 Dettmers et al. did it on one card of 48 GB,
# with every weight in four bits. Four bits can say sixteen things. **Which sixteen numbers should stand for sixty-five
# billion?** And does a model that has been rounded so coarsely still learn?
#
# - **Builds on** 04 fast enough, 12 GPT, 18 Llama and Mistral, 19 experts and long context (its customs), and on
#   chapter 22: LoRA, told here once more in two sentences.
# - **Reads** [`quantize/formats.py`](../tinygrad_llm/quantize/formats.py),
#   [`quantize/blocks.py`](../tinygrad_llm/quantize/blocks.py),
#   [`quantize/linear.py`](../tinygrad_llm/quantize/linear.py),
#   [`finetune/budget.py`](../tinygrad_llm/finetune/budget.py),
#   [`finetune/memory.py`](../tinygrad_llm/finetune/memory.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/23/output.txt) shows them all.
# - **Departs from** the paper in size, and in that what is learned is facts, of which all is known. Its third part,
#   *paged optimizers*, which move AdamW's moments to the computer's memory when the GPU's is full, is left out.
# - **Run**: `python chapters/23_qlora.py`, or with `--seeds 3`. `--fast` takes less than ten seconds: it asserts the
#   equalities, the errors of planted weights, the bytes and the counted memory, and nothing that has to be learned.
#   The memory alone: `python -m tinygrad_llm.finetune.memory`.

# %%
import copy
from statistics import NormalDist

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import Tensor, no_grad, ops
from tinygrad_llm.backend import to_device
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets import customs
from tinygrad_llm.models import Llama, LlamaConfig
from tinygrad_llm.nn import Linear
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.quantize import FP4, INT4, NF4, QuantizedLinear, quantize, quantize_linear
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import Figure

run = Chapter(
    "23",
    "NF4's sixteen numbers follow from the normal distribution, to the bit. On trained weights, at equal bits, NF4 errs "
    "less than the floats of four bits and less than int4, and the model loses fewer nats by it; on uniform weights "
    "int4 wins. LoRA on a base of four bits learns what has changed as well as on the full base, within a margin, "
    "and better than who tunes first and rounds last. In two bits nearly all that the model knew is lost, and LoRA "
    "brings nearly all of it back. A process that tunes four bits holds less than a tenth of what full tuning holds, as "
    "measured; 65 billion weights fit into 48 GB, as counted.",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
EQUAL = 1e-5  # float32
BLOCK = 64

# %% [markdown]
# ## What do weights look like?
#
# We need a model that knows something. As in chapter 19 it learns customs by heart: in the harbor the king brings one
# thing, always the same, in the tower another. There is no rule behind them, so that all of it has to be in the
# weights, and what rounding destroys can be counted: the loss at the third word of each line, in nats. Who guesses
# among sixteen things pays ln 16 = 2.77.

# %%
LINES, WIDTH, HIDDEN, LAYERS, HEADS = 11, 32, 16, 2, 4
STEPS, TUNED, REPAIRED = run.pick((400, 400, 150), (3, 2, 2))
RATE, LORA_RATE, RANK = 8e-3, 1e-2, 4
CUSTOMS = customs.draw_customs(np.random.default_rng(0))
V, TEXT = len(customs.WORDS), LINES * customs.LINE
MATRICES = "blocks.**.*_proj"  # of attention and MLP; embedding and head stay as they are, as in the paper


def nats(model, pages):
    """A custom's, in the mean."""
    with no_grad():
        logits = ops.linear(model.hidden(pages.tokens[:, :-1]), *model.head())
        loss = ops.cross_entropy(logits, pages.tokens[:, 1:], reduction="none").numpy()
    return float(loss.reshape(len(pages.tokens), -1)[pages.known[:, 1:]].mean())


def learn(model, known, steps, rate, seed, what):
    """Pages of these customs, 32 a step; what is frozen stays."""

    def pages():
        for step in range(steps):
            tokens = customs.generate_pages(np.random.default_rng((seed, step)), known, 32, LINES).tokens
            yield {"tokens": tokens[:, :-1], "targets": tokens[:, 1:]}

    optimizer = AdamW(model.named_parameters(), rate, (0.9, 0.99), weight_decay=0.0)
    rates = schedule("cosine", rate, steps, max(1, steps // 10), rate / 10)
    fit(model.loss, optimizer, run.progress(pages(), what, steps), lr=rates, threads=1)
    return model


def new_model(seed, width=WIDTH, hidden=HIDDEN, heads=HEADS):
    config = LlamaConfig(V, TEXT, LAYERS, heads, width, hidden, init_std=0.1)
    return Llama(config, rng=np.random.default_rng(seed)).to(run.device)


def matrices(model):
    """The weights of the blocks, on the host."""
    return [to_device(m.weight.data, "cpu") for path, m in model.named_modules() if path.endswith("_proj")]


test = customs.generate_pages(np.random.default_rng(1), CUSTOMS, run.pick(300, 20), LINES)
bases = {}
for seed in run.seeds:
    bases[seed] = learn(new_model(seed), CUSTOMS, STEPS, RATE, seed, "base")
weights = np.concatenate([w.ravel() for w in matrices(bases[0])])
normal = weights / weights.std()
beyond = float((np.abs(normal) > 2).mean())
run.say(
    f"nats a custom: {', '.join(f'{nats(m, test):.4f}' for m in bases.values())} of {np.log(16):.2f}. "
    f"{len(weights):,} weights in the blocks, mean {weights.mean():.3f}, standard deviation {weights.std():.3f}; "
    f"{100 * beyond:.1f} % of them lie beyond two deviations, of normal numbers 4.6 %; "
    f"the largest is {np.abs(normal).max():.1f} deviations away, of as many normal numbers "
    f"{NormalDist().inv_cdf(1 - 0.5 / len(weights)):.1f}"
)

# %% [markdown]
# Nearly a bell, then: many small weights, few large ones. (The paper tested LLaMA's: 92.5 % of the rows of its
# matrices could not be told from normal numbers.) Sixteen numbers, evenly spaced from -1 to 1, are *int4*. Most of
# them would stand at the slopes of the bell, where hardly a weight is.
#
# **How would you place sixteen numbers under a bell?**
#
# ## Where do NF4's numbers come from?
#
# One answer: so that each is used equally often. Cut the bell into slices of equal weight, and let a number stand in
# each: a *quantile* is the number below which a given share of the bell lies. But the quantiles of 0 and 1 are
# infinite; so one begins a little inside. And of sixteen numbers, evenly cut, none is 0, which a model needs (a weight
# that is nothing must stay nothing). So *NF4*, the NormalFloat of four bits, takes the two halves of the bell apart:
# eight steps above, seven below, and 0 is in both. At last all are divided by the largest.
#
# $$v_i = \frac{q(p_i)}{q(p_{\max})}, \qquad q = \text{quantile of } N(0, 1), \qquad
# p_{\max} = \tfrac12 \left( (1 - \tfrac{1}{32}) + (1 - \tfrac{1}{30}) \right)$$
#
# The last value is half a slice away from 1, for sixteen slices and for fifteen, and the mean of both.

# %%
PUBLISHED = [  # Dettmers et al., 2023, appendix E
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
]  # fmt: skip


def normal_float(bits=4):
    """2^bits numbers."""
    count, quantile = 2**bits, NormalDist().inv_cdf
    last = ((1 - 1 / (2 * count)) + (1 - 1 / (2 * (count - 1)))) / 2
    above = [quantile(p) for p in np.linspace(0.5, last, count // 2 + 1)]
    below = [-quantile(p) for p in np.linspace(0.5, last, count // 2)]
    return np.array([*below[::-1], *above[1:]]) / above[-1] + 0.0  # -0 becomes 0


distances = {
    "NF4, published": float(np.abs(np.float32(PUBLISHED) - NF4.values).max()),
    "NF4, derived": float(np.abs(normal_float() - NF4.values).max()),
}
same = int((np.float32(PUBLISHED).view(np.uint32) == NF4.values.view(np.uint32)).sum())
print(" ".join(f"{v:.3f}" for v in normal_float()))
print(f"ours against the published: {distances['NF4, derived']:.0e}; the package's: {same} of 16 to the bit")

# %% [markdown]
# The same numbers, up to the seventh digit. To have every *bit* of the published ones the package has to do what
# bitsandbytes, the library of the paper's authors, does: round $p_{\max}$ to seven digits and the probabilities to
# float32.
#
# The rivals, all of four bits:
#
# - *int4*: -7 … 7, evenly spaced; and *even*, sixteen numbers without a 0, since int4 leaves one of its sixteen unused.
# - *E2M1*: a float with a sign, two bits of exponent and one of mantissa, 0 0.5 1 1.5 2 3 4 6, each over 6 here.
# - *FP4*: bitsandbytes' own. The same, but in place of 0.5 it has 0.0625, hardly more than nothing.
# - *Fitted*: what a sceptic would try. Why believe in a bell? Take the sixteen numbers of least error, found by trying:
#   each weight goes to its nearest, each number moves to the mean of its own, and so on (*k-means*, Lloyd 1957). They
#   are fitted to every second block and judged on the others.

# %%
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6]) / 6
GRIDS = {
    "NF4": NF4.values, "E2M1": np.unique([-E2M1, E2M1]), "FP4": np.unique(FP4.values), "int4": INT4.values,
    "even": (2 * np.arange(16) - 15) / 15,
}  # fmt: skip


def scaled(w, block=BLOCK):
    """Blocks over their largest number.  (...) -> (S, block), (S,)"""
    blocks = w.reshape(-1, block)
    scales = np.abs(blocks).max(1)
    return blocks * (1 / np.where(scales > 0, scales, 1))[:, None], scales


def nearest(x, values):
    """Which of the rising values: halfway between two is a border, and who stands on it belongs below."""
    values = np.float32(values)
    return np.searchsorted((values[1:] + values[:-1]) / 2, x)


def rounded(w, values, block=BLOCK):
    """What stands for w in blocks, each with a scale of its own."""
    x, scales = scaled(w, block)
    return (np.float32(values)[nearest(x, values)] * scales[:, None]).reshape(w.shape)


def fitted(w, count=16):
    """Values of least squared error for every second block."""
    x = scaled(w)[0][::2].ravel()
    values = np.quantile(x, (np.arange(count) + 0.5) / count)
    for _ in range(40):
        values[[0, -1]] = -1, 1  # the largest of each block stays what it is
        mine = nearest(x, values)
        sizes, sums = np.bincount(mine, minlength=count), np.bincount(mine, x, count)
        values = np.where(sizes > 0, sums / np.maximum(sizes, 1), values)
    values[[0, -1]] = -1, 1
    return np.sort(values)


def error(w, values, block=BLOCK):
    """Root of the mean square of what rounding changes, over that of the weights; of every second block."""
    off = (rounded(w, values, block) - w).reshape(-1, block)[1::2]
    return float(np.sqrt((off**2).sum() / (w.reshape(-1, block)[1::2] ** 2).sum()))


rng = np.random.default_rng(3)
PLANTED = {"normal": rng.normal(size=(512, 256)).astype(np.float32)}
PLANTED["uniform"] = rng.uniform(-1, 1, (512, 256)).astype(np.float32)
PLANTED["outliers"] = PLANTED["normal"] * np.where(np.arange(256) % BLOCK == 7, np.float32(20), np.float32(1))

# %% [markdown]
# ## What is a block?
#
# The numbers go from -1 to 1, weights do not. So they are divided by their largest. By the largest of all? One large
# weight, and all others would fall on 0. So 64 weights that are neighbours in memory are a *block* with a scale of its
# own, s, the largest of them without its sign (*absmax*). What is kept of a matrix: a *code* a weight, i.e. which of
# the sixteen, and a scale a block.
#
# $$\underset{(O,\,I)}{\hat W} = s_{\text{block}} \cdot v[\text{code}], \qquad
# \text{code} = \arg\min_i \left| \frac{w}{s_{\text{block}}} - v_i \right|$$
#
# No computer has bytes of four bits. So two codes share one: the earlier in the upper half.

# %%
some = PLANTED["outliers"]
x, scales = scaled(some)
codes = nearest(x, NF4.values).astype(np.uint8).ravel()
packed = codes[0::2] << 4 | codes[1::2]
theirs = quantize(some, "nf4", BLOCK)
differing = int((packed != theirs.codes).sum() + (scales != theirs.scales).sum())
distances["unpacked"] = float(np.abs(rounded(some, NF4.values) - theirs.dequantized()).max())
back = np.stack([theirs.codes >> 4, theirs.codes & 15], 1).ravel()
differing += int((back != codes).sum())
print(f"{packed.size:,} bytes of codes and {scales.size:,} scales: {differing} differ from the package's")

# %% [markdown]
# A scale is a float32, 32 bits for 64 weights: half a bit each. That seems little. Of 65 billion weights it is 4 GB.
# So scales are quantized, too, *double quantization*: less their mean, in blocks of 256, in eight bits. (Of which
# format? D8, with many small numbers and few large ones; the package has it from bitsandbytes as well.) Then a weight
# takes
#
# $$4 + \frac{8}{64} + \frac{32}{64 \cdot 256} = 4.127 \text{ bits, instead of } 4 + \frac{32}{64} = 4.5$$

# %%
rows, held_bytes, counted_bytes = [], {}, {}
bell, size = PLANTED["normal"], some.size
for name, double in (("scales of 32 bits", False), ("double quantization", True)):
    kept = quantize(bell, "nf4", BLOCK, double=double)
    held_bytes[name] = kept.nbytes
    counted_bytes[name] = size // 2 + (size // 64 + 4 * size // (64 * 256) + 4 if double else 4 * size // 64)
    off = float(np.sqrt(((kept.dequantized() - bell) ** 2).sum() / (bell**2).sum()))
    rows.append([name, kept.nbytes, 8 * kept.nbytes / size, off])
print(table(rows, ["131,072 normal weights", "bytes", "bits a weight", "error"]))

# %% [markdown]
# The error is told as a share: the root of the mean square of what rounding changes, over that of the weights. Double
# quantization costs next to none of it.
#
# ## Which sixteen are best?
#
# At equal bits, on the weights that were learned, and on weights made for the purpose: normal ones; uniform ones; and
# normal ones of which one in each block, always of the same input, is twenty times as large, an *outlier*.

# %%
errors, used = {}, {}
LEARNED = {seed: np.concatenate([w.reshape(-1, BLOCK) for w in matrices(m)]) for seed, m in bases.items()}
for name, each in {"learned": list(LEARNED.values()), **{k: [w] for k, w in PLANTED.items()}}.items():
    grids = [GRIDS | {"fitted": fitted(w)} for w in each]
    errors[name] = {g: [error(w, own[g]) for w, own in zip(each, grids)] for g in grids[0]}
    if name != "outliers":
        share = [np.bincount(nearest(scaled(each[0])[0], v).ravel(), minlength=16) for v in GRIDS.values()]
        used[name] = [float(-(p[p > 0] * np.log2(p[p > 0])).sum()) for p in (n / n.sum() for n in share)]
columns = [*errors["learned"]]
print(table([[name, *(float(np.mean(by[c])) for c in columns)] for name, by in errors.items()], ["error", *columns]))
print("how many of their four bits the codes tell (entropy), if each is used as often as it is:")
print(table([[name, *each] for name, each in used.items()], ["bits", *GRIDS]))

# %% folded
LEFT, ACROSS, FLOOR, BARS = 70, 640, 260, 60
picture = Figure(760, 470, "Sixteen numbers under a bell", f"errors on learned weights: {errors['learned']}")
picture.text((20, 26), "Sixteen numbers under a bell", "#24292f", 16, weight=600)
picture.text((20, 44), "learned weights, each over the largest of its block; the normal curve of their deviation")
every = scaled(LEARNED[0])[0].ravel()
heights, edges = np.histogram(every, BARS, (-1, 1), density=True)
tall = 190 / heights.max()
for h, a in zip(heights, edges):
    picture.rect((LEFT + ACROSS * (a + 1) / 2, FLOOR - tall * h), ACROSS / BARS - 1, tall * h, "#b6d4fe")
law = NormalDist(0, float(every.std()))
curve = [(LEFT + ACROSS * (v + 1) / 2, FLOOR - tall * law.pdf(v)) for v in np.linspace(-1, 1, 200)]
picture.path(curve, "#0969da", 2)
colors = ("#cf5b16", "#1a7f37", "#8250df", "#bf3989")
for row, (name, color) in enumerate(zip(("NF4", "E2M1", "FP4", "int4"), colors)):
    y = FLOOR + 30 + 42 * row
    picture.text((20, y + 16), name, color, 13, weight=600)
    for v in GRIDS[name]:
        at = LEFT + ACROSS * (float(v) + 1) / 2
        picture.line((at, y), (at, y + 24), color, 2.5)
for v in (-1, -0.5, 0, 0.5, 1):
    picture.text((LEFT + ACROSS * (v + 1) / 2, FLOOR + 18), f"{v:g}", anchor="middle")
run.show(picture, "sixteen")

# %% [markdown]
# **NF4 has the smallest error of those that know nothing of these weights**, on learned ones and on normal ones. We
# had expected the order NF4, FP4, int4, which is the paper's (in perplexity, over many models: 27.4, 31.1, 34.3). The
# first is as expected. Of the floats, E2M1 has about int4's error; bitsandbytes' FP4 is the last of all, and the
# reason is in the figure: two of its codes stand beside 0, where they are of no use, and nothing stands between there
# and a sixth. (Which of the two the paper means it does not say; it writes E2M1.) *Even*, without a 0, is better than
# int4: fifteen numbers are fewer than sixteen.
#
# **On uniform weights int4 wins**, and even does more so: no bell, no use in crowding. And NF4 is not the best that
# sixteen numbers can be, not even for normal weights. The *fitted* ones have an error a few hundredths smaller.
# Quantiles make all codes equally frequent, which is not the least error; and divided by the largest of 64 normal
# numbers are not normal any more. (Yoshida, 2023, has told so.) But theirs have to be found anew for each model, and
# NF4's are known in advance.
#
# **Outliers hurt all of them.** An outlier makes the scale of its block, and its 63 neighbours get what is left near
# 0. Smaller blocks? They cost bits: half a bit at 64. A sceptic has a better trick: *rotate* the weights first, by a
# matrix of which the inverse is known, and turn the inputs likewise; then each number is a mix of all, and nothing
# stands out (QuIP, Chee et al., 2023). A *Hadamard* matrix has nothing but +1 and -1, over the root of its size, and
# turning by it takes additions alone.


# %%
def hadamard(size):
    """(size, size), its own inverse once transposed; a power of two."""
    h = np.ones((1, 1), np.float32)
    while len(h) < size:
        h = np.block([[h, h], [h, -h]])
    return h / np.float32(np.sqrt(size))


signs = rng.choice(np.float32([-1, 1]), 256)
turn = hadamard(256) * signs  # signs at random, so that no row of weights can fit it


def share_of(off, w):
    return float(np.sqrt((off**2).sum() / (w**2).sum()))


rotated = {}
for name, w in PLANTED.items():
    rotated[name] = {}
    for grid in ("NF4", "int4"):
        rotated[name][grid] = share_of(rounded(w, GRIDS[grid]) - w, w)
        rotated[name][f"{grid}, rotated"] = share_of(rounded(w @ turn.T, GRIDS[grid]) @ turn - w, w)
    rotated[name]["NF4, blocks of 16"] = share_of(rounded(w, GRIDS["NF4"], 16) - w, w)
columns = [*rotated["normal"]]
print(table([[name, *(by[c] for c in columns)] for name, by in rotated.items()], ["error", *columns]))

# %% [markdown]
# Rotated, the outliers are gone, and NF4's error is what it was without. (int4's is even smaller: the four outliers of
# a row make up most of each mix, and a mix of four numbers is no bell.) What was a bell stays one.
#
# ## What does the model lose?
#
# An error of a tenth in each weight: what is that in nats? All matrices of the blocks are rounded, and the model is
# asked again. And once more with fewer bits: *three*, seven numbers from -1 to 1, and *two*, the four numbers -1, -1/3,
# 1/3, 1.

# %%
FEWER = {"3 bits": np.arange(-3, 4) / 3, "2 bits": np.array([-1, -1 / 3, 1 / 3, 1])}


def rounded_model(model, values):
    """A copy whose matrices are what the values can say."""
    twin = copy.deepcopy(model)
    for path, module in twin.named_modules():
        if path.endswith("_proj"):
            module.weight.assign(rounded(to_device(module.weight.data, "cpu"), values))
    return twin


lost = {name: [] for name in (*GRIDS, "NF4, double", *FEWER)}
known = {seed: nats(model, test) for seed, model in bases.items()}
packed_bases = {}
for seed, model in bases.items():
    for name, values in (GRIDS | FEWER).items():
        lost[name].append(nats(rounded_model(model, values), test) - known[seed])
    packed_bases[seed] = quantize_linear(model, MATRICES, format="nf4", double=True)
    lost["NF4, double"].append(nats(packed_bases[seed], test) - known[seed])
    for path, format in (("nf4", "NF4"), ("fp4", "FP4"), ("int4", "int4")):
        of_package = nats(quantize_linear(model, MATRICES, format=path), test) - known[seed]
        distances[f"nats, {format}"] = abs(of_package - lost[format][-1])
print(table([[name, *each] for name, each in lost.items()], ["nats lost", *(f"seed {s}" for s in run.seeds)]))
run.say(f"the base itself: {', '.join(f'{k:.4f}' for k in known.values())} nats a custom")

# %% [markdown]
# (With `--fast` nothing was learned, and nothing can be lost. What follows is true of the full run.)
#
# In four bits the model loses a few hundredths of a nat at most, and NF4 the least of those that the package has.
# The step from three bits to two is another matter: there it knows less than somebody who guesses. It is wrong with
# conviction.
#
# ## How does one train what is rounded?
#
# A step of training moves a weight by a thousandth. Of sixteen numbers the next one is a tenth away: every step would
# round to nothing. So what is rounded stays as it is, frozen, and what is learned stands beside it. *LoRA* (chapter
# 22) adds to each matrix the product of a narrow one and a flat one, B and A, of rank r; at first B is 0. *QLoRA* is
# LoRA beside a matrix of four bits:
#
# $$\underset{(N,\,O)}{y} = \underset{(N,\,I)}{x}\,\underset{(I,\,O)}{\hat W^\top} +
# \frac{\alpha}{r}\,x\,\underset{(I,\,r)}{A^\top}\underset{(r,\,O)}{B^\top}$$
#
# The gradient has to pass *through* $\hat W$, to the layers below. It does not go *into* it. So the matrix is unpacked
# a piece at a time, forwards and again backwards, multiplied, and forgotten. Nothing of it is kept but the codes.

# %%
plain = Linear(48, 24, bias=False, rng=np.random.default_rng(4))
layer = QuantizedLinear(quantize(plain.weight.data, "nf4", BLOCK, double=True)).to(run.device)
unpacked = to_device(layer.weight.data, "cpu")
before = to_device(layer.codes.data, "cpu").copy()
x = Tensor(np.random.default_rng(5).normal(size=(10, 48)).astype(np.float32), requires_grad=True).to(run.device)
y = layer(x)
toward = np.cos(np.arange(y.size, dtype=np.float32)).reshape(y.shape)
(y * Tensor(toward).to(run.device)).sum().backward()
distances["y"] = float(np.abs(y.numpy() - x.numpy() @ unpacked.T).max())
distances["gradient through"] = float(np.abs(to_device(x.grad, "cpu") - toward @ unpacked).max())
moved = int((to_device(layer.codes.data, "cpu") != before).sum()) + sum(p.size for p in layer.parameters())
print(f"the gradient of x is that of a matrix: within {distances['gradient through']:.0e}")
print(f"numbers of the layer that have a gradient, and codes that moved: {moved}")
