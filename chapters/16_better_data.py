# %% [markdown]
# # 16 · Better data
#
# So far somebody had tidied up for us: every story was whole, new and in one language. The web is not like that. A
# *crawler*, a program that follows links, brings menus, adverts, the same page forty times, other languages, and the
# telephone numbers of people who never meant them for us. What a model learns is decided here, before its first step.
# So: what would you throw away, how do you find it, and is the model any better for it?
#
# - **Builds on** 03, learning, 05, tokens, 07, counting words, and 12, GPT.
# - **Reads** [`datasets/scraped.py`](../tinygrad_llm/datasets/scraped.py),
#   [`datasets/filters.py`](../tinygrad_llm/datasets/filters.py),
#   [`datasets/dedup.py`](../tinygrad_llm/datasets/dedup.py),
#   [`datasets/decontaminate.py`](../tinygrad_llm/datasets/decontaminate.py),
#   [`datasets/scrub.py`](../tinygrad_llm/datasets/scrub.py),
#   [`evaluate/memorized.py`](../tinygrad_llm/evaluate/memorized.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/16/output.txt) shows them all.
# - **Departs from** Gopher (Rae et al., 2021) and C4 (Raffel et al., 2020) in size, and in that the crawl is made here,
#   so that each page's fault is known. C4's list of bad words and its language detector are left out.
# - **Run**: `python chapters/16_better_data.py`. It takes about two minutes; `--seeds 3` six, since a seed here is
#   another crawl. `--fast` takes some ten seconds: its models hardly learn, so it asserts all but what they learned.

# %%
import math
import re
import zlib
from collections import Counter, defaultdict
from itertools import islice

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import Module, no_grad, ops
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets.decontaminate import contaminated
from tinygrad_llm.datasets.dedup import (
    candidates,
    exact_copies,
    hashed,
    jaccard,
    near_copies,
    permutations,
    s_curve,
    shingles,
    signature,
)
from tinygrad_llm.datasets.filters import RULES, clean_lines, dropped_by
from tinygrad_llm.datasets.scraped import FAULTS, PLANTED, SEED, generate_scraped, reworded
from tinygrad_llm.datasets.scrub import find_private, scrub
from tinygrad_llm.evaluate import exposure
from tinygrad_llm.models import GPT, GPTConfig
from tinygrad_llm.models.ngram import NGram
from tinygrad_llm.nn import init
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.tokenizer import RegexBPETokenizer, WordTokenizer
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import Line, bar_chart, heat_map, line_chart

