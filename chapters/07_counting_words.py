# %% [markdown]
# # 07 · Counting words
#
# A language model says how probable each next token is. That is all it says, and the simplest one only counts: what
# followed the last few tokens, in the text that I have seen? It needs no gradient and learns in a second. Everything we
# build later has to beat it, on the same scale; so this chapter is also about the scale.
#
# - **Builds on** 05, tokens.
# - **Reads** [`tokenizer/word.py`](../tinygrad_llm/tokenizer/word.py),
#   [`models/ngram.py`](../tinygrad_llm/models/ngram.py), [`data/SOURCES.md`](../data/SOURCES.md) (`tales`).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/07/output.txt) shows them all.
# - **Departs from** Kneser and Ney (1995) nowhere: the interpolated form of Chen and Goodman (1999), one discount a
#   level.
# - **Run**: `python chapters/07_counting_words.py`. It takes about ten seconds; `--seeds 3` twenty, since a seed here
#   is another draw of all stories; `--fast` four, with fewer orders of characters and without real text.
#   `tgl data get tinyshakespeare` gets the real text.

# %%
import json
import math
from collections import Counter

import numpy as np

from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets.download import find_file
from tinygrad_llm.datasets.locate import corpus
from tinygrad_llm.datasets.tales import generate_tales
from tinygrad_llm.datasets.tales_words import CHILDREN
from tinygrad_llm.datasets.text import read_text, split_text
from tinygrad_llm.errors import DataError
from tinygrad_llm.models.ngram import NGram
from tinygrad_llm.tokenizer import CharTokenizer, WordTokenizer
from tinygrad_llm.visualize import Line, line_chart

run = Chapter(
    "07",
    "Counting stops getting better at six words, at over twice the bits of the stories' grammar; what points far back "
    "costs over four times the rest.",
)
STOP, GAIN, FLOORS, FAR_FACTOR, ADD_ONE_FACTOR, OVER_THE_HAT = 6, 0.01, 2.0, 4.0, 3.0, 0.5
WORD_ORDERS, CHARACTER_ORDERS = range(8), range(run.pick(11, 6))

# %% [markdown]
# ## What shall be predicted?
#
# Stories of two children. Of real text nobody knows how much can be foretold at all. Here we do: each story carries its
# exact probability under the grammar that told it. Let a token be a word with the space before it, or a mark: so
# `WordTokenizer` cuts a text, and numbers the words as they come. Joined, they are the text again.


# %%
def stories(seed):
    """Training text, test text, the test stories' total -ln p in nats, and their marks as spans of the test text."""
    if seed == 0:  # the committed ones
        folder = corpus("tales")
        train, test = (read_text(folder / f"{split}.txt") for split in ("train", "test"))
        records = [json.loads(line) for line in read_text(folder / "stories.jsonl").splitlines()]
    else:
        records = [vars(tale) for tale in generate_tales(seed)]
        train, test = (
            "".join(f"{record['text']}\n\n" for record in records if record["split"] == split)
            for split in ("train", "test")
        )
    records = [record for record in records if record["split"] == "test"]
    marks, at = [], 0
    for record, text in zip(records, test.split("\n\n")):
        marks += [(at + mark["span"][0], at + mark["span"][1], mark["kind"]) for mark in record["long_range"]]
        at += len(text) + 2
    return train, test, -sum(record["log_probability"] for record in records), marks


train, test, nats, marks = stories(0)
tokenizer = WordTokenizer.train(train)
train_words, test_words = map(tokenizer.encode_array, (train, test))
V = tokenizer.vocab_size
print(
    f"{len(train_words)} words to count, {len(test_words)} to be judged by; {V} different ones, none "
    f"new in the test text"
)
print(test.split("\n\n")[0])

# %% [markdown]
# ## What do I know before I count?
#
# Nothing: each of $V$ words has the share $1/V$. The score of a model is the mean of $-\ln p$ over the tokens that did
# come, in nats; you met it in chapter 03. Its exponential is called *perplexity*: as if one had to choose among so many
# equal ones.

# %%
print(f"knowing nothing: {math.log(V):.3f} nats a word, perplexity {math.exp(math.log(V)):.0f}")

