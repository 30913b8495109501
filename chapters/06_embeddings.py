# %% [markdown]
# # 06 · Embeddings
#
# A token is a number in a list. Nothing in "king is 417, queen is 95" says that the two have anything to do with each
# other. This chapter gives every word a place instead, a row of a hundred numbers, its *embedding*. It is learned from
# nothing but the words around it. And then one can calculate there: king − man + woman lands on queen.
#
# - **Builds on** 03, learning, and 05, tokens.
# - **Reads** [`ops/index.py`](../tinygrad_llm/ops/index.py) (`embedding`), [`ops/loss.py`](../tinygrad_llm/ops/loss.py)
#   (`binary_cross_entropy`), [`datasets/kingdom.py`](../tinygrad_llm/datasets/kingdom.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/06/output.txt) shows them all.
# - **Departs from** word2vec (Mikolov et al., 2013), the method that made all this famous, in three ways: batches and
#   AdamW instead of one pair at a time, a window of fixed width, and a corpus made for the purpose, 8,000 sentences
#   instead of a billion words.
# - **Run**: `python chapters/06_embeddings.py`. It takes about half a minute, `--seeds 3` a minute and a half, `--fast`
#   ten seconds: it stops after three of eight passes and then asks for less, and not for the queen. What the text says
#   of numbers is said of the full run.

# %%
import json
from collections import Counter

import numpy as np

from tinygrad_llm import Tensor, nn, ops
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets.kingdom import generate_kingdom
from tinygrad_llm.datasets.locate import corpus
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.tokenizer import WordTokenizer
from tinygrad_llm.train import fit
from tinygrad_llm.visualize.figure import INK, PALE_INK, Figure

run = Chapter(
    "06",
    "king - man + woman = queen, with at least 90 % of the held-out analogies, at most 2 % from shuffled words, and at "
    "most 60 % where nothing is subtracted; the products of the vectors are what counting gives, PMI less a constant.",
)
SOLVED, CHANCE, WITHOUT, GAP, HONEST = run.pick(0.9, 0.6), 0.02, 0.6, 0.1, run.pick(0.6, 0.4)
EXPLAINED, BEYOND, GUESSED = run.pick(0.95, 0.9), run.pick(0.8, 0.7), 0.65
WINDOW, WIDTH, NEGATIVES, RARE = 5, 100, 5, 1e-3
EPOCHS, BATCH, RATE = run.pick(8, 3), 2048, 0.01

# %% [markdown]
# ## What could a word be known by?
#
# Here is the text to learn from, the *corpus*: `kingdom`, 8,000 sentences that a program made up, each about one word
# or two. Read ten of them, then look at the gaps in the last two. What word may stand in both?

# %%
lines = (corpus("kingdom") / "train.txt").read_text(encoding="ascii").splitlines()
for line in lines[:10]:
    print("  ", line)
print("   in winter the ____ folded her shawl .")
print("   the ____ wore a golden crown and hid under the blanket .")

# %% [markdown]
# You did not need to know what a shawl is. *You shall know a word by the company it keeps* (Firth, 1957).
#
# No sentence here says that a queen is a woman, or that there is a queen where there is a king. Each speaks of one
# word, or of both words of a pair like duke and duchess. What we shall ask are *analogies*: man is to woman as king is
# to what? They come in two lots. In the **known** ones the last two words do meet in a sentence; we look at these while
# we try things out. In the **held-out** ones they never do, king and queen among them: they are what counts.

# %%


def numbered(lines):
    """A tokenizer with the words by frequency, the share of each, all tokens, and the sentence of each."""
    words = Counter(word for line in lines for word in line.split())
    tokenizer = WordTokenizer([word for word, _ in words.most_common()], spaces=False)
    sentence = np.repeat(np.arange(len(lines)), [len(line.split()) for line in lines])
    share = np.array([words[word] for word in tokenizer.vocabulary]) / words.total()
    return tokenizer, share, tokenizer.encode_array("\n".join(lines)), sentence


tokenizer, share, tokens, sentence = numbered(lines)
vocabulary, ids, V = tokenizer.vocabulary, tokenizer.id_of, tokenizer.vocab_size
analogies = json.loads((corpus("kingdom") / "analogies.json").read_text(encoding="ascii"))
print(f"{len(lines):,} sentences, {len(tokens):,} words, {V} different ones; the most frequent:", *vocabulary[:6])
print(
    f"{len(analogies['known'])} known analogies, {len(analogies['held_out'])} held out, such as "
    f"{analogies['held_out'][1][1:]}"
)

