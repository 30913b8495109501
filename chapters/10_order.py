# %% [markdown]
# # 10 · Order
#
# "The dog bit the man" and "the man bit the dog" have the same words. Attention takes a mean over words, and a mean
# does not know in which order it was taken. This chapter proves that, finds an unexpected hole in the proof, and then
# compares the four ways in which models are told where a word stands: where they were trained, and beyond.
#
# - **Builds on** 09, attention.
# - **Reads** [`nn/position.py`](../tinygrad_llm/nn/position.py), [`ops/rope.py`](../tinygrad_llm/ops/rope.py),
#   [`nn/layers.py`](../tinygrad_llm/nn/layers.py) (`Embedding`).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/10/output.txt) shows them all.
# - **Departs from** the papers nowhere. ALiBi looks back only in its paper; `nn.alibi_bias` serves both ways.
# - **Run**: `python chapters/10_order.py`. It takes about a minute; `--seeds 3` about two and a half. `--fast` takes
#   about ten seconds: its models are half trained, so it asserts the proofs and equalities, and none of what the text
#   says about answers with positions and about tales.

# %%
import math

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import Module, Tensor, nn, no_grad, ops
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets.batches import Batches
from tinygrad_llm.datasets.locate import tales_files
from tinygrad_llm.datasets.text import read_text
from tinygrad_llm.models.ngram import NGram
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.tokenizer import CharTokenizer
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import line_chart
from tinygrad_llm.visualize.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, shade
from tinygrad_llm.visualize.figure import INK, PALE_INK, Figure