# %% [markdown]
# ## Then count
#
# How often did each word follow the last $n - 1$? Divide. $n$ words together are an *n-gram*; $n$ is the order.
#
# $$p(w \mid c) = \frac{N(c\,w)}{N(c)}$$


# %%
def shares(tokens, order):
    """N(c w) and N(c) for contexts of order - 1 tokens."""
    grams = Counter(zip(*(tokens[i:] for i in range(order))))
    contexts = Counter()
    for gram, n in grams.items():
        contexts[gram[:-1]] += n
    return grams, contexts


train_list, test_list = train_words.tolist(), test_words.tolist()
rows, infinite = [], []
for order in (1, 2, 3, 5):
    grams, contexts = shares(train_list, order)
    seen = [gram in grams for gram in zip(*(test_list[i:] for i in range(order)))]
    infinite.append(not all(seen))
    first = "" if all(seen) else tokenizer.decode(test_list[seen.index(False) :][:order])
    rows.append([order, len(grams), f"{1 - np.mean(seen):.2%}", "infinite" if infinite[-1] else "finite", first])
print(table(rows, ["order", "n-grams seen", "of the test's are new", "test loss", "the first of these"]))

# %% [markdown]
# Look at the right column. Nothing is wrong with these words. They never stood together in the training text, that is
# all; and $-\ln 0$ is infinite. One such word, and the whole loss is. **Not having seen something is no proof that it
# cannot be.**
#
# ## What would you do about the zeros?
#
# The first idea of nearly everybody: add 1 to every count. Then nothing is 0. With $V$ words that makes
# $(N(c\,w) + 1) / (N(c) + V)$. What happens to a context that was seen four times? It gets $V = 432$ imaginary
# observations, and four real ones.
#
# A better idea: *take a little, from those who have*. Subtract a discount $D < 1$ from every count. What is saved, $D$
# for each of the $T(c)$ different words that followed $c$, is spread as the shorter context would. That one does the
# same with one shorter still, and the last is uniform:
#
# $$p_n(w \mid c) = \frac{\max(N(c\,w) - D, 0) + D\,T(c)\;p_{n-1}(w \mid c')}{N(c)}
# \qquad c' = c \text{ without its first word}$$
#
# A context that was never seen has nothing to say: there $p_n = p_{n-1}$. That is *absolute discounting*. For $D$ one
# takes $n_1 / (n_1 + 2 n_2)$, from how many n-grams were seen once and twice (Ney, Essen and Kneser, 1994).
#
# And a last twist, Kneser and Ney's. "Francisco" is frequent. Yet if the longer context fails, it is a bad guess: it
# only follows "San". So a shorter context should not count how *often* $w$ came, but after how many *different* words.
# Here are both, in one function.


# %%
def counted(tokens, order, V, different=True):
    """p(context, token).  `different`: shorter contexts count different words before, as Kneser and Ney do."""
    levels = []
    for length in range(order):
        grams = list(zip(*(tokens[i:] for i in range(length + 1))))
        if different and length < order - 1:
            grams = [gram[1:] for gram in set(zip(*(tokens[i:] for i in range(length + 2))))]
        counts, total, kinds = Counter(grams), Counter(), Counter()
        for gram, n in counts.items():
            total[gram[:-1]] += n
            kinds[gram[:-1]] += 1
        once, twice = (1 + sum(n == k for n in counts.values()) for k in (1, 2))
        levels.append((counts, total, kinds, once / (once + 2 * twice)))

    def p(context, token):
        share = 1 / V
        for length, (counts, total, kinds, discount) in enumerate(levels[: len(context) + 1]):
            c = context[len(context) - length :]
            if c in total:
                share = (max(counts[(*c, token)] - discount, 0) + discount * kinds[c] * share) / total[c]
        return share

    return p


def bits_of(p, tokens, order):
    """-log2 p of each token.  list -> (N,)"""
    return np.array([-math.log2(p(tuple(tokens[max(0, i - order + 1) : i]), token)) for i, token in enumerate(tokens)])


piece = train_list[:3000]
for order in (1, 2, 4):
    ours = bits_of(counted(piece, order, V), test_list[:500], order)
    np.testing.assert_allclose(ours, -np.log2(NGram(order, V).fit(piece).probabilities(test_words[:500])), rtol=1e-10)
print("our function and the package's NGram agree")