# %% [markdown]
# ## Why not the numbers themselves?
#
# Because they have an order that means nothing. The honest way to write "word 417" is *one-hot*, a row of zeros with
# one 1: then any two words are equally far apart. Multiply that row by a table of weights, of shape $(V, D)$ for $V$
# words, and what comes out is its row 417, a *vector* of $D$ numbers. So a table of vectors is a linear layer, and
# looking up is a product that skips the zeros. On the way back, $g$ is added to the rows that were looked up; a word
# that occurs twice gets both.

# %%
rng = np.random.default_rng(0)
w, some = rng.normal(size=(7, 3)), np.array([2, 5, 2])
one_hot = np.eye(7)[some]
g = rng.normal(size=(3, 3))
y, vjp = ops.embedding.array(w, some)
np.testing.assert_array_equal(y, one_hot @ w)
np.testing.assert_allclose(vjp(g, (True, False))[0], one_hot.T @ g, rtol=1e-12)
print("a lookup is a product with one-hot rows, forward and backward")

# %% [markdown]
# ## First try: count
#
# Let a word's vector be its company: how often each of the $V$ words stood at most five places away in the same
# sentence. No learning at all.

# %%


def company(tokens, sentence, window=WINDOW):
    """All (word, neighbour) pairs at most `window` apart in one sentence, in both directions.  (N,), (N,)"""
    centers, neighbours = [], []
    for distance in range(1, window + 1):
        a, b = tokens[:-distance], tokens[distance:]
        same = sentence[:-distance] == sentence[distance:]
        centers += [a[same], b[same]]
        neighbours += [b[same], a[same]]
    return np.concatenate(centers), np.concatenate(neighbours)


counts = np.zeros((V, V))
np.add.at(counts, company(tokens, sentence), 1)

# %% [markdown]
# How alike are two words? The usual answer is the *cosine similarity*, the cosine of the angle between their vectors,
# found from their *dot product* $u \cdot v$: 1 for the same direction, 0 for a right angle. Length does not count, so a
# rare word may be like a frequent one.
#
# $$\cos(u, v) = \frac{u \cdot v}{\lVert u \rVert\,\lVert v \rVert}
# \qquad\text{with}\qquad u \cdot v = \sum_d u_d\,v_d,\quad \lVert u \rVert = \sqrt{u \cdot u}
# \qquad u, v \text{ of shape } (D,)$$


# %%
def unit(vectors):
    """Rows of length 1.  (V, D) -> (V, D)"""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def cosine(vectors, a, b):
    return float(unit(vectors[ids[a]]) @ unit(vectors[ids[b]]))


print("counts:", {other: round(cosine(counts, "king", other), 2) for other in ("queen", "prince", "apple", "dog")})

# %% [markdown]
# King is like everybody. Look at the sentences again: what stands beside *every* word? "the", "and", the full stop.
# Frequent words drown what is peculiar. So do not ask how often a word $w$ met a word $c$ of its company. Ask how much
# more often than if words were strewn at random. Of all pairs, let $p(w, c)$ be the share that is $w$ with $c$, $p(w)$
# the share that begins with $w$, and $p(c)$ the share that ends with $c$:
#
# $$\text{PMI}(w, c) = \ln \frac{p(w, c)}{p(w)\,p(c)} \qquad\text{of shape } (V, V)$$
#
# *Pointwise mutual information* (PMI) is 0 where it is chance, and $\ln 2$ where it is twice as much. Pairs that never
# met would give $-\infty$. The usual way out is to keep only what is positive.


# %%
def positive_pmi(counts):
    """max(0, ln p(w, c) / (p(w) p(c))), and 0 where the two never met.  (V, V) -> (V, V)"""
    by_chance = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / counts.sum()
    return np.log(np.maximum(1, counts / by_chance))


pmi = positive_pmi(counts)
print("PMI:   ", {other: round(cosine(pmi, "king", other), 2) for other in ("queen", "prince", "apple", "dog")})

