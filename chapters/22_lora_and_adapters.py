# %% [markdown]
# # 22 · LoRA and adapters
#
# A network can do one thing, and ten people want ten more. Fine-tuning (15) gives each of them a network of their
# own: ten times all the weights, to be trained, kept and loaded. Is all of it needed? How much of a network has to
# *change*, before it does something else?
#
# - **Builds on** 06 embeddings, 09 attention, 12 GPT, 15 GPT-1 to GPT-3.
# - **Reads** [`finetune/lora.py`](../tinygrad_llm/finetune/lora.py),
#   [`finetune/adapted.py`](../tinygrad_llm/finetune/adapted.py),
#   [`finetune/model.py`](../tinygrad_llm/finetune/model.py),
#   [`finetune/spectrum.py`](../tinygrad_llm/finetune/spectrum.py),
#   [`datasets/naming.py`](../tinygrad_llm/datasets/naming.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its
#   baseline, are the `run.check(…)` of the last cell; [a recorded run](../docs/records/22/output.txt) shows them all.
# - **Departs from** the papers in size: our whole network has about a hundred thousand weights. One in a hundred is a
#   thousand numbers, and they buy rank 1 or 2. The papers begin with large models of others; our base is trained here,
#   once for all seeds.
# - **Run**: `python chapters/22_lora_and_adapters.py`. It takes about two minutes of a processor; `--seeds 3` less than
#   four. `--fast` takes less than ten seconds: it asserts the equalities and the counts, and nothing that is learned.

# %%
import time
from collections import defaultdict

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import Tensor, no_grad, ops
from tinygrad_llm.backend import to_device
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets.naming import KINDS, NAMES, WORDS, generate_naming
from tinygrad_llm.finetune import (
    BASE,
    HoulsbyConfig,
    IA3Config,
    LoRA,
    LoraConfig,
    PrefixTuningConfig,
    best_rank,
    freeze,
    get_peft_model,
    prefix_tuned,
    rank_share,
    unfreeze,
)
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.nn import Linear
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import Line, line_chart

