# %% [markdown]
# # 31 · Models as judges
#
# Which of these two answers is the better one? People can tell, and people are slow. So one asks a model. It answers
# at once, it never gets tired, and what it says looks like a measurement. Is it one? Of a thermometer one asks three
# things before it is believed: does it show what others show, how far may it be off, and what else does it react to,
# sunshine, say, or a draught? This chapter asks them of models that judge.
#
# - **Builds on** 06 embeddings, 20 seeing, 24 RLHF, 30 text metrics and people.
# - **Reads** [`datasets/tastes.py`](../tinygrad_llm/datasets/tastes.py),
#   [`align/judge.py`](../tinygrad_llm/align/judge.py), [`align/reward.py`](../tinygrad_llm/align/reward.py),
#   [`evaluate/recalibrate.py`](../tinygrad_llm/evaluate/recalibrate.py),
#   [`evaluate/length_control.py`](../tinygrad_llm/evaluate/length_control.py),
#   [`datasets/portraits.py`](../tinygrad_llm/datasets/portraits.py),
#   [`evaluate/association.py`](../tinygrad_llm/evaluate/association.py),
#   [`evaluate/goals.py`](../tinygrad_llm/evaluate/goals.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/31/output.txt) shows them all.
# - **Departs from** the papers in this: our people are simulated and our biases planted, so that it is known what a
#   judge should have said, and how large a bias is that we measure. Real ones have biases that nobody has looked for.
# - **Run**: `python chapters/31_models_as_judges.py`. One seed takes some three minutes of a processor, `--seeds 3`
#   ten. `--fast` takes less than ten seconds: its judges have learned nothing, so it asserts the equalities alone.

# %%
import copy
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import combinations, product
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import Module, nn, no_grad, ops
from tinygrad_llm.align import RewardLoss, RewardModel, answer_batch, position_bias, reward_batch, text_batch
from tinygrad_llm.align.log_probs import constant
from tinygrad_llm.backend import to_device
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets import portraits_words, shapes, shapes_words, tastes
from tinygrad_llm.datasets.draws import one_of
from tinygrad_llm.datasets.portraits import Plant, generate_portraits
from tinygrad_llm.datasets.tastes import (
    CONTENTS,
    GRADES,
    WORDS,
    People,
    Taste,
    generate_asked,
    grade,
    marks,
    write_answer,
)
from tinygrad_llm.datasets.turns import picture_rows, visible
from tinygrad_llm.evaluate import (
    Goal,
    Prediction,
    bootstrap_interval,
    brier_score,
    calibration_error,
    cohen_kappa,
    compare,
    controlled_wins,
    decide,
    fit_isotonic,
    fit_temperature,
    invented,
    length_difference,
    regroup,
    reliability,
    weat,
)
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
from tinygrad_llm.visualize import Line, bar_chart, grouped_bars, line_chart, patches_figure
from tinygrad_llm.visualize.reliability import reliability_figure