# %% [markdown]
# Better. But a vector has 796 entries, most of them 0, each from a handful of meetings: that king never met "sceptre"
# and princess did three times is luck. Fewer numbers must share, and sharing evens out luck.
#
# How does one make 796 numbers into 100? The *singular value decomposition* (SVD) writes the table of PMI as a product
# of three, $U\,S\,V^T$. Think of the rows as points in a space of 796 directions. The SVD turns that space so that the
# first direction is the one along which the points reach furthest, the second the next, and so on. $U S$ holds the
# points in these new directions; keep its first $D = 100$ columns.


# %%
def reduced(matrix, width=WIDTH):
    """The best `width` directions.  (V, V) -> (V, D)"""
    u, s, _ = np.linalg.svd(matrix)
    return u[:, :width] * s[:width]


pmi_svd = reduced(pmi)

# %% [markdown]
# ## Second try: predict
#
# Now the idea of word2vec. Give each word two vectors: one for when it is in the middle, and one for when it is beside.
# From here on $w$ and $c$ are these vectors, of the word in the middle and of its neighbour. Let $\sigma(w \cdot c)$ be
# the probability that the pair is real, with the *sigmoid* $\sigma(x) = 1 / (1 + e^{-x})$, which bends every number to
# between 0 and 1. Show pairs from the text, and say: real. For each, draw $K = 5$ words $n_k$ from a hat, and say: not
# real. That is all, and it is called *skip-gram*, with *negative sampling*:
#
# $$L = -\ln \sigma(w \cdot c) - \sum_{k=1}^{K} \ln \sigma(-\,w \cdot n_k) \qquad w, c, n_k \text{ of shape } (D,)$$
#
# What would you say is its derivative by each dot product? $\sigma - 1$ for the real one, $\sigma$ for the others: by
# how much each guess was wrong. The vectors move towards each other, or apart, by that much.


# %%
def loss_by_hand(w, c, n):
    """The loss and its three gradients, as the formula has them.  (D,), (D,), (K, D)"""
    real, drawn = 1 / (1 + np.exp(-w @ c)), 1 / (1 + np.exp(-n @ w))
    loss = -np.log(real) - np.log(1 - drawn).sum()
    return loss, (real - 1) * c + drawn @ n, (real - 1) * w, drawn[:, None] * w


def scores(centers, others):
    """w · c for each center and each of its candidates.  (B, D), (B, 1 + K, D) -> (B, 1 + K)"""
    b, d = centers.shape
    return ops.reshape(ops.matmul(others, ops.reshape(centers, (b, d, 1))), others.shape[:2])


def skip_gram_loss(middle, beside, centers, candidates):
    """The mean over pairs and candidates, each row's first being the real one.  (V, D) twice, (B,), (B, 1 + K)"""
    real = np.zeros(candidates.shape, middle.dtype)
    real[:, 0] = 1
    s = scores(ops.embedding(middle, centers), ops.embedding(beside, candidates))
    return ops.binary_cross_entropy(s, real)


middle, beside = (
    Tensor(rng.normal(size=(4, 3)), requires_grad=True),
    Tensor(rng.normal(size=(9, 3)), requires_grad=True),
)
loss = skip_gram_loss(middle, beside, np.array([1]), np.array([[2, 4, 6, 8]])) * 4.0  # a sum, where the op takes a mean
loss.backward()
hand, dw, dc, dn = loss_by_hand(middle.data[1], beside.data[2], beside.data[[4, 6, 8]])
np.testing.assert_allclose(loss.item(), hand, rtol=1e-12)
np.testing.assert_allclose(middle.grad[1], dw, rtol=1e-10)
np.testing.assert_allclose(beside.grad[[2, 4, 6, 8]], np.vstack([dc[None], dn]), rtol=1e-10)
print(f"the formula and the ops agree: {hand:.6f}, and in all gradients")

# %% [markdown]
# Two tricks from the same paper, both against frequent words. The hat holds each word in proportion to its frequency
# *to the power ¾*. And before each pass through the text, each *epoch*, tokens are thinned: one whose word makes up the
# share $f$ of the text stays with probability $\sqrt{t/f}$, $t = 10^{-3}$; rarer ones all stay. Most of the "the" go;
# what was seven places away is now perhaps four, so the window sees further.
#
# (What does it cost to know nothing? One real pair and five drawn ones, each guessed at one half, are $6 \ln 2 = 4.159$
# nats.)


