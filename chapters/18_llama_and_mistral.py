# %% [markdown]
# # 18 · Llama and Mistral
#
# Open a large language model of today, and you find the GPT of chapter 12 with four parts exchanged. Another norm,
# another MLP, other positions, fewer heads of keys. LLaMA (Touvron et al., 2023) took the first three, each from
# another paper. Mistral 7B (Jiang et al., 2023) has the fourth too, and looks back no further than a window. Each is
# small. Which of them makes the model better, which one makes it cheaper, and which one is only tidier?
#
# - **Builds on** 09 attention, 10 order, 11 depth, 12 GPT, 13 encoder and decoder.
# - **Reads** [`models/llama.py`](../tinygrad_llm/models/llama.py),
#   [`nn/attention.py`](../tinygrad_llm/nn/attention.py), [`nn/cache.py`](../tinygrad_llm/nn/cache.py),
#   [`ops/norm.py`](../tinygrad_llm/ops/norm.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/18/output.txt) shows them all.
# - **Departs from** the papers in size, and in that the four changes are judged one at a time on the same stories.
# - **Run**: `python chapters/18_llama_and_mistral.py`. It takes two to three minutes; `--seeds 3` eight. `--fast` takes
#   less than ten seconds: it asserts the equalities, the bytes and the gradients, and nothing that has to be learned.

# %%
import math
import time

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import Module, Tensor, nn, no_grad, ops
from tinygrad_llm.backend import to_device
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets import lingo_words
from tinygrad_llm.datasets.locate import corpus, lingo_files
from tinygrad_llm.datasets.pairs import read_pairs, teacher_forcing
from tinygrad_llm.datasets.text import read_text
from tinygrad_llm.models import Llama, LlamaConfig
from tinygrad_llm.models.base import position_rows
from tinygrad_llm.models.decoder import Decoder
from tinygrad_llm.models.ngram import NGram
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.tokenizer import WordTokenizer
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import Line, grouped_bars, line_chart

