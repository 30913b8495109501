# %% [markdown]
# # 15 · GPT-1 to GPT-3
#
# A GPT continues texts, and chapter 12 has built one. What is that good for, if you do not want a text but an
# *answer*? Three papers by the same company gave three replies, each surprising at its time:
#
# - **GPT-1** (Radford et al., 2018): it is a good beginning. Train it a little more, on your task's few examples.
# - **GPT-2** (Radford et al., 2019): train nothing. It can do your task, if you ask as its texts would.
# - **GPT-3** (Brown et al., 2020): show it a few examples in the text, and it does a task that it has never seen.
#
# The network hardly changed on the way. It grew.
#
# | | layers | width | parameters | read |
# |---|---|---|---|---|
# | GPT-1 | 12 | 768 | 117 million | some 7,000 books |
# | GPT-2 | 48 | 1,600 | 1.5 billion | 8 million web pages |
# | GPT-3 | 96 | 12,288 | 175 billion | 300 billion tokens |
# | ours | 2 | 8, 16, 64 | 3, 8 and 107 thousand | 8,000 pages of 24 lines |
#
# - **Builds on** 07 counting words, 09 attention, 12 GPT, 14 BERT.
# - **Reads** [`datasets/naming.py`](../tinygrad_llm/datasets/naming.py),
#   [`models/gpt.py`](../tinygrad_llm/models/gpt.py), [`generate/decode.py`](../tinygrad_llm/generate/decode.py),
#   [`visualize/attention.py`](../tinygrad_llm/visualize/attention.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/15/output.txt) shows them all.
# - **Departs from** the papers in size, and in the text: of ours it is known what can be answered, and from what.
# - **Run**: `python chapters/15_gpt_1_to_3.py`. It takes two to three minutes; `--seeds 6`, as it is recorded, a
#   quarter of an hour. `--fast` takes some ten seconds: its networks have hardly begun to learn, so it asserts that
#   losses fall, and the rules' answers.

# %%
from collections import Counter, defaultdict

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import Module, no_grad, ops
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets.naming import KINDS, NAMES, generate_naming
from tinygrad_llm.evaluate import induction_score, loop_period
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.models.ngram import NGram
from tinygrad_llm.nn import Linear
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.tokenizer import WordTokenizer
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import Line, ablate_heads, attention_text, attention_weights, line_chart