# %%
def train(tokens, seed, epochs=EPOCHS, news=""):
    """Skip-gram vectors: of words in the middle, of words beside, and each epoch's loss.  (V, D), (V, D), (epochs,)"""
    rng = np.random.default_rng(seed)
    middle, beside = (nn.Parameter(rng.normal(0, 0.03, (V, WIDTH)).astype(np.float32)).to(run.device) for _ in range(2))
    optimizer = AdamW([middle, beside], lr=RATE, weight_decay=0.0)
    hat = np.cumsum(share**0.75 / (share**0.75).sum())
    count = int(len(company(*subsampled(tokens, np.random.default_rng(seed)))[0]) / BATCH * 0.99)  # batches an epoch

    def batches():
        for _ in run.progress(range(epochs), news):
            centers, neighbours = company(*subsampled(tokens, rng))
            for chosen in rng.permutation(len(centers))[: count * BATCH].reshape(-1, BATCH):
                drawn = np.searchsorted(hat, rng.random((BATCH, NEGATIVES)))
                candidates = np.concatenate([neighbours[chosen, None], drawn], axis=1)
                yield {"centers": centers[chosen], "candidates": candidates}

    def loss(batch, *, rng=None, divisor=None, dtype=None):
        mean = skip_gram_loss(middle, beside, batch["centers"], batch["candidates"])
        return mean if divisor is None else mean * (batch["candidates"].size / divisor)

    rate = schedule("cosine", RATE, epochs * count, 20)
    losses = fit(loss, optimizer, batches(), lr=rate, clip=0, threads=1, divisor=lambda b: b["candidates"].size)
    losses = (1 + NEGATIVES) * np.reshape(losses, (epochs, count)).mean(1)
    return middle.numpy(), beside.numpy(), losses


def stays(share):
    """The probability that a token stays, by its word's share."""
    return np.minimum(1, np.sqrt(RARE / share))


def subsampled(tokens, rng):
    """The tokens that are kept, and their sentences."""
    kept = rng.random(len(tokens)) < stays(share[tokens])
    return tokens[kept], sentence[kept]


vectors, beside, losses = train(tokens, run.seeds[0], news="epochs")
print("loss by epoch:", np.round(losses, 3), f"; knowing nothing costs {(1 + NEGATIVES) * np.log(2):.3f}")
print("skip-gram:", {other: round(cosine(vectors, "king", other), 2) for other in ("queen", "prince", "apple", "dog")})

# %% [markdown]
# ## Man is to woman as king is to what?
#
# If "female instead of male" is one direction, the same everywhere, then adding it to king must lead to queen. So go to
# *second − first + third* (woman − man + king, all of length 1), and look who lives nearest.
#
# There is a catch, and many papers were quiet about it. Who lives nearest is very often king himself: the step from man
# to woman is short, and king is at home there. So everybody *excludes the three words of the question*. It is part of
# the definition of the famous result, and it helps a lot (Linzen, 2016; Nissim et al., 2020: "man is to doctor as woman
# is to …" cannot be answered "doctor" by such a rule). We report both.
#
# **What would a sceptic try?** To know less. Take the word nearest to the third alone: king's neighbour. Or subtract
# nothing: who lives near woman *and* king?


# %%
def solve(vectors, questions, exclude=True, ways=(-1, 1, 1)):
    """For each (first, second, third) the word nearest to `ways` of each, added.  (Q, 3) ids -> (Q,) ids"""
    u = unit(vectors)
    likeness = sum(way * u[column] for way, column in zip(ways, questions.T)) @ u.T
    if exclude:
        np.put_along_axis(likeness, questions, -np.inf, axis=1)
    return likeness.argmax(-1)


def solved(vectors, lot, **how):
    """The share of a lot's analogies that are solved."""
    quad = np.array([[ids[word] for word in row[1:]] for row in analogies[lot]])
    return float((solve(vectors, quad[:, :3], **how) == quad[:, 3]).mean())


question = np.array([[ids["man"], ids["woman"], ids["king"]]])
for exclude in (True, False):
    answer = vocabulary[solve(vectors, question, exclude)[0]]
    print(f"king - man + woman = {answer}, the question's words {'excluded' if exclude else 'allowed'}")
print(f"on the known analogies: {solved(vectors, 'known'):.1%}")