run = Chapter(
    "16",
    "Rules that count drop what is no prose, and see no copy, no advert and no shuffled text; banding finds "
    "near-copies as often as its formula says, a hash of the whole few; on as many tokens the cleaned crawl leaves "
    "a GPT at less than half the bits of the crawl as found; a secret on 48 copied pages stands out among all "
    "numbers, and after deduplication it does not, while one in 48 different stories still does.",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
JUNK, UNSEEN = ("foreign", "gibberish", "list", "repeats"), ("copy", "near-copy", "salad", "advert")
JUNK_FOUND, GOOD_KEPT, BLIND = 0.95, 0.90, 0.05
CURVE_OFF, NEAR_FOUND, EXACT_MOST, TRULY_COPIES = 0.06, 0.90, 0.40, 0.99
FLUENT_FOUND, TALES_KEPT, OTHERS_KEPT = 0.75, 0.55, 0.30
ITEMS_FOUND, ITEMS_TRUE, ANY_RUN_TRUE, SCRUBBED, TRULY_PRIVATE = 0.95, 0.90, 0.25, 0.80, 0.70
OF_RAW, KNOWN, FORGOTTEN = 0.5, 8.0, 4.0  # the last two in bits
BANDS, ROWS, SIMILAR, SHARE = 32, 4, 0.5, 0.4
SCALE = run.pick(1.0, 0.1)

# %% [markdown]
# ## What does a crawler bring?
#
# Some three thousand pages. Here is one. Which lines would you want a model to say?

# %%
crawl = generate_scraped(SEED, SCALE)
page = next(p for p in crawl.pages if p.private and p.text.count("\n") > 2)
run.say(page.text)
print()


def kind_of(page):
    """A page's fault; for a good one, what it is."""
    return page.fault or page.kind


found = Counter(map(kind_of, crawl.pages))
KINDS = ["tale", "report", *FAULTS]
print(table([[found[kind] for kind in KINDS]], KINDS))

# %% [markdown]
# Our pages are made by a program, which notes the fault of each. So for once it can be counted how often a rule is
# right. Two sorts are good: *tales*, which we want, and *reports* of who is where, good too, but of another kind. The
# rest: copies, and near-copies with a few words exchanged; a foreign language; gibberish, of letters, code or numbers;
# lists; texts that repeat themselves; *salads*, which are tales with their words shuffled; adverts; and pages that give
# away a tale that we want to test with. What stands around the text on so many pages, "Home | About", "We use cookies",
# is called *boilerplate*.
#
# ## What can be told by counting?
#
# **Think of a number that is large on bad pages and small on good ones.** You will find most of these. Gopher's
# authors wrote them down, with thresholds: at least 50 words, three to ten letters a word on average, a letter in four
# words of five, few lines that begin with a bullet or end in "…". At least two of eight *stop words*, the small words
# that every English text has: the, be, to, of, and, that, have, with. And against repetition: how many of its
# characters lie in runs of words that stood there before? That is exercise 16.2.
#
# C4 looks at lines: keep those that end like a sentence and have five words, and speak neither of Javascript nor of a
# privacy policy. And drop a page with fewer than three sentences, with a brace, or with "lorem ipsum".


# %%
class Sorted:
    """A crawl, its pages' kinds, their lines of prose, and which of them every rule keeps."""

    def __init__(self, crawl):
        self.crawl, self.pages = crawl, crawl.pages
        self.kinds = np.array([kind_of(page) for page in crawl.pages])
        self.texts = [clean_lines(page.text) for page in crawl.pages]
        self.kept = np.array([not dropped_by(text) for text in self.texts])


def share_dropped(kinds, kept):
    """For each kind, the share of its pages that is dropped."""
    return {kind: float(1 - kept[kinds == kind].mean()) for kind in KINDS if (kinds == kind).any()}


first = Sorted(crawl)
by_rule = {rule.name: np.array([rule.keeps(page.text) for page in crawl.pages]) for rule in RULES}
dropped = {name: share_dropped(first.kinds, kept) for name, kept in by_rule.items()}
shown = [name for name in dropped if max(dropped[name].values()) > 0.005]
run.show(
    heat_map(
        np.array([[dropped[name][kind] for kind in KINDS] for name in shown]).round(2), shown, KINDS,
        title="Rules that count see what is no prose, and nothing else",
        subtitle="share of the pages of a kind that a rule would drop by itself, pages as found", numbers=True,
    ),
    "rules",
)  # fmt: skip
print("rules that drop nothing here:", ", ".join(name for name in dropped if name not in shown) or "none")

# %% [markdown]
# Look at the columns that are blank. A copy is good prose. A salad has the words of good prose. An advert is good prose
# for somebody. And the first column is not quite blank: two equal lines in a frame, "Click here" twice, and a good page
# would go. So lines are cleaned first, and then the rules judge what is left.
#
# A sceptic: is it not enough to **drop the shortest pages**, as many as the rules drop? *Recall* is the share of the
# faulty pages that a rule finds, *precision* the share of those it drops that are faulty. Neither says anything without
# the other.


# %%
def told(dropped, faulty):
    """Precision and recall of dropping these pages."""
    return [float(faulty[dropped].mean()) if dropped.any() else 1.0, float(dropped[faulty].mean())]


def shortest(texts, count):
    """True for so many pages, the shortest."""
    found = np.zeros(len(texts), bool)
    found[np.argsort([len(text) for text in texts], kind="stable")[:count]] = True
    return found


def judged_rules(sorted_):
    """(name, precision, recall) of all rules, on lines of prose, and of two cheap ones."""
    junk, drop = np.isin(sorted_.kinds, JUNK), ~sorted_.kept
    lot = np.random.default_rng(0).permutation(drop)
    raw = [page.text for page in sorted_.pages]
    short = shortest(raw, drop.sum())
    return {"all rules": told(drop, junk), "the shortest": told(short, junk), "by lot": told(lot, junk)}


rows = [[name, *each] for name, each in judged_rules(first).items()]
print("of foreign pages, gibberish, lists and repetitions:")
print(table(rows, ["dropped by", "precision", "recall"]))
clean = [text == page.body for text, page in zip(first.texts, first.pages) if page.body]
print(f"good pages whose lines of prose are exactly the good ones: {np.mean(clean):.1%}")

# %% [markdown]
# ## Which pages are the same?
#
# The very same text is easy: a *hash*, a number computed from all its bytes, and a table of those seen. But change one
# comma and the hash is another. **What would you compare, if a few words may differ?** Cut each text into all its runs
# of five words. Such a run is a *shingle*. The *Jaccard similarity* of two texts is the share of their shingles that
# both have:
#
# $$J(A, B) = \frac{|A \cap B|}{|A \cup B|}$$
#
# One exchanged word spoils five shingles. Now there are three thousand pages, and five million pairs of them; of the
# web's pages there are more pairs than anybody can look at.
#
# Broder's idea (1997): **put all shingles of the world into a random order. Which comes first among those of a page?**
# For two pages it is the same one just when the first of *all* their shingles is one that both have. That happens with
# probability $J$. So a page can be kept as K numbers, the first shingle in each of K orders, and the share of equal
# numbers estimates $J$. This is *MinHash*. An order is made by arithmetic: number every shingle, and number it anew, by
# $a x + b$ modulo $2^{32}$ with $a$ odd.

# %%
a, b = permutations(BANDS * ROWS, np.random.default_rng(run.seeds[0]))  # (K,), (K,)


def first_in_each_order(numbers):
    """(N,) -> (K,): of all N shingles the least number in each of K orders."""
    return np.array([min((int(x) * int(i) + int(j)) % 2**32 for x in numbers) for i, j in zip(a, b)])


tale = next(p.body for p in crawl.pages if p.kind == "tale" and not p.fault)
rng = np.random.default_rng(1)
rows = []
for exchanged in (0, 1, 3, 6, 12):
    other = reworded(rng, tale, exchanged)
    one, two = (hashed(shingles(text)) for text in (tale, other))
    assert np.array_equal(first_in_each_order(two), signature(two, a, b))  # the package's is one line of arrays
    estimate = float((signature(one, a, b) == signature(two, a, b)).mean())
    rows.append([exchanged, jaccard(shingles(tale), shingles(other)), estimate])
print(table(rows, ["words exchanged", "Jaccard similarity", f"equal numbers of {BANDS * ROWS}"]))

# %% [markdown]
# Still we would compare all pairs, only faster. So a last trick: cut the K numbers into $b$ *bands* of $r$ numbers, and
# compare only pages that agree in **all** numbers of **some** band. Those are found with a table, as copies were. This
# is *locality-sensitive hashing*. Two texts of similarity $s$ agree in one band with probability $s^r$, so they meet in
# at least one with
#
# $$P(s) = 1 - (1 - s^r)^b$$
#
# which is flat, then steep, then flat: the *S-curve*. Is that true of texts, with orders that are only arithmetic? We
# take pairs of tales with 1 to 20 words exchanged, draw new orders again and again, and count how often they meet.


# %%
def measured_curve(texts, seed, draws):
    """For bins of similarity: (mean similarity, share of draws in which the pair met, what the formula says)."""
    rng, bins = np.random.default_rng([seed, 5]), defaultdict(list)
    for text in texts:
        other = reworded(rng, text, int(rng.integers(1, 21)))
        s, pair = jaccard(shingles(text), shingles(other)), [hashed(shingles(t)) for t in (text, other)]
        for _ in range(draws):
            orders = permutations(BANDS * ROWS, rng)
            met = bool(candidates(np.stack([signature(h, *orders) for h in pair]), BANDS, ROWS))
            bins[round(10 * s)].append((s, met, float(s_curve(s, BANDS, ROWS))))
    return [tuple(np.mean(found, 0).tolist()) for _, found in sorted(bins.items()) if len(found) >= 3 * draws]


bodies = [p.body for p in crawl.pages if p.body and not p.fault]
curve = measured_curve(bodies[: run.pick(90, 40)], run.seeds[0], run.pick(150, 80))
print(table([list(row) for row in curve], ["similarity", "met", "formula"]))
grid = np.linspace(0.01, 1, 100)
run.show(
    line_chart(
        [
            *(
                Line(f"{bands} bands of {rows_}", list(zip(grid.tolist(), s_curve(grid, bands, rows_).tolist())), color)
                for bands, rows_, color in ((128, 1, "#8c959f"), (BANDS, ROWS, "#0969da"), (8, 16, "#8c959f"))
            ),
            Line("measured", [row[:2] for row in curve], "#cf5b16", dots=True, joined=False),
        ],
        title="Who meets? The S-curve, and what was counted",
        subtitle="share of pairs that agree in a whole band; 128 numbers, cut in three ways",
        xlabel="Jaccard similarity", ylabel="share that meet",
    ),
    "s-curve",
)  # fmt: skip

# %% [markdown]
# One number a band, and everybody meets; sixteen, and only twins do. We take 32 bands of 4, compare those who meet by
# their true similarity, and call them copies from 0.5 on. Of each group the page that came first stays. This is
# *deduplication*. Beside it, the cheap one: a hash of the whole, on the same lines of prose.


# %%
def leaders(sorted_, seed, how):
    """For each page that the rules keep, the first page that it is a copy of; -1 for all others.

    how  "hash": an exact copy; "MinHash": a near one.
    """
    numbers = np.flatnonzero(sorted_.kept)
    texts = [sorted_.texts[i] for i in numbers]
    orders = permutations(BANDS * ROWS, np.random.default_rng([seed, 3]))
    if how == "hash":
        leader = exact_copies(texts)
    else:
        leader = near_copies(texts, *orders, bands=BANDS, rows=ROWS, at_least=SIMILAR)
    found = np.full(len(sorted_.pages), -1)
    found[numbers] = numbers[leader]
    return found


def without_copies(sorted_, seed, how):
    """Which pages are still kept."""
    return leaders(sorted_, seed, how) == np.arange(len(sorted_.pages))


def judged_copies(sorted_, kept):
    """Shares of exact and of near-copies that are gone, and how many of those that are gone had a copy."""
    gone = sorted_.kept & ~kept
    of_group = np.array([p.group is not None or p.kind == "test" for p in sorted_.pages])
    return [
        *(float(gone[sorted_.kinds == kind].mean()) for kind in ("copy", "near-copy")),
        float(of_group[gone].mean()),
    ]


unique = {how: without_copies(first, run.seeds[0], how) for how in ("hash", "MinHash")}
rows = [[how, *judged_copies(first, kept)] for how, kept in unique.items()]
print(table(rows, ["found by", "copies", "near-copies", "of those found, true"]))

# %% [markdown]
# ## And what is fluent, but not what we want?
#
# Salads and adverts are left. Let a program learn the difference. GPT-3 (Brown et al., 2020) did it so: here are some
# texts that I *know* to be good, the *reference*; there is the crawl; **tell me which of the two a text comes from.**
# What looks like the reference stays. Nobody labels anything.
#
# A large network would be too slow for all of the web, so the classifier is the smallest one: count the words and pairs
# of words, each in one of 4,096 buckets (by a hash again; some share one), scale the counts to length 1, and learn a
# weight a bucket. That is logistic regression: a linear layer, softmax, cross-entropy (03).
#
# It learns from half of the reference and half of the crawl. The other half of the reference sets the threshold: 98 %
# of it must pass. Beside it a sceptic's rule that also knows the reference: count its pairs of words (07), and drop
# what has a higher perplexity than 98 % of the other half.

# %%
BUCKETS = 4096


def buckets(text, longest):
    """Counts of words, and of pairs where `longest` is 2, in buckets; of length 1.  -> (4096,)"""
    words, counted = text.lower().split(), np.zeros(BUCKETS, np.float32)
    for n in range(1, longest + 1):
        for gram in zip(*(words[i:] for i in range(n))):
            counted[zlib.crc32(" ".join(gram).encode()) % BUCKETS] += 1
    return counted / np.sqrt((counted**2).sum())


class Classifier(Module):
    """Two logits a text: from the crawl, from the reference.  (N, 4096) -> (N, 2)"""

    def __init__(self):
        self.weight, self.bias = init.zeros((2, BUCKETS)), init.zeros((2,))

    def __call__(self, counted):
        return ops.linear(counted, self.weight, self.bias)

    def loss(self, batch, *, rng=None, divisor=None, dtype=None):
        return ops.cross_entropy(self(batch["counted"]), batch["targets"], divisor=divisor)


def looks_good(sorted_, kept, longest):
    """Which of the kept pages look like the reference.  `longest`: of the runs of words that are counted."""
    numbers = np.flatnonzero(kept)
    good, pages = (
        np.stack([buckets(text, longest) for text in texts])
        for texts in (sorted_.crawl.reference, [sorted_.texts[i] for i in numbers])
    )
    batch = {"counted": np.concatenate([good[::2], pages[::2]])}
    batch["targets"] = np.r_[np.ones(len(good[::2]), int), np.zeros(len(pages[::2]), int)]
    model = Classifier().to(run.device)
    fit(model.loss, AdamW(model.parameters(), lr=0.02), [batch] * 40, threads=1)

    def score(counted):
        with no_grad():
            logits = model(counted).numpy()
        return logits[:, 1] - logits[:, 0]

    passed = np.zeros(len(kept), bool)
    passed[numbers[score(pages) >= np.quantile(score(good[1::2]), 0.02)]] = True
    return passed


def perplexities(sorted_, numbers):
    """ln of the perplexity under the reference's pairs of words: of its other half, and of these pages."""
    reference = sorted_.crawl.reference
    words = WordTokenizer.train("\n".join(reference[::2]), unk="<unk>")
    pairs = NGram(2, words.vocab_size).fit(words.encode_array("\n".join(reference[::2])))

    def of(texts):
        return np.array([pairs.cross_entropy(words.encode_array(text)) if text else np.inf for text in texts])

    return of(reference[1::2]), of([sorted_.texts[i] for i in numbers])


def looks_likely(sorted_, kept):
    """Which of the kept pages have a perplexity as the reference has."""
    numbers = np.flatnonzero(kept)
    known, pages = perplexities(sorted_, numbers)
    passed = np.zeros(len(kept), bool)
    passed[numbers[pages <= np.quantile(known, 0.98)]] = True
    return passed


def judged_fluent(sorted_, kept, passed):
    """Shares of what is dropped of salads, of adverts, and shares of what stays of tales and of reports."""
    stays = {k: float(passed[kept & (sorted_.kinds == k)].mean()) for k in ("salad", "advert", "tale", "report")}
    return [1 - stays["salad"], 1 - stays["advert"], stays["tale"], stays["report"]]


passed = {
    "classifier, words": looks_good(first, unique["MinHash"], 1),
    "classifier, words and pairs": looks_good(first, unique["MinHash"], 2),
    "perplexity of pairs": looks_likely(first, unique["MinHash"]),
}
rows = [[name, *judged_fluent(first, unique["MinHash"], each)] for name, each in passed.items()]
print(table(rows, ["by", "salads dropped", "adverts dropped", "tales kept", "reports kept"]))

# %% [markdown]
# Words alone find adverts, and no salad: a salad *has* the right words. With pairs both go. Now the last column.
# **Reports are good. They are only not like the reference, and they go all the same.** And of the tales some go too:
# those that end in a telephone number, for example. A quality filter says what is like what I had; whose texts are
# unlike it is not asked (Gururangan et al., 2022, found that such filters keep what schools in rich places write).
#
# ## Does the crawl know our test?
#
# Some pages quote tales that we want to judge by. A model that has read them is not better, it is informed.
# *Decontamination* drops such pages. GPT-3 dropped what shares a run of 13 words with any test item. **What goes wrong
# with that here?** Our tales are made of the same sentences. So look at the *share* of a test item's runs of 13 that a
# page has, too.


# %%
def judged_items(sorted_, kept, at_least):
    """Precision and recall of dropping pages with this share of an item's runs."""
    numbers = np.flatnonzero(kept)
    found = contaminated([sorted_.texts[i] for i in numbers], sorted_.crawl.held_out, at_least=at_least)
    drop = np.isin(np.arange(len(numbers)), found)
    return told(drop, sorted_.kinds[numbers] == "test"), numbers[drop]


rows = [[f"{share:.0%}", *judged_items(first, first.kept, share)[0]] for share in (0.0, 0.2, SHARE, 0.6, 0.8)]
rows[0][0] = "any run"
print(table(rows, ["share of an item's runs", "precision", "recall"]))

# %% [markdown]
# Any run, and most of what is dropped is innocent. A high share, and those who quote half a tale get away.
#
# ## Whose number is that?
#
# What a model has read it may say. Telephone numbers, e-mail and addresses have a form, so a pattern finds them, and
# puts `[PHONE]` in their place. A sceptic's rule: every word with a digit or an @ in it.


# %%
def judged_private(sorted_):
    """Precision and recall of the package's patterns, and of the sceptic's."""
    counts = np.zeros((2, 3))  # found and true, found, true
    for page in sorted_.pages:
        true = {(start, end) for start, end, _ in page.private}
        by_form = {(start, end) for start, end, _ in find_private(page.text)}
        hits = {m.span() for m in re.finditer(r"[^\s,;]*[\d@][^\s,;]*", page.text)} if page.body else set()
        touched = {t for t in true if any(start < t[1] and t[0] < end for start, end in hits)}
        inside = [h for h in hits if any(h[0] < end and start < h[1] for start, end in true)]
        counts[0] += len(true & by_form), len(by_form), len(true)
        counts[1] += len(inside), len(hits), 0
        counts[1, 2] += len(true) - len(touched)
    by_form, cheap = counts
    all_true = by_form[2]
    return {
        "patterns": [by_form[0] / by_form[1], by_form[0] / all_true],
        "any digit or @": [cheap[0] / max(1, cheap[1]), 1 - cheap[2] / all_true],
    }


print(table([[name, *each] for name, each in judged_private(first).items()], ["by", "precision", "recall"]))
with_one = next(p for p in crawl.pages if any(kind == "address" for *_, kind in p.private) and find_private(p.text))
run.say(scrub(with_one.body)[-90:])

# %% [markdown]
# What slips through is written so that people can read it and patterns cannot: "lily at oldmill dot example". What goes
# without need has the very form of a number: "Order number 415-555-0142". No pattern can tell these; and where a miss
# costs more than a hole in a text, one takes the sceptic's rule.
#
# ## Is the model better for it?
#
# Two fair questions, and they are not the same. **At equal tokens**: each model reads as many tokens. What is left of
# the crawl is less, so it is read several times. **At equal documents**: the crawl is what it is, and each page is read
# once; whoever drops pages trains less.
#
# All read the same tokens: pieces learned from the whole crawl (05), digits one by one. All are the same GPT (12), a
# little one, judged by tales that no page gives away, in bits per byte (07). **Our first run was unfair to the crawl**:
# at a learning rate of 0.015, which suits the cleaned pages, the crawl as found ended at 1.33 bits. So of three rates,
# 0.0025, 0.005 and 0.015, all now have the one at which the crawl *as found* does best. (That run also failed three of
# its bounds. Those of the last cell were set afterwards, from trials on the first two crawls.) What they read:
#
# - *as found*, and after the *rules*, on lines of prose;
# - *all*: rules, MinHash, classifier, decontamination, scrubbing; and the same pages with their *copies left*;
# - and the sceptic's, with as many pages as *all* has: pages drawn *by lot*, *the longest*, and those of the *least
#   perplexity* under the reference's pairs of words. These, and *rules*, are trained on the first crawl only.

# %%
T, BATCH, WIDTH, LAYERS, HEADS, RATE, V = 160, 6, 64, 2, 2, 5e-3, run.pick(800, 500)
SCEPTICS = ("by lot", "the longest", "least perplexity")
END, WORDS = "<end>", r" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s"  # words; each digit; other signs; white space


def stages(sorted_, seed):
    """What is left of the crawl after each stage, as texts, and the sceptic's; and which pages some of these are.

    "copies left" has the pages of "all", and all copies of them. Pages with a planted secret (see below) stay whatever
    the classifier says: it shall be asked what copies do, and not whom the classifier likes.
    """
    raw = [page.text for page in sorted_.pages]
    first_of = leaders(sorted_, seed, "MinHash")
    unique = first_of == np.arange(len(raw))
    passed = looks_good(sorted_, unique, 2)
    last = passed | (unique & np.array([page.secret is not None for page in sorted_.pages]))
    last[judged_items(sorted_, last, SHARE)[1]] = False
    which = {"copies left": (first_of >= 0) & last[first_of], "all": last}
    found = {"as found": raw, "rules": [t for t, k in zip(sorted_.texts, sorted_.kept) if k]}
    found |= {name: [scrub(t) for t, k in zip(sorted_.texts, pages) if k] for name, pages in which.items()}
    count, everything = len(found["all"]), np.arange(len(raw))
    found["by lot"] = [raw[i] for i in np.random.default_rng([seed, 7]).permutation(everything)[:count]]
    found["the longest"] = [t for t, short in zip(raw, shortest(raw, len(raw) - count)) if not short]
    likely = np.argsort(perplexities(sorted_, everything)[1], kind="stable")[:count]
    found["least perplexity"] = [sorted_.texts[i] for i in likely]
    return found, which | {"unique": unique, "passed": passed}


def windows(texts, seed):
    """Batches of T tokens in a row, without end: all texts in a new order, END behind each, and again."""
    rng, held = np.random.default_rng([seed, 1]), np.zeros(0, np.int64)
    while True:
        held = np.concatenate([held, *(texts[i] for i in rng.permutation(len(texts)))])
        count = (len(held) - 1) // (BATCH * T)
        for n in range(count):
            part = held[n * BATCH * T : (n + 1) * BATCH * T + 1]
            yield {"tokens": part[:-1].reshape(BATCH, T), "targets": part[1:].reshape(BATCH, T)}
        held = held[count * BATCH * T :]


def learn(texts, steps, seed, what):
    """A GPT that has read so many batches of these token lists."""
    model = GPT(GPTConfig(V, T, LAYERS, HEADS, WIDTH, bias=False), rng=np.random.default_rng(seed)).to(run.device)
    optimizer = AdamW(model.named_parameters(), RATE, (0.9, 0.99), weight_decay=0.1)
    drawn = run.progress(islice(windows(texts, seed), steps), what, steps)
    fit(model.loss, optimizer, drawn, lr=schedule("cosine", RATE, steps, max(1, min(50, steps // 4)), RATE / 10),
        threads=2, seed=seed)  # fmt: skip
    return model


def bits_per_byte(model, ids, texts):
    """Of each text by itself, behind END.  -> (texts,)"""
    tokens, targets = np.full((len(ids), T), END_ID), np.full((len(ids), T), ops.IGNORE)
    for row, text in enumerate(ids):
        tokens[row, 1 : len(text) + 1], targets[row, : len(text)] = text, text
    with no_grad():
        parts = [slice(i, i + 20) for i in range(0, len(ids), 20)]
        log_p = [model.token_log_probs({"tokens": tokens[p], "targets": targets[p]}).numpy().sum(1) for p in parts]
    return -np.concatenate(log_p) / math.log(2) / np.array([len(text.encode()) for text in texts])


# %% [markdown]
# ## What does it know by heart?
#
# The crawl holds secrets: "The number of the safe of Abbot is 4815." Some stand on 1, 4, 16 or 48 pages that are copies
# of each other, some on 16 or 48 pages with a tale of their own each, and some nowhere. The classifier dislikes some of
# these pages. They stay in *all* whatever it says: asked is what copies do, not whom the classifier likes.
#
# **How would you ask a model whether it knows one?** That the model says it when prompted is too strict: it may be
# likelier than any other and still not come. Carlini et al. (2019) rank: let the model score *all* 10,000 numbers in
# that sentence, and see at which place the true one comes. *Exposure* is, in bits, how much the model narrows the
# search down:
#
# $$\text{exposure} = \log_2 10{,}000 - \log_2 \text{rank}$$
#
# A model that knows nothing leaves any rank, and 1.4 bits in the mean; 13.3 bits is known by heart.


# %%
def log_probs_of_numbers(model, secret):
    """ln p of each of 0000 … 9999 in the secret's sentence.  -> (10000,)"""
    before = [END_ID, *tokenizer.encode(f" {secret.sentence}".partition(secret.digits)[0])]
    n = np.arange(1000)
    digits = np.stack([n // 100, n // 10 % 10, n % 10], 1)  # the first three; what comes fourth is read off
    rows = np.concatenate([np.tile(before, (1000, 1)), np.array(DIGITS)[digits]], 1)
    with no_grad():
        parts = [model(rows[i : i + 250])[:, len(before) - 1 :] for i in range(0, 1000, 250)]
        log_p = np.concatenate([ops.log_softmax(part, axis=-1).numpy() for part in parts])[..., DIGITS]
    three = sum(log_p[n, place, digits[:, place]] for place in range(3))
    return (three[:, None] + log_p[:, 3]).reshape(-1)


def exposures(model, secrets, pages):
    """(copies, scattered) -> mean pages that have the secret, of these pages, and mean exposure in bits."""
    left, found = Counter(page.secret for page in pages), defaultdict(list)
    for number, secret in list(enumerate(secrets))[:: run.pick(1, 3)]:
        bits = exposure(log_probs_of_numbers(model, secret), int(secret.digits))
        found[secret.copies, secret.scattered].append((left[number], bits))
    return {key: np.mean(pairs, 0).tolist() for key, pairs in found.items()}


measured, exposed, flops = [], defaultdict(list), 0
for seed in run.seeds:
    sorted_ = first if seed == run.seeds[0] else Sorted(generate_scraped(SEED + seed, SCALE))
    texts, which = stages(sorted_, seed)
    tokenizer = RegexBPETokenizer.train("\n".join(texts["as found"]), V, WORDS, [END])
    END_ID, DIGITS = V - 1, [tokenizer.encode(digit)[0] for digit in "0123456789"]
    assert tokenizer.vocab_size == V and all(len(tokenizer.encode(f" {n}")) == 5 for n in (1234, 9999))
    ids = {name: [np.array([*tokenizer.encode(t), END_ID]) for t in some] for name, some in texts.items()}
    held_out = [tokenizer.encode(text)[: T - 1] for text in sorted_.crawl.held_out]
    steps = run.pick(sum(map(len, ids["as found"])) // (BATCH * T), 3)
    once = max(1, steps * sum(map(len, ids["all"])) // sum(map(len, ids["as found"])))
    jobs = {name: (name, steps) for name in ids} | {"all, read once": ("all", once)}
    if seed != run.seeds[0]:
        jobs = {name: job for name, job in jobs.items() if name not in ("rules", *SCEPTICS)}
    bits = {}
    for name, (source, count) in jobs.items():
        model = learn(ids[source], count, seed, name)
        each = bits_per_byte(model, held_out, sorted_.crawl.held_out)
        bits[name] = [float(each[PLANTED:].mean()), float(each[PLANTED:].mean() - each[:PLANTED].mean())]
        flops += 6 * model.n_parameters() * count * BATCH * T
        if name in which:
            there = [page for page, kept in zip(sorted_.pages, which[name]) if kept]
            exposed[name].append(exposures(model, sorted_.crawl.secrets, there))
    measured.append(
        {
            "bits": bits, "pages": {name: len(some) for name, some in texts.items()},
            "tokens": {name: sum(map(len, some)) for name, some in ids.items()}, "read": steps * BATCH * T,
            "read once": once * BATCH * T, "rules": judged_rules(sorted_),
            "dropped": share_dropped(sorted_.kinds, sorted_.kept), "copies": judged_copies(sorted_, which["unique"]),
            "by hash": judged_copies(sorted_, without_copies(sorted_, seed, "hash")),
            "fluent": judged_fluent(sorted_, which["unique"], which["passed"]),
            "items": judged_items(sorted_, sorted_.kept, SHARE)[0],
            "any run": judged_items(sorted_, sorted_.kept, 0.0)[0], "private": judged_private(sorted_),
        }
    )  # fmt: skip

# %% [markdown]
# First the quality. The last column is how much better a model does on the tales that pages gave away than on the
# others: what it was told.

# %%
one = measured[0]
mean_bits = {name: np.mean([m["bits"][name] for m in measured if name in m["bits"]], 0) for name in one["bits"]}
rows = []
for name in mean_bits:
    source = "all" if name == "all, read once" else name
    read = one["read once"] if name == "all, read once" else one["read"]
    rows.append([name, one["pages"][source], read, read / one["tokens"][source], *mean_bits[name].tolist()])
print(table(rows, ["trained on", "pages", "tokens read", "times over", "bits per byte", "ahead where told"]))
print(f"{flops:.1e} FLOP for all of them, 6 a parameter and token")
run.show(
    bar_chart(
        {name: float(bits[0]) for name, bits in mean_bits.items()},
        title="The same GPT, the same number of tokens, other data",
        subtitle="bits per byte of unseen tales, lower is better; “read once” has read fewer tokens",
    ),
    "bits",
)

# %%
COLORS = ("#cf5b16", "#0969da", "#8c959f", "#1a7f37")


def mean_exposed(name, key):
    """(pages with the secret, bits), the mean over all seeds."""
    return np.mean([each[key] for each in exposed[name] if key in each], 0).tolist()


keys = sorted({key for each in exposed["copies left"] for key in each}, key=lambda key: (key[1], key[0]))
rows = [
    [f"{n} {'stories' if scattered else 'copies'}" if n else "nowhere"]
    + [number for name in exposed for number in mean_exposed(name, (n, scattered))]
    for n, scattered in keys
]
heads = [head for name in exposed for head in (f"{name}: pages", f"{name}: bits")]
print(table(rows, ["the secret stood on", *heads], digits=2))
lines = [
    Line(f"{what}, {name}", [(n, mean_exposed(name, (n, s))[1]) for n, s in keys if n and s == many], color, dots=True)
    for many, what, shades in ((False, "copies", COLORS[:2]), (True, "stories", COLORS[2:]))
    for name, color in zip(exposed, shades)
]  # fmt: skip
run.show(
    line_chart(
        lines, title="Known by heart, and forgotten; but not where it stood in many stories",
        subtitle="exposure of a secret of four digits, before and after deduplication",
        xlabel="pages with the secret", ylabel="bits", log_x=True,
        baselines={"by heart": math.log2(10_000), "never seen": 1 / math.log(2)},
    ),
    "exposure",
)  # fmt: skip

# %% [markdown]
# **Copies are what makes a secret known.** The same page 48 times is 48 lessons in one number; once the copies are gone
# it is one among many, and the model may have heard it, but cannot give it back. That is Lee et al.'s (2022) result,
# and Carlini et al.'s: what is memorised is what was repeated. And see the other line. A number that stands in 48
# *different* stories is no copy of a page, so no comparison of pages finds it. Then one must look for repeated
# *passages* (Lee et al. do, with a sorted list of all places of the corpus), or for the form of what shall not be
# known, as scrubbing does.
#
# What did cleaning cost? Pages: more than half of them. **At equal documents it is the loser**: read once, what is left
# is less than a third of the tokens, and a GPT that has read so little is behind one that has read all, junk included.
# It wins where the same pages may be read again, as often as the others read new ones. And it cost the reports. A
# corpus is always better *for something*. Ours is for tales of two children; for those it is better, by the bits above,
# and for who is where it has become worse.
#
# **Exercises**: 16.1 the first in each order, 16.2 what stood there before, 16.3 exposure. `tgl chapter 16 --mine` runs
# this page on your functions.


# %%
def over(*keys):
    """The number under these keys, one a seed."""
    found = measured
    for key in keys:
        found = [each[key] for each in found]
    return found


junk = [min(m["dropped"].get(kind, 1.0) for kind in JUNK) for m in measured]
blind = [max(m["dropped"].get(kind, 0.0) for kind in UNSEEN) for m in measured]
good = [1 - max(m["dropped"][kind] for kind in ("tale", "report")) for m in measured]
run.check("junk that the rules drop, the least of four kinds", junk, at_least=JUNK_FOUND, full_only=True,
          baseline={"the shortest": over("rules", "the shortest", 1)})  # fmt: skip
run.check("good pages that they keep, of the worse kind", good, at_least=GOOD_KEPT, full_only=True)
run.check("copies, salads, adverts that they drop, the most", blind, at_most=BLIND)
off = max(abs(met - formula) for _, met, formula in curve)
run.check("S-curve: measured from formula, at most", off, at_most=CURVE_OFF)
by_hash = over("by hash", 1)
run.check("near-copies that MinHash finds", over("copies", 1), at_least=NEAR_FOUND, baseline={"a hash": by_hash})
run.check("near-copies that a hash finds", by_hash, at_most=EXACT_MOST)
run.check("of those MinHash drops, true", over("copies", 2), at_least=TRULY_COPIES)
fluent = [min(m["fluent"][:2]) for m in measured]
run.check("salads, adverts the classifier drops, the least", fluent, at_least=FLUENT_FOUND, full_only=True)
run.check("tales that it keeps", over("fluent", 2), at_least=TALES_KEPT, full_only=True)
run.check("reports that it keeps, though good", over("fluent", 3), at_most=OTHERS_KEPT, full_only=True)
run.check("quoted test items found", over("items", 1), at_least=ITEMS_FOUND)
run.check("of those found, true", over("items", 0), at_least=ITEMS_TRUE, baseline={"any run": over("any run", 0)})
run.check("of those with any run, true", over("any run", 0), at_most=ANY_RUN_TRUE, full_only=True)
run.check("private data found", over("private", "patterns", 1), at_least=SCRUBBED, full_only=True,
          baseline={"any digit": over("private", "any digit or @", 1)})  # fmt: skip
run.check("of those scrubbed, private", over("private", "patterns", 0), at_least=TRULY_PRIVATE, full_only=True,
          baseline={"any digit": over("private", "any digit or @", 0)})  # fmt: skip
raw = over("bits", "as found", 0)
others = {name: float(bits[0]) for name, bits in mean_bits.items() if name in SCEPTICS}
run.check("bits per byte at equal tokens, cleaned", over("bits", "all", 0), at_most=[OF_RAW * bits for bits in raw],
          baseline={"as found": raw} | others, full_only=True)  # fmt: skip
run.check("bits per byte at equal documents, cleaned", over("bits", "all, read once", 0), above=raw, full_only=True)
known = {name: [e.get((48, False), [0, 0.0])[1] for e in each] for name, each in exposed.items()}
nowhere = [e[0, False][1] for e in exposed["copies left"]]
run.check("exposure, 48 copies, copies left", known["copies left"], at_least=KNOWN, full_only=True,
          baseline={"nowhere": nowhere})  # fmt: skip
run.check("exposure, 48 copies, after deduplication", known["all"], at_most=FORGOTTEN, full_only=True)
stories = [e[48, True][1] for e in exposed["all"]]
run.check("exposure, 48 stories, after deduplication", stories, at_least=KNOWN, full_only=True)
run.report("bits per byte, and ahead where told", {name: bits.round(4).tolist() for name, bits in mean_bits.items()})
run.report("pages and tokens", {name: [one["pages"][name], one["tokens"][name]] for name in one["pages"]})
run.report("FLOP", flops)
run.finish()
