# %% [markdown]
# # 17 · Scaling
#
# Training is paid once, in advance. So somebody has to say, before the largest run of the year begins, how large the
# model shall be, how long it shall learn, and what will come out. Kaplan et al. (2020) said: large, and not for long.
# So GPT-3 had 175 billion parameters and 300 billion tokens, Gopher 280 and 300. Then Chinchilla (Hoffmann et al.,
# 2022), with 70 billion parameters and 1,400 billion tokens, cost what Gopher had cost and was better. **How could
# they know?**
#
# - **Builds on** 03 learning, 04 fast enough, 07 counting words, 09 attention, 12 GPT.
# - **Reads** [`evaluate/scaling.py`](../tinygrad_llm/evaluate/scaling.py),
#   [`datasets/tales.py`](../tinygrad_llm/datasets/tales.py), [`models/gpt.py`](../tinygrad_llm/models/gpt.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/17/output.txt) shows them all.
# - **Departs from** the papers in size: budgets here are a thousand million times smaller than Chinchilla's, and more;
#   and in that the entropy of the text is known here.
# - **Run**: `python chapters/17_scaling.py`. It takes about a minute, `--seeds 3` three to four. `--fast` takes less
#   than ten seconds: it asserts the counts, the fit, and what the published laws say; its own sweep is too small to
#   have a law.

# %%
import itertools
import math

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import no_grad, ops
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets.tales import draw_texts
from tinygrad_llm.datasets.tales_words import CHILDREN
from tinygrad_llm.evaluate import (
    BESIROGLU,
    HOFFMANN,
    compute_optimal,
    fit_law,
    law_objective,
    parabola_minimum,
    power_law,
    training_cost,
)
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.tokenizer import WordTokenizer
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import Line, line_chart