# %% [markdown]
# ## Now the ones that were held out
#
# So far we looked at known analogies only. All settings are chosen. Five ways to make vectors, then. The fifth is the
# control: the same tokens, shuffled over the whole corpus, so that frequencies are what they were and company means
# nothing.
#
# And five ways to count, each a share of the analogies solved: the *known* analogies; the *held out* ones; these when
# *any word* may answer, the question's own too; with *no minus*, nothing subtracted; and the neighbour of the *third*
# word alone.

# %%
HOW = {
    "known": ("known", {}),
    "held out": ("held_out", {}),
    "any word": ("held_out", {"exclude": False}),
    "no minus": ("held_out", {"ways": (0, 1, 1)}),
    "third": ("held_out", {"ways": (0, 0, 1)}),
}
results, king, middle_of = [], [], {}
for seed in run.seeds:
    if seed != run.seeds[0]:
        vectors, beside, _ = train(tokens, seed, news="epochs")
    middle_of[seed] = vectors, beside
    strewn = np.random.default_rng(seed).permutation(tokens)
    strewn = train(strewn, seed, run.pick(EPOCHS, 1), news="epochs, shuffled")[0]
    ways = {"skip-gram": vectors, "PMI and SVD": pmi_svd, "PMI": pmi, "counts": counts, "skip-gram, shuffled": strewn}
    for name, made in ways.items():
        results.append([seed, name, *(solved(made, lot, **how) for lot, how in HOW.values())])
    near = {name: unit(made) @ unit(made)[ids["king"]] for name, made in (("skip-gram", vectors), ("counts", counts))}
    place = {name: int((likeness > likeness[ids["queen"]]).sum()) for name, likeness in near.items()}
    king.append([seed, vocabulary[solve(vectors, question)[0]], cosine(vectors, "king", "queen"), *place.values()])
print(table(results, ["seed", "vectors", *HOW]))
print("\nking - man + woman; and where queen stands among king's neighbours, himself being 0")
print(table(king, ["seed", "answer", "cosine of king and queen", "place", "place by counts"]))


def column(name, how):
    return [row[2 + list(HOW).index(how)] for row in results if row[1] == name]


# %% [markdown]
# Read the lines of skip-gram from left to right. It solves about as many of the analogies it was not tuned on as of the
# others. Where any word may answer, about a quarter is lost: that is the honest number. Where nothing is subtracted,
# less than half is solved; by the neighbour of the third word alone, less than a third. So the arithmetic does
# something.
#
# **We expected skip-gram to beat counting, and that was false.** Raw counts it beats; but nobody who counts would leave
# it at that. All 796 entries of PMI solve every single analogy, *if the question's words are excluded*. Look what else
# they solve: nine tenths where nothing is subtracted, three quarters by the third word alone. Where any word may
# answer, half is lost. The SVD is the other way round: fewer solved, most of them honestly, and more than by skip-gram.
#
# On a corpus this clean the way to vectors matters less than the way to count successes. On real text word2vec solved
# about 60 % of its own test (Mikolov et al., 2013, table 1), the question's words excluded. The figure shows the first
# seed.

# %% folded
METHODS = ["skip-gram", "PMI and SVD", "PMI", "counts", "skip-gram, shuffled"]
MARKS = (
    ("third word alone", "third", "#8c959f"), ("any word may answer", "any word", "#cf5b16"),
    ("question's words excluded", "held out", "#0969da"),
)  # fmt: skip


def honest_figure():
    """A line a method, from what is solved honestly to what is usually reported."""
    title, under = (
        "Held-out analogies solved",
        "blue is what is usually reported, orange what is found honestly",
    )
    figure = Figure(760, 320, title, "; ".join(f"{m}: {column(m, 'held out')[0]:.0%}" for m in METHODS))
    figure.text((20, 28), title, INK, 16, weight=600)
    figure.text((20, 47), under, PALE_INK, 12)
    for i, (label, _, color) in enumerate(MARKS):
        figure.dot((190 + 180 * i, 71), color, 5)
        figure.text((200 + 180 * i, 75), label, color, 12, weight=600)
    for tick in range(0, 101, 25):
        figure.line((180 + 5 * tick, 92), (180 + 5 * tick, 282))
        figure.text((180 + 5 * tick, 302), f"{tick} %", anchor="middle")
    for i, method in enumerate(METHODS):
        y, at = 112 + 38 * i, {label: 180 + 500 * column(method, how)[0] for label, how, _ in MARKS}
        figure.text((165, y + 4), method, INK, 13, anchor="end")
        figure.line((min(at.values()), y), (max(at.values()), y), "#d0d7de", 3)
        for label, _, color in MARKS:
            figure.dot((at[label], y), color, 7)
    return figure


