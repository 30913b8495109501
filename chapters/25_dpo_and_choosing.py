# %% [markdown]
# # 25 · DPO, and choosing
#
# People compared two answers and said which they like better. To learn from that, chapter 24 trains a reward model,
# has the policy write, lets the reward model judge, and trains the policy and a value model on it: with the reference
# four networks, two of which learn. All of that knows nothing but the pairs. Can a network not learn from the
# pairs at once?
#
# And now that there are so many ways to tune: a clinic wants its leaflets' questions answered. Prompt, or tune? All
# weights, or a few? And who makes sure that it says nothing where it knows nothing?
#
# - **Builds on** 21 following instructions, 22 LoRA and adapters, 23 QLoRA, 24 RLHF.
# - **Reads** [`align/preference.py`](../tinygrad_llm/align/preference.py),
#   [`align/preference_loss.py`](../tinygrad_llm/align/preference_loss.py),
#   [`datasets/tastes.py`](../tinygrad_llm/datasets/tastes.py),
#   [`datasets/clinic.py`](../tinygrad_llm/datasets/clinic.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its
#   baseline, are the `run.check(…)` of the last cell; [a recorded run](../docs/records/25/output.txt) shows them all.
# - **Departs from** the papers in size: two networks of some hundred thousand weights; people whose taste is a
#   formula, and a clinic whose drugs do not exist, so that a program knows what is right.
# - **Run**: `python chapters/25_dpo_and_choosing.py`. One seed takes about two minutes and a half of a processor,
#   and somewhat less time, as the two bases have both cores; `--seeds 3` takes six. `--fast` takes less than ten
#   seconds: it asserts the equalities and the bill, and nothing that is learned.

# %%
import copy
import math
import time
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import Tensor, no_grad, ops
from tinygrad_llm.align import (
    PREFERENCES,
    ActorCritic,
    PPOLoss,
    PreferenceLoss,
    Reference,
    RewardLoss,
    RewardModel,
    answer_batch,
    answer_kl,
    answer_log_probs,
    best_and_worst,
    best_of_n,
    ppo_batch,
    preference_batch,
    reward_batch,
    rollout,
    with_reference,
)
from tinygrad_llm.align.scalar import ScalarModel
from tinygrad_llm.backend import to_device
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets import clinic, tastes
from tinygrad_llm.datasets.clinic import REFUSAL, exercise, generate_clinic, guess, outcome
from tinygrad_llm.datasets.packing import padded_batch
from tinygrad_llm.datasets.pairs import padded
from tinygrad_llm.datasets.whereabouts import generate_whereabouts
from tinygrad_llm.finetune import HoulsbyConfig, LoraConfig, footprint, get_peft_model
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.generate.processors import LogitBias
from tinygrad_llm.models import Llama, LlamaConfig
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.quantize import quantize_linear
from tinygrad_llm.tokenizer import WordTokenizer
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import grouped_bars, line_chart