run = Chapter(
    "10",
    "Without positions attention both ways, and one causal layer, cannot tell which came first; two causal layers "
    "can. On letters each of four ways to tell positions beats none, RoPE most; read on beyond the trained length only "
    "ALiBi holds, and RoPE with what is too far cut off beats it.",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
LN2 = math.log(2)
NEAR_LN2, ANSWERS, SHIFT = 0.01, 0.99, 1e-6
BETTER, HOLDS, BREAKS = 0.2, 0.25, 0.5
STEPS_ORDER, STEPS_TALES = run.pick(260, 60), run.pick(400, 30)

# %% [markdown]
# ## Can a mean know the order?
#
# Take the attention of chapter 09, every position looking at all, and shuffle what goes in. What comes out?

# %%
rng = np.random.default_rng(0)
x = rng.normal(size=(1, 6, 8))
queries, keys, values = (rng.normal(size=(8, 8)) for _ in range(3))


def attention(x):
    """(B, T, D) -> (B, T, D), one head, both ways."""
    q, k, v = (Tensor(x[:, None] @ w).to(run.device) for w in (queries, keys, values))
    return ops.attention(q, k, v).numpy()[:, 0]


shuffle = rng.permutation(6)
np.testing.assert_allclose(attention(x[:, shuffle]), attention(x)[:, shuffle], rtol=1e-10)
print("shuffled in, the same shuffled out: no position knows where it stood")

# %% [markdown]
# The same numbers, in another order. Each position compares itself with all, and *where* they stood was never asked.
# What else a model has works at each position alone, and cannot mend it.
#
# ## What does that cost?
#
# Here is a question that is nothing but order. Fifteen letters, somewhere among them one `A` and one `B`, and at the
# end a `?`. Which came first?
#
# Now take any such text and exchange its `A` with its `B`: call that its twin. The set of letters is the same, so the
# model gives the same share $p$ to the answer "A". But the right answer is now the other one. On the two together it
# pays, in nats,
#
# $$-\ln p - \ln (1 - p) \;=\; -\ln \big(p\,(1 - p)\big) \;\ge\; 2 \ln 2,$$
#
# since $p\,(1 - p)$ is at most ¼: whatever its weights, however large it is, however long it learns. A bound that exact
# is worth a test.

# %%
TEXT, LETTERS = 16, 13  # 0 is A, 1 is B, 2 is ?, the others are fillers


def question(count, rng):
    """(N, 16) letters and whether B came first, (N,)."""
    text = rng.integers(3, LETTERS, (count, TEXT))
    text[:, -1] = 2
    places = np.argsort(rng.random((count, TEXT - 1)), axis=1)[:, :2]
    rows = np.arange(count)
    text[rows, places[:, 0]], text[rows, places[:, 1]] = 0, 1
    return text, (places[:, 0] > places[:, 1]).astype(np.int64)


def twin(text):
    return np.where(text == 0, 1, np.where(text == 1, 0, text))


text, answer = question(3, np.random.default_rng(0))
for line, b in zip(text, answer):
    letters = "".join("AB?"[c] if c < 3 else chr(ord("m") + c - 3) for c in line)
    print(letters, "->", "B" if b else "A")

# %% [markdown]
# ## Four ways to say where
#
# What would you try? People have found four answers that are still in use. Two say it once, below the first layer: a
# vector for the position is *added* to the vector of the letter. Two say it in every layer, where queries meet keys.
#
# **Learned** (GPT-2, a model of the kind of chapter 12). A table of as many vectors as there are positions, learned
# like any other. It is `nn.Embedding`, looked up with 0, 1, 2, …
#
# **Sinusoidal** (Vaswani et al., 2017). Nothing to learn: hands of clocks. The first turns fast, each next one slower.
# One clock alone comes back to where it was; all together do not. Position $t$ gets a vector of $D$ numbers, two for
# each clock $i = 0 \dots D/2 - 1$:
#
# $$c_{t,\,2i} = \sin(t / 10000^{2i/D}) \qquad c_{t,\,2i+1} = \cos(t / 10000^{2i/D})
# \qquad c \text{ of shape } (T, D)$$

# %%


def clocks(length, width):
    """(T, D)"""
    turns = np.arange(length)[:, None] / 10_000 ** (np.arange(0, width, 2) / width)  # (T, D/2)
    return np.stack([np.sin(turns), np.cos(turns)], -1).reshape(length, width)


np.testing.assert_allclose(clocks(50, 12), nn.sinusoidal_table(50, 12), atol=1e-12)

# %% [markdown]
# **RoPE** (Su et al., 2021; in Llama and most large models since). Do not add: *turn*. Take the numbers of a query in
# pairs, see each pair as a point in the plane, and turn it by an angle that grows with the position. Do the same with
# keys. What does that do to the product of the two? Turn two hands of a clock by the same angle, and the angle between
# them stays.
#
# A point $(a, b)$ in the plane can be written as a complex number, $a + b\sqrt{-1}$; and to turn it by an angle is to
# multiply it with $\cos + \sqrt{-1}\,\sin$ of that angle. NumPy writes `1j` for $\sqrt{-1}$. The head has $K$ numbers,
# pair $i$ is $(x_i, x_{i+K/2})$, and at position $t$ it is turned by $t / 10000^{2i/K}$:


# %%
def turned(x, positions, base=10_000.0):
    """(T, K) -> (T, K)"""
    half = x.shape[-1] // 2
    z = x[:, :half] + 1j * x[:, half:]
    z = z * np.exp(1j * positions[:, None] * base ** (-np.arange(half) / half))
    return np.concatenate([z.real, z.imag], -1)


q, k, positions = rng.normal(size=(40, 16)), rng.normal(size=(40, 16)), np.arange(40)
cos, sin = ops.rope_table(positions, 16)
np.testing.assert_allclose(turned(q, positions), ops.rope(Tensor(q), cos=cos, sin=sin).data, atol=1e-12)


def scores(shift, rope=ops.rope):
    """Every query with every key, (T, T), all of them `shift` positions further on."""
    cos, sin = ops.rope_table(positions + shift, 16)
    turned_q, turned_k = (rope(Tensor(x).to(run.device), cos=cos, sin=sin) for x in (q, k))
    return (turned_q @ turned_k.T).numpy()


moved = max(float(np.abs(scores(shift) - scores(0)).max()) for shift in (1, 7, 1000))
print(f"the whole text moved by up to 1000 positions: no score moves by more than {moved:.1e}")
assert moved < SHIFT

# %% [markdown]
# That test finds a mistake that many have made, forgetting a sign, so that the pair is not turned. It does *not* find
# another: turning the other way round. That too depends on distance alone, and a model trained so is as good. Only a
# model trained the one way and run the other is broken. To notice that one needs numbers from elsewhere; our tests have
# those of the library transformers.


# %%
def sign_forgotten(x, cos, sin):
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    return ops.concat([first * cos + second * sin, second * cos + first * sin], axis=-1)


def other_way_round(x, cos, sin):
    return ops.rope(x, cos=cos, sin=-sin)


broken = float(np.abs(scores(7, sign_forgotten) - scores(0, sign_forgotten)).max())
mirrored = float(np.abs(scores(7, other_way_round) - scores(0, other_way_round)).max())
print(f"moved by 7: sign forgotten {broken:.1f}, the other way round {mirrored:.1e}")
assert mirrored < SHIFT < 0.1 < broken

# %% [markdown]
# **ALiBi** (Press et al., 2022). Simpler still: from each score take away the distance times a slope. Each head has a
# slope of its own: of H heads the first has $2^{-8/H}$, and each next one is the one before times the same. With four
# that is 1/4, 1/16, 1/64, 1/256: the first hardly looks beyond its neighbours, the last sees a long way. So it is a
# table (H, T, T) of numbers not above 0, added to the scores before the softmax, as a mask is.

# %%
slopes = [2.0 ** (-8 * (h + 1) / 4) for h in range(4)]
by_hand = np.array([[[-slope * abs(t - s) for s in range(9)] for t in range(9)] for slope in slopes])
np.testing.assert_allclose(by_hand, nn.alibi_bias(4, 9, 9), atol=1e-12)
print("our ALiBi and the package's agree")

# %% folded


def striped(tables, title):
    """Tables (T, T) side by side, pale where a query does not care, blue where it does."""
    figure = Figure(760, 300, title, "Each table is constant along its diagonals: the distance alone counts")
    figure.text((20, 28), title, INK, 16, weight=600)
    for number, (name, values) in enumerate(tables.items()):
        left, cell = 20 + 245 * number, 220 / len(values)
        figure.text((left, 54), name, PALE_INK, 13)
        share = (values - values.min()) / (values.max() - values.min())
        for i, j in np.ndindex(values.shape):
            figure.rect((left + j * cell, 64 + i * cell), cell + 0.3, cell + 0.3, shade(share[i, j]))
    return figure


# %%
places = nn.sinusoidal_table(22, 16)
cos, sin = ops.rope_table(np.arange(22), 16)
same = ops.rope(Tensor(np.ones((22, 16))), cos=cos, sin=sin).data
run.show(
    striped(
        {
            "sinusoidal: place · place": places @ places.T,
            "RoPE: the same vector, turned": same @ same.T,
            "ALiBi: a head of slope 1/4": nn.alibi_bias(4, 22, 22)[0],
        },
        "What query (down) and key (across) hear of where they stand",
    ),
    "tables",
)

# %% [markdown]
# The bluer, the larger the score of that query with that key. Three roads, one pattern: stripes along the diagonal.
# What a model wants to know is how far, not where. And the first two are the same picture: the clocks are the same. One
# adds them to the letter and hopes that queries and keys will find them there; the other turns queries and keys
# themselves. (A learned table has no picture before it has learned.)
#
# Here they are in one small transformer. In `Attention` the lines with `scheme` are new; without them it is
# `nn.Attention` (09). Around each attention stands a *block*: norms, which keep the numbers at one size, and an MLP
# (03) for each position. Take them for granted here; chapter 11 is about them.


# %%
class Attention(Module):
    """(B, T, D) -> (B, T, D), told of positions in the way of `scheme`."""

    def __init__(self, scheme, causal, width, n_head, rng):
        self.scheme, self.causal, self.n_head = scheme, causal, n_head
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(width, width, rng=rng) for _ in range(4))

    def __call__(self, x, rng=None, **options):
        (B, T, D), H = x.shape, self.n_head
        projected = (project(x) for project in (self.q_proj, self.k_proj, self.v_proj))
        q, k, v = (p.reshape(B, T, H, D // H).transpose(0, 2, 1, 3) for p in projected)
        mask = nn.alibi_bias(H, T, T).astype(x.dtype) if self.scheme == "ALiBi" else None
        if self.scheme == "RoPE":
            cos, sin = ops.rope_table(np.arange(T), D // H)
            q, k = ops.rope(q, cos=cos, sin=sin), ops.rope(k, cos=cos, sin=sin)
        y = ops.attention(q, k, v, mask=mask, causal=self.causal)
        return self.o_proj(y.transpose(0, 2, 1, 3).reshape(B, T, D))


class Reader(Module):
    """(B, T) letters -> (B, T, O) scores."""

    def __init__(self, scheme, causal, n_layer, letters, outputs, rng, width=32, n_head=2, longest=TEXT):
        self.letters, self.scheme = nn.Embedding(letters, width, rng=rng), scheme
        self.learned = nn.Embedding(longest, width, rng=rng, std=0.1) if scheme == "learned" else None
        self.table = nn.sinusoidal_table(longest, width).astype(np.float32)
        self.blocks = [
            nn.TransformerBlock(
                nn.LayerNorm(width), Attention(scheme, causal, width, n_head, rng),
                nn.LayerNorm(width), nn.MLP(width, rng=rng),
            )
            for _ in range(n_layer)
        ]  # fmt: skip
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, outputs, rng=rng)

    def __call__(self, text):
        x, positions = self.letters(text), np.arange(text.shape[1])
        if self.scheme == "learned":
            x = x + self.learned(positions)
        if self.scheme == "sinusoidal":
            x = x + self.table[positions]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


for scheme, base in (("none", None), ("RoPE", 10_000.0)):
    ours = Attention(scheme, True, 32, 2, np.random.default_rng(1)).to(run.device)
    package = nn.Attention(32, 2, causal=True, rope_base=base, rng=np.random.default_rng(1)).to(run.device)
    x = Tensor(rng.normal(size=(2, 9, 32)).astype(np.float32)).to(run.device)
    np.testing.assert_allclose(ours(x).numpy(), package(x).numpy(), rtol=1e-4, atol=1e-5)
print("without positions and with RoPE it equals nn.Attention")


def train(model, loss, batches, steps, lr):
    optimizer = AdamW(model.named_parameters(), lr=lr, weight_decay=0.0)
    fit(loss, optimizer, (batches(step) for step in range(steps)), lr=schedule("cosine", lr, steps, steps // 10))


# %% [markdown]
# ## Which came first?
#
# Seven models. For each: what it pays for a text, in nats, on pairs of twins that it never saw; the share answered
# rightly by the worst and the best start; and how far the outputs of two twins differ. Guess before you look, most of
# all for the three without positions.

# %%
KINDS = {  # name: (scheme, causal, layers)
    "both ways, none": ("none", False, 2),
    "one causal layer, none": ("none", True, 1),
    "two causal layers, none": ("none", True, 2),
    "both ways, sinusoidal": ("sinusoidal", False, 2),
    "both ways, learned": ("learned", False, 2),
    "both ways, RoPE": ("RoPE", False, 2),
    "both ways, ALiBi": ("ALiBi", False, 2),
}
text, answer = question(1000, np.random.default_rng(12345))
pairs, answers = np.concatenate([text, twin(text)]), np.concatenate([answer, 1 - answer])
cost, right, apart = ({kind: [] for kind in KINDS} for _ in range(3))
for seed in run.seeds:
    for kind, (scheme, causal, n_layer) in run.progress(KINDS.items(), "order"):
        model = Reader(scheme, causal, n_layer, LETTERS, 2, np.random.default_rng(seed)).to(run.device)

        def loss(batch, rng=None, divisor=None, model=model):
            return ops.cross_entropy(model(batch["text"])[:, -1], batch["targets"], divisor=divisor)

        def questions(step, seed=seed):
            return dict(zip(("text", "targets"), question(64, np.random.default_rng((seed, step)))))

        train(model, loss, questions, STEPS_ORDER, 5e-3)
        with no_grad():
            scored = model(pairs)[:, -1]
        cost[kind].append(ops.cross_entropy(scored, answers).item())
        said = scored.numpy()
        right[kind].append(float((said.argmax(-1) == answers).mean()))
        apart[kind].append(float(np.abs(said[:1000] - said[1000:]).max()))
rows = [[kind, float(np.mean(cost[kind])), min(right[kind]), max(right[kind]), max(apart[kind])] for kind in KINDS]
print(table(rows, ["model", "nats (ln 2 = 0.6931)", "right, least", "most", "twins differ by"]))

# %% [markdown]
# Both ways without positions, and with one causal layer: one half, to the last digit, and twins that differ by rounding
# alone. As proven. (With `--fast` the others are still learning; two causal layers without positions are quickest.)
#
# ## Why do two causal layers know?
#
# Nobody told them a position. But a causal mask lets position $t$ see $t + 1$ letters, and no two positions see the
# same. The proof above shuffled what *all* positions see; here each sees another set. So after the first layer `B` can
# carry a note: "I have seen an A", or "I have not". The second layer brings the note to the `?`. With one layer there
# is nobody to read the note, and the last position, which sees the whole set, is as blind as before.
#
# There is more to it: the mask tells a position *how many* it sees. Let the first letter be marked, count positions
# from 0, and let attention be even. Then the mean at position $t$ holds the mark with weight $1 / (t + 1)$. That is a
# clock.
#
# Can it be read from a layer whose weights nobody trained? Fit a linear function of the layer's 32 outputs to
# $1/(t+1)$, on some texts, and try it on others. $R^2$ says how much of the variance it explains: 1 is all, 0 is what
# the mean alone would do, and below 0 is worse.

# %%
marked = np.zeros((1, 1, 12, 2))
marked[0, 0, 0, 0] = 1
even = ops.attention(Tensor(np.zeros_like(marked)), Tensor(np.zeros_like(marked)), Tensor(marked), causal=True).data
np.testing.assert_allclose(even[0, 0, :, 0], 1 / np.arange(1, 13), rtol=1e-12)


def position_read(causal, seed):
    """R² of 1/(t+1), read by a linear function from what a layer with random weights gives, on texts not fitted."""
    model = Reader("none", causal, 1, LETTERS, 2, np.random.default_rng(seed)).to(run.device)
    text = np.random.default_rng((seed, 1)).integers(3, LETTERS, (400, 32))
    text[:, 0] = 2  # the mark
    with no_grad():
        seen = model.blocks[0](model.letters(text)).numpy()[:, 1:].astype(np.float64)
    wanted = np.broadcast_to(1 / np.arange(2, 33), (400, 31))
    inputs = np.concatenate([seen, np.ones((400, 31, 1))], -1)
    line = np.linalg.lstsq(inputs[:200].reshape(-1, 33), wanted[:200].ravel(), rcond=None)[0]
    return float(1 - ((inputs[200:] @ line - wanted[200:]) ** 2).mean() / wanted[200:].var())


read = {
    name: [position_read(causal, seed) for seed in run.seeds]
    for name, causal in (("causal", True), ("both ways", False))
}
print("R² of the position, read from one layer with random weights:")
for name, r2 in read.items():
    print(f"  {name:9} {', '.join(f'{r:.2f}' for r in r2)}")

# %% [markdown]
# Even with random weights most of the clock can be read from a causal layer, and nothing from one that looks both ways.
# Haviv et al. (2022) found the same in large models without positions: they learn, and know where they are.
#
# So are positions superfluous? Knowing that something came earlier is not yet knowing that it was three letters ago.
#
# ## Reading tales, and reading on
#
# Now letters: predict the next one. Two causal layers, trained on windows of 32 letters. Then let them read 128.
# Positions 33 and on are new to them: which of the four ways do you expect to hold?
#
# What would a sceptic do beyond the length? Not read so far: cut off what is further back than 32 letters, and number
# what is left anew. We let the model with RoPE do that for the last 32 places. And he would count, as chapter 07 did:
# the last line is its counter of five letters, with all the tales to count in. Our models see 400 small batches
# (`--fast`: 30). They are compared with each other; as a way to spell tales, counting is far better at this size.

# %%
TRAINED, LONG, WINDOW = 32, 128, 4
train_text, unseen_text = map(read_text, tales_files())
tokenizer = CharTokenizer.train(train_text)
letters, unseen = (np.array(tokenizer.encode(text)) for text in (train_text, unseen_text))
V = tokenizer.vocab_size
follows = np.ones((V, V))
np.add.at(follows, (letters[:-1], letters[1:]), 1)
bigram = -float(np.log(follows / follows.sum(1, keepdims=True))[unseen[:-1], unseen[1:]].mean())
counter = NGram(5, V).fit(letters).cross_entropy(unseen)
read_on = Batches(unseen, block_size=LONG, batch_size=run.pick(192, 48), seed=0)[0]
SCHEMES = ("none", "learned", "sinusoidal", "RoPE", "ALiBi")
by_position, cut_off = {scheme: [] for scheme in SCHEMES}, []


def reading_only(model, length):
    """The mean loss at the last `length` positions where the model is given `length` letters for each, no more."""
    losses = []
    for at in range(LONG - length, LONG):
        window = read_on["tokens"][:, at + 1 - length : at + 1]
        losses.append(ops.cross_entropy(model(window)[:, -1], read_on["targets"][:, at]).item())
    return float(np.mean(losses))


for seed in run.seeds:
    batches = Batches(letters, block_size=TRAINED, batch_size=16, seed=seed)
    for scheme in run.progress(SCHEMES, "tales"):
        model = Reader(scheme, True, 2, V, V, np.random.default_rng(seed), width=48, n_head=4, longest=LONG)
        model.to(run.device)

        def loss(batch, rng=None, divisor=None, model=model):
            return ops.cross_entropy(model(batch["tokens"]), batch["targets"], divisor=divisor)

        train(model, loss, batches.__getitem__, STEPS_TALES, 1e-2)
        with no_grad():
            scores = model(read_on["tokens"])
            losses = ops.cross_entropy(scores, read_on["targets"], reduction="none").numpy().reshape(-1, LONG)
            cut_off += [reading_only(model, TRAINED)] if scheme == "RoPE" else []
        by_position[scheme].append(losses.mean(0))

inside = {s: [float(v[16:TRAINED].mean()) for v in by_position[s]] for s in SCHEMES}
beyond = {s: [float(v[96:].mean()) for v in by_position[s]] for s in SCHEMES}
rows = []
for scheme, runs in by_position.items():
    mean = np.mean(runs, 0)
    rows.append(
        [scheme, *(float(mean[a:b].mean()) for a, b in ((0, 16), (16, 32), (32, 48), (48, 64), (64, 96), (96, 128)))]
    )
print("nats a letter by position, mean over seeds:")
print(table(rows, ["positions", "1-16", "17-32", "33-48", "49-64", "65-96", "97-128"]))
print(f"at 97-128, RoPE with the last {TRAINED} letters and no more: {np.mean(cut_off):.4g}")
print(f"counted in all tales: the letter before {bigram:.2f}, the four letters before {counter:.2f}")

# %%
curves = {
    scheme: [
        (i + WINDOW / 2, float(v)) for i, v in zip(range(0, LONG, WINDOW), np.mean(runs, 0).reshape(-1, WINDOW).mean(1))
    ]
    for scheme, runs in by_position.items()
}
figure = line_chart(
    curves,
    title="Trained at 32 letters, read on to 128",
    subtitle="loss in nats a letter, by position in the window: beyond 32 all rise, ALiBi hardly",
    xlabel="position",
    baselines={"the letter before": bigram},
)
edge = LEFT + (TRAINED - WINDOW / 2) / (LONG - WINDOW) * (WIDTH - LEFT - RIGHT)
figure.line((edge, TOP), (edge, HEIGHT - BOTTOM), PALE_INK, 1, "2 3")
figure.text((edge + 6, TOP + 12), "never trained from here on", PALE_INK, 12)
run.show(figure, "lengths")

# %% [markdown]
# What follows is true of the full run; after 30 batches nobody has learned enough to lose it.
#
# Left of the dotted line all four are far below "none", which knows what came before but not how far back. RoPE is the
# best of them: it can say "three letters ago" in every layer. (Is it the rate that suits it? We tried half and twice of
# it: RoPE is best at each.)
#
# Right of it they part. (Even "none" loses half a nat: its only clock is how many letters it sees, and it never saw so
# many.)
#
# - **Learned**: the rows of positions 33 and on have never been trained. They are the random numbers that they began
#   with. With a real GPT-2 one cannot even ask: the table ends.
# - **Sinusoidal**: the numbers are well defined, the model has never seen them, and what it makes of them is worse than
#   knowing one letter.
# - **RoPE**: holds for some way, to about twice the trained length, and then fails worse than all others. The usual
#   explanation (Chen et al., 2023): the slow clocks come to angles that no training ever showed, and every query hears
#   them. "Relative" does not mean "any length". Longer contexts for Llama are made by slowing the clocks down, and a
#   little more training.
# - **ALiBi**: what is far hardly counts, so nothing new is heard. It holds, nearly. The price is paid within the
#   length, where RoPE is a quarter of a nat better: ALiBi cannot look far and be exact.
#
# And the sceptic? RoPE with the last 32 letters only is better than ALiBi with all: here, what stands further back is
# worth less than what RoPE hears of the near. To hold beyond the length is not yet to make use of it. Llama, Mistral
# and most other models of today chose RoPE, and train at the length that they need.
#
# **Exercises**: 10.1 the clocks, 10.2 RoPE's turn, 10.3 ALiBi.
# `tgl chapter 10 --mine` runs this page on your clocks, your RoPE and your ALiBi.

# %%
blind, knowing = (
    ("both ways, none", "one causal layer, none"),
    ("two causal layers, none", "both ways, sinusoidal", "both ways, learned", "both ways, RoPE", "both ways, ALiBi"),
)
blind_cost, blind_apart = ([value for kind in blind for value in of[kind]] for of in (cost, apart))
answered = {kind: min(right[kind]) for kind in knowing}
gain = {s: min(n - v for n, v in zip(inside["none"], inside[s])) for s in SCHEMES[1:]}
lost = {s: [b - i for b, i in zip(beyond[s], inside[s])] for s in SCHEMES}
others = [min(losses) for losses in zip(*(inside[s] for s in SCHEMES if s != "RoPE"))]
run.check("cost of which came first, without positions", blind_cost, at_least=LN2 - 1e-5, baseline={"a coin": LN2})
run.check("how far the outputs of two twins differ then", blind_apart, below=1e-3)
run.check("the same cost, no more than a coin's", blind_cost, at_most=LN2 + NEAR_LN2, full_only=True)
run.check(
    "which came first, answered with positions", answered, at_least=ANSWERS, baseline={"a coin": 0.5}, full_only=True
)
run.check("RoPE's scores when the whole text moves", moved, at_most=SHIFT)
run.check(
    "nats won over no positions, within the length",
    gain,
    at_least=BETTER,
    baseline={"no positions": inside["none"], "counting five letters": counter},
    full_only=True,
)
run.check(
    "RoPE's nats within the length, the best",
    inside["RoPE"],
    at_most=others,
    baseline={"best other": others},
    full_only=True,
)
run.check("nats lost beyond the length: ALiBi", lost["ALiBi"], at_most=HOLDS, full_only=True)
run.check(
    "nats beyond the length: RoPE, 32 letters only",
    cut_off,
    at_most=beyond["ALiBi"],
    baseline={"ALiBi": beyond["ALiBi"], "RoPE": beyond["RoPE"]},
    full_only=True,
)
run.check(
    "nats lost beyond the length: the other three",
    [nats for s in ("learned", "sinusoidal", "RoPE") for nats in lost[s]],
    at_least=BREAKS,
    baseline={"ALiBi": lost["ALiBi"]},
    full_only=True,
)
run.report("cost", {kind: [round(v, 5) for v in values] for kind, values in cost.items()})
run.report("position read", read)
run.report("nats inside", inside)
run.report("nats beyond", beyond)
run.report("nats of the letter before", bigram)
run.report("nats of the four letters before", counter)
run.finish()