# %%
run.show(honest_figure(), "honest")

# %% [markdown]
# ## What does skip-gram know?
#
# It never saw a table of counts. And yet Levy and Goldberg (2014) showed where it ends up, given room: at the point
# where $w \cdot c$ is the PMI, less a constant. The constant is $\ln K$, if the hat holds words as often as the text
# does. Our hat holds $c$ with a share $q(c)$ of its own, and so $\;w \cdot c = \ln p(c\,|\,w) - \ln (K\,q(c))$, where
# $p(c\,|\,w)$ is the share of $c$ among the neighbours of $w$. So predicting *is* counting, with fewer numbers. Test it
# on the pairs that met at least five times.
#
# (The measure is the correlation: 1 where two lists of numbers lie on a rising line, 0 where such a line says nothing.)
#
# **Our first test was nearly worthless.** We had forgotten that the text is thinned, and counted in the whole text. The
# correlation was 0.87, which looked fine, until somebody asked for a baseline: $-\ln p(w) - \ln p(c)$ alone, how rare
# the two words are, whether they ever met or not, reaches nearly as much.
#
# So count as the training does, and then ask for what is left when both words' frequencies are taken out (the best line
# through them subtracted from either side).

# %%
enough = counts >= 5
hat = share**0.75 / (share**0.75).sum()
thinned = counts * np.outer(stays(share), stays(share))
rarity = -np.add.outer(np.log(share), np.log(share))


def given(counts):
    """ln p(c | w) - ln(K q(c)) of the pairs that met often enough.  (V, V) -> (pairs,)"""
    return (np.log(np.maximum(counts, 1e-9) / counts.sum(1, keepdims=True)) - np.log(NEGATIVES * hat))[enough]


def beyond_frequency(x):
    """What no line through both words' ln p explains.  (pairs,) -> (pairs,)"""
    w, c = np.nonzero(enough)
    known = np.stack([np.ones(len(w)), np.log(share[w]), np.log(share[c])], -1)
    return x - known @ np.linalg.lstsq(known, x, rcond=None)[0]


def correlation(x, y):
    return float(np.corrcoef(x, y)[0, 1])


rows = []
for seed, (vectors, beside) in middle_of.items():
    dots = (vectors @ beside.T)[enough]
    left = correlation(beyond_frequency(given(thinned)), beyond_frequency(dots))
    rows.append([seed, *(correlation(x, dots) for x in (given(thinned), given(counts), rarity[enough])), left])
heads = ["seed", "PMI, thinned", "PMI, whole text", "rarity alone", "PMI, rarity out"]
print(f"correlation of w · c, over {enough.sum():,} pairs, with")
print(table(rows, heads))
explained, by_rarity, beyond = ([row[i] for row in rows] for i in (1, 3, 4))

# %% [markdown]
# ## What do fewer numbers buy?
#
# Take the sentences of the test split: there, things are said of words that were never said of them in training. Take
# from them all pairs that never met, so that every count says 0. Beside each put another pair that never met, its
# second word drawn by frequency. Which has the larger $w \cdot c$? Whoever looks the pair up in the table of counts can
# but toss a coin.
#
# But a sceptic does not look up the pair. He asks the ten words whose rows of PMI are most like that of $w$: did *they*
# meet $c$? And a lazier one says: the rarer word, or the more frequent one.

# %%
unseen = [line.split() for line in (corpus("kingdom") / "test.txt").read_text(encoding="ascii").splitlines()]
new_a, new_b = company(
    np.array([ids[word] for line in unseen for word in line]),
    np.repeat(np.arange(len(unseen)), [len(line) for line in unseen]),
)
strangers = counts[new_a, new_b] == 0
new_a, new_b = new_a[strangers], new_b[strangers]
tries = np.random.default_rng(0).choice(V, p=share, size=(len(new_a), 60))
other = tries[np.arange(len(new_a)), (counts[new_a[:, None], tries] == 0).argmax(1)]


