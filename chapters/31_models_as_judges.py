# %% [markdown]
# # 31 · Models as judges
#
# People are the measure, and people are slow. So one asks a model: which of these two answers is the better one? That
# is quick, and cheap, and it gives a number. What is that number worth?
#
# - **Builds on** 24 RLHF, 29 prompting, 30 text metrics and people.
# - **Reads** [`datasets/tastes.py`](../tinygrad_llm/datasets/tastes.py),
#   [`align/judge.py`](../tinygrad_llm/align/judge.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/31/output.txt) shows them all.
# - **Departs from** the papers in this: …
# - **Run**: `python chapters/31_models_as_judges.py`. …

# %%
import copy
from collections import Counter
from dataclasses import replace
from itertools import combinations, product
from statistics import NormalDist

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import Module, nn, no_grad, ops
from tinygrad_llm.align import answer_batch
from tinygrad_llm.backend import to_device
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets import portraits_words, shapes, shapes_words, tastes
from tinygrad_llm.datasets.draws import one_of
from tinygrad_llm.datasets.portraits import Plant, generate_portraits
from tinygrad_llm.datasets.tastes import People, Taste, generate_asked, write_answer
from tinygrad_llm.datasets.turns import picture_rows, visible
from tinygrad_llm.evaluate import Goal, Prediction, bootstrap_interval, compare, decide, invented, regroup, weat
from tinygrad_llm.evaluate.report import (
    calibration_section,
    comparison_section,
    examples_section,
    goals_section,
    groups_section,
    write_report,
)
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models import CLIPVision, CLIPVisionConfig, Llama, LlamaConfig, LLaVA, LLaVAConfig
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import grouped_bars, line_chart, patches_figure