run = Chapter(
    "15",
    "One network has learned to continue pages, and nothing else. With an eighth of the labels it beats the same "
    "network without that beginning; asked in the form of its text it finds wrong lines without a label, where "
    "counting guesses; what it thinks likeliest runs in circles, what it draws does not; and from sixteen examples it "
    "learns names that no training page gave together, as a small one does not, by heads that look at words alike.",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
WIDTHS, RATES = {"small": 8, "middle": 16, "large": 64}, {"small": 6e-3, "middle": 5e-3, "large": 5e-3}
LAYERS, HEADS, LINES, BATCH = 2, 4, 24, 32
COLORS = {"small": "#8c959f", "middle": "#cf5b16", "large": "#0969da"}
STEPS, WARM_UP, STEPS_LABELS = run.pick(900, 20), run.pick(200, 5), run.pick(200, 5)
FEW, MANY = 128, 1024
BEYOND_NEW, TOLD, COUNTED_MOST, FORM_COSTS = 0.10, 0.95, 0.65, 0.05
IN_CIRCLES, DRAWN_MOST, OF_KNOWN, SMALL_MOST, SHUFFLED_MOST = 0.40, 0.05, 0.95, 0.30, 0.40
WITHOUT_MOST, BYSTANDERS = 0.20, 0.80

# %% [markdown]
# ## A text of which we know what can be answered
#
# The *naming* pages give names to words. Here is the beginning of one. Read its last line. Which name would you have
# given to that word?

# %%
train, held_out = (
    generate_naming(np.random.default_rng(seed), count, LINES, split)
    for seed, count, split in ((1, run.pick(8000, 200), "train"), (2, run.pick(400, 40), "test"))
)
run.say("a page:", " ".join(f"{word} {held_out[0].names[kind]} ." for word, kind in held_out[0].lines[:12]))

# %% [markdown]
# *Vek*, of course: a mouse, a hare and a crow were called that, and a wolf is an animal, too. On this page all animals
# are *vek*, and foods, tools and clothes have a name each. The page does not say that there are kinds. The next page
# has other names. So a network can learn two things from such pages: which words are alike, and to **look back**.
#
# - Four kinds of twelve words, sixteen names. On the first line nobody can know the name. Later one can, where
#   another word of that kind came before.
# - Kinds have *habits*, as children had in chapter 14: each has four names of its own that it gets more often than
#   others. On every training page some kind keeps to its habit, three of four on average. On no test page does any:
#   there, what was learned of habits misleads. So no test page has the four names of a training page. But each kind has
#   had every name on some training page: the *combination* is new, not that animals are called *vek*.
# - On a training page a word may come again. On a test page none does: the name is never to be found beside the same
#   word.

# %%
MARK = "[PAGE]"
tokenizer = WordTokenizer.train(" ".join(page.text for page in train), spaces=False, special=(MARK,))
words, V = tokenizer.vocabulary, tokenizer.vocab_size
ID, PAGE, T = tokenizer.id_of, tokenizer.id_of[MARK], 3 * LINES
NAME_IDS = np.array([ID[name] for name in NAMES])


def rows(texts):
    """(N, 1 + tokens of a text), each begun by the mark of a page."""
    return np.array([[PAGE, *tokenizer.encode(text)] for text in texts])


train_rows, test_rows = (rows(page.text for page in pages) for pages in (train, held_out))
right = test_rows[:, 2::3]  # (N, LINES), the name of each line
kind_of = np.array([[list(KINDS).index(kind) for _, kind in page.lines] for page in held_out])
known = np.array([[kind in kinds[:n] for n, kind in enumerate(kinds)] for kinds in kind_of])
print(f"{len(train)} pages to learn from, {len(held_out)} to be judged by, {T} tokens each, of {V} different ones")
EXAMPLES = (0, 1, 2, 4, 8, 16)
print("can be known after so many lines:", {n: round(float(known[:, n].mean()), 2) for n in EXAMPLES})

# %% [markdown]
# The numbers behind the colons are shares of the test pages: where the kind of the next word has been named already.
# That is the best that anybody can do who does not guess.
#
# ## Does size matter?
#
# Three networks, all as in chapter 12, differ in their width: 8, 16 and 64 numbers a token, four heads in each of two
# layers. They read the same pages, as many of them. One thing is not GPT-2's. Its first weights have a standard
# deviation of 0.02, which suits 768 numbers; with 64 everything would be a whisper, so ours have 0.12. (And the
# smallest learns at a rate of 0.006, the others at 0.005.)
#
# While they learn, we look: what share of the seventeenth lines, after sixteen examples, is named right?


# %%
def new_gpt(size, seed):
    model = GPT(GPTConfig(V, T, LAYERS, HEADS, WIDTHS[size], bias=False), rng=np.random.default_rng(seed))
    for _, parameter in model.named_parameters():
        if parameter.ndim == 2:
            parameter.assign(6 * parameter.data)
    return model.to(run.device)


def batches(arrays, steps, size, seed):
    """`steps` batches of `size` rows, drawn from the arrays by chance."""
    rng, count = np.random.default_rng(seed), len(next(iter(arrays.values())))
    for _ in range(steps):
        chosen = rng.integers(0, count, size)
        yield {name: array[chosen] for name, array in arrays.items()}


def learn(model, arrays, steps, size, rate, seed, what, after=None, decay=0.01):
    """The losses."""
    at = schedule("cosine", rate, steps, min(WARM_UP, steps // 5))
    drawn = run.progress(batches(arrays, steps, size, seed), what, steps)
    optimizer = AdamW(model.named_parameters(), rate, (0.9, 0.98), weight_decay=decay)
    return fit(model.loss, optimizer, drawn, lr=at, after=after)


def in_parts(function, array, size=200):
    """The function's answers, some hundred rows at a time."""
    with no_grad():
        return np.concatenate([function(array[i : i + size]).numpy() for i in range(0, len(array), size)])


def named(model, texts):
    """What the model says after the word of each line.  (N, 1 + 3 n) -> (N, n)"""
    return in_parts(lambda some: model(some)[:, 1::3], texts[:, :T]).argmax(-1)


def share(said):
    return float(np.mean(said))


gpts, curves = defaultdict(list), {}
for seed in run.seeds:
    for size in WIDTHS:
        model, points = new_gpt(size, seed), []

        def look(step, loss, model=model, points=points, first=seed == 0):
            if first and step % run.pick(50, 10) == 0:
                points.append((step, 100 * share((named(model, test_rows[:200, :50]) == right[:200, :17])[:, 16])))

        arrays = {"tokens": train_rows[:, :-1], "targets": train_rows[:, 1:]}
        losses = learn(model, arrays, STEPS, BATCH, RATES[size], [seed, 1], size, look, decay=0.3)
        assert np.mean(losses[-5:]) < losses[0] - 0.1, f"{size} learns"
        gpts[size].append(model)
        curves[size] = curves.get(size) or points
        print(f"seed {seed}, {size}: {model.n_parameters()} parameters, {np.mean(losses[-20:]):.3f} nats a token")
run.show(
    line_chart(
        [Line(f"{size}, {WIDTHS[size]} wide", points, COLORS[size]) for size, points in curves.items()],
        title="First habits, then a bend", xlabel="step", ylabel="% named right",
        subtitle="names after sixteen lines of an unseen page; 25 % by guessing among its four names",
    ),
    "bend",
)  # fmt: skip

# %% [markdown]
# Of each loss, 1.29 nats a token must be paid by everybody: one token in three is a word, any of 48, and ln 48 / 3 is
# 1.29. Read the losses with that in mind. The large network is near it, the small one is not.
#
# At first all know habits alone, and are misled by them: they are right less often than by guessing. Then the large one
# begins to *look back*, all at once. Chapter 12 saw such a bend. The middle one has it later, if at all in these steps:
# that depends on the seed.
#
# **It was not always there.** Our first recipe had 16 pages a step, and a weight decay of a thirtieth. Its bend came
# between step 400 and 600 on three seeds. On a fourth the large network had none in 1,000 steps, and with a constant
# rate it came anywhere between 500 and 1,900. With twice as many pages a step, and the stronger decay, it came between
# 300 and 550 on four of four. A network that has *not* learned something may be a few steps away from it.
#
# ## GPT-1: what is a good beginning worth?
#
# Suppose that eight of the sixteen names mean danger, and nobody says which. You get pages of eight lines, then a word,
# and a label: *is this one dangerous?* For that one must find out what the word is called on this page, and whether
# that name is a bad one. The first is what our network can. The second it must learn from labels.
#
# GPT-1's recipe, *fine-tuning*, is short. Take the network, throw away the head that names words, put a small one in
# its place, and train **everything** a little on. In letters, for the state $h$ (D,) at the last token and C classes:
# $\text{logits} = W h + b$, with $W$ (C, D) and $b$ (C,).


# %%
class Judge(Module):
    """(N, T) -> logits (N, 2), from the state at the last token."""

    def __init__(self, body, rng):
        self.body, self.out = body, Linear(body.config.n_embd, 2, rng=rng)

    def __call__(self, tokens):
        return self.out(self.body.hidden(tokens)[:, -1])

    def loss(self, batch, *, rng=None, divisor=None, dtype=None):
        return ops.cross_entropy(self(batch["tokens"]), batch["labels"], divisor=divisor)


class Weighed(Module):
    """(N, F) numbers -> logits (N, 2): the strongest rule that brings no two of them together."""

    def __init__(self, features):
        self.out = Linear(features, 2, rng=np.random.default_rng(0))

    def __call__(self, numbers):
        return self.out(numbers)

    loss = Judge.loss


def asked_pages(count, seed, last="true"):
    """Pages of eight lines and one more, of a kind that was there; (N, 1 + 3 * 9) tokens, and whether it is true.

    In a "false" one the name is that of another kind on the page; in "either" one it is drawn which.
    """
    rng, texts, truths = np.random.default_rng(seed), [], []
    for page in generate_naming(rng, count, 20, "test"):
        seen = [kind for _, kind in page.lines[:8]]
        word, kind = next(line for line in page.lines[8:] if line[1] in seen)
        others = sorted({*seen} - {kind})
        truths.append(last == "true" or not others or rng.random() < 0.5)
        name = page.names[kind if truths[-1] else others[rng.integers(len(others))]]
        texts.append(" ".join([*page.text.split()[:24], word, name, "."]))
    return rows(texts), np.array(truths).astype(int)


bad = np.random.default_rng(11).permutation(NAME_IDS)[: len(NAMES) // 2]
COUNTS = run.pick((16, 32, 64, FEW, 256, MANY, 4096), (FEW, MANY))


def danger(count, seed):
    """Eight lines and a word, and whether its name is a bad one."""
    full, _ = asked_pages(count, seed)
    return {"tokens": full[:, :26], "labels": np.isin(full[:, 26], bad).astype(int)}


def judged(model, arrays, key="tokens"):
    return share(in_parts(model, arrays[key]).argmax(-1) == arrays["labels"])


def counted_words(tokens):
    """How often each word stands in the page, and which is the last.  (N, T) -> (N, 2 V)"""
    there = (tokens[:, :, None] == np.arange(V)).sum(1)
    return np.concatenate([there, tokens[:, -1:] == np.arange(V)], 1).astype(np.float32)


labelled, judged_by = danger(max(COUNTS), 5), danger(run.pick(600, 40), 6)
ways = defaultdict(lambda: defaultdict(list))
for seed in run.seeds:
    for count in COUNTS:
        few = {name: array[:count] for name, array in labelled.items()}
        for way in ("fine-tuned", "new weights", "words weighed"):
            if way == "new weights" and count < FEW and not run.fast:
                continue  # guessing, as it is with more
            if way == "words weighed":
                model, rate, longer = Weighed(2 * V).to(run.device), 1e-2, 2
                few["tokens"] = counted_words(few["tokens"])
            else:
                body = new_gpt("large", seed + 50)
                if way == "fine-tuned":
                    body.load_state_dict(gpts["large"][seed].state_dict())
                model, rate, longer = Judge(body, np.random.default_rng(seed)).to(run.device), 2e-3, 1
                longer = 2 if way == "new weights" else longer
            learn(model, few, longer * STEPS_LABELS, 32, rate, [seed, 2], way)
            unseen = judged_by if way != "words weighed" else judged_by | {"words": counted_words(judged_by["tokens"])}
            ways[way][count].append(judged(model, unseen, "words" if way == "words weighed" else "tokens"))
mean_of = {way: {n: float(np.mean(each)) for n, each in found.items()} for way, found in ways.items()}
print(table([[w, *(m.get(n, "") for n in COUNTS)] for w, m in mean_of.items()], ["labels", *map(str, COUNTS)]))
run.show(
    line_chart(
        {way: [(n, 100 * m) for n, m in found.items()] for way, found in mean_of.items()},
        title="A network that has read needs few labels", xlabel="labels", ylabel="% right", log_x=True,
        subtitle="is the word's name on this page a dangerous one? unseen pages; 50 % by guessing",
    ),
    "labels",
)  # fmt: skip

# %% [markdown]
# Some hundred labels are enough for whoever can read the pages: all that is left to learn is which names are bad.
# Whoever cannot read must learn both from the labels. In these steps it does not, not even from thirty times as many
# labels. *Words weighed* is what a sceptic would try: a weight for each word, for how often it stands in the page. It
# may find out which names are bad, too, but not whose they are.
#
# Fine-tuning has its luck as well. Our first bound was 95 % with 128 labels; one of six seeds has 84 there, and more
# with half as many. So the claim compares: an eighth of the labels, and still ahead by a tenth or more.
#
# That was the first reply.
#
# ## GPT-2: must you train at all?
#
# A second task. The last line of a page is true, or it has the name of another kind from the same page. *Which?* We
# have a recipe now: 1,024 labels, a new head, train everything.

# %%
lines_true, truth = asked_pages(run.pick(MANY, 64), 7, "either")
lines_asked, is_true = asked_pages(run.pick(600, 40), 8, "either")
by_labels = []
for seed in run.seeds:
    body = new_gpt("large", 0)
    body.load_state_dict(gpts["large"][seed].state_dict())
    model = Judge(body, np.random.default_rng(seed)).to(run.device)
    arrays = {"tokens": lines_true, "labels": truth}
    learn(model, arrays, STEPS_LABELS, 32, 2e-3, [seed, 3], "true or not")
    by_labels.append(judged(model, {"tokens": lines_asked, "labels": is_true}))
run.say("right, after 1,024 labels:", *(f"{s:.2f}" for s in by_labels))

# %% [markdown]
# It guesses. We had expected this to be easy. What is wrong? Here is our explanation, which we did not test. The new
# head sees the state behind the line. There the network has no use for the name before it: it was trained to say what
# comes next. To compare what is there with what it had expected, it would need one layer more.
#
# But it *had* expected something. **So ask it as its texts would.** Show eight lines and the word, and let it say the
# name. If the line says the same, the line is true. Nothing is trained, no label is shown. Such an answer is called
# *zero-shot*: without an example. (GPT-2 was asked for summaries in this way. One wrote "TL;DR:" under an article, as
# people on the web do before they sum up, and let it go on.)
#
# Two baselines. Counting, on the same pages, with six tokens at a time: the likeliest of the sixteen names. And the
# same network, asked in a form that its texts do not have: all full stops left out.


# %%
def by_counting(counting, texts):
    """The likeliest name after each text, for an n-gram.  (N, T) -> (N,)"""
    seen = counting.order - 1
    parts = np.repeat(texts[:, -seen:], len(NAMES), 0)
    asked = np.concatenate([parts, np.tile(NAME_IDS, len(texts))[:, None]], 1)
    p = counting.probabilities(asked.reshape(-1)).reshape(len(texts), len(NAMES), -1)[:, :, -1]
    return NAME_IDS[p.argmax(1)]


counting = NGram(6, V).fit(train_rows.reshape(-1))
no_stops = lines_asked[:, :26][:, [i for i in range(26) if i % 3 or not i]]
as_asked = [share((named(m, lines_asked[:, :26])[:, -1] == lines_asked[:, 26]) == is_true) for m in gpts["large"]]
other_form = [
    share((in_parts(lambda some, m=m: m(some)[:, -1], no_stops).argmax(-1) == lines_asked[:, 26]) == is_true)
    for m in gpts["large"]
]
counted = share((by_counting(counting, lines_asked[:, :26]) == lines_asked[:, 26]) == is_true)
run.say("zero-shot:", *(f"{s:.2f}" for s in as_asked), f" counting: {counted:.2f}")
run.say("the same network, asked without full stops:", *(f"{s:.2f}" for s in other_form))

# %% [markdown]
# What 1,024 labels did not bring, a good question brings for nothing. And a form that the text never had brings less:
# the *prompt*, the text in which one asks, decides whether a network shows what it knows.
#
# ## What does it say, if you let it talk?
#
# Say the likeliest word, then the likeliest after it, and so on (*greedy* decoding). Would that not be the best text?
# We call it a circle when a piece of at most five lines stands there three times in a row.


# %%
def circled(texts, lengths):
    """The share of the texts that have been in a circle by then."""
    first = [next((n for n in range(1, len(ids) + 1) if loop_period(ids[:n], 15)), T + 2) for ids in texts]
    return {n: share([at <= n for at in first]) for n in lengths}


begun, LENGTHS = test_rows[: run.pick(64, 8), :7].tolist(), (13, 25, 37, 49, 61, T)
circles = {"pages of the corpus": circled(train_rows[:300, :T].tolist(), LENGTHS)}
told = {}
for way, sampler in (("likeliest", Sampler(greedy=True)), ("drawn", Sampler())):
    found = []
    for seed, model in zip(run.seeds, gpts["large"]):
        written = generate(model, begun, T - 7, sampler, np.random.default_rng(seed)).tokens
        found.append(circled([a + list(b) for a, b in zip(begun, written)], LENGTHS))
        told.setdefault(way, " ".join(words[i] for i in written[0][:36]))
    circles[way] = {n: float(np.mean([each[n] for each in found])) for n in LENGTHS}
    circles[f"{way}, each seed"] = [each[T] for each in found]
run.say(f"likeliest: … {told['likeliest']}\n\ndrawn: … {told['drawn']}")
ROWS = ("likeliest", "drawn", "pages of the corpus")
print(table([[way, *circles[way].values()] for way in ROWS], ["in a circle by token", *map(str, LENGTHS)]))

# %% [markdown]
# The likeliest text looks like no page of the corpus. Any of 48 words may come next, all equally likely there. For the
# network one of them is a little likelier, so greedy decoding says that one; and often it is so again three tokens
# later. *Drawing* from what the model believes breaks the circle (Holtzman et al., 2020, on GPT-2). A page of the
# corpus is not the likeliest page. It is one of very many. (How many pages circle differs: on six seeds 47 to 98 %.
# Our bound was 60 at first, and failed.)
#
# ## GPT-3: can it learn without being trained?
#
# Go back to the names. No training page gave the four kinds, all together, the names of a test page. So a test page
# sets a task that the network never did: "call animals *vek*, foods *dax*, tools *fep* and clothes *wug*". Its weights
# stay as they are; the examples stand in the text. This is called *few-shot*, or *in-context learning*.
#
# What would a sceptic say before we look? It repeats the last name, or the most frequent one. It knows from training
# what foxes are called. It counts. (And one rule is told what to do: a table says how often two words had one name on a
# training page, and the name of the most alike word before is copied. We can write it since we wrote the pages; the
# networks are told nothing. Compare it with the large one.) And: do the examples matter, or only that names stand
# there? So take the same sixteen lines, and **shuffle their names**.

# %%
answers = {size: [named(model, test_rows) == right for model in models] for size, models in gpts.items()}
few_shot = {size: {n: float(np.mean([a[:, n] for a in each])) for n in EXAMPLES} for size, each in answers.items()}
after_word = defaultdict(Counter)
for row in train_rows:
    for word, name in zip(row[1::3].tolist(), row[2::3].tolist()):
        after_word[word][name] += 1
alike, met = np.zeros((2, V, V))  # of two words: on how many pages one name, and on how many both
for row in train_rows:
    pairs = np.ix_(row[1::3], row[1::3])
    alike[pairs] += row[2::3, None] == row[2::3]
    met[pairs] += 1
alike /= np.maximum(met, 1)
rules = {
    "can be known": {n: share(known[:, n]) for n in EXAMPLES},
    "the last name": {n: share(right[:, n - 1] == right[:, n]) if n else 0.0 for n in EXAMPLES},
    "the most frequent name": {
        n: share([Counter(r[:n]).most_common(1)[0][0] == r[n] if n else False for r in right.tolist()])
        for n in EXAMPLES
    },
    "usual after this word": {
        n: share([after_word[w].most_common(1)[0][0] for w in test_rows[:, 1 + 3 * n].tolist()] == right[:, n])
        for n in EXAMPLES
    },
    "of the most alike word": {
        n: share([r[2 + 3 * alike[r[1 + 3 * n], r[1 : 1 + 3 * n : 3]].argmax()] == r[2 + 3 * n] for r in test_rows])
        if n
        else 0.0
        for n in EXAMPLES
    },
    "six tokens counted": {
        n: share(by_counting(counting, np.pad(test_rows[:, : 2 + 3 * n], ((0, 0), (4, 0)))) == right[:, n])
        for n in EXAMPLES
    },
}
rng, mixed = np.random.default_rng(3), test_rows[:, :50].copy()
for row in mixed:
    row[2:50:3] = rng.permutation(row[2:50:3])
shuffled = [share(named(model, mixed)[:, 16] == right[:, 16]) for model in gpts["large"]]
print(table([[n, *r.values()] for n, r in (few_shot | rules).items()], ["right after examples", *map(str, EXAMPLES)]))
run.say("large, the names of the sixteen examples shuffled:", *(f"{s:.2f}" for s in shuffled))
lines = [Line(n, [(k, 100 * s) for k, s in few_shot[n].items()], COLORS[n], dots=True) for n in WIDTHS]
lines.append(Line("can be known", [(k, 100 * s) for k, s in rules["can be known"].items()], "#1a7f37"))
run.show(
    line_chart(
        lines, title="Learned from the text, with frozen weights",
        xlabel="examples in the text", ylabel="% named right",
        subtitle="four names that no training page gave together; mean over the seeds",
        baselines={"names shuffled": 100 * float(np.mean(shuffled))},
    ),
    "few-shot",
)  # fmt: skip

# %% [markdown]
# That is the picture of the GPT-3 paper, in small: with size, examples begin to help. The large network is where the
# line of what can be known is; without guessing, more is not possible. So is the rule that was told where to look. The
# small one, which has read the same pages, gets nothing from sixteen examples. It is right less often than by guessing
# among the page's four names, one in four: it knows habits, and they mislead.
#
# Be careful with the shuffled line. Here it proves that the network reads which name belongs to which word. For large
# models and tasks like "good or bad review?" Min et al. (2022) found that wrong labels hardly hurt: there the labels'
# meaning is known from training, and examples mainly show what is asked for. Wei et al. (2023) found that the larger
# the model, the more it follows labels that say the opposite. Our names mean nothing, so there is nothing but to read.
#
# ## Who does it?
#
# There must be heads that find the name. Which would you suspect? At the word *saw*, one that looks at the **names of
# other tools**. To be found there, a name must know to which word it belongs: so before, in the first layer, a name
# should look at **its own word**, the token in front of it. We look for both patterns, and only then take heads out:
# those that give half of their attention or more to names of the right kind, those that give a third to their own word,
# and the others.


# %%
def patterns(model):
    """{(layer, head): shares of its attention}: of a name for its own word; of a word for names of its kind, after
    16 lines; and, on training pages, of a word that was there before for the name behind it."""
    weights, found = attention_weights(model, test_rows[:200, :50]), {}
    again = attention_weights(model, train_rows[:200, :T])
    words_alone = np.where(np.arange(T) % 3 == 1, train_rows[:200, :T], -1 - np.arange(T))
    same = (kind_of[:200, :16] == kind_of[:200, 16:17]) & known[:200, 16:17]
    some = known[:200, 16]
    for layer, head in np.ndindex(LAYERS, HEADS):
        own = np.mean([weights[layer][:, head, 2 + 3 * n, 1 + 3 * n].mean() for n in range(4, 16)])
        names = weights[layer][:, head, 49, 2:50:3]
        behind = induction_score(again[layer][:, head : head + 1], words_alone)[0]
        found[layer, head] = float(own), float((names * same).sum(1)[some].mean()), float(behind)
    return found


def without(model, heads):
    return share((named(ablate_heads(model, heads), test_rows[:, :50]) == right[:, :17])[:, 16])


OWN_WORD, SAME_KIND = 0.33, 0.5
copiers_out, bystanders_out, feeders_out, copied, all_patterns = [], [], [], [], []
for seed, model in zip(run.seeds, gpts["large"]):
    found = patterns(model)
    all_patterns.append(found)
    copiers = [head for head, (_, kind, _) in found.items() if kind >= SAME_KIND]
    feeders = [head for head, (own, *_) in found.items() if own >= OWN_WORD and head not in copiers]
    bystanders = [head for head in found if head not in copiers + feeders]
    fewest = sorted(copiers, key=lambda head: -found[head][1])[: max(1, len(bystanders))]
    copiers_out.append(without(model, copiers))
    feeders_out.append(without(model, feeders))
    bystanders_out.append(without(model, bystanders))
    copied.append([len(copiers), len(feeders), len(bystanders), without(model, fewest)])
    if seed == 0:
        print(table([[f"layer {a + 1}, head {b + 1}", *each] for (a, b), each in found.items()],
                    ["share of a head", "own word", "names of its kind", "behind the same word"]))  # fmt: skip
    run.say(
        f"seed {seed}: without its {len(copiers)} copying heads {copiers_out[-1]:.2f}, without the {len(feeders)} that "
        f"feed them {feeders_out[-1]:.2f}, without the {len(bystanders)} others {bystanders_out[-1]:.2f}"
    )
shown = [words[i] for i in test_rows[0, :50]]
weights = attention_weights(gpts["large"][0], test_rows[:1, :50])
(feeder, copier) = (max(all_patterns[0], key=lambda head, n=n: all_patterns[0][head][n]) for n in (0, 1))
run.show(
    attention_text(
        [(shown, 49, weights[copier[0]][0, copier[1], 49],
          f"Layer {copier[0] + 1}, head {copier[1] + 1}, at the word {shown[49]}: which name has its kind?"),
         (shown[:45], 44, weights[feeder[0]][0, feeder[1], 44, :45],
          f"Layer {feeder[0] + 1}, head {feeder[1] + 1}, at the name {shown[44]}: whose name is it?")],
        title="Two looks", subtitle="the darker, the more of the attention; the word that looks has a frame",
        bold=NAMES,
    ),
    "looks",
)  # fmt: skip

# %% [markdown]
# The columns are shares of a head's attention, from 0 to 1. Some heads of the second layer look at the names of the
# right kind, and hardly anywhere else: nobody told them that there are kinds. They are relatives of the induction heads
# (12) of Olsson et al. (2022), which look behind the *same* word: that is the last column, on training pages. Ours look
# behind a word *like* it, the same one among them. Take these heads out, and hardly an answer is right. Take out the
# heads that neither copy nor feed, and little happens. And without the head of the first layer that tells a name its
# word, the copying heads are lost: of six starts, in five. (In one nearly half of the answers stay right. There a head
# that looks less clearly must have told them too; we have not looked for it.) So two steps make it, and they pay only
# together: that, we think, is why there is a bend, and not a slope.
#
# **Exercises**: 15.1 the circle, 15.2 the likelier answer, 15.3 the heads that look behind.

# %%
beyond = [tuned - new for tuned, new in zip(ways["fine-tuned"][FEW], ways["new weights"][MANY])]
weighed = {"words weighed": mean_of["words weighed"][FEW] - float(np.mean(ways["new weights"][MANY]))}
run.check("128 labels fine-tuned, less 1,024 with new weights", beyond, at_least=BEYOND_NEW, baseline=weighed,
          full_only=True)  # fmt: skip
run.check("true lines told, zero-shot", as_asked, at_least=TOLD,
          baseline={"counting": counted, "1,024 labels": float(np.mean(by_labels))}, full_only=True)  # fmt: skip
run.check("true lines told, counting", counted, at_most=COUNTED_MOST)
costs = [asked - other for asked, other in zip(as_asked, other_form)]
run.check("true lines that another form costs", costs, at_least=FORM_COSTS, full_only=True)
run.check("greedy pages in a circle", circles["likeliest, each seed"], at_least=IN_CIRCLES, full_only=True)
run.check("drawn pages in a circle", circles["drawn, each seed"], at_most=DRAWN_MOST,
          baseline={"corpus": circles["pages of the corpus"][T]}, full_only=True)  # fmt: skip
of_known = [float(a[:, 16].mean()) / rules["can be known"][16] for a in answers["large"]]
run.check("large, of what 16 examples tell", of_known, at_least=OF_KNOWN,
          baseline={"last name": rules["the last name"][16], "most frequent": rules["the most frequent name"][16],
                    "usual": rules["usual after this word"][16],
                    "most alike": rules["of the most alike word"][16]}, full_only=True)  # fmt: skip
run.check("small, right after 16 examples", [float(a[:, 16].mean()) for a in answers["small"]], at_most=SMALL_MOST,
          full_only=True)  # fmt: skip
run.check("counting, right after 16 examples", rules["six tokens counted"][16], at_most=SMALL_MOST)
run.check("large, names shuffled", shuffled, at_most=SHUFFLED_MOST,
          baseline={"most frequent": rules["the most frequent name"][16]}, full_only=True)  # fmt: skip
run.check("without the copying heads", copiers_out, at_most=WITHOUT_MOST, full_only=True)
run.check("without heads that neither copy nor feed", bystanders_out, at_least=BYSTANDERS, full_only=True)
run.report("without the heads that feed", feeders_out)
run.report("copying, feeding, other heads; as many copying ones out as others", copied)
run.report("middle, right after 16 examples", [float(a[:, 16].mean()) for a in answers["middle"]])
run.report("true lines told by a head of 1,024 labels", by_labels)
run.report("right by labels", mean_of)
run.report("right with 128 labels, fine-tuned", ways["fine-tuned"][FEW])
run.finish()