def told_apart(table):
    """The share of new pairs that have more than the stranger beside them, ties by a coin.  (V, V) -> a number"""
    return float((np.sign(table[new_a, new_b] - table[new_a, other]) / 2 + 0.5).mean())


def asked(pmi, count=10):
    """PMI's rows, each the sum over the `count` most similar words, weighed by their cosine.  (V, V) -> (V, V)"""
    alike = unit(pmi) @ unit(pmi).T
    np.fill_diagonal(alike, 0)
    alike[alike < np.sort(alike, axis=1)[:, [-count]]] = 0
    return alike @ pmi


by_frequency = told_apart(np.tile(share, (V, 1)))
rules = {"ten alike words": told_apart(asked(pmi)), "frequency": max(by_frequency, 1 - by_frequency)}
guessed = [told_apart(vectors @ beside.T) for vectors, beside in middle_of.values()]
print(f"of {len(new_a)} unseen pairs told from strangers: skip-gram {min(guessed):.3f}")
print(", ".join(f"{name} {share_right:.3f}" for name, share_right in rules.items()))

# %% [markdown]
# So it does see beyond what met, and that is no secret of prediction: to share between words that are alike is the
# whole of it. The ten alike words do it a little better, and without any training. What skip-gram has for itself is
# that it never needs the whole table, of $V \times V$: it reads the text pair by pair, and keeps 200 numbers a word.

# %% [markdown]
# ## A trap
#
# Each word has two vectors, $w$ and $c$. Why not use both and add them? Some do. Look at the known analogies, and
# nothing seems wrong.

# %%
traps = []
for seed, (vectors, beside) in middle_of.items():
    traps.append([seed, *(solved(v, lot) for v in (vectors, vectors + beside) for lot in ("known", "held_out"))])
print(table(traps, ["seed", "w, known", "w, held out", "w + c, known", "w + c, held out"]))

# %% [markdown]
# $w_{king} \cdot w_{queen}$ is large if the two keep the *same company*. $w_{duke} \cdot c_{duchess}$ is large if they
# *stand side by side*, and that the known pairs do. The sum rewards both. Had we held nothing out, we would have
# believed in it: that is what a held-out set is for.
#
# ## The map
#
# A hundred dimensions cannot be drawn. *Principal components* can: subtract the mean, take the two directions in which
# the words differ most (again the SVD), and look at their shadow there. Every arrow goes from the first word of a pair
# to the second. (The axes have no unit; only where words lie to each other counts.)

# %% folded
SHOWN = (
    ("He to she", "man woman boy girl king queen prince princess uncle aunt actor actress monk nun"),
    (
        "Country to capital",
        "France Paris Italy Rome Japan Tokyo Egypt Cairo Greece Athens Russia Moscow Norway Oslo Peru Lima",
    ),
)


def principal(points, width=2):
    """The points in the directions in which they differ most.  (N, D) -> (N, 2)"""
    centered = points - points.mean(0)
    _, _, directions = np.linalg.svd(centered, full_matrices=False)
    return centered @ directions[:width].T


def map_of_words(vectors):
    """Two panels, an arrow a pair."""
    figure = Figure(760, 430, "A map of words", "Arrows from men to women are parallel, and from countries to capitals")
    figure.text((20, 28), "A map of words: each relation is nearly one step", INK, 16, weight=600)
    for panel, (title, names) in enumerate(SHOWN):
        names, left = names.split(), 20 + 375 * panel
        flat = principal(unit(vectors)[[ids[name] for name in names]])
        low, high = flat.min(0), flat.max(0)
        places = [(left + 60 + 235 * x, 390 - 300 * y) for x, y in (flat - low) / (high - low)]
        figure.text((left, 58), title, PALE_INK, 13)
        for start, end in zip(places[::2], places[1::2]):
            figure.arrow(start, end, "#afb8c1")
        labels = []
        for number in sorted(range(len(names)), key=lambda i: places[i][1]):
            (x, y), side = places[number], 2 * (number % 2) - 1  # his word to the left of its dot, hers to the right
            while any(abs(x - x2) < 60 and abs(y - y2) < 13 and side == s2 for x2, y2, s2 in labels):
                y += 1
            labels.append((x, y, side))
            color = ("#0969da", "#cf5b16")[number % 2]
            figure.dot(places[number], color, 4)
            figure.text((x + 8 * side, y + 4), names[number], color, 12, ("end", "", "start")[side + 1], 600)
    return figure