run = Chapter(
    "25",
    "From the same pairs DPO reaches nine tenths of PPO's true reward and more, and SFT on the preferred answers "
    "stays behind. The preferred answer becomes less likely with DPO, and more likely with SFT; with too small a "
    "price, or too large a one, much of the gain is lost. Of what wrong labels cost, neither cDPO nor IPO saves "
    "much. At a clinic no way of asking makes a base refuse that has never seen a refusal, and without the "
    "leaflet next to nothing is right. LoRA, QLoRA and all weights learn the same from lessons with guesses in "
    "them: to guess. Clean lessons mend much of that, and so do doctors' choices, where SFT is no worse than DPO, "
    "and at twice its rate forgets more.",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
END = 0
EQUAL, EQUAL_KL = 1e-5, 1e-12
OF_PPO, OF_GAIN, OVER_SFT, FALLS, FURTHER, RISES, LOST = 0.9, 0.8, 0.4, -0.3, 1.0, 0.1, 0.4
OTHER_BETA, NO_REMEDY, READS, NEVER, NO_LEAFLET, GUESSES, BEHIND = 0.3, 0.25, 0.85, 0.02, 0.2, 0.6, 0.12
ADAPTERS, BETTER, NO_WORSE, KEEPS, FORGETS_LESS, CHEAPER = 0.25, 0.15, -0.05, 0.2, 0.1, 0.5

# %% [markdown]
# ## What does RLHF look for?
#
# One question, and all answers y that there are. The network before tuning, the *reference*, says each with
# probability $\text{ref}(y)$. A reward $r(y)$ says how good each is. RLHF looks for the policy p which earns most,
# less a price: β for each nat of its KL to the reference (24).
#
# $$\max_p\; \sum_y p(y)\, r(y) - \beta \sum_y p(y) \ln \frac{p(y)}{\text{ref}(y)}$$
#
# PPO gets there step by step. But can one say *where* it is? Put both sums together, with r moved into the logarithm:
#
# $$-\beta \sum_y p(y) \ln \frac{p(y)}{\text{ref}(y)\, e^{r(y) / \beta}}
# = -\beta\, \text{KL}(p \,\|\, p^*) + \beta \ln Z, \qquad p^*(y) = \frac{\text{ref}(y)\, e^{r(y) / \beta}}{Z}$$
#
# Z is the number that makes the $p^*(y)$ add up to 1. It does not depend on p, and a KL is never below 0, and 0 only
# where both are the same. So the best policy is $p^*$: **the reference, each answer times $e^{r(y) / \beta}$, and
# all divided by Z.** With a large β it stays where it was; with a small one only the best answers are left.
#
# Try it with five answers. $p^*$ is the softmax of $\ln \text{ref} + r / \beta$, for its powers are the products above.
# Does any policy do better? By the line above each earns less by just β times its KL to $p^*$; so try some that are far
# away, and some that are near: each probability times e to the power of a normal draw times so much.

# %%
draw = np.random.default_rng(25)
reference, rewards, beta = draw.dirichlet(np.ones(5)), draw.normal(size=5), 0.5
best = ops.softmax(Tensor(np.log(reference) + rewards / beta)).numpy()


def earned(p):
    return (p * rewards).sum(-1) - beta * (p * np.log(p / reference)).sum(-1)


tried = {"anywhere": draw.dirichlet(np.ones(5), 20000)}
for width in (1.0, 0.1, 0.01):
    moved_away = best * np.exp(width * draw.normal(size=(2000, 5)))
    tried[f"near it, {width:g}"] = moved_away / moved_away.sum(-1, keepdims=True)
short = {where: earned(best) - earned(p) for where, p in tried.items()}  # by how much each earns less
by_more = float(min(each.min() for each in short.values()))
by_kl = max(float(np.abs(short[where] - beta * (p * np.log(p / best)).sum(-1)).max()) for where, p in tried.items())
rows = [[where, len(each), float(each.mean()), float(each.min())] for where, each in short.items()]
print(table(rows, ["others", "how many", "less by, mean", "the best of them"]))
print(f"p* earns {earned(best):.4f}, and each earns less by beta KL(p || p*), but for {by_kl:.0e}")

# %% [markdown]
# None does better, near or far. The best of them all is short of $p^*$ by so little because it is so near: the top of
# this hill is flat, and who stands ten times nearer misses about a hundredth as much.
#
# Nobody could compute Z for a network: there are too many answers. But turn the formula around:
#
# $$r(y) = \beta \ln \frac{p^*(y)}{\text{ref}(y)} + \beta \ln Z$$
#
# Every policy is the best one for *some* reward, and that reward stands in its own probabilities: β times
#
# $$d(y) = \ln \frac{p(y)}{\text{ref}(y)} ,$$
#
# but for a number that is the same for all answers to the question. It is called the policy's *implicit reward*. Now
# remember how the reward model learned from pairs (24): the answer w that was preferred beats the other one, l, with
# probability $\sigma(r(w) - r(l))$, where σ is the sigmoid. In a difference Z drops out. So put the implicit reward
# there in place of a reward model's:
#
# $$\underset{\text{a number}}{\text{loss}} = -\frac{1}{B} \sum_{i} \ln \sigma(\beta\, (d(w_i) - d(l_i))),
# \qquad \underset{(B,)}{d} = \ln p - \ln \text{ref}$$
#
# That is *DPO*, direct preference optimization (Rafailov et al., 2023). "Your language model is secretly a reward
# model", their title says. The policy is trained like a classifier: no reward model, no value model, nothing is
# written. The reference is asked once, before training.
#
# Here it is in a few lines, beside the package's. The people and the answers are those of chapter 24: who asks wants
# the right word, to be named, a "welcome !", and no babble; each counts for so many points, and people mostly prefer
# what has more of them. The base has read answers of all sorts.

# %%
VOCABULARY = ["<end>", *tastes.WORDS]
ID = {word: i for i, word in enumerate(VOCABULARY)}
PEOPLE, TASTE, LONGEST = tastes.People(), tastes.Taste(), run.pick(24, 8)


def ids(text):
    return [ID[word] for word in text.split()]


def ended(text):
    return [*ids(text), END]


def learn(model, loss, batches, rate, decay=0.0, divisor=None, threads=1, after=None):
    """Only what is not frozen moves."""
    learned = [(path, p) for path, p in model.named_parameters() if p.requires_grad]
    optimizer = AdamW(learned, rate, (0.9, 0.98), weight_decay=decay)
    at = schedule("cosine", rate, len(batches), max(1, len(batches) // 10))
    fit(loss, optimizer, batches, lr=at, divisor=divisor, threads=threads, after=after)
    return model


def lessons(steps, rows):
    """Questions with what people of many habits answer."""
    rng = np.random.default_rng(1)
    for _ in range(steps):
        asked = tastes.generate_asked(rng, rows)
        answers = [ended(tastes.write_answer(rng, one)) for one in asked]
        yield answer_batch([ids(one.text) for one in asked], answers, END)


config = LlamaConfig(len(VOCABULARY), 64, 2, 4, 64, 256, init_std=0.15)
base = Llama(config, rng=np.random.default_rng(25)).to(run.device)
STEPS = run.pick(300, 2)
batches = list(run.progress(lessons(STEPS, run.pick(64, 8)), "lessons", STEPS))
learn(base, base.loss, batches, 3e-3, 0.3, threads="auto")


def write(model, asked, seed, n=1):
    """n answers to each question, drawn by the model's probabilities; those to one question stand side by side."""
    rows, rng = [ids(one.text) for one in asked for _ in range(n)], np.random.default_rng([seed, 2])
    written = generate(model, rows, LONGEST, Sampler(), rng, stop_ids=[END]).tokens
    return [" ".join(VOCABULARY[i] for i in text if i != END) for text in written]


judged = tastes.generate_asked(np.random.default_rng(7), run.pick(300, 8), "test")


def points(model, seed):
    """The true reward: what the people's taste says of an answer to each unseen question, in the mean."""
    return float(TASTE.of(judged, write(model, judged, seed)).mean())


PAIRS, ROWS = run.pick((1600, 32), (16, 4))


def compared(seed):
    """Pairs of the base's own answers, and which of each was preferred."""
    asked = tastes.generate_asked(np.random.default_rng([seed, 26, 1]), PAIRS)
    written = write(base, asked, seed + 100, 2)
    return PEOPLE.prefer(np.random.default_rng([seed, 26, 2]), asked, written[::2], written[1::2])


def parts(pairs):
    """Token ids of prompts, of what was chosen, and of what was rejected."""
    return [ids(p.asked.text) for p in pairs], [ended(p.chosen) for p in pairs], [ended(p.rejected) for p in pairs]


def loss_by_hand(policy, reference, batch, beta):
    d = {}
    for which in ("chosen", "rejected"):
        own = {name: batch[f"{which}_{name}"] for name in ("tokens", "targets")}
        before = to_device(np.asarray(reference.answer_log_probs(own), np.float32), run.device)
        d[which] = policy.token_log_probs(own).sum(1) - Tensor(before)
    return -ops.log_sigmoid((d["chosen"] - d["rejected"]) * beta).mean()


pairs = compared(run.seeds[0])
some = preference_batch(*parts(pairs[:8]), END)
twin = copy.deepcopy(base)
for p in twin.parameters():
    p.assign(p.data * 1.05)
theirs = PreferenceLoss(twin, PREFERENCES["dpo"])(with_reference(some, Reference(base))).item()
apart = abs(loss_by_hand(twin, Reference(base), some, 0.1).item() - theirs)
for pair in pairs[:3]:
    run.say(pair.asked.text, " preferred:", pair.chosen, " to:", pair.rejected)
print(f"{base.n_parameters()} weights; our loss is {theirs:.4f}, the package's {apart:.0e} away")

# %% [markdown]
# ## Is it as good as PPO?
#
# Both get the same comparisons of the base's own answers, from 1600 pairs drawn those some 1590 that differ. DPO reads
# them twice, at a price of 0.3 a nat. For PPO a reward model reads them twice; then 60 rounds follow, of 64 answers
# each, at a price of 0.1. Who pays what? The time of a run stands beside it.
#
# What would a sceptic try? **SFT on the answers that were preferred**, and forget the others (21). And no training at
# all: **best of 16** (24): let the base write sixteen answers, and take the one that the reward model likes best.


# %%
def orders(count, epochs, seed, rows):
    """The rows of each batch; every epoch has an order of its own."""
    rng = np.random.default_rng([seed, 26, 3])
    for _ in range(epochs):
        order = rng.permutation(count)
        yield from (order[i : i + rows] for i in range(0, count - rows + 1, rows))


def prefer(model, pairs, settings, rate, seed, *, epochs=2, of=parts, rows=None, after=None):
    """A copy of the model, tuned by a member of the family on these pairs."""
    policy, reference = copy.deepcopy(model), Reference(model)
    loss = PreferenceLoss(policy, settings)
    batches = [
        with_reference(preference_batch(*of([pairs[i] for i in order]), END), reference)
        for order in orders(len(pairs), epochs, seed, rows or ROWS)
    ]
    return learn(policy, loss, batches, rate, divisor=loss.divisor, after=after and (lambda n, _: after(n, policy)))


def on_chosen(model, pairs, rate, seed, *, epochs=2, of=parts, rows=None, after=None):
    """SFT on what was preferred."""
    policy, batches = copy.deepcopy(model), []
    for order in orders(len(pairs), epochs, seed, rows or ROWS):
        prompts, chosen, _ = of([pairs[i] for i in order])
        batches.append(answer_batch(prompts, chosen, END))
    return learn(policy, policy.loss, batches, rate, after=after and (lambda n, _: after(n, policy)))


def reward_model(pairs, seed):
    model = RewardModel(copy.deepcopy(base))
    loss, drawn = RewardLoss(model), orders(len(pairs), 2, seed, ROWS)
    batches = [reward_batch(*parts([pairs[i] for i in order]), END) for order in drawn]
    return learn(model, loss, batches, 1e-3, divisor=loss.divisor)


def ppo(reward, seed, rounds, rows, price=0.1, rate=3e-4):
    policy, reference, rng = copy.deepcopy(base), Reference(base), np.random.default_rng([seed, 26, 4])
    learner = ActorCritic(policy, ScalarModel(copy.deepcopy(base)))
    loss, optimizer = PPOLoss(learner), AdamW(learner.named_parameters(), rate, (0.9, 0.95))
    at = schedule("cosine", rate, 2 * rounds, 5)
    for turn in run.progress(range(rounds), "PPO", rounds):
        prompts = [ids(one.text) for one in tastes.generate_asked(rng, rows)]
        made = rollout(policy, prompts, LONGEST, Sampler(), rng, pad=END, stop_ids=[END], reference=reference)
        scores = reward.rewards(made.prompts, made.answers) - ~made.stopped  # who never stops pays a point
        batch = ppo_batch(made.batch, scores, learner.values(made.batch), kl_coef=price)
        fit(loss, optimizer, [batch] * 2, lr=lambda n, turn=turn: at(2 * turn + n), divisor=loss.divisor, threads=1)
    return policy


def best_of(reward, seed, n):
    written = write(base, judged, seed, n)
    rated = reward.rewards([ids(one.text) for one in judged for _ in range(n)], [ended(text) for text in written])
    return float(TASTE.of(judged, [written[i] for i in best_of_n(rated, n)]).mean())


def moved(model, pairs, which):
    """By how many nats the chosen, or the rejected, answers have become likelier than they were, in the mean."""
    prompts, chosen, rejected = parts(pairs[: run.pick(400, 8)])
    batch = answer_batch(prompts, chosen if which == "chosen" else rejected, END)
    with no_grad():
        return float((answer_log_probs(model, batch).numpy() - answer_log_probs(base, batch).numpy()).mean())


def drift(model, seed):
    """The KL to the base in nats an answer, estimated by what the model writes."""
    prompts, rng = [ids(one.text) for one in judged], np.random.default_rng([seed, 3])
    ends = {"pad": END, "stop_ids": [END], "reference": Reference(base)}
    return answer_kl(rollout(model, prompts, LONGEST, Sampler(), rng, **ends).batch)


DPO, RATE = replace(PREFERENCES["dpo"], beta=0.3), 5e-4
reached, seconds, drifts, moves, curves = (defaultdict(list) for _ in range(5))
of_seed, tuned, watched = {seed: compared(seed) for seed in run.seeds}, {}, []


def watch(name, *which):
    """Called after a step: how far the answers of the first seed's pairs have moved."""

    def after(step, model):
        begun = time.perf_counter()
        for each in which if step == 1 or step % 10 == 0 else ():
            curves[f"{name}, {each}"].append((step, moved(model, of_seed[run.seeds[0]][:100], each)))
        watched.append(time.perf_counter() - begun)

    return after


def timed(name, make, *rest, **options):
    """What is made, and the seconds that it took; those of watching do not count."""
    watched.clear()
    begun = time.perf_counter()
    made = make(*rest, **options)
    seconds[name].append(time.perf_counter() - begun - sum(watched))
    return made


for seed in run.seeds:
    pairs, first = of_seed[seed], seed == run.seeds[0]
    after = watch("DPO", "chosen", "rejected") if first else None
    by_dpo = timed("DPO", prefer, base, pairs, DPO, RATE, seed, after=after)
    reward = timed("reward model", reward_model, pairs, seed)
    by_ppo = timed("PPO", ppo, reward, seed, *run.pick((60, 64), (1, 8)))
    seconds["PPO"][-1] += seconds["reward model"][-1]
    after = watch("SFT", "chosen") if first else None
    by_sft = timed("SFT on chosen", on_chosen, base, pairs, 1e-3, seed, after=after)
    for name, model in (("base", base), ("SFT on chosen", by_sft), ("PPO", by_ppo), ("DPO", by_dpo)):
        reached[name].append(points(model, seed))
        drifts[name].append(drift(model, seed))
        for which in ("chosen", "rejected"):
            moves[name, which].append(moved(model, pairs, which))
    reached["best of 16"].append(best_of(reward, seed, run.pick(16, 2)))
    tuned[seed] = by_dpo
rows = [[name, *(float(np.mean(each[name])) if name in each else "" for each in (reached, drifts, seconds))]
        for name in ("base", "SFT on chosen", "best of 16", "PPO", "DPO")]  # fmt: skip
print(table(rows, ["", "points", "nats from the base", "seconds"]))
run.say("pairs that differ, each seed:", [len(of_seed[seed]) for seed in run.seeds])
run.say("points, each seed:", {name: [round(v, 2) for v in values] for name, values in reached.items()})
for one, text in zip(judged[:4], write(tuned[run.seeds[0]], judged[:4], 0)):
    run.say(one.text, " ", text)

# %% [markdown]
# DPO is no worse than PPO here: on each recorded seed it has at least PPO's points (of 4), from the same pairs, in
# less than half of its time (the reward model's included; times are of this machine, which had other work besides).
# SFT on the preferred answers gets a third of the way: an answer that was preferred to a bad one need not be good. And
# look at the sceptic's best of 16: without any training of the policy it is ahead of PPO, on each seed. It pays
# sixteen times, and pays again at each answer.
#
# Does that settle it? No. PPO has other settings here than in 24 (60 rounds, a price of 0.1 in the reward's own units),
# and is weaker: there, on another base, it had 2.7 points from as many labels. So read this as: DPO is level with a
# good PPO, and simpler. We have tried two rates and two prices for PPO, and people who know how can tune it further (Xu
# et al., 2024, found it ahead once they had). PPO can ask its reward model about any new answer; DPO only knows those
# that somebody has compared. And ours come from the very base that is tuned; where they come from elsewhere, they may
# say nothing about what this policy would write.
#
# ## What becomes of the chosen answer?
#
# DPO makes the chosen answer win. Does it make it likelier? Look at the loss again: it sees nothing but the
# difference $d(w) - d(l)$. Lower both, the rejected one more, and it is content. So watch both, on the very pairs
# that are learned, step by step.

# %%
names = ("SFT on chosen", "DPO", "PPO")
rows = [[name, *(float(np.mean(moves[name, which])) for which in ("chosen", "rejected"))] for name in names]
print(table(rows, ["nats an answer", "chosen", "rejected"]))
run.show(
    line_chart(
        dict(curves), title="The chosen answer falls, and the other falls further", xlabel="step",
        ylabel="nats since the base", subtitle="ln p of a hundred pairs' answers, less that of the base",
    ),
    "falls",
)  # fmt: skip

# %% [markdown]
# **It falls.** Nothing is wrong with the program: the loss does not mind. And the pairs are draws of the base. Over
# such draws the mean of d, chosen and rejected together, is minus the KL from the base to the policy, never above 0:
# who moves far makes them less likely on average, PPO too. And where does the probability go, if both lose it? To
# answers that nobody has compared. Here these are mostly good ones, as the points show. They need not be. Pal et al.
# (2024) saw the fall in large models, too, and Razin et al. (2024) tell of cases in which what became likely means the
# contrary of what was chosen. So watch it, and look at what is written.
#
# SFT beside it does what one would have thought: the chosen answers become likelier. Whether the chosen answers rose
# or fell cannot be seen from the points. And PPO, which has never been told what was chosen, lets both fall as well.
#
# ## How far may it go?
#
# β is the price of a nat. The same pairs, with four prices:

# %%
BETAS, by_beta, seed = run.pick((0.03, 0.3, 1.0, 3.0), (0.1, 1.0)), {}, run.seeds[0]
pairs = of_seed[seed]
for beta in BETAS:
    model = tuned[seed] if beta == DPO.beta else prefer(base, pairs, replace(DPO, beta=beta), RATE, seed)
    by_beta[beta] = points(model, seed), drift(model, seed), moved(model, pairs, "chosen")
print(table([[beta, *found] for beta, found in by_beta.items()], ["beta", "points", "nats from the base", "chosen"]))

# %% [markdown]
# With the smallest β a nat costs next to nothing, and the policy runs far away from the base. The chosen answers have
# all but died out by then, and about half of the gain is lost again. (On the pairs of an earlier run nearly all of it
# was.) With a large β it stays where it is, and learns little; with the largest the chosen answers do become
# likelier. In between it does well. (One seed; the last column is in nats an answer.) Of the two bad policies one lets
# the chosen answers die out, and the other makes them likelier: the fall alone tells neither.
#
# ## And if the labels are wrong?
#
# Our people are no machines: one in nine of their labels says that the worse answer is better. Now turn three labels
# in ten around besides. Two remedies were proposed.
#
# - *cDPO*, conservative DPO (Mitchell, 2023), reckons with wrong labels: a pair counts with 1 - e as it says, and with
#   e the other way round. So there is a margin at which it is content. We tell it how many we have turned: e = 0.3.
# - *IPO* (Azar et al., 2023) has no sigmoid. It wants a certain distance, 1 / (2 β), and more is as bad as less. DPO
#   never has enough: where a pair has been preferred once, it would be best never to say the other answer at all.
#   (As in the package, d is here a mean over an answer's tokens.)

# %%
NOISE, IPO_BETA = 0.3, 0.3
MEMBERS = {
    "DPO": DPO,
    "cDPO": replace(DPO, label_smoothing=NOISE),
    "IPO": replace(PREFERENCES["ipo"], beta=IPO_BETA),
}
noisy = defaultdict(list)
for seed in run.seeds:
    turned = np.random.default_rng([seed, 26, 5]).random(len(of_seed[seed])) < NOISE
    wrong = [tastes.Preference(p.asked, p.rejected, p.chosen) if t else p for p, t in zip(of_seed[seed], turned)]
    for name, settings in MEMBERS.items():
        noisy[name].append(points(prefer(base, wrong, settings, RATE, seed), seed))
rows = [["DPO, labels as they were", reached["DPO"]], *([name, found] for name, found in noisy.items())]
print(table([[name, float(np.mean(found)), ", ".join(f"{v:.2f}" for v in found)] for name, found in rows],
            ["three labels in ten turned", "points", "each seed"]))  # fmt: skip

# %% [markdown]
# Three labels in ten turned, and with those that were wrong before a third of all: it costs DPO about half of its
# gain, or more. **Neither remedy is one, here.** cDPO is content at a difference of ln(7/3)/β, here 2.8 nats, from
# right labels too; IPO ends near DPO. In a trial with other seeds it was the same after one reading of the pairs and
# after three. Why? Each pair is read twice, and DPO gets no chance to be quite sure of any of them. What the remedies
# are made against, answers that have all but died out because of a single label, does not come about in so few steps.
# Where one trains for long, it may.
#
# (The three are not equally far from the base either; with a β of its own each might do better. We have tried three
# of IPO, and one of cDPO.)
#
# ## A clinic asks
#
# A clinic has leaflets, and people who have questions about them. Its drugs, complaints and doses are invented. Of
# seven things that a leaflet may say, this one says four:
#
#     leaflet of quosk : give adults one cupful . taken at dusk . against moonitch . never with hulpa .
#
# "How much quosk for a man ?" An answer quotes the line, so that one can look it up: "give adults one cupful". "How
# much quosk for a *boy* ?" It does not say. So "the leaflet does not say" is what is to be answered, and a cupful
# would be dangerous. Leaflets are revised: what this one says is drawn anew for each page, and no drug says in the
# test what it says in training. So there is no use in knowing by heart.
#
# Of the test's 400 questions half have no answer: they ask for the other dose, for what the leaflet is silent on, or
# about another drug. An answer may be *right*; a *refusal*; *misread*, a line of the leaflet that does not answer
# this; *invented*: a line as leaflets have them, but not this one; or *no answer*, anything else. In the tables right,
# ref. and wrong are shares of the questions that have an answer; what stands under "due", of those that have none.
#
# Our base has read books of exercises about such leaflets, with solutions, question papers without, and stories of
# who is where. It can read leaflets. But in a book no exercise is without a solution, so it has never seen a refusal.
# (Of a book, the loss is on what stands behind the leaflet. What the leaflet will say nobody can know; leaving that
# out brought a base in 200 steps to where it had been after 400.)

# %%
STORIES, BOOKS = run.pick((3000, 20000), (40, 60))
draw = np.random.default_rng(1)
TEXTS = {
    "books": clinic.generate_books(draw, BOOKS, exercises=4),
    "papers": clinic.generate_papers(draw, BOOKS // 10),
    "stories": [f"{' '.join(s.events)} {s.report}" for s in generate_whereabouts(draw, STORIES)],
}
SHARES = run.pick({"books": 40, "papers": 4, "stories": 4}, {"books": 3, "papers": 1, "stories": 1})
seen = [text for some in TEXTS.values() for text in some[: run.pick(1000, None)]]
words = WordTokenizer.train(" ".join([*seen, REFUSAL, *sorted(clinic.POSSIBLE)]), spaces=False, special=("[PAGE]",))
encode, EXERCISE, STEPS = words.encode, words.id_of["Exercise"], run.pick(300, 4)


def whole(texts):
    """Each text on a page of its own; of a book, what is learned begins behind the leaflet."""
    rows = [np.array([END, *encode(text), END]) for text in texts]
    return padded_batch([(row, np.cumsum(row == EXERCISE) >= (EXERCISE in row)) for row in rows], END)


def pages():
    rng = np.random.default_rng(2)
    for _ in range(STEPS):
        yield whole([TEXTS[name][i] for name, n in SHARES.items() for i in rng.integers(0, len(TEXTS[name]), n)])


config = LlamaConfig(words.vocab_size, 200, 2, 4, 64, 168, tied=True, init_std=0.12)
reader = Llama(config, rng=np.random.default_rng(10)).to(run.device)
learn(reader, reader.loss, list(run.progress(pages(), "the reader", STEPS)), 5e-3, 0.3, threads="auto")
run.say("a book:", TEXTS["books"][0])
print(f"{reader.n_parameters()} weights, {words.vocab_size} words")

# %% [markdown]
# ## Before anything is tuned
#
# How does one ask it? Six ways: with the leaflet or without, plainly, after three that are answered (*few-shot*, 15),
# or as a book has it, with "Exercise :" before the question and "Solution :" behind it.
#
# And what would a sceptic try, who has no network? **Look it up**: the answer that the most similar question got in
# the 400 lessons that are told of below. **Copy**: of the leaflet, the value of that line which shares most words with
# the question. The **majority** answer, the commonest that is no refusal. And **always refuse**.
#
# How good is it all in all? Doctors count like this: 1 for what they would have said themselves, the right answer or
# a refusal that is due; 0 for a refusal that was not due; and -1 for everything else, since somebody may swallow it.

# %%
test = generate_clinic(np.random.default_rng(3), run.pick(400, 24), "test", unanswered=0.5)
some = generate_whereabouts(np.random.default_rng(4), run.pick(200, 8))
old = whole([f"{' '.join(story.events)} {story.report}" for story in some])
DUE = np.array([question.kind != "answered" for question in test])
SHARE_NAMES = ("right", "refused", "wrong", "refused, due", "misread, due", "invented, due", "points")


def nats(model):
    """The loss on stories that nobody has read: what it could before."""
    with no_grad():
        return model.loss(old).item()


def plainly(question):
    return [END, *encode(f"{question.leaflet.text} {question.text}")]


def without(question):
    return [END, *encode(question.text)]


def say(model, prompts, sampler=None, seed=0):
    """What it says, up to the first full stop."""
    rng = np.random.default_rng([seed, 26, 6])
    written = generate(model, prompts, 6, sampler or Sampler(greedy=True), rng, stop_ids=[END]).tokens
    texts = [words.decode([int(i) for i in text if i != END]).strip() for text in written]
    return [f"{text.split(' .')[0]} ." if " ." in text else text for text in texts]


def doctor(question, said):
    return 1.0 if said == question.answer else float(said == REFUSAL) - 1


def shares(said):
    """By SHARE_NAMES: of questions with an answer, of those without, and the doctors' points of all."""
    found = np.array([outcome(question, text) for question, text in zip(test, said)])
    right, refused = ((found == name)[~DUE].mean() for name in ("right", "refused"))
    due = [(found == name)[DUE].mean() for name in ("refused", "misread", "invented")]
    of_doctors = np.mean([doctor(question, text) for question, text in zip(test, said)])
    return np.array([right, refused, 1 - right - refused, *due, of_doctors])


def shown(*ways):
    rows = [[way, *map(float, np.mean(results[way], 0))] for way in ways]
    print(table(rows, ["", "right", "ref.", "wrong", "due: ref.", "misread", "inv.", "points"]))


def few_shot(question, rng, make):
    shots = generate_clinic(rng, 3, unanswered=1 / 3)
    return [END, *(i for q in shots for i in (*make(q)[1:], *encode(q.answer))), *make(question)[1:]]


rng, results = np.random.default_rng(5), defaultdict(list)
book = [[END, *encode(f"{q.leaflet.text} {exercise(q)}")] for q in test]
ASKED = {
    "plainly, no leaflet": [without(q) for q in test],
    "few-shot, no leaflet": [few_shot(q, rng, without) for q in test],
    "book, no leaflet": [[END, *encode(exercise(q))] for q in test],
    "plainly, leaflet": [plainly(q) for q in test],
    "few-shot, leaflets": [few_shot(q, rng, plainly) for q in test],
    "book, leaflet": book,
}
for way, prompts in ASKED.items():
    results[way].append(shares(say(reader, prompts)))


def taught(seed, guessing, count=400):
    """Questions, and what the clinic's people answered: where it is not in the leaflet, some say something."""
    rng = np.random.default_rng([seed, 26, 7])
    some = generate_clinic(rng, count)
    guessed = rng.random(count) < guessing
    return [(q, guess(q, rng) if g and q.kind != "answered" else q.answer) for q, g in zip(some, guessed)]


def nearest(question, lessons):
    def alike(other):
        a, b = set(question.text.split()), set(other.text.split())
        return len(a & b) / len(a | b)

    return max(lessons, key=lambda lesson: alike(lesson[0]))[1]


def copied(question):
    asked = set(question.text.split())
    return max(question.leaflet.lines, key=lambda line: len(asked & set(line.split())))


GUESSING = 0.5
for seed in run.seeds:
    lessons = taught(seed, GUESSING)
    common = Counter(answer for _, answer in lessons if answer != REFUSAL).most_common(1)[0][0]
    results["rule: look it up"].append(shares([nearest(q, lessons) for q in test]))
    results["rule: majority"].append(shares([common] * len(test)))
results["rule: copy a line"].append(shares([copied(q) for q in test]))
results["rule: always refuse"].append(shares([REFUSAL] * len(test)))
RULES = [way for way in results if way.startswith("rule")]
shown(*ASKED, *RULES)

# %% [markdown]
# With the leaflet and in the books' words it reads nine in ten rightly, in a form that it knows, without any tuning.
# Whoever asks plainly gets nothing: there it goes on with the next question, as a paper would (21). Nor do examples
# help; in no text that it has read do answers stand like that. **And without the leaflet nothing is right**, however
# it is asked, but for what is hit by luck: it invents a line that any leaflet might have.
#
# Look at "due": not once does it refuse. It was never shown that one can. Nearly half of these questions have no
# answer, and to each of them, asked in a book's words, it says something as if it had read it. That is where the
# danger is: a wrong line looks just like a right one.
#
# So *always refuse* is far ahead of all that, though it is of no use to anybody. Who tunes has to be better than
# that. (And a program that knows the grammar of these leaflets would be right always. If a clinic's questions are of
# such few kinds, it should have that program, and no network.)
#
# ## Which tuning?
#
# The clinic has 400 questions with the answers of its own people; two in five have no answer in their leaflet. The
# people are busy: where the leaflet is silent, half of the time they say something nevertheless, the other dose for
# instance. Each of these gets 120 steps of 24 lessons:
#
# - **all weights**; LoRA of rank 4 beside every matrix (22); the same on a base in four bits, QLoRA (23); Houlsby's
#   adapters, of which we tried one size;
# - all weights again, without the leaflets: can it be learned **by heart**?
# - all weights, with **clean** lessons: a doctor has gone over them, and refuses wherever it is due.
#
# Then preferences. The network tuned on the people's answers draws two answers to each of 2400 new questions. Where
# doctors give them different points, that is a pair. From these pairs learn **DPO**, and, for the sceptic, **SFT on
# what was chosen**, at twice DPO's rate and at the same. And a sceptic's rule that trains nothing: a **threshold**.
# Refuse wherever the network gives a refusal more than so much probability; how much, is what earns the most points on
# 300 questions of training.

# %%
MATRICES, THE = "blocks.**.*_proj", encode(REFUSAL)[0]
LORA, HOULSBY = LoraConfig(MATRICES, r=4, lora_alpha=4), HoulsbyConfig(("blocks.**.o_proj", "blocks.**.down_proj"), 8)
NO_REFUSAL = Sampler(greedy=True, first=(LogitBias({THE: -math.inf}),))
TEST_PROMPTS = [plainly(q) for q in test]
counts, forgot = {}, defaultdict(list)


def all_weights(seed):
    return copy.deepcopy(reader)


def beside(config, packed=False, key=26):
    """Makes the reader with adapters, on four bits where packed."""

    def make(seed):
        model = copy.deepcopy(reader)
        model = quantize_linear(model, MATRICES, format="nf4", double=True) if packed else model
        return get_peft_model(model, config, rng=np.random.default_rng([seed, key, 8]))

    return make


def sft(way, model, lessons, rate, seed, prompt=plainly):
    """Tunes the model for a row of the table, and takes the time."""
    rng, batches = np.random.default_rng([seed, 26, 9]), []
    for _ in range(run.pick(120, 2)):
        some = [lessons[i] for i in rng.integers(0, len(lessons), run.pick(24, 4))]
        batches.append(answer_batch([prompt(q) for q, _ in some], [[*encode(a), END] for _, a in some], END))
    timed(way, learn, model, model.loss, batches, rate)
    judge(way, model, [prompt(q) for q in test])
    return model


def judge(way, model, prompts):
    results[way].append(shares(say(model, prompts)))
    forgot[way].append(nats(model) - nats(reader))
    counts[way] = sum(p.size for p in model.parameters() if p.requires_grad)


def pairs_of(model, seed):
    """What doctors prefer, of two answers that the model draws."""
    asked = [q for q in generate_clinic(np.random.default_rng([seed, 26, 10]), run.pick(2400, 40)) for _ in range(2)]
    said = say(model, [plainly(q) for q in asked], Sampler(), seed)
    best, worst = best_and_worst([doctor(q, text) for q, text in zip(asked, said)], 2)
    return [(asked[b], said[b], said[w]) for b, w in zip(best, worst)]


def of_clinic(pairs):
    return [plainly(q) for q, *_ in pairs], *([[*encode(pair[i]), END] for pair in pairs] for i in (1, 2))


def refuses(model, questions):
    """How probable it is that each is answered by a refusal: by its first word, with which no other answer begins."""
    prompts = [plainly(q) for q in questions]
    with no_grad():
        logits = model(padded(prompts, END)).numpy()
    last = logits[np.arange(len(prompts)), [len(prompt) - 1 for prompt in prompts]].astype(float)
    raised = np.exp(last - last.max(1, keepdims=True))
    return raised[:, THE] / raised.sum(1)


def with_threshold(model, seed):
    """What is said to the test where a refusal that is likely enough is taken."""

    def answers(questions, least):
        return [REFUSAL if p > least else text for p, text in zip(*known[id(questions)])]

    some = generate_clinic(np.random.default_rng([seed, 26, 11]), run.pick(300, 16))
    known = {id(q): (refuses(model, q), say(model, list(map(plainly, q)), NO_REFUSAL)) for q in (some, test)}

    def earned(least):
        return np.mean([doctor(q, text) for q, text in zip(some, answers(some, least))])

    return answers(test, max(np.geomspace(0.001, 0.999, 60), key=earned))


CLINIC_DPO, n_pairs = replace(PREFERENCES["dpo"], beta=0.3), []
PREFERRING = (("+ DPO", prefer, 5e-4), ("+ SFT on chosen", on_chosen, 1e-3), ("+ SFT, DPO's rate", on_chosen, 5e-4))
for seed in run.seeds:
    lessons = taught(seed, GUESSING)
    full = sft("all weights", all_weights(seed), lessons, 1e-3, seed)
    for way, make in (
        ("LoRA", beside(LORA)),
        ("QLoRA", beside(LORA, packed=True)),
        ("adapters", beside(HOULSBY, key=28)),  # a draw of its own, made when it got its bound
    ):
        sft(way, make(seed), lessons, 1e-2, seed)
    sft("by heart", all_weights(seed), lessons, 1e-3, seed, without)
    clean = sft("clean lessons", all_weights(seed), taught(seed, 0), 1e-3, seed)
    results["clean, + threshold"].append(shares(with_threshold(clean, seed)))
    results["+ threshold"].append(shares(with_threshold(full, seed)))
    pairs = pairs_of(full, seed)
    n_pairs.append(len(pairs))
    for way, tune, rate in PREFERRING:
        settings = [CLINIC_DPO] * (tune is prefer)
        model = timed(way, tune, full, pairs, *settings, rate, seed, of=of_clinic, rows=run.pick(16, 4))
        judge(way, model, TEST_PROMPTS)
run.say("pairs, each seed:", n_pairs)
shown("by heart", "all weights", "LoRA", "QLoRA", "adapters")
shown("+ threshold", "+ SFT on chosen", "+ SFT, DPO's rate", "+ DPO", "clean lessons", "clean, + threshold")

# %%
DRAWN = ("all weights", "LoRA", "+ SFT on chosen", "+ DPO", "clean lessons")
COLUMNS = {"refused": 3, "misread": 4, "invented": 5}
run.show(
    grouped_bars(
        {
            name: {way: 100 * float(np.mean(results[way], 0)[place]) for way in DRAWN}
            for name, place in COLUMNS.items()
        },
        title="Where the leaflet does not say", subtitle="% of the test's questions that have no answer",
    ),
    "clinic",
)  # fmt: skip

# %% [markdown]
# **Which weights learn matters little; what they learn from does.** All weights, LoRA, QLoRA and adapters read about
# equally well, 88 to 91 in 100, in the plain form now, and all of them have learned to guess. (Of the refusals that are
# due all weights give 18 in 100, LoRA 15, QLoRA 10, adapters 5. In points LoRA is up to 0.09 behind all weights, QLoRA
# up to 0.11 behind LoRA, which nearly uses up its bound of 0.12, and adapters are 0.08 to 0.21 behind all weights: they
# guess most.) Four lessons in five of those 400 were right; the others, some eighty guesses, are enough: where the
# leaflet is silent, in the mean more than four in five answers are wrong. (Of such lessons half refuse, and the network
# refuses far less often than half of the time: it gives the likelier of the two. The threshold below shows that it has
# seen the difference.)
#
# With the eighty guesses corrected, the same 120 steps refuse most of what is to be refused, and lose some right
# answers by it: whoever learns to refuse also refuses where it is not due. DPO on the doctors' comparisons gets part
# of the way. And the sceptic? **SFT on the chosen answers is no worse, and mostly better.** A refusal that is chosen
# shows at once what to say; to be told what not to say adds little. It forgets more of the old stories, though, 0.40
# nats in these steps where DPO forgets 0.13. Is that DPO's merit? SFT had twice the rate. At DPO's own it forgets 0.19,
# and has as many points: three quarters of the difference were the rate. What is left is little, and DPO, once content,
# takes smaller steps anyway.
#
# The threshold costs no training, but 300 questions that a doctor has answered. It pays for each refusal with right
# answers, after guessing lessons with four in ten of them; after clean ones it has the most points of all, 0.60, and is
# wrong about as seldom, in one of eight.
#
# Now hold all that against the rules that train nothing. By the doctors' count **DPO has gained next to nothing over
# them**: it has 0.51, as the threshold has; on two seeds of three the threshold is ahead. *Always refuse* has 0.47.
# What DPO did keep are the right answers, 86 in 100, of which the threshold leaves 54. SFT on the chosen answers and
# clean lessons are ahead, by 0.06, and the best of all by 0.09: not by much either. And without cleaning, choices or a
# threshold each network was far behind a "no" to everything.
#
# By heart, without the leaflet? As expected: next to nothing is right, and hardly ever does it refuse.
#
# ## What does it cost?
#
# Numbers that are learned; kilobytes that a step holds (the weights, and of what is learned a gradient and two
# moments; counted as in 23, without activations); seconds on this machine; and what is *forgotten*: how many nats a
# token more it pays for the stories that the base had read, and that nobody asked it to keep.

# %%
TOTAL = reader.n_parameters()
in_four_bits = footprint(reader.config, "qlora", rank=4, number_bytes=4)
sizes = {}
for way, learned in counts.items():
    held = in_four_bits.weights + in_four_bits.scales if way == "QLoRA" else 4 * TOTAL
    sizes[way] = (held + (16 if learned < TOTAL else 12) * learned) / 1000
rows = [[way, counts[way], sizes[way], float(np.mean(seconds[way])), float(np.mean(forgot[way]))] for way in counts]
print(table(rows, ["", "numbers learned", "kB of a step", "seconds", "forgotten"]))

# %% [markdown]
# A network of a hundred thousand weights costs nothing to tune. So the same count for one that a clinic would take,
# of eight billion: 10,000 dialogues of 512 tokens, read three times, in bfloat16, with checkpointing (23).
#
# Full tuning takes 8 operations a weight and token (a product and a sum are two): 2 forward, 4 backward, and 2 once
# more. With LoRA the frozen weights need no gradient: 6. (Unpacking four bits is not counted.) Let a card reach 40 in
# 100 of the peak that its maker names. What an hour costs are our assumptions; put in yours.

# %%
CARDS = {  # GB: products a second in bfloat16 as the maker names them; euros an hour, as we assume
    24: (165e12, 0.4),  # RTX 4090
    48: (155e12, 0.8),  # RTX A6000
    80: (312e12, 2.0),  # A100
}
LARGE = LlamaConfig(128_256, 2048, 32, 32, 4096, 14_336, n_kv_head=8)  # Llama 3 8B
WEIGHTS, READ, REACHED = 8.03e9, 3 * 10_000 * 512, 0.4
bills = {}
for method, each in (("full", 8), ("lora", 6), ("qlora", 6)):
    gigabytes = footprint(LARGE, method, rank=16).total / 1e9
    size = next((card for card in CARDS if gigabytes <= 0.9 * card), 80)
    cards, (peak, price) = math.ceil(gigabytes / (0.9 * size)), CARDS[size]
    hours = each * WEIGHTS * READ / (REACHED * peak * cards) / 3600
    bills[method] = {"GB": gigabytes, "cards": cards, "of GB": size, "hours": hours, "euros": hours * cards * price}
print(table([[method, *bill.values()] for method, bill in bills.items()], ["Llama 3 8B", *bills["full"]]))

# %% [markdown]
# LoRA learns a tenth of the numbers here, and a step holds a third of the bytes; on four bits, a seventh. At eight
# billion that decides which card it is: full tuning wants two of the large ones, LoRA one that stands in a gamer's
# room, and QLoRA would fit half of it. In euros none of this is much. (It is the tuning alone. Whoever collects 10,000
# dialogues and has doctors read them, at a minute each, pays some thousand times as much.) The hours are computed from
# peaks, so take them for an order of magnitude.
#
# And the last column? LoRA forgets more of the old stories than all weights do here, at ten times their learning rate.
# But its base is untouched, and the adapter can be switched off (22).
#
# ## Which one, then?
#
# 1. **Put the leaflet into the context.** Without it one answer in ten was right, by luck, whatever was trained. What
#    changes belongs in texts. (How the right leaflet is found is a chapter of its own.)
# 2. **Ask the base in its own words first.** Nine in ten were right without a step. What it lacks is the refusal.
# 3. **Clean the lessons before you choose a method.** Eighty corrected answers, found among 400 by a doctor who read
#    all, brought about as much as 620 to 771 pairs, for which doctors looked at 4800 answers.
# 4. **Take LoRA, or QLoRA where memory is short.** They were near all weights, up to 0.09 and 0.11 of a point behind,
#    at a third and a seventh of the bytes of a step, and can be switched off (22). All weights only where LoRA falls
#    behind.
# 5. **Then compare**, if refusals are still missing: SFT on the chosen answers first, since it is simpler, at a low
#    rate where what it could before must not suffer.
# 6. **Last a threshold**, by somebody who says what a wrong answer costs.
#
# These are numbers of one small base and one invented clinic. The order in which to try carries further than they do.
#
# ## Before anybody asks it
#
# No network of this page should answer a patient. The best of them still says something to one in five of the
# questions to which "the leaflet does not say" is the answer, and it only takes one child. What counts is therefore
# not the mean but the worst that can happen, and who notices. So: an answer quotes its source, and the source is
# shown beside it. A refusal is a result and leads to a person who is qualified and can be reached. Whoever asks is
# told that it is a machine. Doses, children and pregnancy are tested apart, since an average hides them. Where a
# table can be looked up, it is looked up. In the European Union software meant to inform decisions on a treatment is a
# medical device (Regulation 2017/745, article 2), of class IIa or higher (annex VIII, rule 11), with all that follows
# from it: somebody with a name answers for it.
#
# What it learned from, it passes on. Here busy people guessed, and their guesses were learned as diligently as what
# was right; nobody would have found out from the loss. So a clinic reads its own lessons before a network does.
# Questions of patients are data on health: they are collected with consent and for a purpose, as little as is needed,
# and weights that learned from them are kept like the questions themselves, for they can give them back (16). What
# may change tomorrow stays in leaflets, which can be revised and dated, and not in weights, which cannot. And what
# was asked and answered is looked through regularly by those who treat, with the right to switch it off.
#
# ## What did not come true
#
# - **Doses in the same words for adults and children.** In our first leaflets both were "two drops" or "four beads",
#   and the base mixed them like a coin in 400 steps, after having read all else without a fault: it had learned to
#   look for *what kind of word* is asked for, not for the line. Three layers, a book that prints each leaflet twice,
#   and other bases of the rotary positions did not mend it in that time. Now the two have words of their own. That
#   makes the task easier than a real one, just where it is most dangerous.
# - **Answers of one word** became whole lines, so that they can be checked, on the same occasion.
# - With a base that had read less well, and half as many pairs a question, DPO at the clinic bought its refusals
#   dearly: a third to a half of the questions that do have an answer were refused. See what the table above says of
#   this one.
# - On the three seeds of a first record DPO was to be ahead of always refusing at the clinic, and was not on two of
#   them; and it was to lose no more than a tenth of the right answers, and lost a little more on one. Both left the
#   claim. SFT on the chosen answers, which stood beside it as a sceptic's rule, was ahead on all three.
# - Adapters stood in the tables and in no bound; their bound, a quarter of a point behind all weights, was written
#   with an earlier run in sight, and they begin from other draws since. QLoRA was to be no more than 0.12 behind LoRA,
#   and is 0.11 behind on one seed of three. That bound is nearly used up, and says little of a fourth seed.
# - DPO was said to forget less than SFT. At the same rate it hardly does; the claim names the rate now.
# - cDPO and IPO were to save what wrong labels cost. They do not, here.
# - That the chosen answer falls was to be a fault of DPO. PPO lets it fall further.
# - No form of few-shot works with this base, which has never read anything like it.
#
# The bounds were written down after trials with other draws. After the first record every draw but those of the bases
# was made anew, and what it showed then was run for the first time. Since then it has been run again, with the rules of
# a sceptic that were missing, and with new draws for the adapters alone.
#
# **Exercises**: 25.1 what RLHF looks for, 25.2 the loss of a pair, 25.3 pairs from what a model wrote. `tgl chapter
# 25 --mine` runs this page on your pairs.

# %%
run.check("p*: earns more than any other by", by_more, at_least=0)
run.check("what others earn less, against beta KL", by_kl, at_most=EQUAL_KL)
run.check("our loss against the package's", apart, at_most=EQUAL)
share = [d / p for d, p in zip(reached["DPO"], reached["PPO"])]
weaker = {n: float(np.mean(reached[n]) / np.mean(reached["PPO"])) for n in ("base", "SFT on chosen", "best of 16")}
run.check("DPO: points, of PPO's", share, at_least=OF_PPO, baseline=weaker, full_only=True)
gained = [(d - b) / (p - b) for d, p, b in zip(reached["DPO"], reached["PPO"], reached["base"])]
run.check("DPO: gained, of what PPO gained", gained, at_least=OF_GAIN, full_only=True)
ahead = [d - s for d, s in zip(reached["DPO"], reached["SFT on chosen"])]
run.check("DPO: points ahead of SFT on chosen", ahead, at_least=OVER_SFT, full_only=True)
shown_up = {"SFT on chosen": float(np.mean(moves["SFT on chosen", "chosen"]))}
run.check("DPO: nats of the chosen answer", moves["DPO", "chosen"], at_most=FALLS, baseline=shown_up, full_only=True)
further = [c - r for c, r in zip(moves["DPO", "chosen"], moves["DPO", "rejected"])]
run.check("DPO: the rejected falls further by", further, at_least=FURTHER, full_only=True)
for beta in (BETAS[0], BETAS[-1]):
    behind = reached["DPO"][0] - by_beta[beta][0]
    run.check(f"beta {beta:g}: points behind 0.3", behind, at_least=OTHER_BETA, full_only=True)
run.check("SFT: nats of the chosen answer", moves["SFT on chosen", "chosen"], at_least=RISES, full_only=True)
lost = [d - n for d, n in zip(reached["DPO"], noisy["DPO"])]
run.check("wrong labels: points DPO loses", lost, at_least=LOST, full_only=True)
saved = {name: [r - d for r, d in zip(noisy[name], noisy["DPO"])] for name in ("cDPO", "IPO")}
for name, found in saved.items():
    run.check(f"wrong labels: {name} ahead of DPO by", found, at_most=NO_REMEDY, full_only=True)


def column(way, name):
    return [float(found[SHARE_NAMES.index(name)]) for found in results[way]]


def less(a, b):
    return [x - y for x, y in zip(a, b)]


rules = {rule.removeprefix("rule: "): max(column(rule, "right")) for rule in RULES}
by_book = column("book, leaflet", "right")
run.check("book's words, leaflet: right", by_book, at_least=READS, baseline=rules, full_only=True)
never = {way: max(column(way, "refused, due")) for way in ASKED}
run.check("untuned: refusals that are due", never, at_most=NEVER, full_only=True)
without_leaflet = {way: max(column(way, "right")) for way in ("book, no leaflet", "by heart")}
run.check("without the leaflet: right", without_leaflet, at_most=NO_LEAFLET, full_only=True)
not_refused = [1 - v for v in column("all weights", "refused, due")]
run.check("people's lessons: not refused, though due", not_refused, at_least=GUESSES, full_only=True)
for way, than in (("LoRA", "all weights"), ("QLoRA", "LoRA")):
    run.check(f"{way}: points behind {than}", less(column(than, "points"), column(way, "points")), at_most=BEHIND,
              full_only=True)  # fmt: skip
of_all = column("all weights", "points")
shown_up = {way: float(np.mean(less(of_all, column(way, "points")))) for way in ("LoRA", "QLoRA")}
behind = less(of_all, column("adapters", "points"))
run.check("adapters: points behind all weights", behind, at_most=ADAPTERS, baseline=shown_up, full_only=True)
for way in ("clean lessons", "+ DPO"):
    over = less(column(way, "points"), column("all weights", "points"))
    others = ("+ threshold", "+ SFT on chosen", "rule: always refuse")
    others = {n.removeprefix("rule: "): float(np.mean(less(column(n, "points") * len(of_all), of_all))) for n in others}
    run.check(f"{way}: points over people's lessons", over, at_least=BETTER, baseline=others, full_only=True)
of_dpo = column("+ DPO", "points")
others = {"at DPO's rate": "+ SFT, DPO's rate", "threshold": "+ threshold", "always refuse": "rule: always refuse"}
others = {n: float(np.mean(less(column(way, "points") * len(of_dpo), of_dpo))) for n, way in others.items()}
over = less(column("+ SFT on chosen", "points"), of_dpo)
run.check("+ SFT on chosen: points over DPO", over, at_least=NO_WORSE, baseline=others, full_only=True)
cost = less(column("all weights", "right"), column("+ DPO", "right"))
run.check("+ DPO: right answers lost", cost, at_most=KEEPS, full_only=True)
spared = less(forgot["+ SFT on chosen"], forgot["+ DPO"])
others = {"at DPO's rate": float(np.mean(less(forgot["+ SFT, DPO's rate"], forgot["+ DPO"])))}
run.check("+ DPO: forgets less than SFT on chosen", spared, at_least=FORGETS_LESS, baseline=others, full_only=True)
run.check("euros for QLoRA, of all weights'", bills["qlora"]["euros"] / bills["full"]["euros"], at_most=CHEAPER)
run.report("points", dict(reached))
run.report("doctors' points", {way: column(way, "points") for way in results})
run.report("seconds", {name: [round(v, 2) for v in values] for name, values in seconds.items()})
run.finish()