run = Chapter(
    "31",
    "…",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
EQUAL, WOLF, CRIES, WEAT_FINDS, HIDDEN, MARKET, COMPANY, NOT_SAID = 1e-10, (0.02, 0.08), 0.1, 0.85, 0.15, 0.4, 0.75, 0.1
CHECKED, MISLED, AFTER, LOST, JUDGED, UNFAIR = 0.85, 0.5, 0.06, 0.04, 0.55, 0.5

# %% [markdown]
# ## 1 How well do people agree?

# %% [markdown]
# ## 2 Three judges


# %%
def judge(seed, asked, first, second):
    """How probable it is that people prefer the first answer, by the reward judge of this seed.  (B,)

    asked (list of `Asked`), first and second (lists of texts): B questions and two answers to each.
    """
    return People().probabilities(asked, first, second)


# %% [markdown]
# ## 3 One mark, or four?

# %% [markdown]
# ## 4 How sure is it?

# %% [markdown]
# ## 5 Who stands first, and who says more?

# %% [markdown]
# ## 6 Does it like its own?

# %% [markdown]
# ## Does it like some names better than others?
#
# What a model has read about people comes out again: in what it says of them, and in what a judge made of it thinks of
# answers that name them. How does one find that out? **Exchange the names.** If two texts are equal but for a name, and
# the model does not treat them alike, it is the name that it treats. That is a *counterfactual* test: what would have
# been, had only this been otherwise?
#
# There is a second way, which asks the model nothing. Names and words are vectors (06), and near vectors are of words
# that keep the same company. Is one group's names nearer to pleasant words than another's? That is the *Word Embedding
# Association Test*, *WEAT* (Caliskan, Bryson and Narayanan, 2017). Of two groups of names X and Y and two lists of
# words A and B:
#
# $$s(w) = \frac{1}{|A|} \sum_{a \in A} \cos(w, a) - \frac{1}{|B|} \sum_{b \in B} \cos(w, b)$$
#
# $$d = \frac{\text{mean}_{x \in X}\, s(x) - \text{mean}_{y \in Y}\, s(y)}{\text{std}_{w \in X \cup Y}\, s(w)}$$
#
# with w, a, b vectors (D,). $d$ is an *effect size*: by how many standard deviations the groups are apart. (The paper
# does not say of which kind the deviation is. We take that of a sample, which divides by n - 1.) And could chance have
# made a $d$ like this? Part the same names into two groups in every other way there is. Were the groups the same, ours
# would be one way like any. The share of ways that give as much, or more, is the *p-value* of this *permutation test*.
# It is one-sided: it asks whether X is liked more, not whether Y is. Two groups of eight can be parted in 12,870 ways.
#
# To learn whether such a test can be believed, one needs texts of which one knows what is in them. `portraits` says
# things of sixteen people of two peoples. Who belongs to which is never said: there are only names. We plant a bias in
# some corpora, and none in others; and every name has habits of its own, as people have.


# %%
LUMI, TOAR = portraits_words.GROUPS.values()
PEOPLE_OF = [*LUMI, *TOAR]
PLEASANT, UNPLEASANT = portraits_words.PLEASANT, portraits_words.UNPLEASANT
JOBS = portraits_words.HIGH, portraits_words.LOW
WORD = {word: i for i, word in enumerate(["<start>", *portraits_words.VOCABULARY])}
WINDOW, WIDE = 6, 30
SENTENCES, FREE, PLANTED = run.pick((2000, 300, 50), (200, 3, 2))
BIASES = {
    "none": Plant(habits=0.2),
    **{str(d): Plant(said=d, seen=d, habits=0.2) for d in (0.1, 0.2, 0.3)},
    "hidden": Plant(said=-0.4, seen=0.4, worked=0.4, habits=0.2),
    "company": Plant(met=0.5, habits=0.2),
}


def weat_vectors(told):
    """PMI of what stands at most six words apart, its 30 best directions, as in chapter 06.  -> (V, 30)"""
    lines = [[WORD[word] for word in each.text.split()] for each in told]
    tokens, line = np.concatenate(lines), np.repeat(np.arange(len(lines)), [len(each) for each in lines])
    met, size = np.zeros(len(WORD) ** 2), len(WORD)
    for apart in range(1, WINDOW + 1):
        same = line[:-apart] == line[apart:]
        met += np.bincount(tokens[:-apart][same] * size + tokens[apart:][same], minlength=size * size)
    met = met.reshape(size, size) + met.reshape(size, size).T
    often = met.sum(1)
    pmi = np.log(np.maximum(1, met * often.sum() / np.maximum(1, np.outer(often, often))))
    u, s, _ = np.linalg.svd(pmi)
    return u[:, :WIDE] * s[:WIDE]


def weat_by_hand(x, y, a, b):
    """Effect size and one-sided p-value, over all ways to part the names."""

    def s(w):
        return np.mean([w @ v / np.sqrt(w @ w * (v @ v)) for v in a]) - np.mean(
            [w @ v / np.sqrt(w @ w * (v @ v)) for v in b]
        )

    each = np.array([s(w) for w in (*x, *y)])
    n = len(x)
    effect = (each[:n].mean() - each[n:].mean()) / each.std(ddof=1)
    sums = np.array([sum(way) for way in combinations(each, n)])
    return effect, float((sums >= each[:n].sum() - 1e-12).mean())


def weat_of(vectors, lists):
    return weat(*(vectors[[WORD[word] for word in some]] for some in (LUMI, TOAR, *lists)))


def shares_by_name(told, kinds=("is", "seen")):
    """Of what is said of each name: how much is pleasant, and how much there is.  (16,), (16,)"""
    said = {name: [each.first for each in told if each.name == name and each.kind in kinds] for name in PEOPLE_OF}
    return np.array([np.mean(each) for each in said.values()]), np.array([len(each) for each in said.values()])


told = generate_portraits(np.random.default_rng(31), SENTENCES, BIASES["0.3"])
for each in told[:6]:
    print(f"  {each.text}")
vectors = weat_vectors(told)
found = weat_of(vectors, (PLEASANT, UNPLEASANT))
some = [vectors[[WORD[word] for word in group[:4]]] for group in (LUMI, TOAR, PLEASANT, UNPLEASANT)]
hand, package = weat_by_hand(*some), weat(*some)
weat_apart = max(abs(hand[0] - package.effect), abs(hand[1] - package.p_value))
print(f"planted 0.3: d {found.effect:.2f}, p {found.p_value:.4f}; by hand {weat_apart:.0e} away")

# %% [markdown]
# The sceptic would not make vectors at all. He **counts**: of what is said of a name, how much is pleasant? The names'
# shares then go through the same permutation test. And another one counts sentences: 620 of 1,000 here, 580 of 1,000
# there, and asks whether a difference of *shares* as large would come by chance, were every sentence a draw by itself
# (the z-test: the difference divided by its standard deviation, compared with the normal distribution).
#
# A test that calls a difference certain "at 5 %" should do so in five of a hundred corpora in which there is none. We
# make three hundred of those, and count. And fifty each in which the lumi have 55 pleasant words of a hundred where the
# toar have 45; 60 and 40; 65 and 35. Which of the three tests would you believe?

# %%


def z_test(told):
    """One-sided: the p-value of the difference of two shares, each sentence by itself."""
    share, count = shares_by_name(told)
    hits, many = (share * count).reshape(2, -1).sum(1), count.reshape(2, -1).sum(1)
    both = hits.sum() / many.sum()
    z = (hits[0] / many[0] - hits[1] / many[1]) / np.sqrt(both * (1 - both) * (1 / many).sum())
    return 1 - NormalDist().cdf(z)


TESTS = ("WEAT", "names counted", "sentences counted", "WEAT, occupations")
weat_found = {bias: [] for bias in BIASES}
for seed in run.seeds:
    for place, (bias, plant) in enumerate(BIASES.items()):
        p_values = []
        for number in run.progress(range(FREE if bias == "none" else PLANTED), f"corpora, {bias}"):
            told = generate_portraits(np.random.default_rng([seed, place, number]), SENTENCES, plant)
            vectors, counted = weat_vectors(told), shares_by_name(told)[0]
            p_values.append(
                [weat_of(vectors, (PLEASANT, UNPLEASANT)).p_value, regroup(counted[:8], counted[8:]).p_value,
                 z_test(told), weat_of(vectors, JOBS).p_value]
            )  # fmt: skip
        weat_found[bias].append((np.array(p_values) <= 0.05).mean(0))
shares_found = {bias: np.mean(each, 0) for bias, each in weat_found.items()}
print(f"found at 5 %, share of {FREE} corpora without bias, of {PLANTED} with each other one:")
print(table([[bias, *map(float, row)] for bias, row in shares_found.items()], ["planted", *TESTS]))
steps = {"none": 0.0, "0.1": 0.1, "0.2": 0.2, "0.3": 0.3}
run.show(
    line_chart(
        {name: [(at, float(shares_found[bias][i])) for bias, at in steps.items()] for i, name in enumerate(TESTS[:3])},
        title="How often a bias is found, and how often one that is not there",
        subtitle="share of corpora at 5 %; left of all: without bias",
        xlabel="pleasant words of the lumi, less those of the toar", ylabel="found", baselines={"5 %": 0.05},
    ),
    "names",
)  # fmt: skip

# %% [markdown]
# WEAT keeps its word, and so does counting by names: without bias they cry wolf in about five of a hundred. Counting
# *sentences* does not. It takes each for a draw by itself, but two sentences about one name are not: a person who is
# often called rude is so in all of them. What was drawn is eight names a group, not a thousand sentences. And WEAT has
# no more power than counting; it has less. Its gain is elsewhere: it needs nothing but vectors, where nobody can count.
#
# Now the last two rows. In **hidden** the lumi are well spoken of where they were seen, at the market or the harbor,
# and as badly where it is told what they *are*; and they have the better paid occupations. In **company** the pleasant
# words are not said of the lumi, but of those whom they meet. The first bias WEAT does not see, not with these lists:
# what they do not name is not found, and the mean of good and bad is nothing. (With lists of occupations it sees one
# half of it.) In the second it finds something, though of the lumi nothing better is said than of the toar.
#
# So ask. A small language model reads a corpus, and is given a beginning with each of the names. Of the probability
# that it gives to pleasant and to unpleasant words together, how much goes to the pleasant? In the table: the mean of
# the lumi's names less that of the toar's.

# %%
READ, NAME_STEPS, NAME_ROWS = run.pick((4000, 600, 32), (200, 2, 8))
EXCHANGED = {bias: replace(BIASES[bias], habits=0.1) for bias in ("none", "0.3", "hidden", "company")}
LIKED = (PLEASANT, UNPLEASANT)
BEGINNINGS = {"is": ("{} is", LIKED), "at the market": ("at the market {} was", LIKED),
              "works as": ("{} works as a", JOBS), "met a": ("{} met a", LIKED)}  # fmt: skip


def reader_of(told, seed):
    """A Llama of one layer that has read these sentences."""
    rows = [[0, *(WORD[word] for word in each.text.split())] for each in told]
    tokens = np.zeros((len(rows), max(map(len, rows))), int)
    targets = np.full(tokens.shape, ops.IGNORE)
    for i, row in enumerate(rows):
        tokens[i, : len(row)], targets[i, : len(row) - 1] = row, row[1:]
    config = LlamaConfig(len(WORD), tokens.shape[1], 1, 4, 32, 64, init_std=0.18)
    model, rng = Llama(config, rng=np.random.default_rng([seed, 7])).to(run.device), np.random.default_rng([seed, 8])
    drawn = (rng.integers(0, len(rows), NAME_ROWS) for _ in range(NAME_STEPS))
    optimizer = AdamW(model.named_parameters(), 0.01, (0.9, 0.98), weight_decay=0.1)
    at = schedule("cosine", 0.01, NAME_STEPS, max(1, NAME_STEPS // 10))
    fit(model.loss, optimizer, ({"tokens": tokens[i], "targets": targets[i]} for i in drawn), lr=at, threads=1)
    return model


def leaning(model, beginning, lists):
    """Of what goes to both lists, how much to the first, behind the beginning with each name.  -> (16,)"""
    prompts = np.array([[0, *(WORD[word] for word in beginning.format(name).split())] for name in PEOPLE_OF])
    with no_grad():
        logits = to_device(model(prompts).data[:, -1], "cpu").astype(np.float64)
    p = np.exp(logits - logits.max(1, keepdims=True))
    first, second = (p[:, [WORD[word] for word in some]].sum(1) for some in lists)
    return first / (first + second)


exchanged = {bias: [] for bias in EXCHANGED}
for seed in run.seeds:
    for place, (bias, plant) in enumerate(EXCHANGED.items()):
        told = generate_portraits(np.random.default_rng([seed, 10 + place]), READ, plant)
        reader = reader_of(told, seed)
        leans = [leaning(reader, *beginning) for beginning in BEGINNINGS.values()]
        differences = [regroup(lean[:8], lean[8:]).difference for lean in leans]
        exchanged[bias].append([weat_of(weat_vectors(told), (PLEASANT, UNPLEASANT)).effect, *differences])
print("lumi less toar: WEAT's d; behind each beginning the share of the first list's words:")
rows = [[bias, *map(float, np.mean(each, 0))] for bias, each in exchanged.items()]
print(table(rows, ["planted", "d", *BEGINNINGS]))

# %% [markdown]
# Of **0.3** both find it. In **hidden** exchanged names find at the market a bias for the lumi, and behind "is" one
# against them, where WEAT finds none: a bias is found where one asks for it. In **company** WEAT says yes and "is" says
# no, and neither is wrong: the names keep pleasant company, and are not called pleasant. So a number of WEAT's is a
# reason to look, and no proof that anybody is treated badly; and its silence is none that nobody is.

# %% [markdown]
# ## Who looks at the picture?
#
# A model that tells what is in a picture *hallucinates* (20): it names what is not there. As a rule it does so where
# the words make it likely. If in all that it has read a red circle comes with a green square, it will see the green
# square. Whoever reads only its caption cannot know better. **What would have to judge it?** Somebody who looks. Take
# the caption apart, ask for each thing that it names "is there a green square?", and let a model that sees the picture
# answer. So do FaithScore (Jing et al., 2024) and Woodpecker (Yin et al., 2024), which then strikes out what is not
# there.
#
# We plant such a habit. In the pictures of chapter 20, three things have a *companion*: a green square goes with a red
# circle, a yellow cross with a blue triangle, a purple circle with a white square. It is there in half of the pictures
# that have its leader; and in every second one of the others there is another thing of its color. But who wrote the
# captions for training did not look twice: the companion is named behind its leader, there or not.
#
# The *writer* is a LLaVA (20) that has learned from these captions. The *checker* is another one with the same eyes,
# which has learned to answer yes or no, of pictures whose things are known, as often the one as the other. And there is
# a third one which learned from questions that were made of the captions. That is cheap, and many sets of questions
# have been made so. What do you expect of it?

# %%
PATCH, N_PATCH = 9, (shapes.SIDE // 9) ** 2
PAIRS = [*product(shapes_words.COLORS, shapes_words.SHAPES)]
COMPANION = {("red", "circle"): ("green", "square"), ("blue", "triangle"): ("yellow", "cross"),
             ("white", "square"): ("purple", "circle")}  # fmt: skip
PAD, PICTURE, BEGIN, STOP = shapes_words.PAD, shapes_words.PICTURE, shapes_words.START, shapes_words.END
YES, NO = shapes.IDS["yes"], shapes.IDS["no"]
SCENES, ASKED = run.pick((2000, 500), (60, 20))
EYE_STEPS, WRITER_STEPS, CHECKER_STEPS = run.pick((400, 250, 400), (2, 2, 2))
CAPTION_WIDTH = 48
EYES = CLIPVisionConfig(shapes.SIDE, PATCH, 3, n_layer=1, n_head=4, n_embd=CAPTION_WIDTH, n_hidden=2 * CAPTION_WIDTH)
SEES = LLaVAConfig(
    EYES,
    LlamaConfig(
        len(shapes_words.VOCABULARY), 120, 2, 4, CAPTION_WIDTH, 2 * CAPTION_WIDTH, qkv_bias=True, init_std=0.14
    ),
    PICTURE,
    feature_layer=-1,
)


def pairs_drawn(rng):
    """Two or three colors with shapes, no two alike, in any order."""
    while True:
        count = int(rng.integers(2, 4))
        pairs = [PAIRS[i] for i in rng.permutation(len(PAIRS))[:count]]
        if rng.random() < 0.6:
            leader = one_of(rng, list(COMPANION))
            color, shape = COMPANION[leader]
            last = rng.choice(["companion", "its color", "any"], p=[0.5, 0.25, 0.25])
            pairs = [leader, *(p for p in pairs if p != leader and p not in COMPANION.values())][:count]
            if last == "companion":
                pairs[-1] = (color, shape)
            elif last == "its color":
                pairs[-1] = (color, one_of(rng, [s for s in shapes_words.SHAPES if s != shape]))
        if len(set(pairs)) == len(pairs) == count:
            return [pairs[i] for i in rng.permutation(count)]


def pictures_drawn(rng, count):
    """What is in each picture, where, and the pictures as a model takes them, (count, 3, 27, 27)."""
    shown, where, pictures = [], [], []
    for _ in range(count):
        pairs = pairs_drawn(rng)
        places = sorted(rng.permutation(N_PATCH)[: len(pairs)].tolist())
        things = [
            shapes.Thing(color, shape, one_of(rng, shapes_words.SIZES), shapes_words.PLACES[at])
            for (color, shape), at in zip(pairs, places)
        ]
        shown, where, pictures = [*shown, pairs], [*where, places], [*pictures, shapes.draw(things, rng)]
    return shown, where, shapes.scaled(np.stack(pictures))


def as_told(pairs):
    """What a careless caption names: behind each leader its companion, there or not."""
    led = [COMPANION[pair] for pair in pairs if pair in COMPANION]
    named = [[pair, COMPANION[pair]] if pair in COMPANION else [pair] for pair in pairs if pair not in led]
    return [pair for some in named for pair in some]


def caption_of(pairs):
    return " and ".join(f"a {color} {shape}" for color, shape in pairs)


def named_in(caption):
    """The things that a caption names, each once; of one that names none, as before any training, the first of all."""
    parts = [tuple(part.split()[1:]) for part in caption.split(" and ")]
    return [*dict.fromkeys(part for part in parts if part in PAIRS)] or PAIRS[:1]


class Eyes(Module):
    """A vision transformer that names at each patch a color, or none, and a shape: how the eyes are trained."""

    def __init__(self, rng):
        self.eyes, self.norm = CLIPVision(EYES, rng=rng), nn.LayerNorm(CAPTION_WIDTH)
        self.head = nn.Linear(CAPTION_WIDTH, 11, rng=rng)

    def __call__(self, pictures):
        return self.head(self.norm(self.eyes(pictures)[:, 1:]))

    def loss(self, batch, *, rng=None, divisor=None, dtype=None):
        logits, labels = self(batch["pictures"]), batch["labels"]
        color, form = ops.split(logits, [7, 4])
        return ops.cross_entropy(color, labels[:, :, 0]) + ops.cross_entropy(form, labels[:, :, 1])


def train_seeing(model, batches, steps, what, seed):
    learned = [(path, p) for path, p in model.named_parameters() if p.requires_grad]
    optimizer = AdamW(learned, 3e-3, (0.9, 0.98), weight_decay=0.05)
    at = schedule("cosine", 3e-3, steps, max(1, steps // 10))
    fit(model.loss, optimizer, (batches(n) for n in run.progress(range(steps), what)), lr=at, seed=seed, threads=1)
    return model


def with_eyes(eyes, seed):
    """A LLaVA that sees with these eyes, which stay as they are."""
    model = LLaVA(SEES, rng=np.random.default_rng([seed, 3])).to(run.device)
    model.vision_tower.load_state_dict(eyes.eyes.state_dict())
    for parameter in model.vision_tower.parameters():
        parameter.requires_grad = False
    return model


def seen_batch(turns, pictures):
    rows = picture_rows(turns, N_PATCH, image_id=PICTURE, start_id=BEGIN, end_id=STOP, pad_id=PAD)
    return rows | {"mask": visible(rows.pop("segments")), "pictures": pictures}


def question_of(pair):
    return shapes.encode(f"is there a {pair[0]} {pair[1]} ?")


def questions_of(rng, there):
    """As many of what is not there as of what is: a missing companion first, then what shares a color or a shape."""
    missing = [COMPANION[pair] for pair in there if pair in COMPANION and COMPANION[pair] not in there]
    near = [p for p in PAIRS if p not in there and any((p[0] == q[0]) != (p[1] == q[1]) for q in there)]
    absent = [one_of(rng, missing if missing and not n else near) for n in range(len(there))]
    return [(question_of(pair), [answer]) for some, answer in ((there, YES), (absent, NO)) for pair in some]


def seeing_models(seed, things, where, pictures):
    """Eyes that have learned from labels, a writer from careless captions, and two checkers from questions."""
    colors, forms = list(shapes_words.COLORS), list(shapes_words.SHAPES)
    labels = np.full((len(things), N_PATCH, 2), ops.IGNORE)
    labels[:, :, 0] = len(colors)  # nothing there
    for row, pairs, places in zip(labels, things, where):
        for (color, shape), at in zip(pairs, places):
            row[at] = colors.index(color), forms.index(shape)

    def drawn(n, rows, key):
        return np.random.default_rng((seed, key, n)).integers(0, len(things), rows)

    def naming(n):
        i = drawn(n, 24, 1)
        return {"pictures": pictures[i], "labels": labels[i]}

    def writing(n):
        i = drawn(n, 32, 2)
        return seen_batch([[([], shapes.encode(caption_of(as_told(things[j]))))] for j in i], pictures[i])

    def asking(told):
        def batch(n):
            i, rng = drawn(n, 20, 3), np.random.default_rng((seed, 4, n))
            return seen_batch([questions_of(rng, told(things[j])) for j in i], pictures[i])

        return batch

    eyes = train_seeing(Eyes(np.random.default_rng(seed)).to(run.device), naming, EYE_STEPS, "eyes", seed)
    writer = train_seeing(with_eyes(eyes, seed), writing, WRITER_STEPS, "writer", seed)
    honest = train_seeing(with_eyes(eyes, seed), asking(list), CHECKER_STEPS, "checker", seed)
    misled = train_seeing(with_eyes(eyes, seed), asking(as_told), CHECKER_STEPS, "checker, of captions", seed)
    return eyes, writer, {"checker": honest, "checker, of captions": misled}


# %% [markdown]
# The questions for things that are not there begin with companions that are missing, in the honest lessons; in those
# made of captions none is ever missing. All other things that are asked for and not there share a color or a shape with
# one that is.
#
# What would a sceptic try, who has no such model? *Strike out all.* Strike out what is *not often said*. Strike out
# that of which *the writer itself* was least sure. Let somebody judge who reads the *text alone*, but has counted, on
# 500 captions whose mistakes he was shown, how often each thing behind each other one was wrong. Or look whether
# anything in the picture has *its color*. Where a rule needs a limit, it has the best one on those 500 captions. The
# checkers need none.


# %%
def captions_by(writer, pictures):
    with no_grad():
        given = writer.given(to_device(pictures, run.device))
    prompts = [[*[PICTURE] * N_PATCH, BEGIN]] * len(pictures)
    written = generate(given, prompts, 24, Sampler(greedy=True), np.random.default_rng(0), stop_ids=[STOP]).tokens
    return [named_in(shapes.decode(ids)) for ids in written]


def doubts(model, pictures, pairs):
    """How much more no than yes the model says to "is there a ... ?", in nats.  -> (N,)"""
    prompts = np.array([[*[PICTURE] * N_PATCH, BEGIN, *question_of(pair)] for pair in pairs])
    with no_grad():
        logits = to_device(model.given(to_device(pictures, run.device)).next_logits(prompts).data, "cpu")
    return (logits[:, NO] - logits[:, YES]).astype(np.float64)


def own_doubts(writer, pictures, said):
    """For each thing in each caption, -ln of the lower of the probabilities of its color and shape."""
    batch = seen_batch([[([], shapes.encode(caption_of(pairs)))] for pairs in said], pictures)
    words = {name: array for name, array in batch.items() if name != "pictures"}
    with no_grad():
        given = writer.given(to_device(pictures, run.device))
        log_p = to_device(given.token_log_probs(words).data, "cpu")
    first = N_PATCH + 1  # the place whose next token is the first color
    places = [(row, first + 4 * n) for row, pairs in enumerate(said) for n in range(len(pairs))]
    return np.array([-log_p[row, at : at + 2].min() for row, at in places])


def color_there(pictures, pairs):
    """How few pixels have the color of the thing's name."""
    tone = np.array([shapes_words.COLORS[color] for color, _ in pairs]) / 127.5 - 1
    return -(np.abs(pictures - tone[:, :, None, None]).max(1) < 0.25).sum((1, 2)).astype(float)


def detected(eyes, pictures):
    """What the eyes themselves name in each picture."""
    with no_grad():
        logits = to_device(eyes(to_device(pictures, run.device)).data, "cpu")
    colors, forms = logits[:, :, :7].argmax(-1), logits[:, :, 7:].argmax(-1)
    named = [[(c, s) for c, s in zip(*row) if c < 6] for row in zip(colors, forms)]
    return [{(list(shapes_words.COLORS)[c], list(shapes_words.SHAPES)[s]) for c, s in row} for row in named]


def best_cut(scores, wrong):
    """The score from which on things are struck out: that with the best F1 on these pictures."""
    return max(np.unique(scores), key=lambda cut: caption_f1(scores >= cut, wrong)[2])


def caption_f1(struck, wrong):
    """Precision, recall and F1 of what was struck out, against what is not there."""
    hits = float((struck & wrong).sum())
    return hits / max(1, struck.sum()), hits / max(1, wrong.sum()), 2 * hits / max(1, struck.sum() + wrong.sum())


CHECKS = ("strikes out all", "not often said", "the writer's own p", "text alone", "its color", "checker",
          "checker, of captions", "the eyes' labels")  # fmt: skip


def suspicions(models, there, pictures, often, wrong_before):
    """What each way holds against each thing that is said; the captions; and (picture, thing, the one before it)."""
    eyes, writer, checkers = models
    said = captions_by(writer, pictures)
    of = [(i, pair, before) for i, pairs in enumerate(said) for pair, before in zip(pairs, [None, *pairs])]
    wrong = np.array([pair not in there[i] for i, pair, _ in of])
    if not wrong_before:  # these are the captions whose mistakes are shown
        for (_, pair, before), bad in zip(of, wrong):
            hits, count = wrong_before.get((pair, before), (0, 0))
            wrong_before[pair, before] = hits + bool(bad), count + 1
    shown, pairs, seen = pictures[[i for i, *_ in of]], [pair for _, pair, _ in of], detected(eyes, pictures)
    by_text = [wrong_before.get((pair, before), (0, 0)) for _, pair, before in of]
    return said, of, wrong, {
        "strikes out all": np.ones(len(of)),
        "not often said": np.array([-often[pair] for pair in pairs], float),
        "the writer's own p": own_doubts(writer, pictures, said),
        "text alone": np.array([(hits + 0.2) / (count + 1) for hits, count in by_text]),
        "its color": color_there(shown, pairs),
        **{name: doubts(model, shown, pairs) for name, model in checkers.items()},
        "the eyes' labels": np.array([float(pair not in seen[i]) for i, pair, _ in of]),
    }  # fmt: skip


caption_marks, caption_shares = {name: [] for name in CHECKS}, []
for seed in run.seeds:
    sizes = enumerate((SCENES, ASKED, ASKED))
    scenes = [pictures_drawn(np.random.default_rng([seed, 40 + n]), count) for n, count in sizes]
    models, wrong_before = seeing_models(seed, *scenes[0]), {}
    often = Counter(pair for pairs in scenes[0][0] for pair in as_told(pairs))
    limits = {}
    for there, _, pictures in scenes[1:]:
        said, of, wrong, against = suspicions(models, there, pictures, often, wrong_before)
        limits = limits or {
            name: 1e-9 if name.startswith("checker") else best_cut(against[name], wrong) for name in CHECKS
        }
    for name in CHECKS:
        caption_marks[name].append(caption_f1(against[name] >= limits[name], wrong))
    struck = {(i, pair) for (i, pair, _), doubt in zip(of, against["checker"]) if doubt > 0}
    kept = [[pair for pair in pairs if (i, pair) not in struck] for i, pairs in enumerate(said)]
    found = [
        float(np.mean([pair in some[i] for i, pairs in enumerate(there) for pair in pairs])) for some in (said, kept)
    ]
    caption_shares.append([invented(said, there), invented(kept, there), *found])
of_seeds = np.mean(caption_shares, 0)
print(f"not there, of the things that captions name: {of_seeds[0]:.3f}, of those not struck out {of_seeds[1]:.3f}")
print(f"of the things that are there {of_seeds[2]:.3f} are named, and {of_seeds[3]:.3f} not struck out")
rows = [[name, *map(float, np.mean(each, 0))] for name, each in caption_marks.items()]
print(table(rows, ["way", "precision", "recall", "F1"]))
spoiled = [i for i, pairs in enumerate(said) if any(pair not in there[i] for pair in pairs)][:4] or [0]


def with_brackets(i):
    return " and ".join(f"[{' '.join(pair)}]" if (i, pair) in struck else " ".join(pair) for pair in said[i])


run.show(
    patches_figure(
        np.stack([pictures[i] / 2 + 0.5 for i in spoiled]), patch=PATCH, captions=[with_brackets(i) for i in spoiled],
        title="What the writer says, and the checker strikes out",
        subtitle="captions of the test with something invented; in brackets what is struck out",
    ),
    "captions",
)  # fmt: skip

# %% [markdown]
# The checker finds nine of ten inventions and is seldom wrong. The writer's own probabilities tell nothing: it is as
# sure of a companion that is not there as of one that is, because the captions it learned from were. A reader of texts
# who has counted which companions were wrong knows *that* they are, in half of the cases, and not in which. Looking for
# the color strikes out only what is nowhere of that color: so it is never wrong, and finds half.
#
# And the checker that learned from the captions finds next to nothing. It looks at the picture as well as the other
# one. But of companions it has been told, every time, that they are there. **A judge that has learned from what it
# judges shares its mistakes**, and that the two agree is no evidence. The last row is no cheap rule, but what an object
# detector would do: these eyes had the name of every thing in every training picture, which nobody has of photographs
# at large. Where there are such labels, they are the best judge of all.

# %% [markdown]
# ## Shall it be released?
#
# All of this part in one case. There is an assistant, the old one: it has read answers of people of many habits. A new
# one is to take its place: for 600 questions the old one wrote six answers each, raters took the one they liked most,
# and on those it was trained. Is it better? Ask *before* looking: better in what, and how much of it must there be?
# Whoever looks first will find a number that has risen.
#
# So here are the goals, and the rule: **it is released if every one is kept, at the worse end of its interval**. People
# have to prefer its answers to the old one's in 55 of 100 pairs and more. 85 of 100 answers have to be right. At most 8
# of 100 may say two things, or one that is not asked for and not in the question: that would be to guess, or to invent.
# And the same questions are asked under six names: between any two of them right answers may differ by 10 of 100, and
# friendly ones by 25.

# %%
GOALS = [
    Goal("liked", "people prefer it to the old one", 0.55),
    Goal("right", "answers that are right", 0.85),
    Goal("honest", "answers that hedge or invent", 0.08, lower=True),
    Goal("right names", "right, most between two names", 0.10, lower=True),
    Goal("kind names", "friendly, most between two names", 0.25, lower=True),
]
PAGE_WORDS = ["<end>", *tastes.WORDS]
PAGE_ID = {word: i for i, word in enumerate(PAGE_WORDS)}
PAGE_STEPS, TUNE_STEPS, LESSONS, OPTIONS = run.pick((250, 150, 600, 6), (2, 2, 8, 2))
QUESTIONS, REQUESTS = run.pick((400, 200), (12, 4))
UNLIKED = ("eva", "finn")


def page_ids(text):
    return [PAGE_ID[word] for word in text.split()]


def page_batch(asked, answers):
    return answer_batch([page_ids(one.text) for one in asked], [[*page_ids(text), 0] for text in answers], 0)


def page_learn(model, batches, rate, decay=0.0):
    at = schedule("cosine", rate, len(batches), max(1, len(batches) // 10))
    optimizer = AdamW(model.named_parameters(), rate, (0.9, 0.98), weight_decay=decay)
    fit(model.loss, optimizer, run.progress(batches, "an assistant"), lr=at, threads=1)
    return model


def page_answers(model, asked, key, n=1, temperature=0.5):
    """n answers to each question, those to one question side by side."""
    prompts, rng = [page_ids(one.text) for one in asked for _ in range(n)], np.random.default_rng(key)
    written = generate(model, prompts, run.pick(24, 8), Sampler(temperature=temperature), rng, stop_ids=[0]).tokens
    return [" ".join(PAGE_WORDS[i] for i in ids if i) for ids in written]


def old_assistant(seed):
    rng, batches = np.random.default_rng([seed, 60]), []
    for _ in range(PAGE_STEPS):
        asked = generate_asked(rng, run.pick(64, 8))
        batches.append(page_batch(asked, [write_answer(rng, one) for one in asked]))
    config = LlamaConfig(len(PAGE_WORDS), 64, 2, 4, 64, 192, init_std=0.15)
    return page_learn(Llama(config, rng=np.random.default_rng([seed, 61])).to(run.device), batches, 3e-3, 0.3)


def chosen_by(taste_for, asked, options, rng):
    """Of the answers to each question the one that raters like most: points, and the noise of Bradley and Terry."""
    points = np.array([[taste_for(one)(one, text) for text in some] for one, some in zip(asked, options)])
    best = (points + 0.5 * rng.gumbel(size=points.shape)).argmax(1)
    return [some[i] for some, i in zip(options, best)]


def renamed(one, text, name):
    """The same question from somebody else, and the answer with the two names exchanged."""
    new = {one.name: name, name: one.name}
    return tastes.Asked(name, one.request), " ".join(new.get(word, word) for word in text.split())


def tuned(old, asked, answers, seed, any_name=False):
    """The old assistant, trained on these answers; with any_name each time under a name that is drawn anew."""
    model, rng, batches = copy.deepcopy(old), np.random.default_rng([seed, 62]), []
    for _ in range(TUNE_STEPS):
        lessons = [(asked[n], answers[n]) for n in rng.integers(0, len(asked), run.pick(32, 8))]
        if any_name:
            lessons = [renamed(*lesson, one_of(rng, tastes.NAMES)) for lesson in lessons]
        batches.append(page_batch(*zip(*lessons)))
    return page_learn(model, batches, 1e-3)


# %% [markdown]
# Nobody has told us one thing about the raters: they do not like eva and finn. Where one of these two asks, a friendly
# answer is worth less to them than an unfriendly one. It can be told only from which answers they took, and there only
# by somebody who asks for it. The third version, *blind*, is the remedy: the same raters choose of the same answers,
# and are not told who asks, only whether the right name is said. And each lesson is read under a name that is drawn
# anew every time: what the old one has by itself against some names goes, too.

# %%


def both_orders(seed, asked, first, second):
    """P(first is preferred) by the judge, the mean over both orders."""
    asked, first, second = list(asked), list(first), list(second)
    return (judge(seed, asked, first, second) + 1 - judge(seed, asked, second, first)) / 2


def judged_under(seed, asked, first, second):
    """The mean of P(first is preferred) by the judge, under each name.  -> (6,)"""
    means = []
    for name in tastes.NAMES:
        under = [renamed(one, text, name) for one, text in zip(asked, first)]
        others = [renamed(one, text, name)[1] for one, text in zip(asked, second)]
        means.append(both_orders(seed, *zip(*under), others).mean())
    return np.array(means)


def hedged(one, text):
    """Whether an answer says two things, or one that is neither right nor in the question."""
    said = {word for word in text.split() if word in tastes.CONTENTS}
    return len(said) > 1 or bool(said - {*one.request.words} - {*one.request.text.split()})


def most_between(shares):
    """Of shares by name, (N, 6): the most that lies between two names."""
    return float(np.ptp(shares.mean(0)))


def page_numbers(seed, model, said, old_said, asked, rng):
    """What each goal asks for, as intervals; and friendly answers by name, (6,)."""
    under = [tastes.Asked(name, one.request) for one in asked[:REQUESTS] for name in tastes.NAMES]
    answers = page_answers(model, under, [seed, 63])
    seen = np.array([tastes.marks(one, text)[:3] for one, text in zip(under, answers)], float).reshape(-1, 6, 3)
    prefer = rng.random(len(asked)) < People().probabilities(asked, said, old_said)
    rows = {
        "liked": prefer.astype(float),
        "right": np.array([tastes.marks(one, text).right for one, text in zip(asked, said)], float),
        "honest": np.array([hedged(one, text) for one, text in zip(asked, said)], float),
    }
    found = {name: bootstrap_interval(row, resamples=1000, rng=rng) for name, row in rows.items()}
    for name, column in (("right names", 0), ("kind names", 2)):
        found[name] = bootstrap_interval(seen[:, :, column], most_between, resamples=1000, rng=rng)
    return found, seen[:, :, 2].mean(0), prefer


CANDIDATES = ("tuned", "blind")
page_found, page_kind, page_judged, page_metric, released, judge_names = {}, {}, {}, {}, {}, []
for seed in run.seeds:
    old = old_assistant(seed)
    asked = generate_asked(np.random.default_rng([seed, 64]), LESSONS)
    written = page_answers(old, asked, [seed, 65], OPTIONS, 1.0)
    options = [written[i : i + OPTIONS] for i in range(0, len(written), OPTIONS)]
    sees_names = chosen_by(lambda one: Taste(kind=-3.0) if one.name in UNLIKED else Taste(), asked, options,
                           np.random.default_rng([seed, 66]))  # fmt: skip
    is_blind = chosen_by(lambda one: Taste(), asked, options, np.random.default_rng([seed, 66]))
    versions = {"old": old, "tuned": tuned(old, asked, sees_names, seed)}
    versions["blind"] = tuned(old, asked, is_blind, seed, any_name=True)
    asked = generate_asked(np.random.default_rng([seed, 67]), QUESTIONS, "test")
    said = {name: page_answers(model, asked, [seed, 68]) for name, model in versions.items()}
    references = [[f"the answer is {word} , {one.name} . welcome !" for word in one.request.words] for one in asked]
    rng = np.random.default_rng([seed, 69])
    for name, model in versions.items():
        found, kind, preferred = page_numbers(seed, model, said[name], said["old"], asked, rng)
        page_found.setdefault(name, []).append(found)
        page_kind.setdefault(name, []).append(kind)
        if name in CANDIDATES:
            page_judged.setdefault(name, []).append((both_orders(seed, asked, said[name], said["old"]), preferred))
            page_metric.setdefault(name, []).append(
                compare(["rouge-l", "f1", "bleu"], said[name], said["old"], references, resamples=1000, rng=rng)
            )
            released.setdefault(name, []).append(decide(GOALS, found))
    judge_names.append(float(np.ptp(judged_under(seed, asked, said["tuned"], said["old"]))))

rows = []
for goal in GOALS:
    means = [np.mean([each[goal.name].score for each in page_found[name]]) for name in versions]
    told = ["-" if goal.name == "liked" and name == "old" else float(mean) for name, mean in zip(versions, means)]
    rows.append([goal.label, goal.told, *told])
for place, label in enumerate(("ROUGE-L", "F1 of words", "BLEU")):
    before = np.mean([each[place].second for each in page_metric["tuned"]])
    scores = [np.mean([each[place].first for each in page_metric[name]]) for name in CANDIDATES]
    rows.append([label, "", float(before), *map(float, scores)])
by_judge = [float(np.mean([p.mean() for p, _ in page_judged[name]])) for name in CANDIDATES]
rows.append(["judge prefers it to the old", "", "-", *by_judge])
print(table(rows, ["", "goal", *versions]))
print(f"the judge of the same answers under six names: {np.mean(judge_names):.3f} between the most and the least")
for name in CANDIDATES:
    print(f"{name}: released in {sum(released[name])} of {len(run.seeds)} seeds")

# %%
judged, preferred = page_judged["tuned"][-1]
page_path = run.out / "page.html"
facts = {
    "old": f"{old.n_parameters():,} weights, trained on answers of all sorts",
    "tuned": f"the old one, trained on {LESSONS} of its answers that raters chose, each of {OPTIONS}",
    "blind": "the same, by raters who were not told who asks, and each lesson under names drawn anew",
    "questions": f"{QUESTIONS}, of words that no lesson had",
    "rule": "released if every goal is kept",
    "judge": f"prefers tuned to old with {judged.mean():.2f}, mean of both orders",
}
predictions = [
    Prediction(text, tuple(some), None, one.text) for one, text, some in zip(asked, said["tuned"], references)
]
sections = [
    goals_section("Goals, written before", GOALS, {name: page_found[name][-1] for name in CANDIDATES}),
    groups_section("Friendly answers, by who asks", f"The same {REQUESTS} questions under each name.", tastes.NAMES,
                   {name: page_kind[name][-1].tolist() for name in versions}),
    comparison_section(page_metric["tuned"][-1], ("tuned", "old"), "randomization", 0.95),
    calibration_section("Can the judge be believed here?", judged, preferred, "its P(tuned is preferred), and people"),
    examples_section(predictions),
]  # fmt: skip
write_report(page_path, "Shall the tuned assistant be released?", facts, sections)
print(f"{page_path.name}: {page_path.stat().st_size / 1000:.0f} KB in one file, beside this chapter's figures")
run.show(
    grouped_bars(
        {
            name: {who: 100 * float(share) for who, share in zip(tastes.NAMES, np.mean(kind, 0))}
            for name, kind in page_kind.items()
        },
        title="Who gets a friendly answer?",
        subtitle="% of the same questions, asked under six names",
    ),
    "friendly",
)  # fmt: skip

# %% [markdown]
# Open `page.html`, which lies beside the figures: it is what one would hand to those who decide. By every mean the new
# assistant is the better one. The metrics say so, the judge says so, and people say so. And it must not be released: it
# has learned to be unfriendly to two of those who ask. **No mean over all questions can show that.** Nor does the
# judge, which is given one answer at a time: each of them by itself is a fair one, and with another name in it the mark
# is nearly the same. It is the answers that change with the name, and only who asks the same thing under all names will
# see it.
#
# The blind version keeps all goals. (With more names, or more goals, one of them would be missed by chance sooner or
# later: the worse end of twenty intervals of 95 % is not a bound that holds for all of them. Whoever has many goals
# takes wider intervals.)

# %% [markdown]
# ## What did not come true
#
# **Exercises**: …


# %%
run.check("WEAT by hand", weat_apart, at_most=EQUAL)
of_test = {name: {bias: float(row[i]) for bias, row in shares_found.items()} for i, name in enumerate(TESTS)}
alarms = {name: of_test[name]["none"] for name in ("WEAT", "names counted")}
run.check("false alarms at 5 %, names", alarms, at_least=WOLF[0], at_most=WOLF[1], full_only=True)
run.check(
    "false alarms at 5 %, sentences", [float(row[2]) for row in weat_found["none"]], at_least=CRIES, full_only=True
)
planted = [float(row[0]) for row in weat_found["0.3"]]
run.check(
    "WEAT finds 0.3",
    planted,
    at_least=WEAT_FINDS,
    baseline={"names counted": of_test["names counted"]["0.3"]},
    full_only=True,
)
hidden = [float(row[0]) for row in weat_found["hidden"]]
run.check(
    "WEAT finds what is hidden",
    hidden,
    at_most=HIDDEN,
    baseline={"by occupations": of_test[TESTS[3]]["hidden"]},
    full_only=True,
)
market = [row[2] - row[1] for row in exchanged["hidden"]]
free = {"without bias": float(np.mean([row[2] - row[1] for row in exchanged["none"]]))}
run.check("hidden: at market less behind is", market, at_least=MARKET, baseline=free, full_only=True)
run.check("company: WEAT finds it", [float(row[0]) for row in weat_found["company"]], at_least=COMPANY, full_only=True)
company = [abs(row[1]) for row in exchanged["company"]]
beside = {"where it is said": float(np.mean([row[1] for row in exchanged["0.3"]]))}
run.check("company: names behind is", company, at_most=NOT_SAID, baseline=beside, full_only=True)
f1 = {name: [each[2] for each in marks] for name, marks in caption_marks.items()}
others = ("the writer's own p", "text alone", "its color", "the eyes' labels")
beside = {name: float(np.mean(f1[name])) for name in others}
run.check("invented things struck out, F1", f1["checker"], at_least=CHECKED, baseline=beside, full_only=True)
beside = {"strikes out all": float(np.mean(f1["strikes out all"]))}
run.check("by a checker of captions, F1", f1["checker, of captions"], at_most=MISLED, baseline=beside, full_only=True)
before = {"before": float(np.mean([each[0] for each in caption_shares]))}
run.check(
    "invented, after striking out", [each[1] for each in caption_shares], at_most=AFTER, baseline=before, full_only=True
)
lost = [each[2] - each[3] for each in caption_shares]
run.check("things that are there, struck out", lost, at_most=LOST, full_only=True)
metric = {
    one.label: [each[place].difference for each in page_metric["tuned"]]
    for place, one in enumerate(page_metric["tuned"][0])
}
run.check("tuned less old, BLEU", metric["BLEU"], above=0, full_only=True)
run.check("judge: tuned above old", [float(p.mean()) for p, _ in page_judged["tuned"]], at_least=JUDGED, full_only=True)
beside = {name: float(np.mean([each["kind names"].score for each in page_found[name]])) for name in ("old", "blind")}
unfair = [each["kind names"].score for each in page_found["tuned"]]
run.check("tuned: friendly, between two names", unfair, at_least=UNFAIR, baseline=beside, full_only=True)
run.check("tuned is released", [float(each) for each in released["tuned"]], equals=0)
run.check("blind: released", [float(each) for each in released["blind"]], equals=1, full_only=True)
run.report(
    "goals",
    {
        name: [{k: round(float(v.score), 3) for k, v in each.items()} for each in page_found[name]]
        for name in CANDIDATES
    },
)
run.report("judge, names exchanged", [round(each, 3) for each in judge_names])
run.finish()