# %%
run.show(map_of_words(middle_of[run.seeds[0]][0]), "map")

# %% [markdown]
# What you see is the corpus, no more. It was made so that gender is the same step everywhere; had it said of queens
# alone that they sew, the vectors would say so too. Those of real text do (Bolukbasi et al., 2016: "man is to computer
# programmer as woman is to homemaker").
#
# ## Once more, with other sentences
#
# While this page was written its author saw the held-out analogies more than once. So the last word belongs to
# sentences that nobody has seen: the corpus is told anew, all 8,000, for each seed, with the same settings. Are those
# sentences perhaps just harder? PMI with its SVD, which has nothing to tune but its width, goes along. (Each of the two
# has a column beside it, *any word*, where any word may answer.)

# %%
anew = []
for seed in run.seeds:
    told = [one.text for one in generate_kingdom(1000 + seed) if one.split == "train"]
    tokenizer, share, tokens, sentence = numbered(told)
    vocabulary, ids, V = tokenizer.vocabulary, tokenizer.id_of, tokenizer.vocab_size
    other = train(tokens, seed, news="epochs, other sentences")[0]
    recounted = np.zeros((V, V))
    np.add.at(recounted, company(tokens, sentence), 1)
    recounted = reduced(positive_pmi(recounted))
    anew.append([seed, *(solved(v, "held_out", exclude=e) for v in (other, recounted) for e in (True, False))])
print(table(anew, ["seed", "skip-gram", "any word", "PMI and SVD", "any word"]))

# %% [markdown]
# It holds, by a smaller margin: 92 to 97 % over three seeds, after 98 to 99 % on the sentences that we had looked at.
# **We first wrote that this is what looking costs. It may not be**: PMI with its SVD, where nothing had been chosen by
# looking, had 93 % and has 89 to 94 % on these. Other sentences alone make that much of a difference.
#
# From here on every model begins with such a table, of shape $(V, D)$. It is no longer trained by itself: the gradient
# of whatever stands above it goes down to it, as it went into our two tables here.
#
# **Exercises**: 06.1 looking up, 06.2 PMI from counts, 06.3 the loss of skip-gram, 06.4 the analogy.
# `tgl chapter 06 --mine` runs this page on your embedding.

# %%
held, anyword, alone, no_minus = (column("skip-gram", how) for how in ("held out", "any word", "third", "no minus"))
lost = [a - b for a, b in zip(held, anyword)]
by_counting = {name: column(name, "held out")[0] for name in ("PMI", "PMI and SVD", "counts")}
honestly = {name: column(name, "any word")[0] for name in by_counting}
unmet = [w - both for _, _, w, _, both in traps]
met = [known - both for _, known, _, both, _ in traps]
shuffled = column("skip-gram, shuffled", "held out")
run.check("held-out analogies solved", held, at_least=SOLVED, baseline=by_counting)
run.check("held-out analogies solved, other sentences", [row[1] for row in anew], at_least=SOLVED)
run.check("solved from shuffled words", shuffled, at_most=CHANCE)
run.check("solved where nothing is subtracted", no_minus, at_most=WITHOUT, baseline={"third word alone": alone})
run.check("solved where any word may answer", anyword, at_least=HONEST, baseline=honestly)
run.check("share lost where any word may answer", lost, at_least=GAP)
run.check("share lost by adding both vectors, words that never met", unmet, at_least=GAP)
run.check("share lost by adding both vectors, words that met", met, at_most=GAP)
run.check("correlation of the products with PMI", explained, at_least=EXPLAINED, baseline={"rarity alone": by_rarity})
run.check("the same with the frequencies taken out", beyond, at_least=BEYOND)
run.check("unseen pairs told from strangers", guessed, at_least=GUESSED, baseline=rules)
run.check("king - man + woman is queen", [row[1] == "queen" for row in king], equals=True, full_only=True)
run.report("cosine of king with queen", [row[2] for row in king])
run.report("place of queen among king's neighbours", [row[3] for row in king])
run.report("king - man + woman", [row[1] for row in king])
run.finish()