run = Chapter(
    "31",
    "A reward judge says what one person says as often as another person does, and a linear model on pairs of words "
    "nearly so; a judge of pairs does so less often. At equal marks a rubric pays where moods spoil sums and not "
    "parts, and else not; an expected mark is better than the likeliest. A judge of few labels is too sure, and one "
    "number repairs that and changes no verdict. A bias for the place is found as large as it was planted, and both "
    "orders repair it in a judge that writes; of one for length control takes away half or more; one for one's own a "
    "panel or control lessens. WEAT finds what is said of some names and misses what its lists do not name; exchanged "
    "names find it. Who looks at the picture strikes out what a caption invents, and who learned of captions does "
    "not. An assistant that every mean prefers is unfriendly to two who ask.",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
LABELS, CHECKED, TESTED, RATERS = *run.pick((2400, 600, 1500), (24, 60, 60)), 5
WIDTH, STEPS, PAGES = 48, run.pick(800, 4), run.pick(64, 8)
MARKED, FEW, AGAIN = run.pick((1600, 300, 12), (32, 16, 2))
MOOD, TIRED, LOVE, FAMILIAR, GAMES = 2.0, 0.3, 0.4, 0.5, run.pick(800, 40)
NEAR, AS_SAID, BEHIND, SLIPS, EXPECTED, PAYS, NO_MORE, UNASKED = 0.04, 0.68, 0.02, 0.04, 0.01, 0.02, 0.04, 0.01
TOO_SURE, REPAIRED, SURE, OFF, BOTH, KEPT = 0.05, 0.06, 0.2, 0.06, 0.02, 0.04
EQUAL, WOLF, CRIES, WEAT_FINDS, HIDDEN, MARKET, COMPANY, NOT_SAID = 1e-10, (0.02, 0.08), 0.1, 0.85, 0.15, 0.4, 0.75, 0.1
CHECKED_F1, MISLED, AFTER, LOST, JUDGED, UNFAIR = 0.85, 0.3, 0.06, 0.04, 0.55, 0.5
FOND, HALF, OWN, HELD, UNEQUAL = 0.09, 0.5, 0.06, 0.06, 0.15

# %% [markdown]
# ## How often do two people agree?
#
# Our people are those of chapter 24. Somebody asks for a thing and gets two answers; somebody else says which is
# better. They prefer by a **taste**: two points for what is right, one for naming who asked, one for being polite; less
# for what is said again, for rambling and for sentences that are none. A better answer is preferred more often, the
# more points lie between, and in one case of ten they do not look and toss a coin.
#
# Here each of them says something more, a *critique*: of either answer four words, **right** or wrong, **named** or
# nameless, **polite** or curt, **tidy** or untidy (nothing said again, nothing too long, no broken sentence). One word
# in twenty is not as it is: people slip.


# %%
TASTE, PEOPLE = Taste(), People()
SEEN = (("right", "wrong"), ("named", "nameless"), ("polite", "curt"), ("tidy", "untidy"))
SLIP = 0.05


class Session(NamedTuple):
    """asked, first, second: N questions, and two answers to each.
    prefers    (N,) whether somebody preferred the first.
    critiques  (N, 2, 4) what that person said of either answer: 1 right, named, polite, tidy; 0 not.
    """

    asked: list
    first: list
    second: list
    prefers: np.ndarray
    critiques: np.ndarray


def four(asked, answer):
    has = marks(asked, answer)
    return [has.right, has.named, has.kind, int(has.again + has.over + has.garbled == 0)]


def session(rng, count, split="train", people=PEOPLE):
    """So many questions, less those whose two answers are the same."""
    asked = generate_asked(rng, count, split)
    triples = [(one, *(write_answer(rng, one) for _ in range(2))) for one in asked]
    asked, first, second = map(list, zip(*[triple for triple in triples if triple[1] != triple[2]]))
    prefers = rng.random(len(asked)) < people.probabilities(asked, first, second)
    seen = np.array([[four(q, a), four(q, b)] for q, a, b in zip(asked, first, second)])
    return Session(asked, first, second, prefers, seen ^ (rng.random(seen.shape) < SLIP))


learned_from, checked, test, likely, votes = {}, {}, {}, {}, {}
for seed in run.seeds:
    learned_from[seed] = session(np.random.default_rng([seed, 31, 1]), LABELS)
    checked[seed] = session(np.random.default_rng([seed, 31, 2]), CHECKED, "test")
    test[seed] = session(np.random.default_rng([seed, 31, 3]), TESTED, "test")
    likely[seed] = PEOPLE.probabilities(*test[seed][:3])  # (pairs,)
    votes[seed] = np.random.default_rng([seed, 31, 4]).random((RATERS, len(likely[seed]))) < likely[seed]
example = learned_from[run.seeds[0]]
for i in range(3):
    print(example.asked[i].text)
    for answer, critique, won in zip((example.first[i], example.second[i]), example.critiques[i], (True, False)):
        said = " ".join(pair[1 - mark] for pair, mark in zip(SEEN, critique))
        print(f"    {answer:44} {said:28} {'preferred' if example.prefers[i] == won else ''}")

# %% [markdown]
# On the questions of the test, which are about lists of words that stand in no lesson, five people voted each. How
# often does one of them say what another one says? And how often does *who knows the very taste*, and never slips? That
# is the **ceiling** of chapter 24. Beside it, rules of a sceptic:
#
# - **always the first**, and **the shorter** one;
# - two linear models, with a weight a **word** of the answer, or a **pair of words**, one of the question and one of
#   the answer. They learn from the same labels that our networks will learn from.
#
# A *judge* is, from here on, whatever says how probable it is that the first answer is preferred. We hold each against
# one person (the mean over the five), by the share of pairs and by kappa (30); against the *majority* of the five; and
# against the taste, where it does prefer one.


# %%
KNOWN = {word: i for i, word in enumerate(WORDS)}


def sigmoid(x):
    return 0.5 + 0.5 * np.tanh(np.asarray(x, float) / 2)


def counts_of(asked, answer, crossed=True):
    """How often the answer has each word, and beside each word of the question."""
    found = np.zeros((len(WORDS) + 1, len(WORDS)), np.float32)
    for word in answer.split():
        found[[-1, *(KNOWN[other] for other in asked.text.split() if crossed)], KNOWN[word]] += 1
    return found.ravel() if crossed else found[-1]


def logistic(x, y, ridge=1.0):
    """Weights (F,) of x (N, F) for y (N,) from 0 to 1, with a little weight decay."""
    w, speed = np.zeros((2, x.shape[1]), np.float32)
    direction = np.ones(len(w), np.float32)
    for _ in range(20):  # towards the largest curvature that the loss can have
        direction = x.T @ (x @ (direction / np.linalg.norm(direction)))
    step = 1 / (0.3 * np.linalg.norm(direction) + ridge)
    for _ in range(200):
        speed = 0.9 * speed + x.T @ (y - 0.5 - 0.5 * np.tanh(x @ w / 2)) - ridge * w
        w = w + step * speed
    return w


def linear_judge(some, crossed):
    def differences(of):
        return np.stack([counts_of(q, a, crossed) - counts_of(q, b, crossed) for q, a, b in zip(*of[:3])])

    w = logistic(differences(some), some.prefers.astype(np.float32))
    return lambda of: sigmoid(differences(of) @ w)


def lengths(answers):
    return np.array([len(answer.split()) for answer in answers], float)


def same(p, said):
    """The share of pairs (N,) in which the judge says so, and half of those that it leaves open."""
    return float(np.where(p == 0.5, 0.5, (p > 0.5) == said).mean())


def agreement(seed, p):
    """With one person; kappa of that; with the majority; with the taste."""
    better = np.abs(likely[seed] - 0.5) > 1e-9
    return [
        np.mean([same(p, vote) for vote in votes[seed]]),
        np.mean([cohen_kappa((p > 0.5).tolist(), vote.tolist()) for vote in votes[seed]]),
        same(p, votes[seed].mean(0) > 0.5),
        same(p[better], likely[seed][better] > 0.5),
    ]


def another_person(seed):
    """The same of one of the five, the others being people and majority."""
    found = []
    for i, vote in enumerate(votes[seed]):
        rest = np.delete(votes[seed], i, 0)
        found.append([np.mean([same(vote * 1.0, other) for other in rest]),
                      np.mean([cohen_kappa(vote.tolist(), other.tolist()) for other in rest]),
                      same(np.clip(rest.mean(0), 0, 1), vote), agreement(seed, vote * 1.0)[3]])  # fmt: skip
    return np.mean(found, 0)


agreed, given = defaultdict(list), {}
for seed in run.seeds:
    some = test[seed]
    given["always the first", seed] = np.ones(len(some.asked))
    given["the shorter", seed] = 0.5 + 0.5 * np.sign(lengths(some.second) - lengths(some.first))
    given["words", seed] = linear_judge(learned_from[seed], False)(some)
    given["pairs of words", seed] = linear_judge(learned_from[seed], True)(some)
    given["knows the taste", seed] = likely[seed]
    agreed["another person"].append(another_person(seed))
for (name, seed), p in given.items():
    agreed[name].append(agreement(seed, p))
HEADS = ("judge", "one person", "kappa", "majority", "taste")


def shown_agreement(names):
    print(table([[name, *np.mean(agreed[name], 0).tolist()] for name in names], HEADS))


shown_agreement(agreed)

# %% [markdown]
# Two people say the same of three pairs in four. Who knows the taste says what a person says more often than *another
# person* does. That is no wisdom but arithmetic: where two slip they differ more often than where one does. Keep it in
# mind when you read that a model agrees with people better than people with one another, as of GPT-4: on MT-Bench in 85
# of 100 pairs, people in 81, ties left out (Zheng et al., 2023). It may say no more than that the judge slips less, or
# that it has the mean of many tastes. It does not say that it sees what people see.
#
# And look at *pairs of words*: **their weights agree with a person about as often as another person does.** So that is
# no high bar. There are 53 words and signs here, and a real language has more; but a sceptic would try it, and so
# should you. The majority of five slips less often, and the same judges agree with it more often. (*Another person* is
# held against the other four, who may be two against two; that row is not to be compared in this column.) Kappa, which
# is 0 for chance, says the same.
#
# ## What does a judge learn from?
#
# Three kinds of judges are in use, and all three can be made from our sessions. Each begins as a copy of the same base,
# a network of two layers that has read a book: half of its answers are right and plain, as in a textbook, half are
# people's, and behind each one stands a grade (24), such as "++-": right, named, not polite.
#
# - The **reward judge** (24) gives each answer a number r, and $\sigma(r - r')$ is how probable it is that the first
#   one wins.
# - The *discriminative judge* reads both answers one after the other and gives the *pair* a class, first or second:
#   one number at the last token, and $\sigma$ of it. Each pair is learned in both orders.
# - The *generative judge* writes. Behind an answer it writes a critique, as people did; and then, reading nothing
#   but its two critiques, a verdict, one token: `<first>` or `<second>`. Both are learned as a language model learns
#   (12), from people's critiques and verdicts. Its probability is the one that the two tokens have, of what the two
#   have together. Judges that explain themselves first were made by Kim et al. (2023), with much larger models.
#
# So the verdicts are the same, and the generative judge has eight words of critique besides. What they are worth alone
# we did not measure.


# %%
QUERIES = ("<overall?>", "<right?>", "<named?>", "<polite?>", "<tidy?>")
MARKS, VERDICTS = tuple("012345"), ("<first>", "<second>")
VOCABULARY = ("<end>", *WORDS, *GRADES, "<judge>", *sum(SEEN, ()), *VERDICTS, *QUERIES, *MARKS)
ID, END = {word: i for i, word in enumerate(VOCABULARY)}, 0
ASK = ID["<judge>"]


def ids(text):
    return [ID[word] for word in text.split()]


def reading(asked, answer):
    return [*ids(asked.text), *ids(answer), END]


def network(seed):
    config = LlamaConfig(len(VOCABULARY), 64, 2, 4, WIDTH, 4 * WIDTH, init_std=0.15)
    return Llama(config, rng=np.random.default_rng([seed, 31])).to(run.device)


def learn(model, loss, batches, rate=1e-3, decay=0.1, divisor=None, threads=1):
    optimizer = AdamW(model.named_parameters(), rate, (0.9, 0.98), weight_decay=decay)
    at = schedule("cosine", rate, len(batches), max(1, len(batches) // 10))
    fit(loss, optimizer, run.progress(batches, "lessons"), lr=at, divisor=divisor, threads=threads)
    return model


def plainly(rng, asked):
    return f"{one_of(rng, ('', 'it is ', 'the answer is '))}{asked.request.words[0]} ."


def pages(seed):
    """Questions, each with an answer, its end and its grade."""
    rng = np.random.default_rng([seed, 31, 5])
    for _ in range(STEPS):
        asked = generate_asked(rng, PAGES)
        answers = [(plainly, write_answer)[i % 2](rng, one) for i, one in enumerate(asked)]
        graded = [[*ids(a), END, ID[grade(q, a)]] for q, a in zip(asked, answers)]
        yield answer_batch([ids(q.text) for q in asked], graded, END)


def lessons(count, seed, epochs=2, size=32):
    """Which examples each step is made of."""
    rng = np.random.default_rng([seed, 31, 6])
    order = np.concatenate([rng.permutation(count) for _ in range(epochs)])
    return [order[i : i + size] for i in range(0, len(order), size)]


def reward_judge(base, some, seed, epochs=2):
    model = RewardModel(copy.deepcopy(base))
    loss = RewardLoss(model)

    def batch(index):
        pairs = [(some.first[i], some.second[i])[:: 1 if some.prefers[i] else -1] for i in index]
        better, worse = ([[*ids(answer), END] for answer in side] for side in zip(*pairs))
        return reward_batch([ids(some.asked[i].text) for i in index], better, worse, END)

    return learn(model, loss, [batch(i) for i in lessons(len(some.asked), seed, epochs)], divisor=loss.divisor)


class PairLoss:
    """The mean of -ln of the probability that the judge of pairs gives to what was said."""

    def __init__(self, model):
        self.model = model

    def __call__(self, batch, *, rng=None, divisor=None, dtype=None):
        score = self.model.scores(batch, rng=rng, dtype=dtype)  # (B,)
        signed = score * constant(batch["sign"], score)
        return -ops.log_sigmoid(signed).sum() / (divisor or len(batch["sign"]))


def pair_judge(base, some, seed, orders=(1, -1)):
    model = RewardModel(copy.deepcopy(base))  # a number at the last token, here of a question and two answers

    def batch(index):
        both = [(some.asked[i], *(some.first[i], some.second[i])[::order]) for order in orders for i in index]
        sign = np.concatenate([order * np.where(some.prefers[index], 1, -1) for order in orders])
        texts = [[*reading(q, a), *reading(q, b)] for q, a, b in both]
        return text_batch(texts, [[ASK]] * len(texts), END) | {"sign": sign.astype(np.float32)}

    return learn(model, PairLoss(model), [batch(i) for i in lessons(len(some.asked), seed)])


def words_of(critique):
    return [ID[pair[1 - mark]] for pair, mark in zip(SEEN, critique)]


def verdicts_to_learn(some, index, orders):
    """Two critiques, and the verdict."""
    prompts, said = [], []
    for order in orders:
        for i in index:
            one, other = some.critiques[i][::order]
            prompts.append([*words_of(one), *words_of(other), ASK])
            said.append([ID[VERDICTS[0 if some.prefers[i] == (order == 1) else 1]]])
    return prompts, said


def critiques_to_learn(some, index):
    triples = [(some.asked[i], (some.first, some.second)[k][i], some.critiques[i, k]) for i in index for k in (0, 1)]
    return [reading(q, a) for q, a, _ in triples], [words_of(c) for *_, c in triples]


def writing_judge(base, some, seed, orders=(1, -1), critiques=True, rate=2e-3):
    model = copy.deepcopy(base)

    def batch(index):
        prompts, said = verdicts_to_learn(some, index, orders)
        if critiques:
            more = critiques_to_learn(some, index)
            prompts, said = prompts + more[0], said + more[1]
        return answer_batch(prompts, said, END)

    return learn(model, model.loss, [batch(i) for i in lessons(len(some.asked), seed)], rate)


# %% [markdown]
# And how each of them judges. Numbers of the reward judge are of single answers, so they are made once an answer; the
# generative judge takes the likeliest word each time.


# %%
def in_parts(compute, count, size=500):
    return np.concatenate([compute(slice(i, i + size)) for i in range(0, count, size)])


def rewards(model, asked, answers):
    texts = [[*ids(answer), END] for answer in answers]
    return in_parts(lambda s: model.rewards([ids(q.text) for q in asked[s]], texts[s]), len(asked))


def by_reward(model, asked, first, second):
    return sigmoid(rewards(model, asked, first) - rewards(model, asked, second))


def by_pair(model, asked, first, second):
    texts = [[*reading(q, a), *reading(q, b)] for q, a, b in zip(asked, first, second)]
    return sigmoid(in_parts(lambda s: model.rewards(texts[s], [[ASK]] * len(texts[s])), len(texts)))


def next_logits(model, texts):
    """(B, V) behind each text."""

    def compute(s):
        made = text_batch([t[:-1] for t in texts[s]], [t[-1:] for t in texts[s]], END)
        with no_grad():
            logits = model(made["tokens"]).numpy()
        return logits[np.arange(len(logits)), made["lengths"] - 1]

    return in_parts(compute, len(texts))


def critiques_by(model, asked, answers):
    """(B, 4) words, each the likeliest."""
    texts = [reading(q, a) for q, a in zip(asked, answers)]
    likeliest, unused = Sampler(top_k=1), np.random.default_rng(0)
    return in_parts(lambda s: np.array(generate(model, texts[s], len(SEEN), likeliest, unused).tokens), len(texts))


def verdict(model, one, other):
    """P(<first>) of the two verdicts, behind two critiques each.  (B,)"""
    logits = next_logits(model, [[*a, *b, ASK] for a, b in zip(one, other)])
    return sigmoid(logits[:, ID[VERDICTS[0]]] - logits[:, ID[VERDICTS[1]]])


judges, critiques, reads_right = {}, {}, []
for seed in run.seeds:
    some, base = test[seed], network(seed)
    learn(base, base.loss, list(pages(seed)), 5e-3, decay=0.3, threads="auto")
    judges |= {
        ("base", seed): base,
        ("reward", seed): reward_judge(base, learned_from[seed], seed),
        ("discriminative", seed): pair_judge(base, learned_from[seed], seed),
        ("generative", seed): writing_judge(base, learned_from[seed], seed),
    }
    writer = judges["generative", seed]
    critiques[seed] = [critiques_by(writer, some.asked, answers) for answers in (some.first, some.second)]
    truly = [[words_of(four(q, a)) for q, a in zip(some.asked, answers)] for answers in (some.first, some.second)]
    reads_right.append((np.array(critiques[seed]) == np.array(truly)).mean((0, 1)))
    given["reward", seed] = by_reward(judges["reward", seed], *some[:3])
    given["discriminative", seed] = by_pair(judges["discriminative", seed], *some[:3])
    given["generative", seed] = verdict(writer, *critiques[seed])
    for name in ("reward", "discriminative", "generative"):
        agreed[name].append(agreement(seed, given[name, seed]))


def judge(seed, asked, first, second):
    """How probable it is that people prefer the first answer, by the reward judge of this seed.  (B,)

    asked (list of `Asked`), first and second (lists of texts): B questions and two answers to each.
    """
    return by_reward(judges["reward", seed], asked, first, second)


print(f"{judges['base', run.seeds[0]].n_parameters()} weights; words of critiques that are as it is:")
print(table([[f"seed {s}", *found.tolist()] for s, found in zip(run.seeds, reads_right)], ["", *(p[0] for p in SEEN)]))
shown_agreement(agreed)
THREE = ("reward", "discriminative", "generative")
shown = [*THREE, "words", "pairs of words", "another person", "knows the taste"]
run.show(
    bar_chart(
        {name: round(100 * float(np.mean(agreed[name], 0)[0]), 1) for name in shown},
        title="Says what one person says", subtitle="% of unseen pairs, mean over five people", unit=" %",
    ),
    "agreement",
)  # fmt: skip

# %% [markdown]
# The first table has the words of the generative judge's critiques, of the test's answers. It sees well who is polite,
# and worst who is named.
#
# In the second table the reward judge and the generative one say what a person says a little more often than another
# person does, and no judge reaches the ceiling. The discriminative one, from the same verdicts, is behind both. It has
# to find two answers in one text and hold them against each other, in its two layers; the reward judge reads one answer
# at a time, as the base has learned to, and the comparison is a subtraction that nobody has to learn. That may be why
# it is behind; we did not test it, and it is of networks of this size.
#
# The sceptic's pairs of words are behind these two, by two pairs or three in a hundred. That is all that two networks
# have over a table of words, in a language of 53. And the generative judge has read critiques, eight words a pair, that
# the others have not: what it has over the reward judge may be that.
#
# ## One mark, or four?
#
# Who builds a judge has to say what people shall be asked. For an *overall mark* of an answer? Or for a *rubric*: is it
# right, named, polite, tidy, one mark each, of which a formula makes the total? A rubric is said to be clearer. But it
# asks four questions of every answer. So let the **number of marks** be the same, 1,600, and the people the same, too:
# each looks at an answer, sees the four things with the same slips, and says either the sum, $2 \cdot$ right + named +
# polite + tidy, from 0 to 5, or the parts.
#
# - **overall**: 1,600 answers, one mark each;
# - **overall, by mood**: the same, but that people are better or worse disposed at the moment: to the sum is added a
#   normal number of standard deviation 2, and the mark is what is nearest;
# - **rubric, all four**: 400 answers, four marks each;
# - **rubric, one each**: 1,600 answers, and of each one is asked one of the four, in turn.
#
# The judge is asked as people are: behind the answer stands a question, `<overall?>` or `<right?>`, and it has learned
# with which word one goes on. Its mark may be the likeliest of the words; or the mean of all marks, each weighed by the
# probability that it gives to its word, the *expected mark*, as in G-Eval (Liu et al., 2023). Beside each the linear
# model on pairs of words that learns from the same marks.

# %%
WORTH = np.array([2, 1, 1, 1])


def marked(rng, form, mood=0.0):
    """As many marks by people: question, answer, what was asked (0: overall), and the word."""
    asked = generate_asked(rng, MARKED // 4 if form == "all four" else MARKED)
    answers = [write_answer(rng, one) for one in asked]
    seen = np.array([four(q, a) for q, a in zip(asked, answers)])
    seen ^= rng.random(seen.shape) < SLIP
    if form == "overall":
        sums = np.clip(np.round(seen @ WORTH + mood * rng.normal(size=len(seen))), 0, 5).astype(int)
        return [(q, a, 0, MARKS[n]) for q, a, n in zip(asked, answers, sums)]
    parts = [range(4) if form == "all four" else [i % 4] for i in range(len(asked))]
    return [
        (q, a, 1 + k, SEEN[k][1 - of_it[k]]) for q, a, of_it, each in zip(asked, answers, seen, parts) for k in each
    ]


def marking_judge(base, given_marks, seed):
    model = copy.deepcopy(base)
    prompts = [[*reading(q, a), ID[QUERIES[k]]] for q, a, k, _ in given_marks]
    said = [[ID[word]] for *_, word in given_marks]
    steps = lessons(len(said), seed, epochs=3)
    batches = [answer_batch([prompts[i] for i in index], [said[i] for i in index], END) for index in steps]
    return learn(model, model.loss, batches, 2e-3)


def shares(model, asked, answers, query, among):
    """The probability of each word, of those that may be said.  (B, words)"""
    logits = next_logits(model, [[*reading(q, a), ID[query]] for q, a in zip(asked, answers)])
    logits = logits[:, [ID[word] for word in among]]
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)


def totals(model, form, asked, answers, worth=WORTH):
    """The judge's marks of answers: expected, and by the likeliest words.  (B,), (B,)"""
    if form == "overall":
        found = shares(model, asked, answers, QUERIES[0], MARKS)
        return (found * np.arange(6)).sum(1), found.argmax(1).astype(float)
    found = np.stack([shares(model, asked, answers, QUERIES[k + 1], SEEN[k])[:, 0] for k in range(4)], 1)
    return (found * worth).sum(1), ((found > 0.5) * worth).sum(1).astype(float)


def linear_totals(given_marks, form):
    """The same from weights of pairs of words."""
    weights = []
    for k in [0] if form == "overall" else [1, 2, 3, 4]:
        some = [row for row in given_marks if row[2] == k]
        x = np.stack([counts_of(q, a) for q, a, *_ in some])
        y = [int(word) / 5 if k == 0 else float(word == SEEN[k - 1][0]) for *_, word in some]
        weights.append(logistic(x, np.array(y, np.float32)))

    def scorer(asked, answers):
        found = np.stack([counts_of(q, a) for q, a in zip(asked, answers)]) @ np.stack(weights, 1)
        return found[:, 0] if form == "overall" else (sigmoid(found) * WORTH).sum(1)

    return scorer


def by_difference(apart):
    """A judge of pairs that only says who has more."""
    return 0.5 + 0.5 * np.sign(np.round(apart, 9))


FORMS = {"overall": ("overall", 0.0), "overall, by mood": ("overall", MOOD),
         "rubric, all four": ("all four", 0.0), "rubric, one each": ("one each", 0.0)}  # fmt: skip
by_marks, markers = defaultdict(list), {}
for seed in run.seeds:
    some = test[seed]
    for name, (form, mood) in FORMS.items():
        given_marks = marked(np.random.default_rng([seed, 31, 7]), form, mood)
        model, linear = marking_judge(judges["base", seed], given_marks, seed), linear_totals(given_marks, form)
        sides = [(some.asked, answers) for answers in (some.first, some.second)]
        found = [totals(model, form, *side) for side in sides]
        apart = [one - other for one, other in zip(*found)]
        apart.append(linear(*sides[0]) - linear(*sides[1]))
        if name == "rubric, one each":
            no_tidy = [totals(model, form, *side, worth=np.array([2, 1, 1, 0]))[0] for side in sides]
            apart.append(no_tidy[0] - no_tidy[1])
        markers[name, seed] = model
        by_marks[name].append([agreement(seed, by_difference(each))[3] for each in apart])
rows = [[name, *np.mean(found, 0)[:3].tolist()] for name, found in by_marks.items()]
print(f"as the taste has it, of unseen pairs, by {MARKED} marks:")
print(table(rows, ["people are asked for", "expected", "likeliest", "linear model"]))
print(f"rubric, one each, without tidy: {np.mean(by_marks['rubric, one each'], 0)[3]:.3f}")

# %% [markdown]
# Read the first column. As long as people can add up, **the overall mark is the best that one can ask for**, and
# neither rubric comes up to it: a sum of four things tells of four things, for the price of one mark. But let people be
# in a mood, and the overall mark loses more than that: a mood changes a sum, and does not make a wrong answer right.
# **So a rubric pays where moods spoil sums and leave the parts alone**, as we made them do, and moods as large as
# these, 2 of 5. To ask all four of a quarter of the answers, or one of each answer, makes less of a difference.
#
# Does anybody know how moody people are? One can measure it, with two marks of the same answer by the same person (30).
#
# The second column against the first: the expected mark is better in every row. It has what the likeliest mark throws
# away, how nearly it was the next one. (Exercise 31.3 asks for it; the cell above has it.) The last column is the
# sceptic's linear model, from the same marks. It is behind the expected mark in every row, and ahead of the likeliest
# in two.
#
# And the last line: what no question asks for is not seen. Without *tidy*, the same judge agrees less with the taste.
#
# ## How sure is it?
#
# A judge that says 0.9 should be right nine times of ten: then it is calibrated (24). To whom should it be? To *one
# person*: how probable is it that somebody whom you ask prefers this answer? The *ECE* (24) is the mean distance of
# how sure it is from how often it is right, in ten bins; the *Brier score* is the mean of $(p - y)^2$, with y what was
# said, 1 or 0, and p the judge's probability.
#
# Four that one might trust: the reward judge from 2,400 labels; one from **300 labels, each of them learned twelve
# times**, as one does who has no more; the **verdict alone**, where the generative judge says *first* and nothing
# else; and the difference of two **marks**, of the overall mark's judge, taken for *log odds*: that is $\ln (p / (1 -
# p))$, of which $\sigma$ makes p again.
#
# And two repairs, fitted on 600 pairs that somebody else judged. *Temperature* (Guo et al., 2017): divide the log odds
# by one number T, that of the greatest likelihood. *Isotonic* regression (Zadrozny and Elkan, 2002): of all functions
# of the log odds that never fall, the one of the smallest squared error.


# %%
def overall_marks(model, asked, answers):
    return totals(model, "overall", asked, answers)[0]


def odds_by(scorer, model, some):
    """How much better the scorer finds the first answers.  (B,)"""
    return scorer(model, some.asked, some.first) - scorer(model, some.asked, some.second)


def log_odds(p):
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def ece(seed, p):
    """Against each of the five people, and the mean."""
    sure, first = np.maximum(p, 1 - p), p > 0.5
    return float(np.mean([calibration_error(sure, first == vote, 10) for vote in votes[seed]]))


def brier(seed, p):
    return float(np.mean([brier_score(p, vote) for vote in votes[seed]]))


repaired, temperatures, pictures = defaultdict(list), defaultdict(list), {}
for seed in run.seeds:
    some, base = learned_from[seed], judges["base", seed]
    part = Session(*(each[:FEW] for each in some))
    few, marker = reward_judge(base, part, seed, epochs=AGAIN), markers["overall", seed]
    whom = {
        "reward judge": (rewards, judges["reward", seed]),
        f"{FEW} labels, {AGAIN} times": (rewards, few),
        "difference of marks": (overall_marks, marker),
    }
    for name, (scorer, model) in whom.items():
        seen, new = (odds_by(scorer, model, of) for of in (checked[seed], test[seed]))
        said = checked[seed].prefers
        t = 1.0 if run.fast else fit_temperature(np.stack([np.zeros_like(seen), seen], 1), said.astype(int))
        curve = fit_isotonic(seen, said.astype(float))
        for how, p in {"as it is": sigmoid(new), "temperature": sigmoid(new / t), "isotonic": curve(new)}.items():
            repaired[name, how].append([ece(seed, p), brier(seed, p), same(p, votes[seed][0])])
            pictures[name, how] = p
        temperatures[name].append(t)
    alone = (given["generative", seed] > 0.5).astype(float)
    repaired["verdict alone", "as it is"].append([ece(seed, alone), brier(seed, alone), same(alone, votes[seed][0])])
    repaired["knows the taste", "as it is"].append([ece(seed, likely[seed]), brier(seed, likely[seed]),
                                                     same(likely[seed], votes[seed][0])])  # fmt: skip
print(table([[*name, *np.mean(found, 0).tolist()] for name, found in repaired.items()],
            ["judge", "", "ECE", "Brier score", "as one said"]))  # fmt: skip
run.say("T:", {name: [round(t, 2) for t in found] for name, found in temperatures.items()})
last = run.seeds[-1]
for how, title in (("as it is", "Few labels, seen often"), ("temperature", "The same, divided by one number")):
    p = pictures[f"{FEW} labels, {AGAIN} times", how]
    picture = reliability(np.maximum(p, 1 - p), (p > 0.5) == votes[last][0], 10)
    run.show(
        reliability_figure(
            picture.edges, picture.counts, picture.confidence, picture.accuracy, title=title,
            subtitle=f"reward judge of {FEW} labels on unseen pairs, seed {last}",
        ),
        f"sure-{how.split()[0]}",
    )  # fmt: skip

# %% [markdown]
# The reward judge of 2,400 labels is all but calibrated as it is: its ECE is 0.03, and whoever knows the taste has
# 0.017, which is what 1,500 pairs in ten bins give by chance. It was trained to say how probable a label is.
# Temperature changes next to nothing.
#
# The same judge from 300 labels, read twelve times, is too sure: it knows them by heart. One number, T near 2, repairs
# that. **It does not make the judge better**: no verdict changes by a division, and it agrees with people as often as
# before. A difference of two marks is no log odds, and here happens to be nearly as good; its T is below 1, as it was
# not sure enough. Isotonic regression does no more than T; it may change verdicts, where its curve crosses one half
# elsewhere than at 0. And the verdict alone, *first*, is sure of everything: its ECE is how often it is wrong.
#
# Where a judge's probability is used, in a mean over many, say, calibrate it first, on the people whom it stands for.
#
# ## What stands first?
#
# Shown the same two answers in the other order, GPT-4 said the same of a pair in 65 of 100 cases, and Claude v1 in 24
# (Zheng et al., 2023, with pairs of like answers by GPT-3.5). Where does such a *position bias* come from? One way is
# the labels. Let people get tired: in 30 of 100 cases they do not read, and say *the first*. And let the pairs be
# learned as they were shown, in one order. Then of all labels 0.15 more say *the first* than should, and that is the
# truth that a measurement has to find: the mean of P(what is shown first) over both orders, less a half.
#
# The remedy of Zheng et al. and of chapter 24's judge: ask in both orders. Here we average, $(p + 1 - p') / 2$, with p
# the probability of an answer when it stands first, and p' that of the other one when *that* stands first. Exercise
# 31.1 does not average: it takes a verdict in each order, and calls it a tie where they differ.


# %%
def in_both_orders(one, other):
    return (one + 1 - other) / 2


placed, planted = defaultdict(list), []
for seed in run.seeds:
    some, rng = test[seed], np.random.default_rng([seed, 31, 8])
    fresh = learned_from[seed]
    tired = fresh._replace(prefers=fresh.prefers | (rng.random(len(fresh.prefers)) < TIRED))
    planted.append(float((tired.prefers.astype(float) - fresh.prefers).mean()))
    base, turned = judges["base", seed], (some.asked, some.second, some.first)
    models = {
        "reward": reward_judge(base, tired, seed),
        "discriminative": pair_judge(base, tired, seed, orders=(1,)),
        "generative": writing_judge(judges["generative", seed], tired, seed, (1,), critiques=False, rate=1e-3),
    }
    both = {
        "reward": [by_reward(models["reward"], *order) for order in (some[:3], turned)],
        "discriminative": [by_pair(models["discriminative"], *order) for order in (some[:3], turned)],
        "generative": [verdict(models["generative"], *critiques[seed][::order]) for order in (1, -1)],
    }
    for name, (one, other) in both.items():
        bias, mean = float((one + other).mean() / 2 - 0.5), agreement(seed, in_both_orders(one, other))
        changed = float(((one > 0.5) == (other > 0.5)).mean())
        placed[name].append([bias, changed, agreement(seed, one)[0], mean[0], mean[3]])
    told = {(q.text, a, b): p for q, a, b, p in zip(*some[:3], one)}
    told |= {(q.text, b, a): p for q, a, b, p in zip(*some[:3], other)}
    triples = [(q.text, a, b) for q, a, b in zip(*some[:3])]
    assert (
        abs(position_bias(triples, lambda *triple, told=told: told[triple]) - bias) < 1e-9
    )  # the package's, of the last judge
print(f"planted: {np.mean(planted):.3f}")
print(table([[name, *np.mean(found, 0).tolist()] for name, found in placed.items()],
            ["learned from the tired", "bias", "changes its mind", "one order", "both", "both, taste"]))  # fmt: skip
run.say("from the others:", {name: round(float(np.mean(agreed[name], 0)[0]), 3) for name in THREE})

# %% [markdown]
# The generative judge has the bias that was planted, and so has the discriminative one, which almost gives up reading:
# shown a pair in both orders, it says *the first* both times in nine cases of ten. The reward judge learned from the
# same labels and has no such bias. It cannot have: $r - r'$ turned around is $r' - r$. A tired label is noise to it,
# and not more.
#
# Both orders averaged repair the generative judge: the bias falls out, and it agrees with people as often as before it
# was spoiled. But then it had learned the verdicts of the same pairs before, from people who were awake, in both
# orders; the other two had not. The discriminative judge they repair for the greater part. **Averaging takes a bias out
# of a judge that can judge; it puts no judgement in.** And it costs two readings in the place of one. That the orders
# disagree is worth knowing by itself: it is the one bias that shows without any person.
#
# ## What is longer?
#
# Judges like long answers; that is called *verbosity bias*. Zheng et al. (2023) wrote the items of lists anew in other
# words and put them in front, nothing new in them: two of their three judges took such an answer for the better one in
# 91 of 100 cases, GPT-4 in 9. Plant it: the labels come from people to whom each word is worth 0.4 points (24), and a
# reward judge learns from them. Then it compares six systems with a seventh, on the same questions. Each writes as
# people do, but for one habit; what people with *our* taste would say of each pair is known.
#
# - **another**: nothing is changed; **padded**: "well , well ," stands before each answer;
# - **terse**: nothing that leads up to the answer; **polite**: always one "welcome !" at least;
# - **right**: the right word and no more; **right, padded**: "well , well , the answer is", and the right word.
#
# The remedy is *length control* (Dubois et al., 2024), with which AlpacaEval's ranks went from a correlation of 0.94
# with those of people to 0.98. For each system by itself: how probable is it that the judge prefers it, by a logistic
# regression with two terms, one for the system and one for how much longer its answer is?
#
# $$P = \sigma(c + f z), \qquad z = \tanh\frac{n - n'}{s}$$
#
# with n and n' the words of both answers and s the standard deviation of their difference. The length-controlled win
# rate is $\sigma(c)$, what is left where both are equally long. (Theirs has a third term, for how hard a question is.)
# Exercise 31.2 is this rate.


# %%
def written(habit, rng, asked):
    answer = write_answer(rng, asked)
    match habit:
        case "padded":
            return f"well , well , {answer}"
        case "terse":
            return answer.replace("well , ", "").replace("it is ", "").replace("the answer is ", "")
        case "polite":
            return answer if answer.endswith("welcome !") else f"{answer} welcome !"
        case "right":
            return f"{asked.request.words[0]} ."
        case "right, padded":
            return f"well , well , the answer is {asked.request.words[0]} ."
    return answer


HABITS = ("another", "padded", "terse", "polite", "right", "right, padded")
wins = {habit: [] for habit in HABITS}
for seed in run.seeds:
    fond_people = People(Taste(length=LOVE))
    fond = reward_judge(
        judges["base", seed], session(np.random.default_rng([seed, 31, 9]), LABELS, people=fond_people), seed
    )
    rng = np.random.default_rng([seed, 31, 10])
    asked = generate_asked(rng, GAMES, "test")
    seventh = [write_answer(rng, one) for one in asked]
    for habit in HABITS:
        answers = [written(habit, rng, one) for one in asked]
        longer = length_difference(lengths(answers), lengths(seventh))
        found = [float((lengths(answers) - lengths(seventh)).mean())]
        found.append(float(PEOPLE.probabilities(asked, answers, seventh).mean()))
        for model in (fond, judges["reward", seed]):
            p = by_reward(model, asked, answers, seventh)
            controlled = controlled_wins(p, longer)
            left = p - sigmoid(log_odds(controlled.rate) + controlled.slopes[0] * longer)
            assert abs(left.sum()) < 1e-6 and abs(left @ longer) < 1e-6  # the likelihood has no slope there
            found += [controlled.raw, controlled.rate]
        wins[habit].append(found)
print(table([[habit, *np.mean(found, 0).tolist()] for habit, found in wins.items()],
            ["system", "words more", "people", "fond judge", "controlled", "honest judge", "controlled"]))  # fmt: skip


def off(column):
    """How far it is from what people would say, in the mean over the systems; a number a seed."""
    return np.mean([np.abs(np.array(found)[:, column] - np.array(found)[:, 1]) for found in wins.values()], 0).tolist()


names_of = {"fond judge": 2, "fond, controlled": 3, "honest judge": 4, "honest, controlled": 5}
far = {name: off(column) for name, column in names_of.items()}
run.say("off by, on average:", {name: round(float(np.mean(values)), 3) for name, values in far.items()})
spots = {column: [(np.mean(f, 0)[1], np.mean(f, 0)[column]) for f in wins.values()] for column in (2, 3)}
ends = [min(p[0] for p in spots[2]) - 0.02, max(p[0] for p in spots[2]) + 0.02]
run.show(
    line_chart(
        [
            Line("as people", [(end, end) for end in ends], "#8c959f"),
            Line("fond judge", spots[2], "#cf5b16", dots=True, joined=False),
            Line("controlled", spots[3], "#0969da", dots=True, joined=False),
        ],
        title="Six systems against a seventh", xlabel="win rate by people", ylabel="win rate by the judge",
        subtitle="a judge fond of length, as it is and with length held equal; each dot a system",
    ),
    "length",
)  # fmt: skip

# %% [markdown]
# The fond judge thinks that padded answers are better than what they are padded from, and people think them worse; and
# the right word alone, which people like about as much as the usual answer, loses four times of five. Length control
# takes away more than half of the error. It knows nothing of people. It only sees that this judge says yes more often,
# the longer the answer is, within each system, too.
#
# It does not get the systems right that are always *right*: there it goes too far, to the other side. All answers of
# the first are shorter than nearly all of the seventh's, so that what happens at equal length has to be guessed, by
# going on along a curve. And the seventh's long answers are long for reasons that people dislike, such as saying all
# twice: what goes with length falls out with it, the bad and the good. For an honest judge control has nothing to
# mend, and there it does a little harm, most of it to *right*.
#
# ## What sounds like itself?
#
# Models that judge prefer what they wrote themselves (Panickssery et al., 2024); in a part of the cases, it seems,
# because they prefer whatever they would have been likely to say, whoever said it (Wataoka et al., 2024). This
# *self-preference* is what one least wants where a model is compared with others by itself.
#
# Two *houses* have each a model of their own, which went on from our base with a house's answers. They say the same
# things equally often, right or wrong, and differ in the phrase: house A says mostly "it is bun , ann .", house B
# mostly "ann , the answer is bun .". So neither is better, and people say so.
#
# Now each house judges with its own model. Its log odds are those of the reward judge, and to them is added half of $m
# - m'$, with m the log-probability of the first answer by *its own model*, and m' that of the second. That is the bias
# that we plant. Wataoka et al. measure it so: of pairs in which people prefer A's answer, how often does the judge,
# less how often it prefers B's where people do?
#
# Two remedies. **Another judge**: where nobody neutral is to be had, the mean of both, a *panel* (Verga et al., 2024).
# And **control**, as for length: a logistic regression with a term for $m - m'$, of which we take what is left where
# both answers are equally likely to the judge.

# %%
HOUSE, MOSTLY = run.pick(80, 4), 0.85
PHRASES = (("it is {x} , {n} .", "it is {x} ."), ("{n} , the answer is {x} .", "the answer is {x} ."))


def in_house(rng, asked, house):
    """Six in ten are right, half name who asked, two in five are polite: of either house the same."""
    right = asked.request.words[0]
    others = [w for w in asked.request.text.split() if w in CONTENTS and w != right] or sorted(CONTENTS - {right})
    said = right if rng.random() < 0.6 else one_of(rng, others)
    phrases = PHRASES[house if rng.random() < MOSTLY else 1 - house]
    answer = phrases[int(rng.random() < 0.5)].format(x=said, n=asked.name)
    return f"{answer} welcome !" if rng.random() < 0.4 else answer


def house_model(base, seed, house):
    model, rng = copy.deepcopy(base), np.random.default_rng([seed, 31, 11, house])
    batches = []
    for _ in range(HOUSE):
        asked = generate_asked(rng, 32)
        said = [[*ids(in_house(rng, one, house)), END] for one in asked]
        batches.append(answer_batch([ids(one.text) for one in asked], said, END))
    return learn(model, model.loss, batches, 2e-3)


def write(model, asked, rng):
    made = generate(model, [ids(one.text) for one in asked], 20, Sampler(), rng, stop_ids=[END]).tokens
    return [" ".join(VOCABULARY[i] for i in tokens if i != END) for tokens in made]


def log_probability(model, asked, answers):
    """Of each answer and its end.  (B,)"""

    def compute(s):
        batch = answer_batch([ids(q.text) for q in asked[s]], [[*ids(a), END] for a in answers[s]], END)
        with no_grad():
            logits = model(batch["tokens"]).numpy().astype(float)
        targets, counts = batch["targets"], batch["targets"] != ops.IGNORE
        logits -= logits.max(-1, keepdims=True)
        found = np.take_along_axis(logits, np.where(counts, targets, 0)[..., None], -1)[..., 0]
        return ((found - np.log(np.exp(logits).sum(-1))) * counts).sum(1)

    return in_parts(compute, len(asked))


def equal_opportunity(p, said):
    """Of pairs where people prefer the first, how often the judge does, less the same of the second."""
    return float((p[said] > 0.5).mean() - (p[~said] < 0.5).mean())


own, slopes = defaultdict(list), defaultdict(list)
for seed in run.seeds:
    models = [house_model(judges["base", seed], seed, house) for house in (0, 1)]
    rng = np.random.default_rng([seed, 31, 12])
    asked = generate_asked(rng, GAMES, "test")
    answers = [write(model, asked, rng) for model in models]
    people = PEOPLE.probabilities(asked, *answers)
    said = rng.random(len(people)) < people
    fair = log_odds(judge(seed, asked, *answers))
    apart = [log_probability(m, asked, answers[0]) - log_probability(m, asked, answers[1]) for m in models]
    verdicts = [sigmoid(fair + FAMILIAR * each) for each in apart]
    held = [controlled_wins(p, each) for p, each in zip(verdicts, apart)]
    own["people"].append([people.mean(), np.nan])
    own["reward judge, nothing added"].append([sigmoid(fair).mean(), equal_opportunity(sigmoid(fair), said)])
    for house, p, each in zip("AB", verdicts, held):
        slopes[house].append(float(each.slopes[0]))
        own[f"judge of house {house}"].append([p.mean(), equal_opportunity(p, said)])
        own[f"the same, controlled, {house}"].append([each.rate, np.nan])
    panel = np.mean(verdicts, 0)
    own["panel of both"].append([panel.mean(), equal_opportunity(panel, said)])
for question, one, other in list(zip(asked, *answers))[:3]:
    print(f"{question.text}\n    A: {one:40} B: {other}")
rows = [[name, *("" if np.isnan(v) else float(v) for v in np.mean(found, 0))] for name, found in own.items()]
print(table(rows, ["who judges", "A wins", "for A's, less for B's"]))
run.say(f"log odds by a unit of m - m', planted {FAMILIAR}, found by control:",
        {house: round(float(np.mean(found)), 2) for house, found in slopes.items()})  # fmt: skip

# %% [markdown]
# People see next to no difference between the houses. The judge of house A does, and so does the one of house B, each
# in its own favour. Measured as Wataoka et al. do, it is far from 0 for each, and near it for the reward judge to which
# nothing was added. **The panel is nearer to fair**: the two biases are of opposite sign, because we planted them so,
# and most of them cancels. 0.10 of *for A's, less for B's* is left, as that of A's judge is the larger one. Two judges
# of one family would not cancel. Control works with one judge alone. It finds how much log odds a unit of $m - m'$
# adds, and takes that off: 0.41 and 0.42, where 0.5 was planted. (What a logistic regression is not told of, such as
# which answer is right, draws its slopes towards 0.) For the judge of house A next to nothing is left; for that of B it
# goes too far, to the other side, and more than half of the error stays.
#
# Is this what real models do? Wataoka et al. find that models rate texts of low perplexity higher than people do, their
# own or not. But what is likelier to a model may also *be* better, in the eyes of people, and control takes that out as
# well. That may be why it is not nearer to what people say.

# %% [markdown]
# ## Does it like some names better than others?
#
# What a model has read about people comes out again: in what it says of them, and in what a judge made of it thinks of
# answers that name them. How does one find that out? **Exchange the names.** If two texts are equal but for a name, and
# the model does not treat them alike, it is the name that it treats. That is a *counterfactual* test: what would have
# been, had only this been otherwise?
#
# There is a second way, which asks the model nothing. Names and words are vectors (06), and near vectors are of words
# that keep the same company. Are one group's names nearer to pleasant words than another's? That is the *Word Embedding
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
# (Exercise 31.4 asks for both; the next cell has them by hand.)
#
# To learn whether such a test can be believed, one needs texts of which one knows what is in them. `portraits` says
# things of sixteen people of two peoples, the *lumi* and the *toar*. Who belongs to which is never said: there are only
# names. We plant a bias in some corpora, and none in others; and every name has habits of its own, as people have.


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
# shares then go through the same permutation test. And another one counts sentences: 248 of 400 here, 232 of 400 there,
# and asks whether a difference of *shares* as large would come by chance, were every sentence a draw by itself (the
# z-test: the difference divided by its standard deviation, compared with the normal distribution).
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
# often called rude is so in all of them. What was drawn is eight names a group, not four hundred sentences. And WEAT
# has no more power than counting; it has less. Its gain is elsewhere: it needs nothing but vectors, where nobody can
# count.
#
# Now the last two rows. In **hidden** the lumi are well spoken of where they were seen, at the market or the harbor,
# and as badly where it is told what they *are*; and they have the better paid occupations. In **company** the pleasant
# words are not said of the lumi, but of those whom they meet. The first bias WEAT does not see, not with these lists:
# what they do not name is not found, and the mean of good and bad is nothing. (With lists of occupations it sees those,
# in 99 of 100 corpora.) In the second it finds something, though of the lumi nothing better is said than of the toar.
#
# So ask. A small language model reads a corpus of twice as many sentences, whose names have half the habits, and is
# given a beginning with each of the names. Of the probability that it gives to pleasant and to unpleasant words
# together, how much goes to the pleasant? In the table: the mean of the lumi's names less that of the toar's.

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
# answer. So do FaithScore (Jing et al., 2024) and Woodpecker (Yin et al., 2024), which then corrects the caption. We
# strike out what is not there.
#
# We plant such a habit. In the pictures of chapter 20, three things have a *companion*: a green square goes with a red
# circle, a yellow cross with a blue triangle, a purple circle with a white square. It is there in two of five pictures
# that have its leader; in a quarter another thing of its color is. But who wrote the captions for training did not look
# twice: the companion is named behind its leader, there or not.
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
    seers, wrong_before = seeing_models(seed, *scenes[0]), {}
    often = Counter(pair for pairs in scenes[0][0] for pair in as_told(pairs))
    limits = {}
    for there, _, pictures in scenes[1:]:
        said, of, wrong, against = suspicions(seers, there, pictures, often, wrong_before)
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
# who has counted which companions were wrong knows *that* they are, in six of ten cases, and not in which. Looking for
# the color strikes out only what is nowhere of that color: so it is never wrong, and finds half.
#
# And the checker that learned from the captions finds next to nothing. It looks at the picture as well as the other
# one. But of companions it has been told, every time, that they are there. **A judge that has learned from what it
# judges shares its mistakes**, and that the two agree is no evidence. The last row is no cheap rule, but what an object
# detector would do: these eyes had the name of every thing in every training picture, which nobody has of photographs
# at large. (The checker sees with the same eyes, so it owes them something, too.) Where there are such labels, they are
# the best judge of all.

# %% [markdown]
# ## Shall it be released?
#
# All of this part in one case. There is an assistant, the old one: it has read answers of people of many habits. A new
# one is to take its place: for 600 questions the old one wrote six answers each, raters took the one they liked most,
# and on those it was trained. Is it better? Ask *before* looking: better in what, and how much of it must there be?
# Whoever looks first will find a number that has risen.
#
# So here are the goals, and the rule: **it is released if every one is kept, at the worse end of its interval of 95
# %**. People have to prefer its answers to the old one's in 55 of 100 pairs and more. 85 of 100 answers have to be
# right. At most 8 of 100 may say two things, or one that is not asked for and not in the question: that would be to
# guess, or to invent. And the same questions are asked under six names: between any two of them right answers may
# differ by 15 of 100, and friendly ones, those with the mark *polite*, by 25. (Two of these numbers we set wider after
# a trial: see the end.)

# %%
GOALS = [
    Goal("liked", "people prefer it to the old one", 0.55),
    Goal("right", "answers that are right", 0.85),
    Goal("honest", "answers that hedge or invent", 0.08, lower=True),
    Goal("right names", "right, most between two names", 0.15, lower=True),
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
    missed = Counter(goal.label for each in page_found[name] for goal in GOALS if not goal.kept(each[goal.name]))
    run.say(f"{name}: released in {sum(released[name])} of {len(run.seeds)} seeds; missed, in so many:", dict(missed))

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
    goals_section("Goals", GOALS, {name: page_found[name][-1] for name in CANDIDATES}),
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
# Open `page.html`, which your own run leaves beside the figures: it is what one would hand to those who decide. By
# every mean the new assistant is the better one. The metrics say so, the judge says so, and people say so. And it must
# not be released: it has learned to be unfriendly to two of those who ask. (And ben, whom the raters had nothing
# against, gets a friendly answer less often than ann.) **No mean over all questions can show that.** Nor does the
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
# - **A rubric was to beat one overall mark.** At equal marks it does not, unless sums are noisier than their parts. And
#   from a base that had read less, it mattered to ask one thing of each answer and not all four of a few.
# - **The generative judge was first to write one critique of both answers**, and to say of each thing who has it. It
#   did not learn to compare, in as many steps; and a verdict behind both whole texts did not learn to read the
#   critiques. Now it reads its critiques alone.
# - **The critiques were to put the generative judge far ahead of the reward judge.** They hardly do, and are no part
#   of the claim.
# - **The judges were to need calibration.** From enough labels, seen twice, they need none. So we took one of few
#   labels.
# - **From a base that had read three fifths as many pages, no judge was on average ahead of the sceptic's pairs of
#   words**, nor of another person. What a judge knows, it has mostly read before any label.
# - **Control and panel were to be near people on every seed**, and each house's judge to lean its way by 0.07. What is
#   bounded now are means over the seeds, since win rates of 800 pairs move that far by the draw; and 0.06.
# - **The hidden bias was first one of places**: good at the market, as bad at the harbor. A small reader found nothing
#   of it in as many steps, neither by exchanged names: what depends on name and place at once is slow to learn. Now it
#   is one of kinds of sentences.
# - **Blind raters were to be remedy enough.** On two seeds of three some names got friendly answers more often than
#   others by more than the goal allows, as they had of the old assistant. So the lessons have names drawn anew, too.
# - **Two goals were widened after a trial.** 5 answers of 100 that hedge or invent became 8, and 10 of 100 between
#   names became 15 for right answers: the worse end of an interval of 400 answers, or of 200 under six names, lies that
#   far from a version in which all is well.
# - **The bounds were written down after trials**, on the seeds that are recorded. Two of them, on how sure a judge of
#   few labels is and the verdict alone, were lowered once more when a trial had shown their means; and the half that
#   length control takes away is one of the mean, no longer of each seed.
#
# **Exercises**: 31.1 both orders, 31.2 the length-controlled win rate, 31.3 the expected mark, 31.4 WEAT.


# %%
def of(name, column=0):
    """One number a seed."""
    return [float(found[column]) for found in agreed[name]]


def less(one, other):
    return [float(a - b) for a, b in zip(one, other)]


def by_form(name, column=0):
    return [float(found[column]) for found in by_marks[name]]


def after(name, how, column=0):
    return [float(found[column]) for found in repaired[name, how]]


rules = {name: float(np.mean(of(name))) for name in ("the shorter", "words", "pairs of words")}
rules["discriminative"] = float(np.mean(of("discriminative")))
behind = less(of("reward"), of("another person"))
run.check("reward judge, less another person", behind, at_least=-NEAR, at_most=NEAR, full_only=True)
run.check("reward judge, as one person said", of("reward"), at_least=AS_SAID, baseline=rules, full_only=True)
found = {"another person": float(np.mean(of("another person")))}
run.check("pairs of words, as one person said", of("pairs of words"), at_least=AS_SAID, baseline=found, full_only=True)
run.check("pair by pair, less the reward judge", less(of("discriminative"), of("reward")), at_most=-BEHIND,
          full_only=True)  # fmt: skip
run.check("ceiling, less another person", less(of("knows the taste"), of("another person")), at_least=SLIPS)
for name in FORMS:
    gained = float(np.mean(less(by_form(name), by_form(name, 1))))
    run.check(f"expected less likeliest mark, {name}, mean", gained, at_least=EXPECTED, full_only=True)
linear = {name: float(np.mean(by_form(name, 2))) for name in ("overall", "rubric, one each")}
apart = {form: float(np.mean(less(by_form("rubric, one each"), by_form(form)))) for form in FORMS if "each" not in form}
run.check("rubric, one each, less overall by mood", apart["overall, by mood"], at_least=PAYS, full_only=True)
run.check("the same, less overall, mean", apart["overall"], at_most=NO_MORE, baseline=linear, full_only=True)
unasked = float(np.mean(less(by_form("rubric, one each", 3), by_form("rubric, one each"))))
run.check("without tidy, mean", unasked, at_most=-UNASKED, full_only=True)
few = f"{FEW} labels, {AGAIN} times"
run.check("ECE, few labels", after(few, "as it is"), at_least=TOO_SURE, full_only=True)
chance = {"knows the taste": after("knows the taste", "as it is")}
for name in ("reward judge", few):
    run.check(f"ECE by temperature, {name}", after(name, "temperature"), at_most=REPAIRED, baseline=chance,
              full_only=True)  # fmt: skip
changed = less(after(few, "temperature", 2), after(few, "as it is", 2))
run.check("few labels, agreement by temperature, more", changed, equals=0)
run.check("ECE, verdict alone", after("verdict alone", "as it is"), at_least=SURE, full_only=True)
for name in ("generative", "discriminative"):
    off_by = [abs(row[0] - truth) for row, truth in zip(placed[name], planted)]
    run.check(f"position bias of the {name}, off the planted", off_by, at_most=OFF, full_only=True)
run.check("position bias of the reward judge", [abs(row[0]) for row in placed["reward"]], at_most=1e-6)
gained = [float(row[3] - row[2]) for row in placed["generative"]]
run.check("generative, tired labels, both orders gain", gained, at_least=BOTH, full_only=True)
kept = [float(a - row[3]) for a, row in zip(of("generative"), placed["generative"])]
run.check("generative, lost to tired labels, both orders", kept, at_most=KEPT, full_only=True)
run.check("fond of length: off by", far["fond judge"], at_least=FOND, baseline={"honest": far["honest judge"]},
          full_only=True)  # fmt: skip
left = float(np.mean(far["fond, controlled"]) / np.mean(far["fond judge"]))
run.check("of that left by length control, mean", left, at_most=HALF, full_only=True)
wins_of_a = {name: float(np.mean([row[0] for row in rows])) for name, rows in own.items()}
for house, sign in (("A", 1), ("B", -1)):
    more = sign * (wins_of_a[f"judge of house {house}"] - wins_of_a["people"])
    run.check(f"judge of house {house}, for its own, mean", more, at_least=OWN, full_only=True)
    rest = abs(wins_of_a[f"the same, controlled, {house}"] - wins_of_a["people"])
    run.check(f"the same, controlled, {house}: off by", rest, at_most=HELD, full_only=True)
rest = abs(wins_of_a["panel of both"] - wins_of_a["people"])
nobody = {"nothing added": abs(wins_of_a["reward judge, nothing added"] - wins_of_a["people"])}
run.check("panel of both houses: off by", rest, at_most=HELD, baseline=nobody, full_only=True)
unequal = [float(row[1]) for row in own["judge of house A"]], [-float(row[1]) for row in own["judge of house B"]]
run.check("equal opportunity, A's and B's judge for its own", [float(np.mean(each)) for each in unequal],
          at_least=UNEQUAL, full_only=True)  # fmt: skip
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
run.check("invented things struck out, F1", f1["checker"], at_least=CHECKED_F1, baseline=beside, full_only=True)
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