run = Chapter(
    "18",
    "Of four changes to GPT-2's block, at equal parameters, RoPE lowers the loss by more than chance does, and none "
    "raises its mean by more; two heads of keys for four halve the cache, byte for byte; L layers with a window of w "
    "see L(w - 1) back and not one further; English helps a language of twenty sentences where it shares words with "
    "it, by what it does with them, and more than where it shares none; and translations get no nearer for it.",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
EQUAL = 1e-10
SEEN, HANDED_ON, BLIND = 0.95, 0.95, 0.30  # shares of letters
HELPED, MORE, APART = 0.3, 0.2, 0.1  # nats a piece, two of them, and a share of translations

# %% [markdown]
# ## Does a norm need the mean?
#
# Layer norm (chapter 11) takes the mean off a vector, divides by the deviation, multiplies by a weight and adds a bias.
# **Which of the four would you dare to leave out?** *RMSNorm* (Zhang and Sennrich, 2019) keeps two: it divides by the
# size and multiplies. The size is the root of the mean of squares. For a vector of D numbers:
#
# $$\underset{(D)}{y} = \frac{x}{\sqrt{\frac{1}{D}\sum_i x_i^2 + \epsilon}} \cdot \underset{(D)}{w}$$


# %%
def rms_norm(x, weight, eps=1e-6):
    return x / ops.sqrt((x * x).mean(-1, keepdims=True) + eps) * weight


def apart(ours, theirs, *inputs):
    """How far two functions and the gradients of all their inputs are apart, with a random gradient coming back."""
    found = []
    for function in (ours, theirs):
        own = [Tensor(x, requires_grad=True).to(run.device) for x in inputs]
        y = function(*own)
        (y * np.cos(np.arange(y.size)).reshape(y.shape)).sum().backward()
        found.append([to_device(a, "cpu") for a in (y.data, *(x.grad for x in own))])
    return max(float(np.abs(a - b).max()) for a, b in zip(*found))


rng = np.random.default_rng(1)
x, w = rng.normal(2, 1, (3, 5, 16)), rng.normal(1, 0.3, 16)
distances = {"RMSNorm": apart(rms_norm, lambda x, w: ops.rms_norm(x, w, eps=1e-6), x, w)}
print(f"against the package: {distances['RMSNorm']:.1e}")
norms = (ops.layer_norm, ops.rms_norm)
moved = [float(np.abs(norm(Tensor(x + 1)).numpy() - norm(Tensor(x)).numpy()).max()) for norm in norms]
print(f"1 added to every number: layer norm moves by {moved[0]:.1e}, RMSNorm by {moved[1]:.2f}")

# %% [markdown]
# So they are not the same function: what all numbers of a vector share, layer norm does not see, and RMSNorm does. What
# is saved: one of two means, and the bias, D numbers a norm. Whether anything is lost we shall measure.
#
# ## What could replace the MLP?
#
# An MLP asks a question with each of its rows, and the answer is bent: below 0 it is shut off. But how far a thing is
# let through, and what is let through, is the same number there. **What if they were two?** *SwiGLU* (Shazeer, 2020;
# chapter 11) has two matrices for that. The one makes gates, the other what passes them:
#
# $$\underset{(T,\,D)}{y} = \big(\text{silu}(\underset{(T,\,D)}{x}\underset{(D,\,F)}{G}) \cdot
# (x\underset{(D,\,F)}{U})\big)\underset{(F,\,D)}{W}, \qquad \text{silu}(u) = u\,\sigma(u)$$
#
# Three matrices for two. To have no more numbers than an MLP of width 4D, its F must be 2/3 of that:
# $3DF = 2D \cdot 4D$.


# %%
def swiglu_mlp(x, gate, up, down):
    """(T, D), (F, D), (F, D), (D, F) -> (T, D)"""
    u = x @ gate.transpose(1, 0)
    return (u * ops.sigmoid(u) * (x @ up.transpose(1, 0))) @ down.transpose(1, 0)


theirs = nn.SwiGLU(16, 24, rng=rng, dtype=np.float64).to(run.device)
matrices = [to_device(layer.weight.data, "cpu") for layer in (theirs.gate_proj, theirs.up_proj, theirs.down_proj)]
x = rng.normal(size=(5, 16))
ours = swiglu_mlp(*(Tensor(a).to(run.device) for a in (x, *matrices)))
distances["SwiGLU"] = float(np.abs(ours.numpy() - theirs(Tensor(x).to(run.device)).numpy()).max())
print(f"against the package: {distances['SwiGLU']:.1e}")
for D in (64, 4096):
    print(f"D = {D}: an MLP has F = {4 * D}, SwiGLU as many numbers with F = {8 * D / 3:.1f}")

# %% [markdown]
# LLaMA 7B has D = 4096 and takes 11,008: two thirds of 4D, rounded up to a multiple of 256, which suits a GPU.
#
# ## Where do positions go?
#
# GPT-2 has a table with a vector for each place, and the table ends. LLaMA turns queries and keys by their places
# instead, in every layer: *RoPE* (Su et al., 2021), which chapter 10 has built. Nothing is learned for it, and the
# table's T · D numbers are free for something else.
#
# ## Must every head have keys of its own?
#
# Who writes a text word by word keeps the keys and values of all words so far, in a *KV cache*; else each word would
# cost a pass over everything. It grows with every word and every layer. **What could be dropped?** Not the queries:
# they are used once and are gone. It is the keys and values that stay. So let neighbours share: G heads of keys and
# values for H heads of queries, *grouped-query attention*, GQA (Ainslie et al., 2023). For T words, and K numbers a
# head:


# %%
def grouped_attention(q, k, v):
    """Causal.  (B, H, T, K), (B, G, T, K), (B, G, T, K) -> (B, H, T, K)"""
    B, H, T, K = q.shape
    G = k.shape[1]
    q = q.reshape(B, G, H // G, T, K)  # neighbours together: H / G queries for each head of keys
    k, v = (x.reshape(B, G, 1, T, K) for x in (k, v))  # an axis of length 1 serves all of them
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(K)  # (B, G, H / G, T, T)
    future = np.triu(np.ones((T, T), bool), 1)
    return (ops.softmax(ops.masked_fill(scores, future, -math.inf), axis=-1) @ v).reshape(B, H, T, K)


q, k, v = rng.normal(size=(2, 4, 6, 8)), rng.normal(size=(2, 2, 6, 8)), rng.normal(size=(2, 2, 6, 8))
distances["GQA"] = apart(grouped_attention, lambda q, k, v: ops.attention(q, k, v, causal=True), q, k, v)
print(f"against the package: {distances['GQA']:.1e}")

# %% [markdown]
# ## Each change alone: what is it worth?
#
# LLaMA's paper takes several at once, and each of the others shows its own. We take chapter 12's tales, words and whole
# stories, and GPT-2's block as the baseline. Then each change alone, then all four, as Mistral has them. (The biases go
# too, with all four.)
#
# **When is such a comparison fair?**
#
# - *Equal parameters.* What a change saves goes into the MLP: each model has the widest one with which it has no more
#   numbers than the baseline.
# - *Equal data*: the same stories in the same order, for the same seed.
# - *The baseline's rate.* It is chapter 12's for a GPT. If that hurts anybody, it is the changes.
# - *Chance.* Three baselines that differ in nothing but their first weights and the order of stories differ in loss. By
#   how much, the *spread*, is the ruler: **a difference below it is called none.**
#
# Guess first: which of the four lowers the loss?

# %%
folder = corpus("tales")
train_text, test_text = (read_text(folder / f"{split}.txt") for split in ("train", "test"))
tokenizer = WordTokenizer.train(train_text)
V, LINE_END = tokenizer.vocab_size, tokenizer.id_of["\n"]
T = 2 + max(len(tokenizer.words(story)) for story in (train_text + test_text).split("\n\n"))
D, LAYERS, HEADS, BATCH, RATE = 64, 2, 4, 8, 1.5e-2
STEPS = run.pick(300, 6)


def windows(text):
    """A story a row: tokens and targets, each (stories, T)."""
    stories = [tokenizer.encode(f"{story}\n\n") for story in text.split("\n\n") if story]
    tokens, targets = np.full((len(stories), T), LINE_END), np.full((len(stories), T), ops.IGNORE)
    for row, ids in enumerate(stories):
        tokens[row, 1 : len(ids)], targets[row, : len(ids)] = ids[:-1], ids
    return {"tokens": tokens, "targets": targets}


train, test = windows(train_text), windows(test_text)
test = {name: array[: run.pick(250, 20)] for name, array in test.items()}


class Mixed(Decoder):
    """A decoder of the package's parts, each as GPT-2 or as Llama has it."""

    def __init__(self, rng, hidden, rms=False, swiglu=False, rope=False, groups=HEADS, bias=True):
        self.vocab_size, self.block_size = V, T
        self.config = LlamaConfig(V, T, LAYERS, HEADS, D, hidden, tied=True)  # what Decoder asks: tied, and sizes
        make = {"rng": rng, "std": 0.02, "out_std": 0.02 / math.sqrt(2 * LAYERS), "bias": bias}

        def norm():
            return nn.RMSNorm(D) if rms else nn.LayerNorm(D)

        def block():
            base = 10_000.0 if rope else None
            attention = nn.Attention(D, HEADS, groups, causal=True, rope_base=base, **make)
            return nn.TransformerBlock(norm(), attention, norm(), (nn.SwiGLU if swiglu else nn.MLP)(D, hidden, **make))

        self.token_embedding = nn.Embedding(V, D, rng=rng, std=0.02)
        self.places = None if rope else nn.Embedding(T, D, rng=rng, std=0.02)
        self.dropout = nn.Dropout(0.0)
        self.blocks = [block() for _ in range(LAYERS)]
        self.norm = norm()

    def embedded(self, tokens, positions, cache):
        x = self.token_embedding(tokens)
        return x if self.places is None else x + position_rows(self.places.weight, positions, tokens.shape[1], cache)


CHANGES = {
    "GPT-2's block": {},
    "RMSNorm": {"rms": True},
    "SwiGLU": {"swiglu": True},
    "RoPE": {"rope": True},
    "GQA": {"groups": HEADS // 2},
    "all four": {"rms": True, "swiglu": True, "rope": True, "groups": HEADS // 2, "bias": False},
}
BASE = "GPT-2's block"
most = Mixed(np.random.default_rng(0), 4 * D).n_parameters()


def widest(changes):
    """The width of MLP with which there are no more numbers than in the baseline."""
    one, two = (Mixed(np.random.default_rng(0), hidden, **changes).n_parameters() for hidden in (8, 9))
    return 8 + (most - one) // (two - one)


def learn(model, loss, batches, steps, rate, what, decay=0.1, after=None, seed=0):
    """Trains; returns the losses and the seconds of a step, the median."""
    optimizer = AdamW(model.named_parameters(), rate, (0.9, 0.99), weight_decay=decay)
    rate_at, ticks = schedule("cosine", rate, steps, max(1, min(50, steps // 4)), rate / 10), [time.perf_counter()]

    def tick(step, loss):
        ticks.append(time.perf_counter())
        if after is not None:
            after(step)

    drawn = run.progress((batches(step) for step in range(steps)), what, steps)
    losses = fit(loss, optimizer, drawn, lr=rate_at, seed=seed, after=tick)
    return losses, float(np.median(np.diff(ticks)))


def stories(seed):
    def batch(step):
        rows = np.random.default_rng((seed, step)).integers(0, len(train["tokens"]), BATCH)
        return {name: array[rows] for name, array in train.items()}

    return batch


def unseen_loss(model):
    """Nats a word of the test stories."""
    with no_grad():
        sums = [
            model.loss({name: array[i : i + 50] for name, array in test.items()}, divisor=1.0).item()
            for i in range(0, len(test["tokens"]), 50)
        ]
    return sum(sums) / int((test["targets"] != ops.IGNORE).sum())


# %%
losses, seconds, models = {name: {} for name in CHANGES}, {name: [] for name in CHANGES}, {}
for seed in sorted({*run.seeds, 0, 1, 2}):
    for name, changes in CHANGES.items():
        if name != BASE and seed not in run.seeds:
            continue  # the baseline alone has three starts, however many seeds there are
        model = models[name] = Mixed(np.random.default_rng(seed), widest(changes), **changes).to(run.device)
        _, step_s = learn(model, model.loss, stories(seed), STEPS, RATE, name)
        seconds[name].append(step_s)
        losses[name][seed] = unseen_loss(model)
spread = max(losses[BASE].values()) - min(losses[BASE].values())
gains = {name: [losses[BASE][seed] - losses[name][seed] for seed in run.seeds] for name in CHANGES if name != BASE}
rows = []
for name, changes in CHANGES.items():
    gain = float(np.mean(gains[name])) if name != BASE else 0.0
    verdict = "" if name == BASE else "none" if abs(gain) <= spread else "lower" if gain > 0 else "higher"
    loss = float(np.mean([losses[name][seed] for seed in run.seeds]))
    rows.append([name, widest(changes), models[name].n_parameters(), loss, gain, verdict, 1000 * min(seconds[name])])
print(table(rows, ["", "F", "numbers", "nats a word", "gain", "difference", "ms a step"]))
counting = NGram(6, V).fit(tokenizer.encode_array(train_text)).cross_entropy(tokenizer.encode_array(test_text))
print(f"the spread of three baselines: {spread:.4f} nats; counting six words: {counting:.3f}")

# %% [markdown]
# So far each had as many steps. But a step is not as long for all: RoPE turns every query and every key in every layer,
# and that takes time here. **Would it still win with no more time than the baseline?** We time the steps above, and
# give it only as many as fit. (Who is quicker than the baseline has nothing to fear from this question.)

# %%
for name in ("RoPE", "all four"):
    fitting = max(1, round(STEPS * min(seconds[BASE]) / min(seconds[name])))
    model = Mixed(np.random.default_rng(run.seeds[0]), widest(CHANGES[name]), **CHANGES[name]).to(run.device)
    learn(model, model.loss, stories(run.seeds[0]), fitting, RATE, f"{name}, the same time")
    rivals = f"baseline {losses[BASE][run.seeds[0]]:.3f}, all its steps {losses[name][run.seeds[0]]:.3f}"
    print(f"{name}, {fitting} steps in the baseline's time: {unseen_loss(model):.3f} nats a word; {rivals}")

# %% [markdown]
# In the full run RoPE is the one whose gain no ruler doubts, as long as steps are counted. By the clock it depends on
# what else the machine does. The recorded run shared it with others; a step with RoPE was no longer than the
# baseline's there, so that all its steps fit, and it kept its lead. In another such run only 212 of 300 fitted, and the
# lead was gone (0.624 nats for 0.620). All four together, where GQA and the narrower MLP make a step shorter, kept
# theirs in both. (On a GPU the turning is done in passing.) The other three end within chance of the baseline, or
# little beyond, SwiGLU on the better side: at this size one can hardly tell from the loss that they are there. (One
# start by itself can mislead. Of three with GQA one lost 0.016 nats, more than the ruler; our first bound was for each
# start, and failed there. So the claim is about the mean.) Then why does everybody have them? Two of them are cheaper.
# RMSNorm does less for the same loss. And GQA?
#
# ## How many bytes does a text take?
#
# For each layer keys and values, for each of G heads K numbers of four bytes a word: a text of T words takes
# $2 \cdot L \cdot G \cdot K \cdot T \cdot 4$ bytes. We let models read a story into a cache and count what their arrays
# hold. One more model has a window: it sees the last w words alone, and its cache forgets what lies further back, some
# at a time.

# %%
WINDOW = 16


def bytes_of(cache):
    return sum(array.nbytes for layer in cache.layers for array in (layer.keys, layer.values))


def after_reading(model, count):
    """Bytes of the cache once so many words have been read, one at a time."""
    cache, sizes = model.new_cache(1, capacity=1), []
    with no_grad():
        for at in range(count):
            model.hidden(test["tokens"][:1, at : at + 1], cache=cache)
            held = int((cache.lengths - cache.start)[0])  # positions that are there; the arrays have room for more
            sizes.append(bytes_of(cache) * held // cache.capacity)
    return sizes, bytes_of(cache), cache.capacity


readers = {
    "4 heads of keys": Llama(LlamaConfig(V, T, LAYERS, HEADS, D, 172), rng=np.random.default_rng(0)),
    "2 heads of keys": Llama(LlamaConfig(V, T, LAYERS, HEADS, D, 172, n_kv_head=2), rng=np.random.default_rng(0)),
    f"2 heads, a window of {WINDOW}": Llama(
        LlamaConfig(V, T, LAYERS, HEADS, D, 172, n_kv_head=2, window=WINDOW), rng=np.random.default_rng(0)
    ),
}
read = run.pick(96, 48)
kept = {name: after_reading(model.to(run.device), read) for name, model in readers.items()}
by_formula = {
    name: [2 * LAYERS * model.config.groups * (D // HEADS) * (at + 1) * 4 for at in range(read)]
    for name, model in readers.items()
}
for name, (sizes, reserved, capacity) in kept.items():
    print(f"{name:24} {sizes[-1]:6} bytes for {read} words (room for {capacity} takes {reserved})")
run.show(
    line_chart(
        {name: [(at + 1, size / 1024) for at, size in enumerate(sizes)] for name, (sizes, *_) in kept.items()},
        title="What is remembered of a text",
        subtitle=f"KiB of keys and values; {LAYERS} layers, {HEADS} heads of queries",
        xlabel="words read", ylabel="KiB",
    ),
    "cache",
)  # fmt: skip
for name, groups in (("LLaMA 7B", 32), ("Mistral 7B", 8)):
    print(f"{name}: {2 * 32 * groups * 128 * 2 // 1024} KiB a token in 16 bits (32 layers, {groups} heads of 128)")

# %% [markdown]
# Two heads for four halve it, at every word. With the window it stops growing: at most 2w words are there, since the
# cache moves its rows only when that pays. LLaMA 7B and Mistral 7B have 32 layers and 32 heads of queries each, of 128
# numbers; Mistral has 8 heads of keys for them, and a window of 4,096.
#
# ## How far back does a window see?
#
# Mistral's layers have a *sliding window*: a position sees the last w words alone (as Beltagy et al., 2020, had it).
# That is w - 1 back, since it is one of the w itself. Is what lies further back lost, then?
# **Where else could it be?** In the states of the words that *are* seen: each of them, one layer below, has looked
# w - 1 further. So L layers should see L(w - 1) back. Not more, and, if all is connected, not less. We ask the
# gradient: of the last position's state by each word's vector, with residual paths, norms and MLPs, everything. What
# has no way to it must be exactly 0.


# %%
def window_mask(time, window):
    """(T, T): true where the row's position may look."""
    back = np.arange(time)[:, None] - np.arange(time)
    return (back >= 0) & (back < window)


q, k, v = rng.normal(size=(3, 2, 4, 9, 8))
distances["window"] = float(
    np.abs(
        ops.attention(*map(Tensor, (q, k, v)), mask=window_mask(9, 4)).numpy()
        - ops.attention(*map(Tensor, (q, k, v)), causal=True, window=4).numpy()
    ).max()
)
print(f"a mask of our own against the package's window: {distances['window']:.1e}")
LONG = 32


def gradient_by_distance(layers, window, seed=0):
    """(T,): the size of the gradient at 0, 1, 2, … positions back."""
    config = LlamaConfig(11, LONG, layers, 4, 16, 24, n_kv_head=2, window=window, init_std=0.3)
    model = Llama(config, rng=np.random.default_rng(seed), dtype=np.float64).to(run.device)
    x = Tensor(np.random.default_rng(seed).normal(size=(1, LONG, 16)), requires_grad=True).to(run.device)
    (model.read(x)[:, -1] * np.arange(1, 17)).sum().backward()
    return np.abs(to_device(x.grad, "cpu")[0]).sum(-1)[::-1]


reach = {}
for layers in (1, 2, 3, 4):
    for window in (2, 4, 6):
        felt = np.flatnonzero(gradient_by_distance(layers, window))
        assert (felt == np.arange(len(felt))).all()  # no gap
        reach[f"{layers} layers, window {window}"] = int(felt[-1])
rows = [[L, *(reach[f"{L} layers, window {w}"] for w in (2, 4, 6))] for L in (1, 2, 3, 4)]
print("positions back that the gradient is felt:")
print(table(rows, ["layers", "w = 2", "w = 4", "w = 6"]))

# %% [markdown]
# To be reachable is not to be reached. Does a network *learn* to hand on words that its last layer cannot see? Random
# letters, of four kinds; at each place the network has to name the letter that stood 1 back, 2 back, and so on to 12,
# all at once. A window of 5: one layer ends at 4. Two layers end at 8. Whoever cannot see guesses one in four, however
# long he learns.

# %%
LETTERS, FARTHEST, W, TEXT = 4, 12, 5, 24
STEPS_BACK = run.pick(400, 4)


class Recaller(Module):
    """Letters (B, 24) -> for each of the last 12 positions logits of the 12 letters before it, (B, 12, 12, 4)."""

    def __init__(self, layers, rng, width=64):
        self.letters = nn.Embedding(LETTERS, width, rng=rng)
        self.blocks = [
            nn.TransformerBlock(
                nn.RMSNorm(width),
                nn.Attention(width, 4, causal=True, window=W, rope_base=100.0, bias=False, rng=rng),
                nn.RMSNorm(width),
                nn.SwiGLU(width, 172, rng=rng),
            )
            for _ in range(layers)
        ]
        self.norm, self.head = nn.RMSNorm(width), nn.Linear(width, FARTHEST * LETTERS, rng=rng)

    def __call__(self, text):
        x = self.letters(text)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))[:, FARTHEST:].reshape(len(text), TEXT - FARTHEST, FARTHEST, LETTERS)

    def loss(self, batch, *, rng=None, divisor=None, dtype=None):
        return ops.cross_entropy(self(batch["tokens"]), batch["targets"], divisor=divisor)


def letters(rng, count):
    text = rng.integers(0, LETTERS, (count, TEXT))
    at = np.arange(FARTHEST, TEXT)[:, None]
    return {"tokens": text, "targets": text[:, at - np.arange(1, FARTHEST + 1)]}


named = {1: [], 2: []}
asked = letters(np.random.default_rng(9), 200)
for seed in run.seeds:
    for layers in named:
        model = Recaller(layers, np.random.default_rng(seed)).to(run.device)

        def drawn(step, seed=seed):
            return letters(np.random.default_rng((seed, 1, step)), 32)

        learn(model, model.loss, drawn, STEPS_BACK, 3e-3, f"{layers} layers")
        with no_grad():
            right = model(asked["tokens"]).numpy().argmax(-1) == asked["targets"]
        named[layers].append(right.mean((0, 1)))
run.show(
    line_chart(
        [
            Line(name, [(d, 100 * float(s)) for d, s in enumerate(np.mean(each, 0), 1)], color, dots=True)
            for name, each, color in zip(("one layer", "two layers"), named.values(), ("#cf5b16", "#0969da"))
        ],
        title="A second layer sees as far again",
        subtitle=f"% of letters named right, by how far back they stood; a window of {W}",
        xlabel="letters back", ylabel="% right", baselines={"a guess": 100 / LETTERS},
    ),
    "reach",
)  # fmt: skip
for layers, each in named.items():
    print(
        f"{layers} layer{'s' * (layers > 1)}, right at 1 to {FARTHEST} back, in %:",
        *(f"{100 * s:.0f}" for s in np.mean(each, 0)),
    )

# %% [markdown]
# In the full run the first layer knows the last four letters and guesses from the fifth on. Two layers know letters
# that the second cannot see, and at nine back they guess as well: nothing can bring it there.
#
# ## Two languages in one model?
#
# LLaMA read twenty languages, and most of its text was English. **Is that good for the languages of which there is
# little?** Or do they only get in each other's way? Chapter 13's lingo is the smallest test: nearly English backwards,
# with endings, and no word in common. We have many English sentences, and of lingo *twenty*. Nothing says which
# sentence means the same as which, and no sentence is there in both languages.
#
# And there is a second lingo, which borrows: its order and its endings are lingo's, its *stems* (words without endings)
# are English. So we see what a common word is worth. Words are cut into stem and ending, as WordPiece (chapter 14)
# would after more text than there is.

# %%
FEW, SHORT = 20, 10
NAMES = (lingo_words.BEINGS, lingo_words.THINGS, lingo_words.PLACES, lingo_words.ADJECTIVES)
STEM = {lingo: english for words in NAMES for english, lingo in words.items()}
STEM |= {stem: verb for verb, (stem, *_) in (lingo_words.VERBS | lingo_words.GIVING).items()}
SMALL = (lingo_words.COUNTS, lingo_words.PREPOSITIONS, *lingo_words.TIMES.values())
WHOLE = {lingo: english for words in SMALL for english, lingo in words.items()}
WHOLE |= {lingo_words.NOT: "not", lingo_words.THAT: "that"}


def lingo_pieces(words, borrowed):
    """Stems and endings; the stems in English where they are borrowed."""
    found = []
    for word in words:
        stem = next((s for s in STEM if word.startswith(s)), word)
        name = STEM.get(stem) or WHOLE.get(stem, stem)
        found += [name if borrowed else stem, *([f"-{word[len(stem) :]}"] if word != stem else [])]
    return found


train, val, test_pairs = ([p for p in read_pairs(path) if len(p.source) <= SHORT] for path in lingo_files())
few, english = train[:FEW], [list(p.source) for p in train[FEW:]]
val, test_pairs = val[:100], test_pairs[: run.pick(200, 20)]
run.say("English:  ", *test_pairs[0].source)
for name, borrowed in (("lingo:    ", False), ("borrowing:", True)):
    run.say(name, *lingo_pieces(test_pairs[0].target, borrowed))

SPECIAL = ["<pad>", "<start>", "<end>"]
known = {word for p in (*train, *val, *test_pairs) for word in p.source}
known |= {w for p in (*train, *val, *test_pairs) for borrowed in (0, 1) for w in lingo_pieces(p.target, borrowed)}
ID = {word: i for i, word in enumerate([*SPECIAL, *sorted(known)])}
PAD, START, END = (ID[name] for name in SPECIAL)


def numbers(texts):
    return [[ID[word] for word in text] for text in texts]


def batch_of(texts):
    return dict(zip(("tokens", "targets"), teacher_forcing(texts, START, END, PAD)))


stems = {w for p in few for w in lingo_pieces(p.target, True)}, {w for p in train for w in lingo_pieces(p.target, True)}
print(f"of {len(stems[1])} stems and endings of lingo the {FEW} sentences hold {len(stems[0])}")
print(f"{len(english)} English sentences, {FEW} of lingo, {len(test_pairs)} to be judged by; {len(ID)} pieces")

# %% [markdown]
# The rivals: a model of lingo *alone*, stopped where unseen sentences cost it least, with the dropout that suited it
# best of those we tried; counting two or three pieces; and the shared model, stopped in the same way. And for the
# question *what* helps: the shared model once more, with each English sentence's words in *scrambled* order. If it does
# as well, it is words that help, and not what English does with them.

# %%
STEPS_ALONE, STEPS_SHARED = run.pick(150, 4), run.pick(300, 4)


def speaker(seed, dropout):
    config = LlamaConfig(len(ID), 64, 3, 4, 64, 168, n_kv_head=2, tied=True, dropout=dropout)
    return Llama(config, rng=np.random.default_rng(seed)).to(run.device)


def cost(model, texts):
    with no_grad():
        return model.loss(batch_of(texts)).item()


def best_of(model, parts, steps, seed, what, every):
    """Trains on texts drawn from parts, (texts, share) each; -> nats a piece on the test where those on val are least,
    and the model's states there."""
    rng, best = np.random.default_rng((seed, 1)), [math.inf, None, None]

    def batch(step):
        which = rng.choice(len(parts), 32, p=[share for _, share in parts])
        return batch_of([parts[i][0][rng.integers(len(parts[i][0]))] for i in which])

    def after(step):
        if step % every == 0 and (now := cost(model, now_val)) < best[0]:
            best[:] = [now, cost(model, now_test), states_by_layer(model)]

    learn(model, model.loss, batch, steps, 4e-3, what, after=after, seed=seed)
    return best[1:]


def states_by_layer(model):
    """For the embeddings and each block: the mean vector of every English test sentence and of its translation."""
    found = []
    for texts in (numbers([p.source for p in test_pairs]), now_test):
        tokens = batch_of(texts)["tokens"]
        counts = np.array([[0.0] + [1.0] * len(t) + [0.0] * (tokens.shape[1] - len(t) - 1) for t in texts])[..., None]
        with no_grad():
            layers = [model.token_embedding(tokens)]
            for block in model.blocks:
                layers.append(block(layers[-1]))
        found.append([(x.numpy() * counts).sum(1) / counts.sum(1) for x in layers])
    return list(zip(*found))


def found_again(layers):
    """Layer by layer the share of English sentences whose nearest lingo sentence, by the angle, translates them."""
    shares = []
    for pair in layers:
        a, b = (x - x.mean(0) for x in pair)
        a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
        shares.append(float(((a @ b.T).argmax(1) == np.arange(len(a))).mean()))
    return shares


scrambled = [list(np.random.default_rng((4, i)).permutation(text)) for i, text in enumerate(english)]
spoken, near = {}, {}
for borrowed, language in ((False, "lingo"), (True, "borrowing")):
    own, now_val, now_test = (numbers([lingo_pieces(p.target, borrowed) for p in ps]) for ps in (few, val, test_pairs))
    stream, judged = (np.array([i for text in texts for i in (*text, END)]) for texts in (own, now_test))
    counted = min(NGram(order, len(ID)).fit(stream).cross_entropy(judged) for order in (2, 3))
    rivals = {"alone": [(own, 1.0)]}
    for name, texts in (("with English", english), ("with scrambled English", scrambled)):
        rivals[name] = [(numbers(texts), 0.8), (own, 0.2)]
    spoken[language] = {"counted": [counted]}
    for name, parts in rivals.items():
        steps, dropout, every = (STEPS_ALONE, 0.3, 10) if name == "alone" else (STEPS_SHARED, 0.1, 25)
        for seed in run.seeds:
            nats, states = best_of(speaker(seed, dropout), parts, steps, seed, name, run.pick(every, 2))
            spoken[language].setdefault(name, []).append(nats)
            near.setdefault(f"{language}, {name}", []).append(found_again(states))
    near.setdefault(f"{language}, untrained", []).append(found_again(states_by_layer(speaker(9, 0.0))))
kinds = ["counted", "alone", "with English", "with scrambled English"]
rows = [[language, *(float(np.mean(by[kind])) for kind in kinds)] for language, by in spoken.items()]
print("nats a piece of unseen sentences:")
print(table(rows, ["", *kinds]))
print("translations that are nearest, by layer:")
print(table([[name, *map(float, np.mean(each, 0))] for name, each in near.items()], ["", "embeddings", "1", "2", "3"]))

run.show(
    grouped_bars(
        {name: {language: float(np.mean(spoken[language][name])) for language in spoken} for name in kinds},
        title="What must two languages have in common?",
        subtitle=f"nats a piece of unseen sentences, after {FEW} sentences; lower is better",
        captions={"lingo": "words of its own", "borrowing": "English stems"},
    ),
    "languages",
)

# %% [markdown]
# What follows is true of the full run; with `--fast` nobody has learned a language.
#
# Twenty sentences do not hold all stems. Where the stems are English ones, English tells of the others what kind of
# word each is. The order and the endings come from the twenty. *That* a word is there is not enough: with scrambled
# English, which has all the words and no grammar, the model is no better than alone. Where no stem is in common, little
# is left that English could tell. How little? The two models alone have the same sentences under other names: what
# *they* differ by is chance. Hold the gain for lingo against that.
#
# **And does the same meaning have near vectors?** We had expected so, and in the middle layers, where models of many
# languages are said to meet. The table says otherwise. For lingo no layer knows which sentence means the same as which;
# shuffled pairs would do as well. For the language that borrows the *embeddings* know some, and a sceptic says why: the
# words are the same, and a mean of word vectors needs no training. An untrained model finds far more. With training it
# is gone from the layers above: a state is about to name the next word, and in the other order that is another one. So
# at this size nothing meets in the middle.
#
# The claim was another one at first: that few sentences of lingo go better with English than alone, and that the same
# meaning has near vectors in the middle. In trials with 40 to 200 sentences, with whole words and with pieces, with
# sentence pairs or with lingo words mixed into English sentences, lingo alone, stopped in time, was nearly always as
# good or better. (Twice it was not: with 200 sentences, and first weights that held lingo alone back.) So the claim
# became the one above. Its bounds were set after trials with one seed, and before the run that is recorded.
#
# **Exercises**: 18.1 RMSNorm, 18.2 the window, 18.3 heads that share keys. `tgl chapter 18 --mine` runs this page on
# your RMSNorm.

# %%
full, shared, windowed = kept
run.check("our parts against the package's", distances, at_most=EQUAL)
run.check("RoPE's gain, nats a word", gains["RoPE"], above=spread, baseline={"chance": spread}, full_only=True)
others = {name: float(np.mean(gain)) for name, gain in gains.items() if name != "RoPE"}
run.check("mean gain of the others", others, at_least=-spread, full_only=True)
run.check("bytes, 2 heads of keys for 4", kept[shared][0][-1] / kept[full][0][-1], equals=0.5)
off = {name: max(abs(a - b) for a, b in zip(kept[name][0], by_formula[name])) for name in (full, shared)}
run.check("bytes counted less the formula", off, equals=0)
at_most = by_formula[shared][2 * WINDOW - 1]
run.check("bytes with a window, the most", max(kept[windowed][0]), at_most=at_most, baseline=kept[shared][0][-1])
wanted = {f"{L} layers, window {w}": L * (w - 1) for L in (1, 2, 3, 4) for w in (2, 4, 6)}
run.check("positions back with a gradient", reach, equals=wanted)
guess = {"a guess": 1 / LETTERS}
one = [float(s[: W - 1].min()) for s in named[1]]
run.check("letters that one layer sees", one, at_least=SEEN, baseline=guess, full_only=True)
two = [float(s[W - 1 : 2 * (W - 1)].min()) for s in named[2]]
run.check("those that only two layers see", two, at_least=HANDED_ON, baseline=guess, full_only=True)
blind = {f"layers: {n}": max(float(s[n * (W - 1) :].max()) for s in each) for n, each in named.items()}
run.check("those beyond, at best", blind, at_most=BLIND)
gain = {by: [a - b for a, b in zip(spoken[by]["alone"], spoken[by]["with English"])] for by in spoken}
beside = {"counted": spoken["borrowing"]["counted"][0], "alone": float(np.mean(spoken["borrowing"]["alone"]))}
run.check("gain by English, stems borrowed", gain["borrowing"], at_least=HELPED, baseline=beside, full_only=True)
by_order = [a - b for a, b in zip(spoken["borrowing"]["with scrambled English"], spoken["borrowing"]["with English"])]
run.check("of that by what English does", by_order, at_least=HELPED, full_only=True)
more = [a - b for a, b in zip(gain["borrowing"], gain["lingo"])]
run.check("gain beyond that for lingo", more, at_least=MORE, full_only=True)
chance = {"shuffled pairs": 1 / len(test_pairs)}
nearest = [max(shares) for shares in near["lingo, with English"]]
run.check("lingo: translations nearest, at best", nearest, at_most=APART, baseline=chance, full_only=True)
middle = [max(shares[1:]) for shares in near["borrowing, with English"]]
untrained = {"untrained": max(near["borrowing, untrained"][0][1:])}
run.check("borrowing: those above embeddings", middle, at_most=APART, baseline=chance | untrained, full_only=True)
run.report("nats a word", {name: list(by_seed.values()) for name, by_seed in losses.items()})
run.report("gains, nats a word", gains)
run.report("ms a step", {name: round(1000 * min(each), 1) for name, each in seconds.items()})
run.report("letters right", {str(n): np.mean(each, 0).round(3).tolist() for n, each in named.items()})
run.report("nats a piece", spoken)
run.report("translations nearest, by layer", {name: np.mean(each, 0).round(3).tolist() for name, each in near.items()})
run.finish()