run = Chapter(
    "17",
    "At every budget one size is best, smaller ones and larger ones are worse; small runs foretell the loss of a "
    "budget eight times as large to a tenth, nearer than laws without a floor, and too low, since none of these "
    "models copies a name; a model four times too large for its budget loses to a smaller one that reads more; "
    "without the embedding in the count the same runs ask for larger models, as Kaplan's did, and one schedule "
    "for all lengths is not what does it; the law of 2024 asks for Chinchilla at Chinchilla's budget, and the one "
    "printed in 2022 does not.",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
FORETOLD, ROUND = 0.10, 1e-3  # shares
SHARPER, TWICE, UNCOUNTED, BY_SCHEDULE = 0.05, 2.0, 0.05, 0.05
COPIED = 3.0  # nats

# %% [markdown]
# ## What does a run cost?
#
# Count products. Each token is multiplied by every weight of every matrix: two operations a weight, a product and a
# sum. Backwards there are two such products, one for the gradient of the weight and one for that of what went in: four
# operations more. So N weights and D tokens cost
#
# $$C = 6 N D$$
#
# FLOP, chapter 04's unit of work. **Which weights are in N?** A layer that is W wide has four matrices of W × W in
# attention and two of W × 4W in the MLP, 12 W² in all. The table of embeddings, V × W for V words, is looked up in at
# the bottom, which costs nothing; but it is the head as well, and there each token is multiplied by it. Kaplan et al.
# left it out. (All leave out the products of queries with keys: in models as wide as GPT-3 they are a small share.)

# %%
LAYERS, HEADS, STORIES = 1, 2, 4  # stories a step
END = "<end>"
text, _ = draw_texts(np.random.default_rng(5), run.pick(1500, 400))
tokenizer = WordTokenizer.train("".join(text), special=[END], unk="<unk>")
V = tokenizer.vocab_size


def made(width, seed):
    config = GPTConfig(V, 160, LAYERS, HEADS, width, bias=False)
    return GPT(config, rng=np.random.default_rng(seed)).to(run.device)


def weights_multiplied(model):
    """Numbers in the matrices that tokens are multiplied by."""
    shapes = {name: p.shape for name, p in model.named_parameters()}
    return sum(math.prod(s) for name, s in shapes.items() if len(s) == 2 and "position" not in name)


rows = []
for width in (8, 16, 32, 64):
    n, _ = training_cost(V, LAYERS, width, 0)
    assert n == weights_multiplied(made(width, 0)) == 12 * LAYERS * width**2 + V * width
    rows.append([width, n, training_cost(V, LAYERS, width, 0, embedding=False)[0]])
print(table(rows, ["width", "weights N", "without embedding"]))
gpt3 = training_cost(50257, 96, 12288, 300 * 10**9)[1]
print(f"GPT-3, counted so: {gpt3:.3g} FLOPs; its authors say 3.14e+23")

# %% [markdown]
# From 8 wide to 64 wide the one count becomes 18 times as large, the other 64 times. Keep that in mind.
#
# ## How low can it go?
#
# The text is chapter 07's: stories that a grammar tells. Nothing is read twice here, so new stories are told as they
# are needed. Each carries its own probability. Minus the logarithm of it, a mean for each token, is the entropy of
# chapter 07: *no* model of any size stays below it. On the web nobody knows that number.

# %%
HELD = run.pick(300, 40)


class Stories:
    """One seed's stories: those that models are judged by, and as many others as are asked for, never one twice."""

    def __init__(self, seed):
        self.rng, self.read = np.random.default_rng((17, seed)), []
        texts, log_p = draw_texts(self.rng, HELD)
        judged = [tokenizer.encode(text) for text in texts]
        self.entropy = float(-log_p.sum() / sum(len(story) + 1 for story in judged))
        self.held = [batch_of(judged[i : i + 50]) for i in range(0, HELD, 50)]

    def batches(self, steps):
        """Always the same ones, in the same order."""
        while len(self.read) < steps * STORIES:
            self.read += map(tokenizer.encode, draw_texts(self.rng, 500)[0])
        for start in range(0, steps * STORIES, STORIES):
            yield batch_of(self.read[start : start + STORIES])


def batch_of(stories):
    """Each in a row of its own, END before and behind it."""
    shape = len(stories), max(map(len, stories)) + 1
    tokens, targets = np.zeros(shape, np.int64), np.full(shape, ops.IGNORE)
    for row, story in enumerate(stories):
        tokens[row, 1 : len(story) + 1], targets[row, : len(story)], targets[row, len(story)] = story, story, 0
    return {"tokens": tokens, "targets": targets}


def judged(model, held):
    """Nats a token."""
    nats, count = 0.0, 0
    with no_grad():
        for batch in held:
            here = int((batch["targets"] != ops.IGNORE).sum())
            nats, count = nats + model.loss(batch).item() * here, count + here
    return nats / count


stories = {seed: Stories(seed) for seed in run.seeds}
first = stories[run.seeds[0]]
A_STORY = float(np.mean([(b["targets"] != ops.IGNORE).sum() / len(b["targets"]) for b in first.held]))
print(f"{V} words, {A_STORY:.0f} tokens a story; the grammar's entropy: {first.entropy:.4f} nats a token")

# %% [markdown]
# ## One run
#
# A GPT of one layer, some tokens, and a learning rate that rises, and then falls along a cosine to 0 **at the end of
# this very run**. Its peak is 0.8 / W: we tried half and twice that. It does not have to be best; it has to be about
# as good for each size, or the sweep compares rates. And how much do runs differ that differ in nothing but their first
# weights? Losses below are nats a token, of stories that nobody has learned from.

# %%
RATE, SHORT = 0.8, run.pick(2.4e9, 6e7)  # FLOPs


def steps_for(width, flops):
    n, _ = training_cost(V, LAYERS, width, 0)
    return max(2, round(flops / (6 * n * A_STORY * STORIES)))


def trained(width, steps, seed, rate=RATE, start=None, look_at=()):
    """A run's numbers; look_at: steps at which it is judged on its way, too."""
    model, met, ways = made(width, seed if start is None else start), 0, []
    optimizer = AdamW(model.named_parameters(), rate / width, (0.9, 0.95), weight_decay=0.0)

    def counted():
        nonlocal met
        for batch in run.progress(stories[seed].batches(steps), f"width {width}", steps):
            met += int((batch["targets"] != ops.IGNORE).sum())
            yield batch

    def after(step, loss):
        if step in look_at:
            ways.append((met, judged(model, stories[seed].held)))

    lr = schedule("cosine", rate / width, steps, max(1, steps // 10))
    fit(model.loss, optimizer, counted(), lr=lr, threads=1, after=after)
    n, flops = training_cost(V, LAYERS, width, met)
    return {
        "width": width,
        "N": n,
        "D": met,
        "C": flops,
        "loss": judged(model, stories[seed].held),
        "ways": ways,
        "model": model,
    }


rows = []
for width in run.pick((8, 12, 20), (8,)):
    steps = steps_for(width, SHORT)
    rows.append([width, *(trained(width, steps, run.seeds[0], RATE * k)["loss"] for k in (0.5, 1.0, 2.0))])
print(table(rows, ["width", "half the rate", "0.8 / W", "twice the rate"]))
again = [trained(10, steps_for(10, SHORT), run.seeds[0], start=100 + i)["loss"] for i in range(run.pick(4, 2))]
noise = float(np.std(again, ddof=1) / np.mean(again))
print(f"{len(again)} first weights, all else equal: {min(again):.3f} to {max(again):.3f}, a spread of {noise:.1%}")

# %% [markdown]
# (The spread is one standard deviation, as a share of the mean.) What differs by less says nothing by itself. Twice
# the rate is better by twice the spread for the narrowest model, and far worse for the widest: ours lies between. So
# the smallest sizes are served a little worse below than they might be.
#
# ## One budget, many sizes
#
# Now fix the budget, and let the size vary: the larger the model, the fewer tokens it can pay for. **Where is the loss
# least?** Hoffmann et al. call these *isoFLOP* curves, and lay a parabola through each over ln N: its lowest point is
# the best size. Far from there a curve is no parabola, so we lay ours through the runs that are at most a third worse
# than the best. We take four budgets, each twice the last.

# %%
BUDGETS = run.pick(
    {2.4e9: (6, 8, 10, 12, 16, 20), 4.8e9: (8, 10, 12, 16, 20, 24), 9.6e9: (10, 12, 16, 20, 24, 32),
     1.92e10: (12, 16, 20, 24, 32, 40)},
    {6e7: (4, 6, 8), 1.2e8: (4, 8, 12)},
)  # fmt: skip
LARGEST = max(BUDGETS)
AHEAD = 8 * LARGEST
sweeps = {
    seed: {flops: [trained(w, steps_for(w, flops), seed) for w in widths] for flops, widths in BUDGETS.items()}
    for seed in run.seeds
}


def best_split(runs):
    """N and loss at the lowest point, of those runs that are within a third of the best."""
    least = min(runs, key=lambda r: r["loss"])
    near = [r for r in runs if r["loss"] < 1.35 * least["loss"]]
    if len(near) < 3 or run.fast:
        return least["N"], least["loss"], None
    log_n, log_loss = np.log([r["N"] for r in near]), np.log([r["loss"] for r in near])
    at, low = parabola_minimum(log_n, log_loss)
    return math.exp(at), math.exp(low), np.polyfit(log_n, log_loss, 2)


shown = sweeps[run.seeds[0]]
lows = [best_split(runs)[:2] for runs in shown.values()]

# %%
COLORS, lines = ("#8c959f", "#0969da", "#1a7f37", "#cf5b16"), []
for (flops, runs), color in zip(shown.items(), COLORS):
    n, low, parabola = best_split(runs)
    dots = [(r["N"], r["loss"]) for r in runs]
    lines.append(Line(f"{flops:.1e} FLOPs", dots[::-1], color, dots=True, joined=parabola is None))
    if parabola is not None:
        grid = np.linspace(*np.log([min(d[0] for d in dots), max(d[0] for d in dots)]), 40)
        curve = [(float(np.exp(x)), float(np.exp(np.polyval(parabola, x)))) for x in grid]
        lines.append(Line("", [p for p in curve if p[1] < 1.45 * low], color, 1.5, 0.6))
lines.append(Line("lowest points", lows, "#8250df", dots=True))
run.show(
    line_chart(
        lines, title="Too small, too large, and between them the size that a budget wants",
        subtitle="held-out nats a token; each color is one budget, each dot a model trained to its end",
        xlabel="weights N", log_x=True, log_y=True, baselines={"the grammar": first.entropy},
    ),
    "isoflop",
)  # fmt: skip

# %%
rows = [[f"{c:.1e}", n, c / 6 / n, c / 6 / n**2, low] for c, (n, low) in zip(shown, lows)]
print(table(rows, ["FLOPs", "best N", "its D", "tokens a weight", "loss"]))


def exponent_of(lows, budgets):
    return power_law(budgets, [n for n, _ in lows])[1]


by_parabola = {
    seed: exponent_of([best_split(runs)[:2] for runs in sweep.values()], list(sweep)) for seed, sweep in sweeps.items()
}
print("N grows as C to the power of", ", ".join(f"{a:.2f}" for a in by_parabola.values()))

# %% [markdown]
# A smaller model has no room, and soon learns nothing more. A larger one has hardly begun when the money is gone.
#
# The purple line goes down and to the right: more money, more weights, less loss. But how many more? Ours grow with a
# power of C between 0.3 and 0.4, Chinchilla's with 0.5. Its rule is known as twenty tokens a weight, and we have eight
# to nineteen. Neither number is a law of nature: they depend on the text, and on how the models are trained.
#
# ## A law
#
# Chinchilla's authors summed that up. What is missing for want of weights falls as a power of N, what is missing for
# want of tokens as a power of D, and below both is a floor:
#
# $$L(N, D) = E + \frac{A}{N^\alpha} + \frac{B}{D^\beta}$$
#
# L and E are nats a token. Five numbers, found by making law and runs differ as little as may be, in logarithms. Two
# things are delicate. A run that went wrong must not bend the law for all others. So the square of a difference r
# turns into a straight line where it is large, as *Huber's loss* does:
#
# $$r = \ln L(N, D) - \ln(\text{the loss of the run})$$
#
# $$\text{cost of } r = \begin{cases} \frac{1}{2} r^2 & |r| \le \delta \\
# \delta\,(|r| - \frac{1}{2}\delta) & |r| > \delta \end{cases}$$
#
# Chinchilla's authors took δ = 0.001. And whoever tries wild numbers gets infinities, unless the logarithm of the sum
# is taken as in the softmax of chapter 09, the largest term taken off first: ln L is a *log-sum-exp* of three terms,
# ln E, ln A - α ln N and ln B - β ln D. That is exercise 17.2.

# %%


def by_hand(theta, n, d, loss, delta=1e-3):
    log_e, log_a, log_b, alpha, beta = theta
    total = 0.0
    for each in zip(n, d, loss):
        log_n, log_d, log_loss = map(math.log, each)
        terms = [log_e, log_a - alpha * log_n, log_b - beta * log_d]
        r = abs(max(terms) + math.log(sum(math.exp(t - max(terms)) for t in terms)) - log_loss)
        total += r * r / 2 if r <= delta else delta * (r - delta / 2)
    return total


def columns(runs, counted="N"):
    return [np.array([r[key] for r in runs], float) for key in (counted, "D", "loss")]


def flat(seed):
    return list(itertools.chain(*sweeps[seed].values()))


trial = np.array([-1.0, 9.0, 8.0, 1.0, 0.8])
n, d, loss = columns(flat(run.seeds[0]))
np.testing.assert_allclose(by_hand(trial, n, d, loss), law_objective(trial, *np.log([n, d, loss])), rtol=1e-10)
made_up = BESIROGLU.loss(*np.meshgrid(10.0 ** np.arange(8, 11), 10.0 ** np.arange(9, 13)))
found = fit_law(*np.meshgrid(10.0 ** np.arange(8, 11), 10.0 ** np.arange(9, 13)), made_up)
found_again = max(abs(getattr(found, k) / getattr(BESIROGLU, k) - 1) for k in ("E", "alpha", "beta"))
print(f"from points of a known law its floor and exponents come back, off by {found_again:.1e} at most")

# %% [markdown]
# Now to our own runs, 24 a seed. Split by the law, a budget's best N grows with a power of C that α and β alone decide;
# exercise 17.1 finds it. **How sure is it?** Draw as many runs again, some of them twice and others not at all, and fit
# anew: the *bootstrap*. Do so sixty times. Eight of ten such fits lie in the interval that is printed.

# %%
DRAWS = run.pick(60, 3)


def interval(runs, told, counted="N", floor=None):
    """80 % of what `told` says of laws fitted to runs drawn again."""
    rng, whole = np.random.default_rng(1), fit_law(*columns(runs, counted), floor=floor)
    laws = []
    for _ in range(DRAWS):
        drawn = [runs[i] for i in rng.integers(len(runs), size=len(runs))]
        laws.append(fit_law(*columns(drawn, counted), floor=floor, near=whole))
    return np.quantile([told(law) for law in laws], (0.1, 0.9), axis=0).T


laws = {seed: fit_law(*columns(flat(seed))) for seed in run.seeds}
rows = []
for seed, law in laws.items():
    e, a = interval(flat(seed), lambda law: (law.E, law.exponent))
    found_E, found_a = (f"{low:.2f} … {high:.2f}" for low, high in (e, a))
    rows.append([seed, f"{law.E:.2f}", found_E, stories[seed].entropy, law.alpha, law.beta, law.exponent, found_a])
print(table(rows, ["seed", "E", "of ten, eight", "entropy", "alpha", "beta", "exponent of N", "of ten, eight"]))

# %% [markdown]
# The floor is what such runs cannot tell: all of them are far above it, and two of three fits find none at all. And an
# interval says how far a fit moves when runs are drawn again, not how far it is from the truth: in each row hold E
# against the entropy. But here we know the floor, and may tell the fit.
#
# ## Written down first
#
# A budget eight times the largest. Before it is spent, everybody writes down what will come out. We: the law with the
# grammar's entropy as its E. It also says which N to train. Beside it stand four rules. The law that had to find its
# E. A power of C that goes down to 0, through the four best losses. For those who like rulers, the straight line
# through them over ln C. And for those who expect nothing, the best loss so far once more.

# %%
known = {seed: fit_law(*columns(flat(seed)), floor=stories[seed].entropy) for seed in run.seeds}


def width_for(n):
    """The width, a multiple of four, whose N is nearest by ratio."""
    return min(range(4, 161, 4), key=lambda w: abs(math.log(training_cost(V, LAYERS, w, 0)[0] / n)))


foretold = {}
for seed in run.seeds:
    best = [best_split(runs)[1] for runs in sweeps[seed].values()]
    k, slope = power_law(list(BUDGETS), best)
    ruler = np.polyfit(np.log(list(BUDGETS)), best, 1)
    n, _ = known[seed].optimal(AHEAD)
    width = width_for(min(n, 60_000))
    count, _ = training_cost(V, LAYERS, width, 0)
    foretold[seed] = {
        "width": width, "the law, its floor known": float(known[seed].loss(count, AHEAD / 6 / count)),
        "the law, its floor found": float(laws[seed].loss(count, AHEAD / 6 / count)),
        "a power of C": float(k * AHEAD**slope), "a straight line": float(np.polyval(ruler, np.log(AHEAD))),
        "the last best": best[-1],
    }  # fmt: skip
RULES = [key for key in foretold[run.seeds[0]] if key != "width"]
print(f"at {AHEAD:.2e} FLOPs there will be:")
print(table([[seed, told["width"], *(told[k] for k in RULES)] for seed, told in foretold.items()],
            ["seed", "width", *RULES]))  # fmt: skip

# %%
large = {seed: trained(told["width"], steps_for(told["width"], AHEAD), seed) for seed, told in foretold.items()}
off = {k: [foretold[s][k] / large[s]["loss"] - 1 for s in run.seeds] for k in RULES}
rows = [[seed, r["N"], r["D"], r["loss"], *(f"{off[k][i]:+.0%}" for k in RULES)]
        for i, (seed, r) in enumerate(large.items())]  # fmt: skip
print(table(rows, ["seed", "N", "D", "the loss", *RULES]))

# %% [markdown]
# The law with the known floor is nearest for two of three seeds, and within a tenth for all. For the third the law that
# had to find its floor found nearly the right one, and is as near. The ruler foretells less than nothing. **But is it
# the law that foretells, or only the floor?** A sceptic who is told the entropy needs no law: a power of C for what is
# *above* it, through the same four losses.

# %%
above = {}
for seed in run.seeds:
    floor, best = stories[seed].entropy, [best_split(runs)[1] for runs in sweeps[seed].values()]
    k, slope = power_law(list(BUDGETS), [loss - floor for loss in best])
    above[seed] = (floor + k * AHEAD**slope) / large[seed]["loss"] - 1
print("a power of C above the known floor, off by", ", ".join(f"{share:+.0%}" for share in above.values()))
law, ahead = known[run.seeds[0]], large[run.seeds[0]]

# %% [markdown]
# The floor does much of it, and not all. For two seeds of three this rule is several times as far off as the law, for
# the other about as near. What the law has besides is 24 runs instead of four, and N and D apart.

# %%
fan = [
    Line(f"{c:.1e} FLOPs", [(float(x), float(law.loss(x, c / 6 / x))) for x in np.geomspace(4e3, 6e4, 30)], color)
    for c, color in ((LARGEST, "#8c959f"), (AHEAD, "#0969da"))
]
dots = [(r["N"], r["loss"]) for r in shown[LARGEST]][::-1]
run.show(
    line_chart(
        [*fan, Line("runs it knew", dots, "#8c959f", dots=True, joined=False),
         Line("the run foretold", [(ahead["N"], ahead["loss"])], "#cf5b16", dots=True, joined=False)],
        title="What the law says of a budget eight times as large, and what came",
        subtitle="held-out nats a token; lines are the law, its floor known, dots are runs",
        xlabel="weights N", log_x=True, log_y=True, baselines={"the grammar": first.entropy},
    ),
    "foretold",
)  # fmt: skip

# %%
misses = [known[seed].loss(*columns(flat(seed))[:2]) / columns(flat(seed))[2] - 1 for seed in run.seeds]
print("on the runs it was fitted to the law is off by", ", ".join(f"{np.sqrt(np.mean(m**2)):.1%}" for m in misses))

# %% [markdown]
# Look at the grey dots before you trust it. The best runs that the law knew lie a tenth below its own line: it bends
# less than they do, and is off by more on them than on the run that it had not seen. So part of this hit is luck. That
# what it says is too low, and where the rest is, comes at the end of this page.
#
# ## PaLM and PaLM 2
#
# PaLM (2022) had 540 billion parameters and read 780 billion tokens: 1.4 a parameter. Its successor's authors went
# over the law again, let size and tokens grow alike, and made PaLM 2 smaller than PaLM, on more text; how much smaller
# they did not print. What does it cost to be too large? Here, at **one** budget, the largest of the sweep: a model four
# times as large as is best, with a quarter of the tokens.

# %%
sizes = {}
for seed in run.seeds:
    best = min(sweeps[seed][LARGEST], key=lambda r: r["loss"])
    width = width_for(4 * best["N"])
    sizes[seed] = best, trained(width, steps_for(width, LARGEST), seed)
rows = [
    [seed, name, r["width"], r["N"], r["D"], r["D"] / r["N"], f"{r['C']:.2e}", r["loss"]]
    for seed, both in sizes.items() for name, r in zip(("best", "four times larger"), both)
]  # fmt: skip
print(table(rows, ["seed", "size", "width", "N", "D", "tokens a weight", "FLOPs", "loss"]))

# %% [markdown]
# The smaller one wins: the larger one's loss is higher by three quarters or more. And the smaller one is cheaper for
# whoever uses it, every day. (At the budget eight times as large the larger one lost too, in a trial, by 4 %.)
#
# ## Kaplan's mistake
#
# Kaplan's N grew as C to the power of 0.73, Chinchilla's as 0.5. So ten times the money was to buy five times the
# weights, or three times. The same kind of model, the same kind of text: **what would you suspect?** Hoffmann et al.
# name the schedule of the learning rate. Kaplan let each model learn once, for long, and read the
# losses of shorter runs off on the way. There the rate is still high, and a run that had been planned to end there
# would have been better. Others (Porian et al., 2024; Pearce and Song, 2024) name the count: without the embedding a
# small model looks smaller than it is, and so does its bill. We had put down both as the reason. Do each alone, and
# both.

# %%
PLANNED = run.pick(600, 6)  # steps of the one schedule
LOOKS = sorted({max(1, round(PLANNED * share)) for share in (0.08, 0.12, 0.18, 0.27, 0.4, 0.6, 0.8, 1.0)})
ways = {}
for seed in run.seeds:
    ways[seed] = []
    for width in run.pick((8, 12, 16, 20, 24, 32), (8, 16)):
        long = trained(width, PLANNED, seed, look_at=LOOKS)
        ways[seed] += [{"width": width, "N": long["N"], "D": d, "loss": loss} for d, loss in long["ways"]]
for each in (*ways.values(), *map(flat, run.seeds)):
    for r in each:
        r["N without"] = training_cost(V, LAYERS, r["width"], 0, embedding=False)[0]

KINDS = {
    "Chinchilla": ("a schedule each", "all weights", flat, "N"),
    "embedding not counted": ("a schedule each", "without embedding", flat, "N without"),
    "one schedule": ("one for all", "all weights", ways.get, "N"),
    "Kaplan": ("one for all", "without embedding", ways.get, "N without"),
}
exponents, rows = {}, []
for name, (scheduled, what, of, counted) in KINDS.items():
    floors = {seed: stories[seed].entropy for seed in run.seeds}
    exponents[name] = [fit_law(*columns(of(s), counted), floor=floors[s]).exponent for s in run.seeds]
    low, high = interval(of(run.seeds[0]), lambda law: law.exponent, counted, floors[run.seeds[0]])
    rows.append([name, scheduled, what, *exponents[name], f"{low:.2f} … {high:.2f}"])
heads = [f"seed {seed}" for seed in run.seeds]
print("N grows as C to the power of:")
print(table(rows, ["", "schedule", "counted", *heads, f"of ten fits, eight (seed {run.seeds[0]})"]))

# %% [markdown]
# The count does it. Twice the width is four times the weights in a layer, and twice the table: what grows slower is
# left out, so N without it grows faster than the model does. The schedule does not do it: here it makes the exponent,
# if anything, smaller. Porian et al. found, too, that it does not hang on the decay, against what Chinchilla's authors
# had thought. But we do not come to 0.73. How far a wrong count leads depends on how much of a model is its table, and
# most of ours is, where they are small.
#
# (Why is the first row higher than what the parabolas said? They look at each budget's lowest point alone, the law at
# all 24 runs; and here it is told its floor. The two ways differ by less than the interval is wide.)
#
# ## And the real ones?
#
# In 2024 Besiroglu et al. took the points of Chinchilla's figures and fitted the law anew. The numbers printed in 2022
# did not fit them: a minimizer had stopped early, and what was printed had been rounded.
#
# | | E | A | B | α | β |
# |---|---|---|---|---|---|
# | printed in 2022 | 1.69 | 406.4 | 410.7 | 0.34 | 0.28 |
# | fitted in 2024 | 1.82 | 482.0 | 2085.4 | 0.348 | 0.366 |
#
# What does either say of models that were trained? Of a budget C nothing is left but one choice: put D = C / 6N into
# the law. Where its slope over N is 0, what the next weights win is what the tokens lose, and that is one equation for
# one number. Solving it is exercise 17.1; `compute_optimal` below is the answer, as you found it or as the package has
# it. What would you say before you see the table: who was too large?

# %%
MODELS = {"GPT-3": (175e9, 300e9), "Gopher": (280e9, 300e9), "Chinchilla": (70e9, 1.4e12), "PaLM": (540e9, 780e9),
          "Llama 7B": (6.7e9, 1e12), "Llama 65B": (65.2e9, 1.4e12)}  # fmt: skip
rows, wanted = [], {}
for name, (n, d) in MODELS.items():
    row = [name, n / 1e9, d / 1e9]
    for year, law in (("2024", BESIROGLU), ("2022", HOFFMANN)):
        best, tokens = law.optimal(6 * n * d)
        assert math.isclose(best, compute_optimal(law.A, law.B, law.alpha, law.beta, 6 * n * d)[0])
        wanted[name, year] = best / n
        row += [best / 1e9, tokens / best]
    rows.append([*row, BESIROGLU.loss(n, d) - BESIROGLU.loss(*BESIROGLU.optimal(6 * n * d))])
print("billions of parameters and of tokens; what each law would have had for the same FLOPs:")
print(table(rows, ["", "N", "D", "2024: N", "tokens a weight", "2022: N", "tokens a weight", "nats given away"]))

# %% [markdown]
# By the law of 2024 Gopher, GPT-3 and PaLM are too large for what they read, Chinchilla is where it should be, and
# Llama 7B is far too *small*. That is no mistake. Who trains it pays once, who uses it pays every day: Touvron et al.
# (2023) wanted the best small model, and not the cheapest training. And look at the last column: a model of four times
# the best size gives away some two hundredths of a nat. The valley is flat, and ours, above, are steep.
#
# ## What did not come true
#
# The claim was to be that the large run's loss is foretold within 2 %. It is not; we claim a tenth, and what we
# foretold is too low in each recorded run. (In trials with budgets half as large it was too high, by some 10 %. So one
# could have looked for a budget at which it fits.) Chance it is not: the large runs of three seeds hardly differ. What
# is it that the law does not know? Take the loss apart, in nats: a child's name when the story first says it, the same
# name again, and all other tokens.

# %%
CHILD = np.array([CHILDREN.index(w.strip()) + 1 if w.strip() in CHILDREN else 0 for w in tokenizer.vocabulary])
NEW, AGAIN, OTHER = 1, 2, 3


def kinds(targets):
    """Of each target: 0 where it does not count, NEW or AGAIN for a child's name, else OTHER."""
    found = np.where(targets == ops.IGNORE, 0, OTHER)
    for row, names in enumerate(CHILD[np.where(targets == ops.IGNORE, 0, targets)]):
        for place in np.flatnonzero(names):
            found[row, place] = AGAIN if names[place] in names[:place] else NEW
    return found


def nats_by_kind(model, held):
    """Mean nats of a new name, a name again, and any other token; and how much of the loss names again are."""
    with no_grad():
        nats = np.concatenate([-model.token_log_probs(b).numpy().ravel() for b in held])
    kind = np.concatenate([kinds(b["targets"]).ravel() for b in held])
    return [float(nats[kind == k].mean()) for k in (NEW, AGAIN, OTHER)] + [
        float(nats[kind == AGAIN].sum() / (kind > 0).sum())
    ]


best_runs = [min(runs, key=lambda r: r["loss"]) for runs in shown.values()]
rows = [[f"{r['C']:.1e}", r["loss"], *nats_by_kind(r["model"], first.held)] for r in [*best_runs, large[run.seeds[0]]]]
print(table(rows, ["FLOPs", "loss", "a new name", "a name again", "other tokens", "of the loss, names again"]))
copied = [nats_by_kind(large[seed]["model"], stories[seed].held)[1] for seed in run.seeds]

# %% [markdown]
# (The last column is what names again add to the mean over all tokens.) A guess among 24 children costs ln 24 = 3.18
# nats. All else falls and falls; a name that stands there to be read costs, even after the largest run, a guess and
# more. These models have not begun to copy, as chapter 12's GPT does. What they come
# down to is not the grammar's entropy, but that and the names. A law whose floor is the grammar's goes on falling
# where they stop. And a law that must find its floor is no way out: the first seed's finds none at all. That is the
# danger with all such laws. They go on as it was, and do not know what a model of the next size learns, or fails to.
#
# **Exercises**: 17.1 large, or long, 17.2 how far off is a law, 17.3 what does a run cost. `tgl chapter 17 --mine`
# runs this page on your functions.


# %%
def of_seeds(value):
    return [value(seed) for seed in run.seeds]


run.check("GPT-3's FLOPs, counted, by its authors'", gpt3 / 3.14e23, at_least=0.99, at_most=1.01)
run.check("a known law found again, off at most", found_again, at_most=ROUND)
for flops in BUDGETS:
    ends = of_seeds(lambda s, c=flops: min(sweeps[s][c][i]["loss"] for i in (0, -1)) / best_split(sweeps[s][c])[1] - 1)
    run.check(
        f"{flops:.1e} FLOPs: worse at either end", ends, at_least=SHARPER, baseline={"chance": noise}, full_only=True
    )
distance = [abs(share) for share in off["the law, its floor known"]]
beside = {k: [abs(share) for share in off[k]] for k in RULES[1:]}
run.check("the loss ahead, off by", distance, at_most=FORETOLD, baseline=beside, full_only=True)
run.check("the same, with its sign", off["the law, its floor known"], below=0, full_only=True)
for rule in ("a power of C", "a straight line", "the last best"):
    run.check(f"{rule}, off by", beside[rule], above=distance, full_only=True)
lost = of_seeds(lambda s: sizes[s][1]["loss"] / sizes[s][0]["loss"] - 1)
run.check(
    "lost by a model four times too large", lost, at_least=TWICE * noise, baseline={"chance": noise}, full_only=True
)


def more(kind, than):
    return [a - b for a, b in zip(exponents[kind], exponents[than])]


grown = more("embedding not counted", "Chinchilla")
run.check("exponent, embedding not counted: more by", grown, at_least=UNCOUNTED, full_only=True)
grown = more("Kaplan", "one schedule")
run.check("the same with one schedule: more by", grown, at_least=UNCOUNTED, full_only=True)
run.check("exponent, one schedule: more by", more("one schedule", "Chinchilla"), at_most=BY_SCHEDULE, full_only=True)
run.check("exponent, Kaplan's way: more by", more("Kaplan", "Chinchilla"), above=0, full_only=True)
run.check("Chinchilla's N, by the law of 2024", wanted["Chinchilla", "2024"], at_least=0.9, at_most=1.1,
          baseline={"2022": wanted["Chinchilla", "2022"]})  # fmt: skip
run.check("and by the law of 2022", wanted["Chinchilla", "2022"], at_most=0.6)
run.check("a child's name again, nats in the large run", copied, at_least=COPIED, full_only=True,
          baseline={"a guess of 24": math.log(len(CHILDREN))})  # fmt: skip
run.report("exponent of N", {"parabolas": list(by_parabola.values()), **exponents})
run.report("the law on its own runs, off by (rms)", [float(np.sqrt(np.mean(m**2))) for m in misses])
run.report("E found, and the entropy", [[laws[s].E, stories[s].entropy] for s in run.seeds])
run.report("the large run's loss", of_seeds(lambda s: large[s]["loss"]))
run.report("spread of first weights", noise)
run.finish()