# %% [markdown]
# The package's version keeps sorted arrays instead of dictionaries, and is much faster; it is used from here on. But
# first, what did each idea bring?

# %%
smoothing = []
for order in (2, 3, 5):
    grams, contexts = shares(train_list, order)
    windows = list(zip(*(test_list[i:] for i in range(order))))
    add_one = np.mean([-math.log2((grams[g] + 1) / (contexts[g[:-1]] + V)) for g in windows])
    plain = bits_of(counted(train_list, order, V, different=False), test_list, order).mean()
    kneser_ney = -np.log2(NGram(order, V).fit(train_words).probabilities(test_words)).mean()
    smoothing.append([order, float(add_one), float(plain), float(kneser_ney)])
print("bits a word on the test text:")
print(table(smoothing, ["order", "add one", "absolute discounting", "Kneser-Ney"]))

# %% [markdown]
# With one more word of context, "add one" gets *worse*. It does not trust what it has seen.
#
# ## How far does counting go?
#
# Perplexity 1.3 with characters, or 2.1 with words: which model is better? You cannot tell. A word is four characters;
# a model of words chooses less often, and each choice is harder. **A loss per token compares nothing but models with
# the same tokens.** What all have in common is the text. So divide by its bytes:
#
# $$\text{bits per byte} = \frac{\text{nats a token}}{\ln 2} \cdot \frac{\text{tokens}}{\text{bytes}}$$
#
# It is also how far the model could compress the text: 8 would be no compression at all. And on this corpus we know
# where it must end. The test stories' own log-probabilities say how much is truly undecided, and no model can be better
# on average.


# %%
def curve(train_ids, test_ids, vocab_size, orders, text):
    """For each order: bits a test token and bits per byte of test text."""
    rows = []
    for order in run.progress(orders, "orders"):
        p = (
            NGram(order, vocab_size).fit(train_ids).probabilities(test_ids)
            if order
            else np.full(len(test_ids), 1 / vocab_size)
        )
        bits = -np.log2(p)
        rows.append([order, float(bits.mean()), float(2 ** bits.mean()), float(bits.sum() / len(text.encode("utf-8")))])
    return rows


letters = CharTokenizer.train(train)
by_character = curve(
    letters.encode_array(train), letters.encode_array(test), letters.vocab_size, CHARACTER_ORDERS, test
)
by_word = curve(train_words, test_words, V, WORD_ORDERS, test)
floor = nats / math.log(2) / len(test)
for what, rows in (("characters", by_character), ("words", by_word)):
    print(table([[what, *row] for row in rows], ["tokens", "order", "bits a token", "perplexity", "bits per byte"]))
print(f"the grammar's own entropy: {floor:.4f} bits per byte")

# %% [markdown]
# The last rows: characters have the lower perplexity, and words the fewer bits per byte. Words are better here: ten
# characters are two words and a half.
#
# Now the curve of words. Each word of context helps less than the one before, and the seventh buys nothing. By then
# most contexts of six words have been seen once, or never. And we are still at two and a half times the floor. What is
# missing?

# %%
try:
    real_train, real_test = split_text(read_text(find_file("tinyshakespeare.txt")))
except DataError as error:
    real = []
    print(f"no real text: {error}")
else:
    alphabet = CharTokenizer.train(real_train + real_test)
    real_ids = map(alphabet.encode_array, (real_train, real_test))
    real = curve(*real_ids, alphabet.vocab_size, run.pick(range(9), range(0)), real_test)
    if real:
        print("Tiny Shakespeare, the last tenth, by characters:")
        print(table(real, ["order", "bits a token", "perplexity", "bits per byte"]))

# %%
lines = [
    Line("tales, characters", [(order, bits) for order, _, _, bits in by_character], "#cf5b16", dots=True),
    Line("tales, words", [(order, bits) for order, _, _, bits in by_word], "#0969da", dots=True),
]
if real:
    lines.append(Line("Shakespeare, char.", [(order, bits) for order, _, _, bits in real], "#1a7f37", dots=True))
run.show(
    line_chart(
        lines, title="Counting gets better, and stops", subtitle="of text that was not counted; order 0 knows nothing",
        xlabel="order: tokens counted together", ylabel="bits per byte", baselines={"the grammar": floor}, log_y=True,
    ),
    "orders",
)  # fmt: skip