run = Chapter(
    "22",
    "The change that full fine-tuning makes has few directions, and how few the task says: two do for yes or no, "
    "eight for another language. LoRA with a hundredth of the weights comes near to all weights in both, and not "
    "where the network has to look elsewhere, nor with what is learned by heart; both ways forget, and an adapter "
    "can be switched off. Without alpha / r a large rank wants a smaller rate. Ten tasks live in one base, a row "
    "each if need be, and a merged adapter computes what it did beside.",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
D, LAYERS, HEADS, LINES = 64, 2, 4, 24
EQUAL, SINGLE, A_HUNDREDTH, MARGIN, ELSEWHERE = 1e-6, 1e-5, 0.01, 0.1, 0.5
HALF, CUTS_TO, CUT_LOSES, ONE_MOST, CHANCE_MOST = 0.45, {"danger": 2, "language": 8, "exchange": 8}, 0.1, 0.5, 0.1
NOT_LEVEL, FORGOTTEN, BY_HEART, WITH_16, TEN_OWN, TEN_OTHERS, APART = 0.3, 1.0, 0.95, 0.85, 0.9, 0.2, 3.0

# %% [markdown]
# ## What can the base do?
#
# The *base* is the network before anybody asks for more. Ours reads the *naming* pages of chapter 15. Each page gives
# made-up names to four kinds of words (animals, foods, tools, clothes), and says them line by line: "hare vek . spade
# tiv . crow vek .". After some lines one can know what comes after *wolf*, if one looks back. A GPT of two layers, 64
# wide (D), learns to do so. It learns once, and everything below begins with it. The three words near the front of the
# vocabulary, `?`, `yes` and `no`, stand on no page.
#
# Its loss is in nats a token. Everybody has to pay 1.29 of them (15): one token in three is a word, any of 48, and ln
# 48 / 3 is 1.29.

# %%
VOCABULARY = ["[PAGE]", ".", "?", "yes", "no", *(word for word, _ in WORDS), *NAMES]
ID, V, KIND = {word: i for i, word in enumerate(VOCABULARY)}, len(VOCABULARY), list(KINDS)
NAME_IDS = np.array([ID[name] for name in NAMES])


def page_rows(pages):
    """(N, 1 + 3 LINES) tokens."""
    return np.array([[0, *(ID[w] for word, kind in p.lines for w in (word, p.names[kind], "."))] for p in pages])


def batches(arrays, steps, size, seed):
    """`steps` batches of `size` rows, drawn from the arrays by chance."""
    rng, count = np.random.default_rng(seed), len(arrays["tokens"])
    for _ in range(steps):
        chosen = rng.integers(0, count, size)
        yield {name: array[chosen] for name, array in arrays.items()}


def learn(model, arrays, steps, size, rate, seed, what="", warm=0.1, decay=0.0):
    """The losses; only what is not frozen moves."""
    learned = [(path, p) for path, p in model.named_parameters() if p.requires_grad]
    optimizer = AdamW(learned, rate, (0.9, 0.98), weight_decay=decay)
    drawn, at = batches(arrays, steps, size, seed), schedule("cosine", rate, steps, max(1, round(warm * steps)))
    return fit(model.loss, optimizer, run.progress(drawn, what, steps) if what else drawn, lr=at, threads=1)


def new_gpt():
    model = GPT(GPTConfig(V, 80, LAYERS, HEADS, D), rng=np.random.default_rng(10))
    for _, p in model.named_parameters():
        if p.ndim == 2:
            p.assign(6 * p.data)  # a standard deviation of 0.12, as in chapter 15
    return model.to(run.device)


seen = page_rows(generate_naming(np.random.default_rng(1), run.pick(8000, 100), LINES))
old = page_rows(generate_naming(np.random.default_rng(2), run.pick(150, 10), LINES, "test"))
base = new_gpt()
pages = {"tokens": seen[:, :-1], "targets": seen[:, 1:]}
learn(base, pages, run.pick(700, 4), run.pick(24, 4), 5e-3, [10, 1], "the base", warm=0.2, decay=0.3)
SAVED = {path: to_device(array, "cpu").copy() for path, array in base.state_dict().items()}
MATRICES = [path for path in SAVED if path.endswith("_proj.weight")]
TOTAL = base.n_parameters()


def fresh():
    """The base, all of it free to learn."""
    model = GPT(GPTConfig(V, 80, LAYERS, HEADS, D), rng=np.random.default_rng(0)).to(run.device)
    model.load_state_dict(SAVED)
    return model


def said(model, tokens):
    """The likeliest token after each.  (N, T) -> (N, T)"""
    with no_grad():
        return model(tokens).numpy().argmax(-1)


def old_loss(model):
    """Nats a token, on test pages of the old kind."""
    with no_grad():
        return model.loss({"tokens": old[:, :-1], "targets": old[:, 1:]}).item()


print(f"{TOTAL} weights, {len(MATRICES)} matrices in the blocks; {old_loss(base):.3f} nats a token on unseen pages")

# %% [markdown]
# ## Three tasks it has never done
#
# A page of six lines, and behind it six questions: "? wolf ? plum ? saw …". An answer is what the network expects after
# the word; it is not written into the text, where the next question follows. Asked like this, without a step of
# training, the base says the right name. We want something else of it:
#
# - **danger**: eight of the sixteen names are bad, and no page says which. Is the word's name on this page one of them?
#   *Yes* or *no*. (The network has never seen either.)
# - **language**: say the name in another language, in which each name is called by another one.
# - **exchange**: asked for an animal, say what *foods* are called here; for a food, tools; and so on. It has to look
#   at another place.
#
# Each seed draws its own bad names and its own language; pages and questions are the same for all. A question whose
# answer stands on no line of its page is neither taught nor counted. One trains on 3000 pages and is judged on 200
# others.
#
# What would a sceptic try? The name of the page's last line, and the right answer to that. It needs no looking back,
# and is right whenever the word asked for is of that line's kind. (And now and then by luck: of yes and no every second
# guess is right.)

# %%
SHOWN, ASKED = 6, 6
AT = 1 + 3 * SHOWN + 1 + 2 * np.arange(ASKED)  # where a word is asked for, and an answer has to be named
TASKS = ("danger", "language", "exchange")


def questions(count, seed):
    """tokens (N, T), kind (N, ASKED) of each word asked for, names (N, 4) of the page's kinds, told (N, 4) on it."""
    found = []
    for page in generate_naming(np.random.default_rng(seed), count, SHOWN + ASKED, "test"):
        there, asked = page.lines[:SHOWN], page.lines[SHOWN:]
        tokens = [0, *(ID[w] for word, kind in there for w in (word, page.names[kind], "."))]
        tokens += [ID[w] for word, _ in asked for w in ("?", word)]
        told = [kind in {k for _, k in there} for kind in KIND]
        found.append((tokens, [KIND.index(kind) for _, kind in asked], [ID[page.names[kind]] for kind in KIND], told))
    return [np.array(part) for part in zip(*found)]


def language(seed, number=0):
    """Each name's name in another language: a ring through all of them.  (V,)"""
    ring, other = np.random.default_rng([seed, 3, number]).permutation(NAME_IDS), np.arange(V)
    other[ring] = np.roll(ring, 1)
    return other


def answers(task, kinds, names, told, seed):
    """What to say at each question, and where it can be known.  (N, ASKED) both"""
    row = np.arange(len(kinds))[:, None]
    if task == "exchange":
        kinds = (kinds + 1) % len(KIND)
    right = names[row, kinds]
    if task == "danger":
        bad = np.random.default_rng([seed, 4]).permutation(NAME_IDS)[: len(NAMES) // 2]
        right = np.where(np.isin(right, bad), ID["yes"], ID["no"])
    if task.startswith("language"):
        right = language(seed, int(task[8:] or 0))[right]
    return right, told[row, kinds]


def as_task(data, task, seed):
    """Tokens, and targets that are IGNORE wherever nothing is asked for."""
    tokens, kinds, names, told = data
    right, known = answers(task, kinds, names, told, seed)
    targets = np.full(tokens.shape, ops.IGNORE)
    targets[:, AT] = np.where(known, right, ops.IGNORE)
    return {"tokens": tokens, "targets": targets}


def share_right(model, arrays):
    asked = arrays["targets"] != ops.IGNORE
    return float((said(model, arrays["tokens"]) == arrays["targets"])[asked].mean())


to_learn, to_judge = questions(run.pick(3000, 60), 5), questions(run.pick(200, 10), 6)
as_ever = as_task(to_judge, "as ever", 0)
run.say("a page:", " ".join(VOCABULARY[i] for i in to_judge[0][0]))
print(f"the base, asked in this form for the names themselves: {share_right(base, as_ever):.3f} right")
last_line = {}
for task in TASKS:
    tokens, kinds, names, told = to_judge
    shown = tokens[:, 3 * SHOWN - 1]
    of_last = np.array([list(n).index(name) for n, name in zip(names, shown)])
    of_last = of_last - 1 if task == "exchange" else of_last
    guess, _ = answers(task, np.repeat(of_last[:, None] % 4, ASKED, 1), names, told, run.seeds[0])
    right, known = answers(task, kinds, names, told, run.seeds[0])
    last_line[task] = float((guess == right)[known].mean())
print("right by the last line alone:", {task: round(share, 2) for task, share in last_line.items()})

# %% [markdown]
# ## What does full fine-tuning change?
#
# First the whole network, on each task: every weight may move. Then look at what has moved. For a matrix $W$ (O, I) of
# the base and $W'$ of the tuned network, the change is $\Delta W = W' - W$, (O, I).
#
# How does one see whether a change is simple? Any matrix is a sum of *directions*: the $i$-th is a column (O, 1) times
# a row (1, I), both of length 1, times a *singular value* $s_i$, which says how much of it there is. The largest comes
# first. Chapter 06 used them for words. The *rank* of a matrix is how many of the $s_i$ are not 0: of so many
# directions it is made. Here there are at most 64, the smaller side of each matrix. If a few of the 64 hold nearly all
# of $\Delta W$, the change has low rank, or nearly so.
#
# "Nearly all" of what? Of the sum of the squared entries. It is the sum of the squared singular values, too, so that
# the first r hold the share
#
# $$\frac{s_1^2 + \dots + s_r^2}{s_1^2 + s_2^2 + \dots}$$
#
# That number says nothing alone: of any matrix the first directions hold more than their part. So beside it stand a
# random matrix of the same shape, and the base's weights themselves.

# %%
STEPS, ROWS = run.pick(250, 3), run.pick(12, 4)
FULL_RATE = 2e-3


def weights_of(model):
    return {path: to_device(array, "cpu").copy() for path, array in model.state_dict().items()}


def near(matrix, r):
    """The best of rank r, put together from its directions."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return sum((values[i] * np.outer(left[:, i], right[i]) for i in range(r)), np.zeros_like(matrix))


tasks = {(task, seed): as_task(to_learn, task, seed) for task in TASKS for seed in run.seeds}
judged = {(task, seed): as_task(to_judge, task, seed) for task in TASKS for seed in run.seeds}
full, changes, full_old = defaultdict(list), {}, defaultdict(list)
for seed in run.seeds:
    for task in TASKS:
        model = fresh()
        learn(model, tasks[task, seed], STEPS, ROWS, FULL_RATE, [seed, 1], f"full: {task}")
        full[task].append(share_right(model, judged[task, seed]))
        full_old[task].append(old_loss(model))
        changes[task, seed] = {path: new - SAVED[path] for path, new in weights_of(model).items()}
some = changes["language", run.seeds[0]][MATRICES[0]]
distances = {"nearest of rank 3": float(np.abs(near(some, 3) - best_rank(some, 3)).max())}
RANKS = (1, 2, 4, 8, 16, 32, 64)
lots = np.random.default_rng(0)
shares = {
    r: {
        **{t: np.mean([rank_share(changes[t, s][p], r) for s in run.seeds for p in MATRICES]) for t in TASKS},
        "random": np.mean([rank_share(lots.normal(size=SAVED[p].shape), r) for p in MATRICES]),
        "the weights": np.mean([rank_share(SAVED[p], r) for p in MATRICES]),
    }
    for r in RANKS
}
print("share of the squares in the first r directions, mean over the matrices of the blocks:")
print(table([[r, *map(float, by.values())] for r, by in shares.items()], ["r", *shares[1]]))
run.show(
    line_chart(
        {name: [(r, 100 * float(shares[r][name])) for r in RANKS] for name in shares[1]},
        title="A change has few directions", xlabel="r", ylabel="% of the squares", log_x=True,
        subtitle="share in the first r directions: changes by full fine-tuning, a random matrix, the weights",
    ),
    "directions",
)  # fmt: skip

# %% [markdown]
# A share of squares is not yet a use. So **cut the change**: add to the base only the first r directions of every
# matrix's change, and count the questions that are answered right. (The tables of embeddings are cut, too. Biases, and
# the scales of the layer norms, keep all of their change, even where r is 0.) And what a sceptic would ask: is any
# change of that size as good? Put a *random* matrix of rank 4 in the place of each cut one, with the same sum of
# squares.

# %%
CUTS = (0, 1, 2, 4, 8, 64)


def with_change(change, r, rng=None):
    """The base with the best rank-r part of each matrix's change; or with a random one of rank r, as long."""
    cut = {}
    for path, whole in change.items():
        if whole.ndim == 2:
            part = best_rank(whole, r)
            if rng is not None:
                drawn = rng.normal(size=(len(whole), r)) @ rng.normal(size=(r, whole.shape[1]))
                part = drawn * (np.linalg.norm(part) / max(np.linalg.norm(drawn), 1e-30))
            whole = part.astype(np.float32)
        cut[path] = SAVED[path] + whole
    model = fresh()
    model.load_state_dict(cut)
    return model


cut_right = {
    task: {
        r: [share_right(with_change(changes[task, seed], r), judged[task, seed]) for seed in run.seeds] for r in CUTS
    }
    for task in TASKS
}
by_chance = [
    share_right(with_change(changes["language", seed], 4, np.random.default_rng(seed)), judged["language", seed])
    for seed in run.seeds
]
print("right, with the first r directions of each change:")
print(table([[t, *(float(np.mean(by[r])) for r in CUTS)] for t, by in cut_right.items()], ["task", *map(str, CUTS)]))
print(f"language, with random changes of rank 4, as long: {np.mean(by_chance):.3f}")

# %% [markdown]
# So a change has few directions: four of sixty-four hold more than half of its squares, where four of a random matrix
# hold less than a fifth, and four of the base's own weights a third. But **how few depends on what is asked for.**
# *Danger* needs one or two: all that has to be added is a push to *yes* or to *no*. With one direction hardly a word of
# the language is said; sixteen names need about eight. And a random change of the same size is worth nothing: it is
# *these* directions.
#
# ## Then learn only a few directions
#
# Aghajanyan et al. (2020) had asked in how many dimensions fine-tuning can be done at all: let the weights move along a
# few random directions only, and learn how far along each. On one task two hundred such numbers brought a network of
# hundreds of millions of weights to nine tenths of what all weights reach; other tasks took more, and larger networks
# tended to need fewer. Hu et al. (2021) drew a consequence. If the change has low rank, why learn all of it? *Freeze*
# $W$, that is, let no step move it. Learn a change that *is* of rank r, since it is a product of a narrow matrix and a
# flat one. This is *LoRA*, low-rank adaptation:
#
# $$y = W x + b + \frac{\alpha}{r}\, B A x, \qquad A\ (r, I),\ B\ (O, r)$$
#
# with x (I,), y and the bias b (O,), and a number $\alpha$. $W$ has O · I numbers, A and B together r · (O + I). Such a
# pair, beside a layer that stays as it is, is an *adapter*; so are, together, all the pairs that are learned for a
# task.
#
# At first nothing may be added, so one of the two is zero. **Why not both?** The gradient of A goes through B, that of
# B through what A makes of x. Were both zero, both gradients would be zero, for ever. So B is zero, and A is drawn
# (here uniformly, between $\pm 1 / \sqrt I$). What the *scale* $\alpha / r$ is for we shall see; in our trainings it is
# 1 where nothing else is said.


# %%
def lora_linear(x, weight, bias, A, B, alpha):
    """(..., I) -> (..., O)"""
    return x @ weight.T + bias + (alpha / len(A)) * (x @ A.T @ B.T)


rng = np.random.default_rng(0)
layer = Linear(6, 4, rng=rng, dtype=np.float64)
adapter = LoRA(layer, 2, 3.0, rng=rng, dtype=np.float64)
x = rng.normal(size=(5, 6))
parts = (layer.weight, layer.bias, adapter.lora_A, adapter.lora_B)
nothing = np.abs(adapter(Tensor(x), layer, layer).numpy() - layer(Tensor(x)).numpy()).max()
adapter.lora_B.assign(rng.normal(size=(4, 2)))
ours = lora_linear(x, *(p.numpy() for p in parts), 3.0)
distances |= {
    "LoRA's first output": float(nothing),
    "LoRA": float(np.abs(ours - adapter(Tensor(x), layer, layer).numpy()).max()),
}
print("farthest from the package:", f"{max(distances.values()):.1e}")

# %% [markdown]
# How many numbers does a rank cost here? The two blocks have six matrices each: queries, keys, values and output of
# attention, and two of the MLP. Rank 1 beside all twelve is two numbers for every hundred weights; beside the six of
# the last block, one. And *where* should the numbers be? Attention has one matrix that writes to the residual stream
# (11), its output; the MLP has one, its second. Rank 2 beside these two, in the last block, is less than a hundredth,
# too. That is our LoRA.
#
# (It was not our first. We had begun with rank 1 beside all six, and on seeds 0, 1 and 2 it was up to 22 in 100 behind
# full fine-tuning on *danger*. LoRA beside the two matrices stood only among the rivals, in a table below.)

# %%
EVERY, LAST, TWO = ("*_proj",), ("blocks.1.**.*_proj",), ("blocks.1.**.o_proj", "blocks.1.**.down_proj")


def lora(targets, r, alpha=None, **more):
    """alpha is r where nothing is said: then the scale is 1."""
    config = LoraConfig(targets, r=r, lora_alpha=alpha or r, **more)
    return lambda model, rng: get_peft_model(model, config, rng=rng)


def count(model):
    return sum(p.size for p in model.parameters() if p.requires_grad)


def tuned(make, task, seed, rate, steps=None, what=""):
    """The base with a method's new numbers, trained on a task."""
    model = make(fresh(), np.random.default_rng([seed, 2])).to(run.device)
    learn(model, tasks[task, seed], steps or STEPS, ROWS, rate, [seed, 1], what)
    return model


places = {"every matrix": EVERY, "the last block": LAST, "two matrices": TWO}
numbers = {(where, r): count(lora(paths, r)(fresh(), rng)) for where, paths in places.items() for r in (1, 2, 4)}
rows = [[w, *(numbers[w, r] for r in (1, 2, 4)), 100 * numbers[w, 1] / TOTAL] for w in places]
print(table(rows, ["LoRA beside", "rank 1", "rank 2", "rank 4", "% of all, rank 1"]))
SMALL = numbers["two matrices", 2]

# %% [markdown]
# ## Is a hundredth enough?
#
# LoRA gets the same pages and as many steps as full fine-tuning. Each has a learning rate of its own, since a method
# must not lose by a badly chosen one: rates were looked for on another seed, in steps of a factor of two to three. Full
# fine-tuning has 0.002, between two that were tried, LoRA twenty times that. Beside the share of questions that are
# answered right stands what is left of the *old* skill: nats a token on pages without questions.

# %%
LORA_RATE = 4e-2
small, small_old, adapters = defaultdict(list), defaultdict(list), {}
for seed in run.seeds:
    for task in TASKS:
        model = tuned(lora(TWO, 2), task, seed, LORA_RATE, what=f"LoRA: {task}")
        small[task].append(share_right(model, judged[task, seed]))
        small_old[task].append(old_loss(model))
        adapters[task, seed] = model
mean = {name: {t: float(np.mean(each[t])) for t in TASKS} for name, each in (
    ("full", full), ("LoRA", small), ("full, old pages", full_old), ("LoRA, old pages", small_old),
)}  # fmt: skip
rows = [[t, last_line[t], mean["full"][t], mean["LoRA"][t]] for t in TASKS]
print(table(rows, ["right", "last line", "full", f"LoRA, {SMALL / TOTAL:.2%}"]))
before = old_loss(base)
rows = [[t, before, mean["full, old pages"][t], mean["LoRA, old pages"][t]] for t in TASKS]
print(table(rows, ["nats a token, old pages", "before", "full", "LoRA"]))
with model.disable_adapter():
    print(f"with the last adapter switched off: {old_loss(model):.3f}, as before: {old_loss(model) == before}")
    switched_off = abs(old_loss(model) - before)

# %% [markdown]
# A hundredth does nearly what all weights do, for danger and for the language: on no seed is it more than one question
# in ten behind. For exchange it does next to nothing, and is right less often than the last line's rule. Why? Danger
# and the language want another *answer*, made of what the base has found. Exchange wants it to look at another place,
# and where attention looks is decided before the two matrices that can change here.
#
# And look at the second table. Biderman et al. (2024), who taught a large model programming and mathematics, found that
# *LoRA learns less and forgets less*. Here both forget: with either a token of the old pages costs more than a nat
# more, although a question mark, which no old page has, tells the two apart. Nothing in the training asked to keep
# anything. In the mean of each task LoRA forgets somewhat less; but most of the old skill is gone. (Who guesses among
# all 69 tokens pays ln 69 = 4.23 nats.)
#
# And yet there is a difference. Full fine-tuning has overwritten what was there. **With the adapter switched off, the
# base is back**, to the last bit.
#
# So for exchange: more rank, or another place? We try LoRA beside all matrices of the last block, with more and more
# rank, and rank 4 beside every matrix of both blocks. (In the last block alpha stays 1, so that the scale is 1 / r, and
# the rate stays; why, we shall see. Beside every matrix the scale is 1 and the rate a quarter.)

# %%
MORE = (1, 2, 4, 8)
seed, first_of = run.seeds[0], {}
for task in ("language", "exchange"):
    for r in MORE:
        model = tuned(lora(LAST, r, 1), task, seed, LORA_RATE, what=f"rank {r}: {task}")
        first_of[task, r] = share_right(model, judged[task, seed])
    model = tuned(lora(EVERY, 4), task, seed, LORA_RATE / 4, what=f"every matrix: {task}")
    first_of[task, "every"] = share_right(model, judged[task, seed])
heads = ["two, 2", *(f"last, {r}" for r in MORE), "every, 4", "full"]
rows = [[t, small[t][0], *(first_of[t, r] for r in (*MORE, "every")), full[t][0]] for t in ("language", "exchange")]
print(f"right, seed {seed}, with LoRA beside two matrices, all of the last block, all of both; and its rank:")
print(table(rows, ["task", *heads]))

# %% [markdown]
# For the language, rank soon stops helping: nothing is left to get right. For exchange, a second direction helps, and
# in this table more of them do not, as long as the last block alone may change. Do not read out of it that they are of
# no use: the learning rate was chosen for the two matrices. We tried this on two seeds with the scale and the rate of
# the column "every, 4". Rank 8 beside all of the last block got 0.74 and 0.63 right, and beside every matrix rank 4,
# with no more numbers (9216), got 0.99 and 0.86. Beside the two matrices alone rank 8 got 0.09 on both. So it is the
# place that decides, and the rate has its say.
#
# Dettmers et al. (2023) found that of a large model too: LoRA beside all matrices of its blocks came up to full
# fine-tuning, beside some it did not. (Here it is even ahead. Conclude nothing from that: full fine-tuning has one rate
# for all three tasks.)
#
# ## What else could be learned, for a hundredth?
#
# LoRA is one of many. Each of these learns only what it names, and leaves all else of the base as it is:
#
# - *Adapters* in the narrower sense (Houlsby et al., 2019). Attention gives h (D,), and so does the MLP. A small
#   network reads it and adds to it: $h + W_2\, f(W_1 h + b_1) + b_2$, with $W_1$ (m, D), $W_2$ (D, m), $b_1$ (m,),
#   $b_2$ (D,), and a bend f, GELU (11). $W_2$ and $b_2$ are zero at first (in the paper, near zero). Here they stand
#   where LoRA does, and m is 4.
# - *Prefix tuning* (Li and Liang, 2021): in each layer some keys and values that are learned stand before those of the
#   text, which can look at them. Here they are three, and they are learned as they stand; the paper makes them by a
#   small network while it trains. (Why three? Our GPT knows a place by its number (10), and three more are one line
#   more: words, names and full stops keep to the places that they had.)
# - *IA3* (Liu et al., 2022): keys, values and what the MLP's second matrix reads are multiplied, number by number, each
#   by a number that is learned and begins at 1.
# - Nothing new: the biases alone (Ben Zaken et al., 2021, call it BitFit), or the last block alone, but all of it. That
#   is what a sceptic would try.
# - *DoRA* (Liu et al., 2024): LoRA that learns two things apart, how long each row of a matrix is, and where it points.
#   The package has it; it is not in this table.
#
# All are to learn the language, on one seed, each with the one or two rates that stand in the code. Where there are two
# the better one counts, by the very pages that judge: in that LoRA is not favoured. In the table "right" is a share of
# the questions, and "old pages" are nats a token.


# %%
def only(*patterns):
    """Nothing new: these parameters, and no others."""

    def make(model, rng):
        freeze(model)
        unfreeze(model, *patterns)
        return model

    return make


def peft(config):
    return lambda model, rng: get_peft_model(model, config, rng=rng)


METHODS = {  # what is learned, and the rates that are tried
    "adapters": (peft(HoulsbyConfig(TWO, 4)), (1e-2, 3e-2)),
    "prefix": (lambda model, rng: prefix_tuned(model, PrefixTuningConfig(3, std=0.1), rng=rng), (1e-2, 3e-2)),
    "IA3": (peft(IA3Config()), (1e-1,)),
    "biases": (only("bias"), (3e-3, 1e-2)),
    "last block": (only("blocks.1"), (3e-3,)),
}
rows = [
    ["full", TOTAL, full["language"][0], full_old["language"][0]],
    ["LoRA", SMALL, small["language"][0], small_old["language"][0]],
]
for name, (make, rates) in METHODS.items():
    tried = [tuned(make, "language", seed, rate, what=name) for rate in rates]
    score, number = max((share_right(model, judged["language", seed]), -i) for i, model in enumerate(tried))
    rows.append([name, count(tried[-number]), score, old_loss(tried[-number])])
rows.sort(key=lambda row: row[1])
print(
    table([[n, c, 100 * c / TOTAL, *rest] for n, c, *rest in rows], ["learned", "numbers", "%", "right", "old pages"])
)
COLORS = dict(zip(METHODS, ("#cf5b16", "#1a7f37", "#8250df", "#bf3989", "#8c959f")))
lines = [
    Line(n, [(c, 100 * score)], COLORS.get(n, "#0969da" if n == "LoRA" else "#57606a"), dots=True)
    for n, c, score, _ in rows
]
by_rank = [(r * numbers["the last block", 1], 100 * first_of["language", r]) for r in MORE]
run.show(
    line_chart(
        [Line("LoRA, last block", by_rank, "#0e7490", dots=True), *lines],
        title="What a thousand numbers can do", xlabel="numbers that are learned", ylabel="% right", log_x=True,
        subtitle="names said in another language, on unseen pages, after as many steps",
    ),
    "frontier",
)  # fmt: skip

# %% [markdown]
# (The line in the figure is LoRA beside all of the last block, at the ranks 1 to 8 of the table before.) With forty
# thousand numbers and more, the language is said. At a thousand the ways differ widely: LoRA, the adapters, which stand
# where it stands, and IA3 say most of it. The biases and the prefix, in as many steps, have hardly begun; in a trial,
# rates up to 0.1 helped them no further than to 8 names in 100.
#
# But adapters of as many numbers, spread over both blocks with m = 1, had said 7 names in 100 in a trial, too: we had
# nearly reported that adapters fail. So no ranking should be read out of this table. It is one task, one seed and a
# very small network, and one or two rates are not a search. What it does show is that *which* thousand matters.
#
# ## Where does a little not do?
#
# Perhaps where nothing can be found on the page. Here is something to be learned *by heart*: 150 pairs of words, "fox ?
# spade", each with a name that was drawn by lot. No feature of the base helps. A name of sixteen is 4 bits, 150 of them
# are 600; so even rank 1 has more numbers than there are bits to know. LoRA stands beside every matrix now, with more
# and more rank, and is judged on the very pairs that it learns: there are no others.

# %%
FACTS = 150


def by_heart(seed):
    rng = np.random.default_rng([seed, 5])
    first, second = divmod(rng.permutation(len(WORDS) ** 2)[:FACTS], len(WORDS))
    tokens = np.stack([np.zeros(FACTS, int), 5 + first, np.full(FACTS, ID["?"]), 5 + second], 1)
    targets = np.full(tokens.shape, ops.IGNORE)
    targets[:, 3] = NAME_IDS[rng.integers(0, len(NAMES), FACTS)]
    return {"tokens": tokens, "targets": targets}


HEART_RANKS = {1: 3e-2, 4: 2e-2, 16: 1e-2}
heart, facts = {}, by_heart(seed)
for r, rate in {**HEART_RANKS, "full": 3e-3}.items():
    model = fresh() if r == "full" else lora(EVERY, r)(fresh(), np.random.default_rng([seed, 2]))
    learn(model, facts, run.pick(150, 3), run.pick(50, 4), rate, [seed, 1], f"by heart: {r}")
    heart[r] = count(model), share_right(model, facts)
rows = [[str(r), size, 100 * size / TOTAL, known] for r, (size, known) in heart.items()]
print(table(rows, ["rank", "numbers", "%", "known by heart"]))

# %% [markdown]
# Here rank does not stop helping, as far as we went. A fact by lot has nothing in common with the next one. With a
# third as many numbers as there are weights, and in as many steps as full fine-tuning, LoRA knows less than half of the
# facts. (In a trial on this seed half its rate, twice its rate and three times its rate were no better.) *LoRA learns
# less*: this half of the sentence holds here, for 150 steps. How many facts it could hold in the end we have not asked.
#
# ## What is alpha for?
#
# Hu et al. choose one alpha, and keep it when they change r. The scale $\alpha / r$, they say, makes it less needful to
# look for another learning rate then. Is that so? Without the scale, the sum of r directions is added, each of which
# learns at the same pace: with r times as many of them, one step goes r times as far. (AdamW moves each number by about
# the rate, however small its gradient.) So the best rate should fall as r grows. If the sum is divided by r, it should
# stay.
#
# Kalajdzievski (2023) objects that $\alpha / r$ is too small for large r, so that large ranks are slowed down, and that
# $\alpha / \sqrt r$ is the scale that keeps their pace.
#
# Who is right? We try two ranks, four rates and the three scales, for sixty steps each. The table has the mean loss of
# the last ten steps, in nats an answer, and the rate at which it is least. (With rank 1 all three scales are 1.)

# %%
SWEPT, RATES = (1, 64), (3e-3, 1e-2, 3e-2, 1e-1)
SCALES = {"alpha / r": lambda r: 1.0, "alpha / sqrt r": lambda r: r**0.5, "no scale": lambda r: float(r)}
swept, best = {}, {}
for scale, alpha in SCALES.items():
    for r in SWEPT:
        for rate in RATES:
            if r > 1 or scale == "alpha / r":  # with rank 1 all three are one
                model = lora(LAST, r, alpha(r))(fresh(), np.random.default_rng([seed, 2]))
                losses = learn(model, tasks["language", seed], run.pick(60, 2), ROWS, rate, [seed, 1])
                swept[scale, r, rate] = float(np.mean(losses[-10:]))
        found = [swept[scale if r > 1 else "alpha / r", r, rate] for rate in RATES]
        best[scale, r] = RATES[int(np.argmin(found))]
rows = [[n, r, *(swept[n if r > 1 else "alpha / r", r, t] for t in RATES), best[n, r]] for n, r in best]
print(table(rows, ["scale", "r", *(f"rate {rate:g}" for rate in RATES), "best"]))

# %% [markdown]
# Each rate is about three times the one before, so take the last column for no more than that. Without the scale a
# large rank wants a smaller rate. With alpha / r it does not; if anything, a larger one: at the rate that suits rank 1
# it is slower than it could be. With alpha over the root of r both ranks have the same best rate. Hu et al. are right
# that one need not look far, and Kalajdzievski that large ranks are held back.
#
# Look at the last line again. Without a scale the best rate falls, but by far less than the rank grows. And the least
# loss of the whole table stands there. So a scale spares one the search for a rate; once we had searched, in these
# sixty steps, nothing was gained by it.
#
# ## Ten people, ten tasks, one base
#
# Ten languages, an adapter for each, all in the same base: rank 4 beside the matrices of the last block, with alpha =
# 1. What has to be changed for another task? And does another adapter really do something else?

# %%
TEN = [f"language{number}" for number in range(run.pick(10, 3))]
tasks |= {(name, seed): as_task(to_learn, name, seed) for name in TEN}
many = lora(LAST, 4, 1)(fresh(), np.random.default_rng(0))
for name in TEN:
    many.add_adapter(name, LoraConfig(LAST, r=4, lora_alpha=1), rng=np.random.default_rng(0))
    many.set_adapter(name)
    learn(many, tasks[name, seed], run.pick(120, 3), run.pick(12, 4), LORA_RATE, [seed, 6], name)
some_pages = [part[:60] for part in to_judge]
tests = {name: as_task(some_pages, name, seed) for name in TEN}
table_of_ten = np.zeros((len(TEN), len(TEN)))
for i, speaks in enumerate(TEN):
    begun = time.perf_counter()
    many.set_adapter(speaks)
    exchange_ms = 1000 * (time.perf_counter() - begun)
    for j, asked in enumerate(TEN):
        table_of_ten[i, j] = share_right(many, tests[asked])
own = np.diagonal(table_of_ten)
others = table_of_ten[~np.eye(len(TEN), dtype=bool)]
BYTES = {"one adapter": 4 * numbers["the last block", 4], "all weights": 4 * TOTAL}
print(f"right in its own language: {own.mean():.3f}, the worst {own.min():.3f}; in another's: {others.mean():.3f}")
print(f"bytes: {BYTES}")
print(f"ten networks: {10 * BYTES['all weights']}, one and ten adapters:", end=" ")
print(BYTES["all weights"] + 10 * BYTES["one adapter"])
print(f"exchanged in {exchange_ms:.2f} ms, which is a list of names set in six layers; no array is moved")

# %% [markdown]
# So another task means other names in a list, and to keep ten of them means 0.6 MB in place of 4.4, at four bytes a
# number. ("Exchanged" in the last line has nothing to do with the task of that name.)
#
# Nor need adapters take turns. In one batch each row can have its own: the rows of one adapter go through a layer
# together, and each row is computed once.

# %%
batch, names = to_judge[0][: len(TEN) + 1], [*TEN, BASE]
with no_grad():
    together = many(batch, adapter_names=names).numpy()
    one_by_one = []
    for row, name in zip(batch, names):
        one_by_one.append(many(row[None], adapter_names=[name]).numpy()[0])
mixed = float(np.abs(together - np.stack(one_by_one)).max() / np.abs(together).max())
print(f"a batch with {len(names)} adapters against one row at a time: {mixed:.1e} of the largest logit")
for name, logits in [*list(zip(names, together))[:3], (names[-1], together[-1])]:
    print(f"{name:12} says after the first question: {VOCABULARY[int(logits[AT[0]].argmax())]}")

# %% [markdown]
# ## And if it has to cost nothing?
#
# $W x + \frac{\alpha}{r} B A x = (W + \frac{\alpha}{r} B A)\, x$. So add it once, and throw A and B away: *merged*, a
# layer computes what it did, in one product instead of three. With an adapter that bends, as Houlsby's, that cannot be
# done. And the way back? One could subtract what was added, $\Delta W = \frac{\alpha}{r} B A$ (O, I). But floats round,
# and $W + \Delta W - \Delta W$ is not always $W$. The package keeps the old weights instead.

# %%
model = adapters["language", run.seeds[0]]
path = "blocks.1.mlp.down_proj"
layer = model.adapted()[path]
held = layer.base_layer.weight.numpy().copy()
a, b = (layer.adapters["default"].__dict__[n].numpy() for n in ("lora_A", "lora_B"))
with no_grad():
    beside = model(batch).numpy()
    model.merge_adapter()
    merged = model(batch).numpy()
    by_hand = held + b @ a  # alpha / r is 1
    distances["merged weight"] = float(np.abs(layer.base_layer.weight.numpy() - by_hand).max())
    model.unmerge_adapter()
merging = float(np.abs(merged - beside).max() / np.abs(beside).max())
back = int((layer.base_layer.weight.numpy() != held).sum())
subtracted = int((by_hand - b @ a != held).sum())
print(f"merged against unmerged: {merging:.1e} of the largest logit")
print(f"weights of {held.size} that are not what they were: {back} when kept, {subtracted} when subtracted")

# %% [markdown]
# ## What did not come true
#
# - A hundredth of the weights is near to all of them on two of three tasks, not on three, and not in every place where
#   we put it.
# - LoRA forgets less than full fine-tuning here, but it forgets: what saves the old skill is the switch.
# - Our first claim was that *danger* needs one direction. On some seeds it needs two.
# - The matrices beside which LoRA stood first were given up after seeds 0, 1 and 2 had been seen with them. On these
#   seeds the claim "no more than three in a hundred behind" had failed as well: it says ten now. So those three are no
#   test of either. Seeds 3, 4 and 5 are: they were run for the first time for the record that this page shows. The
#   other bounds were written after trials on other seeds.
#
# What is told of one seed alone may differ on others: the ranks and places, the ways at a thousand numbers, the facts,
# the rates and the ten languages.
#
# **Exercises**: 22.1 a layer with LoRA, 22.2 merge and unmerge, 22.3 the nearest matrix of rank r. `tgl chapter 22
# --mine` runs this page on your nearest matrix.

# %%
run.check("our parts against the package's", distances, at_most=EQUAL)
run.check("numbers of LoRA, of all weights", SMALL / TOTAL, at_most=A_HUNDREDTH)
of_others = {name: float(shares[4][name]) for name in ("random", "the weights")}
held_by_4 = {t: float(shares[4][t]) for t in TASKS}
run.check("of a change, in 4 directions", held_by_4, at_least=HALF, baseline=of_others, full_only=True)
for task, r in CUTS_TO.items():
    lost = [a - b for a, b in zip(cut_right[task][64], cut_right[task][r])]
    none = {"right with none": float(np.mean(cut_right[task][0]))}
    run.check(f"{task}, {r} of its directions: lost", lost, at_most=CUT_LOSES, baseline=none, full_only=True)
run.check("language, 1 of its directions: right", cut_right["language"][1], at_most=ONE_MOST, full_only=True)
run.check("random change as long: right", by_chance, at_most=CHANCE_MOST, full_only=True)
behind = {t: [a - b for a, b in zip(full[t], small[t])] for t in TASKS}
for task in ("danger", "language"):
    rule = {"right by the last line": last_line[task]}
    run.check(f"{task}, a hundredth: behind full", behind[task], at_most=MARGIN, baseline=rule, full_only=True)
run.check("exchange, a hundredth: behind full", behind["exchange"], at_least=NOT_LEVEL, full_only=True)
two = {"a hundredth": small["exchange"][0]}
run.check("exchange, every matrix", first_of["exchange", "every"], at_least=ELSEWHERE, baseline=two, full_only=True)
forgotten = {f"{n}, {t}": min(by[t]) - before for n, by in (("full", full_old), ("LoRA", small_old)) for t in TASKS}
run.check("forgotten, nats a token", forgotten, at_least=FORGOTTEN, full_only=True)
run.check("adapter off: another loss by", switched_off, equals=0)
run.check("by heart, all weights", heart["full"][1], at_least=BY_HEART, full_only=True)
run.check("by heart, rank 16", heart[16][1], at_most=WITH_16, baseline={"rank 1": heart[1][1]}, full_only=True)
apart = best["alpha / r", 64] / best["no scale", 64]
run.check("rank 64: best rate, alpha / r over none", apart, at_least=APART, full_only=True)
guess = {"last line": last_line["language"]}
run.check("ten languages: one's own", float(own.mean()), at_least=TEN_OWN, baseline=guess, full_only=True)
run.check("ten languages: another's", float(others.mean()), at_most=TEN_OTHERS, full_only=True)
run.check("merged against unmerged", merging, at_most=SINGLE)
run.check("numbers not back, unmerged", back, equals=0)
run.check("one batch, an adapter each", mixed, at_most=SINGLE)
run.report("full", full)
run.report("LoRA, a hundredth", small)
run.report("best rates", {f"{scale}, {r}": rate for (scale, r), rate in best.items()})
run.report("exchanged in, ms", exchange_ms)
run.finish()