# %% [markdown]
# On Shakespeare, a million characters, six are best, and then it gets *worse*: what has been seen once is believed too
# much. Nobody knows the floor there. Shannon (1951) let people guess, and put English between 0.6 and 1.3 bits a
# letter.
#
# ## What does counting not see?
#
# Each story marks the words that point far back: a name, a thing or a pronoun whose last mention lies at least 40
# characters and 8 words before. A counter of six words sees five. So split the loss. *Far*: the marked ones. *First*:
# names and things when the story first mentions them; these are true choices, and somebody must pay for them. *Near*:
# the same words, again, less far back. And all the rest.
#
# A name is also hard because it might have been a pronoun. So for the names that are far we ask a second, fairer
# question: *given* that a child is named here, which? There are 24. Whoever knows nothing draws one from a hat, at
# $\log_2 24$ bits.


# %%
def kinds_of(words, marks):
    """For each word: "far", "near", "first" or "rest"; and the places of children's names that are far."""
    stop = np.cumsum([len(word) for word in words])
    start = stop - [len(word) for word in words]
    kind, far_names, spoken, said = np.full(len(words), "rest ", dtype="<U5"), [], set(), set()
    for begin, end, what in marks:
        covered = np.flatnonzero((start < end) & (stop > begin))
        kind[covered] = "far"
        far_names += [int(covered[0])] if what == "name" else []
        spoken |= {words[covered[-1]].strip()} if what != "pronoun" else set()
    for i, word in enumerate(words):
        said = set() if word == "\n" else said
        if kind[i] != "far":
            kind[i] = "rest" if word.strip() not in spoken else "near" if word.strip() in said else "first"
        said.add(word.strip())
    return kind, far_names


def which_child(model, ids, words, far_names, order):
    """Mean bits of the right name among all children's names, where one of them comes."""
    bits = []
    for place in far_names:
        space = " " if words[place].startswith(" ") else ""
        windows = np.array([[*ids[place - order + 1 : place], tokenizer.id_of[space + child]] for child in CHILDREN])
        p = model.probabilities(windows.reshape(-1))[order - 1 :: order]
        bits.append(-math.log2(p[CHILDREN.index(words[place].strip())] / p.sum()))
    return float(np.mean(bits))


def by_kind(train_ids, test_ids, words, marks, orders):
    """For each order, the mean bits of a word of each kind, of all that are not far, and of which child."""
    kind, far_names = kinds_of(words, marks)
    rows = []
    for order in orders:
        model = NGram(order, V).fit(train_ids)
        bits = -np.log2(model.probabilities(test_ids))
        parts = [bits[kind == name].mean() for name in ("far", "first", "near", "rest")]
        which = which_child(model, test_ids, words, far_names, order)
        rows.append([order, *map(float, parts), float(bits[kind != "far"].mean()), which])
    return rows, Counter(kind.tolist())


split, how_many = by_kind(train_words, test_words, tokenizer.words(test), marks, WORD_ORDERS[1:])
print("words of each kind:", dict(how_many))
print(table(split, ["order", "far", "first", "near", "rest", "all but far", "which child"]))
hat = math.log2(len(CHILDREN))
print(f"a name drawn from a hat with all {len(CHILDREN)}: {hat:.3f} bits")
shown = {"which child": 6, "far back": 1, "all others": 5}
run.show(
    line_chart(
        {name: [(row[0], row[place]) for row in split] for name, place in shown.items()},
        title="The more it counts, the less it knows whose name comes", subtitle="words of unseen tales",
        xlabel="order: words counted together", ylabel="bits a word", baselines={"a name from a hat": hat},
    ),
    "far",
)  # fmt: skip

# %% [markdown]
# All other words cost 0.8 bits by now. A word that points far back costs more than four, more than a *first* mention
# does; and it should cost little, since there are but two children in the story. A sixth word does not help it.
#
# Look at the last column. One word of context is the hat. Every further word makes it *worse*. Why? Eighteen stories of
# the training text go on with "let her keep the lantern", or him, and it is *their* children whose names were counted.
# The counter is sure, and wrong: it takes an accident for knowledge.
#
# **We had expected that what is near is cheap, and that was false.** A name that comes again within the counter's sight
# costs nearly as much as one beyond it. "The same name again" is one rule to us. To a counter it is a different fact
# for each name, to be seen in each context. It cannot copy.
#
# No amount of counting mends that. With nine words of context there are $432^9$ contexts, and no text in which each was
# seen. What is needed is something that *carries* what was said, or looks it up. The next two chapters try one each.
#
# ## What does it sound like?

# %%
rng = np.random.default_rng(run.seeds[0])
for order in (1, 2, 3, 5):
    model, said = NGram(order, V).fit(train_words), [tokenizer.id_of["\n"]] * 2
    for _ in range(30):
        context = said[max(0, len(said) - order + 1) :] if order > 1 else []
        windows = np.array(
            [[*context, word] for word in range(V)]
        )  # every word that could come, each after this context
        p = model.probabilities(windows.reshape(-1))[windows.shape[1] - 1 :: windows.shape[1]]
        said.append(int(rng.choice(V, p=p / p.sum())))
    print(f"order {order}: {tokenizer.decode(said).strip()}\n")

# %% [markdown]
# Order 5 sounds right for a line or two. Read on, and ask who is who.
#
# ## Once more, with other stories
#
# Counting has no seed. What is drawn by chance is the corpus; so with `--seeds 3` all stories are told anew, twice, and
# counted again.

# %%
measured = []
for seed in run.seeds:
    if seed:
        train, test, nats, marks = stories(seed)
        tokenizer = WordTokenizer.train(train)
        V = tokenizer.vocab_size
        train_words, test_words = map(tokenizer.encode_array, (train, test))
        by_word = curve(train_words, test_words, V, WORD_ORDERS, test)
        split, _ = by_kind(train_words, test_words, tokenizer.words(test), marks, WORD_ORDERS[1:])
    bits = [row[3] for row in by_word]
    gains = [1 - after / before for before, after in zip(bits, bits[1:])]
    stop = next((order for order, gain in enumerate(gains) if gain < GAIN), len(gains))
    at = {row[0]: row for row in split}
    measured.append(
        {
            "seed": seed, "stop": stop, "best": min(bits), "floor": nats / math.log(2) / len(test), "far": at[STOP][1],
            "others": at[STOP][5], "far_at_5": at[5][1], "which_child": at[STOP][6], "which_at_1": at[1][6],
        }
    )  # fmt: skip
print(table([list(row.values()) for row in measured], list(measured[0])))

# %% [markdown]
# **Exercises**: 07.1 counting with back-off, 07.2 perplexity and bits per byte, 07.3 discounting.

# %%
told = {name: [row[name] for row in measured] for name in measured[0]}
add_one, kneser_ney = smoothing[-1][1], smoothing[-1][3]
run.check("order from which counting no longer gets better", told["stop"], equals=STOP)
run.check(
    "bits per byte at its best",
    told["best"],
    at_least=[FLOORS * floor for floor in told["floor"]],
    baseline={"the grammar": told["floor"]},
)
run.check(
    "bits of a word that points far back",
    told["far"],
    at_least=[FAR_FACTOR * others for others in told["others"]],
    baseline={"other words": told["others"]},
)
run.check(
    "the same, not helped by the sixth word",
    told["far"],
    at_least=[(1 - GAIN) * far for far in told["far_at_5"]],
    baseline={"five words": told["far_at_5"]},
)
run.check(
    "bits of which child is named again", told["which_child"], at_least=hat + OVER_THE_HAT, baseline={"from a hat": hat}
)
run.check("infinite without smoothing: the loss of one word", infinite[0], equals=False)
run.check("infinite without smoothing: that of 2, 3 and 5 words", infinite[1:], equals=[True, True, True])
run.check(
    "add one's bits at five words", add_one, at_least=ADD_ONE_FACTOR * kneser_ney, baseline={"Kneser-Ney": kneser_ney}
)
if real:
    run.check(
        "Shakespeare: the best order comes before the last", min(real, key=lambda row: row[3])[0], below=real[-1][0]
    )
run.report("which child, one word of context", told["which_at_1"])
run.report("bits at five words", dict(zip(("add one", "discounting", "Kneser-Ney"), smoothing[-1][1:])))
run.report("bits per byte of characters, highest order", by_character[-1][-1])
run.report(
    "Shakespeare, best order and bits per byte",
    [min(real, key=lambda row: row[3])[i] for i in (0, 3)] if real else None,
)
run.finish()
