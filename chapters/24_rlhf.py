# %% [markdown]
# # 24 · RLHF
#
# What is a good answer? You know one when you see it, and could not write down the rule. Chapter 21 showed a network
# right answers. Of a poem, a joke or a piece of advice nobody has the right one. But shown two, anybody can say which
# is the better one.
#
# Is that enough to learn from? And what becomes of a network that is paid by a *model* of what people like, and not by
# people?
#
# - **Builds on** 12 GPT, 18 Llama and Mistral, 21 following instructions.
# - **Reads** [`datasets/tastes.py`](../tinygrad_llm/datasets/tastes.py),
#   [`align/reward.py`](../tinygrad_llm/align/reward.py), [`align/ppo.py`](../tinygrad_llm/align/ppo.py),
#   [`align/gae.py`](../tinygrad_llm/align/gae.py), [`align/judge.py`](../tinygrad_llm/align/judge.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/24/output.txt) shows them all.
# - **Departs from** InstructGPT in size, and in the people: ours are simulated, so that we can look up what they really
#   like. No network is shown these points; the base has read grades of three of the six things that count.
# - **Run**: `python chapters/24_rlhf.py`. One seed takes about two minutes of a processor; `--seeds 3` three times
#   that. `--fast` takes less than ten seconds: it asserts the equalities, and nothing that is learned.

# %%
import copy
import time
from collections import defaultdict

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import no_grad, ops
from tinygrad_llm.align import (
    ActorCritic,
    PPOLoss,
    Reference,
    RewardLoss,
    RewardModel,
    ScalarModel,
    answer_batch,
    answer_kl,
    answer_mask,
    best_of_n,
    chosen_batch,
    judged_preferences,
    ppo_batch,
    reward_batch,
    rollout,
    text_batch,
    token_rewards,
)
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets.tastes import (
    COURTESY,
    GRADES,
    NAMES,
    WORDS,
    Marks,
    People,
    Preference,
    Taste,
    generate_asked,
    grade,
    marks,
    sentences,
    write_answer,
)
from tinygrad_llm.evaluate import calibration_error, reliability
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models import Llama, LlamaConfig
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import line_chart
from tinygrad_llm.visualize.reliability import reliability_figure

run = Chapter(
    "24",
    "From labels that say which of two answers is better, a reward model comes to decide unseen pairs as people did "
    "in two of three, below the ceiling of their noise, and is as sure as it is right. PPO with a price on leaving "
    "the base raises a taste that no network was shown, by more than learning what was preferred does; the best of "
    "sixteen does as much without a step, and so does a rule of somebody who knows what is liked, but it is not right "
    "more often, as PPO is. Without the price, what it is paid for rises far above what people like; a linear model "
    "that decides pairs as well is gamed by the best of many. Labels fond of length make answers longer and worse, "
    "which the reward model shows before any step. A model for a judge brings half of the gain or more without a "
    "label.",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
LONGEST = 24  # tokens that an answer may have
EQUAL, AS_SAID, BY_MORE, CALIBRATED, LATER, TURNED = 1e-5, 0.64, 0.01, 0.08, 0.15, 0.05
GAINED, OVER_PREFERRED, BEST_OF_4, PAID_MORE, LIKED_LESS, HELD = 0.7, 0.3, 0.4, 0.01, -0.1, -0.35
SPARED, RIGHTER, PARTED = 0.01, 0.05, 0.3
FOND, LONGER, LOST, AGREES, BY_JUDGE = 0.3, 1.15, 0.05, 0.6, 0.5

# %% [markdown]
# ## What do these people like?
#
# Somebody asks for a thing, and gets an answer. What people like about answers is their **taste**, and here it is a
# formula: two points if the answer is right and says nothing else, one if it names who asked, one if it ends politely;
# less for what is said twice, for each word beyond the twelfth, and for sentences that are none. They do not know that
# formula. Shown two answers, they **prefer** one. If the points differ by d, the better one is preferred with
# probability
#
# $$\sigma(d / t) = \frac{1}{1 + e^{-d/t}}, \qquad t = \tfrac12$$
#
# (the model of Bradley and Terry, 1952), and one time in ten they do not look and toss a coin.

# %%
TASTE, PEOPLE = Taste(), People()
VOCABULARY = ("<end>", *WORDS, *GRADES)
ID, END = {word: i for i, word in enumerate(VOCABULARY)}, 0


def ids(text):
    return [ID[word] for word in text.split()]


def text_of(tokens):
    return " ".join(VOCABULARY[i] for i in tokens if i != END)


draw = np.random.default_rng([24, 1])
shown = generate_asked(draw, 4)
first, second = ([write_answer(draw, asked) for asked in shown] for _ in range(2))
likes_first = PEOPLE.probabilities(shown, first, second)
for asked, one, other, p in zip(shown, first, second, likes_first):
    print(asked.text)
    for answer, share in ((one, p), (other, 1 - p)):
        print(f"    {answer:50} {TASTE(asked, answer):5.2f} points, preferred by {100 * share:.0f} in 100")

# %% [markdown]
# Nobody says why. Who is to be named stands in the question, and so does what is right; one "welcome !" is kind, and
# two are a nuisance. So no rule of length finds the better one, nor does one that counts words without the question.
#
# ## A base that has read
#
# Our base has read a book of answers as people write them: six in ten are right, fewer than half name who asked or end
# politely, some say everything twice. Behind each answer the book has a **grade**, a token such as "++-": right,
# named, not kind. So it has also read what somebody thought of answers, though nothing about repeating or rambling.
# (Real models have read reviews, too.) In the tables *again* counts things said once more, *over* words beyond the
# twelfth, *garbled* sentences that are none, *length* words, signs included, each an answer. Questions of the test are
# about lists of words that stand in no page.

# %%
WIDTH, STEPS, ROWS = 48, run.pick(400, 4), run.pick(64, 8)
TESTED = generate_asked(np.random.default_rng([24, 2]), run.pick(400, 8), "test")


def network(seed):
    config = LlamaConfig(len(VOCABULARY), 64, 2, 4, WIDTH, 4 * WIDTH, init_std=0.15)
    return Llama(config, rng=np.random.default_rng([seed, 2026])).to(run.device)


def learn(model, loss, batches, rate, decay=0.1, divisor=None, threads=1):
    optimizer = AdamW(model.named_parameters(), rate, (0.9, 0.98), weight_decay=decay)
    at = schedule("cosine", rate, len(batches), max(1, len(batches) // 10))
    fit(loss, optimizer, run.progress(batches, "lessons"), lr=at, divisor=divisor, threads=threads)
    return model


def prompts_of(questions):
    return [ids(asked.text) for asked in questions]


def pages(seed):
    """Batches of questions, each with somebody's answer, its end and its grade."""
    rng = np.random.default_rng([seed, 2026, 1])
    for _ in range(STEPS):
        questions = generate_asked(rng, ROWS)
        answers = [write_answer(rng, asked) for asked in questions]
        graded = [[*ids(a), END, ID[grade(asked, a)]] for asked, a in zip(questions, answers)]
        yield answer_batch(prompts_of(questions), graded, END)


def write(model, questions, rng, count=1):
    """`count` answers to each question, drawn by the model's own probabilities."""
    prompts = [prompt for prompt in prompts_of(questions) for _ in range(count)]
    return [text_of(t) for t in generate(model, prompts, LONGEST, Sampler(), rng, stop_ids=[END]).tokens]


def repeated(questions, count):
    return [asked for asked in questions for _ in range(count)]


def means_of(questions, answers):
    """Points, and each of the marks."""
    found = np.mean([marks(asked, a) for asked, a in zip(questions, answers)], axis=0)
    return {"points": float(TASTE.of(questions, answers).mean())} | dict(zip(Marks._fields, map(float, found)))


def judged(model):
    return means_of(TESTED, write(model, TESTED, np.random.default_rng([24, 3])))


def mean(values):
    return float(np.mean(values))


bases, seconds, reached = {}, defaultdict(list), defaultdict(list)
for seed in run.seeds:
    begun = time.perf_counter()
    base = network(seed)
    bases[seed] = learn(base, base.loss, list(pages(seed)), 5e-3, decay=0.3, threads="auto")
    seconds["base"].append(time.perf_counter() - begun)
    reached["base"].append(judged(bases[seed]))
print(f"{bases[run.seeds[0]].n_parameters()} weights, {len(VOCABULARY)} words; means over the base's answers:")
print(table([[f"seed {s}", *m.values()] for s, m in zip(run.seeds, reached["base"])], ["", *reached["base"][0]]))
for asked, answer in zip(TESTED[:4], write(bases[run.seeds[0]], TESTED[:4], np.random.default_rng(0))):
    run.say(f"  {asked.text:46} {answer}")

# %% [markdown]
# It writes nearly as it has read, with fewer right: half in the place of six in ten.
#
# ## From labels to a number
#
# Let the base write two answers to a question, and let somebody prefer one. Of such pairs we learn a *reward model*
# (21): the base once more, with one row of weights that reads a number r off the text's last token. If the model of
# Bradley and Terry holds, one number a text is all there is to know, and the labels are most probable where
#
# $$-\frac1N \sum_{i} \ln \sigma(r_i - r'_i)$$
#
# is smallest; r is the reward of what was preferred, r' that of the other, both (N,). The same is done in chess with
# the strength of players. Each pair is seen twice.
#
# How good can it get? Not 100 in 100: people slip, and are undecided. Who knows the very taste says what they say in
# about 82 of 100 pairs; that is the **ceiling**. And a sceptic's rules, from the same pairs:
#
# - prefer the **shorter** answer;
# - a linear model on the answer's **words**, each with one weight, by the same loss;
# - one that also has a weight for each **pair of words**, one of the question and one of the answer: it can know that
#   "food" and "bun" go together, and whose name it should be. It is given all pairs there are.

# %%
COUNTS = run.pick((100, 400, 1600, 3200), (8, 16))
MAIN, TWICE = COUNTS[-2:]


def to_compare(model, count, seed, split="train"):
    """So many questions with two answers of the model. Where both are the same there is nothing to prefer."""
    rng = np.random.default_rng([seed, 2026, 2, split == "test"])
    questions = generate_asked(rng, count + count // 8 + 4, split)
    answers = write(model, questions, rng, 2)
    return [(q, a, b) for q, a, b in zip(questions, answers[::2], answers[1::2]) if a != b][:count]


def labelled(compared, seed, people=PEOPLE):
    """Whoever compares, is shown the same pairs."""
    return people.prefer(np.random.default_rng([seed, 2026, 9]), *zip(*compared))


def ended(answer):
    return [*ids(answer), END]


def batch_of(pairs):
    parts = [[ended(p.chosen) for p in pairs], [ended(p.rejected) for p in pairs]]
    return reward_batch(prompts_of([p.asked for p in pairs]), *parts, END)


def reward_model(model, pairs, seed, size=32):
    """A reward model that begins as the base, and has seen each pair twice."""
    reward, rng = RewardModel(copy.deepcopy(model)), np.random.default_rng([seed, 2026, 3])
    order = np.concatenate([rng.permutation(len(pairs)) for _ in range(2)])
    batches = [batch_of([pairs[j] for j in order[i : i + size]]) for i in range(0, len(order), size)]
    loss = RewardLoss(reward)
    return learn(reward, loss, batches, 1e-3, divisor=loss.divisor)


def rated_by(reward):
    """A scorer: from questions and answers to numbers (B,)."""

    def scorer(questions, answers):
        prompts, texts = prompts_of(questions), [ended(a) for a in answers]
        parts = [reward.rewards(prompts[i : i + 400], texts[i : i + 400]) for i in range(0, len(texts), 400)]
        return np.concatenate(parts)

    return scorer


def differences(scorer, pairs):
    """How much better the scorer finds what was chosen.  (N,)"""
    asked, chosen, rejected = zip(*pairs)
    return scorer(asked, chosen) - scorer(asked, rejected)


def as_labelled(scorer, pairs):
    """The share of labels that it says, and half of those that it leaves open."""
    found = differences(scorer, pairs)
    return float((found > 0).mean() + 0.5 * (found == 0).mean())


def as_liked(scorer, pairs):
    """Where the taste itself finds a better one: how often it is this one."""
    found, truly = differences(scorer, pairs), differences(TASTE.of, pairs)
    return float(((found > 0) == (truly > 0))[truly != 0].mean())


def features(asked, answer, crossed):
    """How often the answer has each word, and beside each word of the question."""
    counts = np.zeros((len(VOCABULARY), len(VOCABULARY)), np.float32)
    for i in ids(answer):
        counts[[END, *(ids(asked.text) if crossed else [])], i] += 1
    return counts.ravel() if crossed else counts[END]


def linear_rule(pairs, crossed, ridge=1.0):
    """Weights of the features by the same loss, and a little weight decay: no network."""
    x = np.stack([features(p.asked, p.chosen, crossed) - features(p.asked, p.rejected, crossed) for p in pairs])
    w, speed = np.zeros((2, x.shape[1]), np.float32)
    direction = np.ones(len(w), np.float32)
    for _ in range(20):  # towards the largest curvature that the loss can have
        direction = x.T @ (x @ (direction / np.linalg.norm(direction)))
    step = 1 / (0.3 * np.linalg.norm(direction) + ridge)
    for _ in range(300):
        speed = 0.9 * speed + x.T @ (0.5 - 0.5 * np.tanh(x @ w / 2)) - ridge * w
        w = w + step * speed
    return lambda questions, answers: np.array([features(q, a, crossed) @ w for q, a in zip(questions, answers)])


def lengths(questions, answers):
    return np.array([len(answer.split()) for answer in answers], float)


def cost_of(found):
    """Nats a label: how surprising what people said is to who is so sure."""
    return float(np.logaddexp(0, -found).mean())


def equally_sure(share):
    """The same for who is right so often, and each time as sure as that."""
    return float(-share * np.log(share) - (1 - share) * np.log(1 - share))


accuracy, liked, sure, error, nats, same, rules, ceiling = (defaultdict(list) for _ in range(8))
compared, pairs, unseen, rewards, linear = {}, {}, {}, {}, {}
for seed, base in bases.items():
    begun = time.perf_counter()
    compared[seed] = to_compare(base, TWICE, seed)
    seconds["answers to compare"].append((time.perf_counter() - begun) * MAIN / TWICE)
    pairs[seed] = labelled(compared[seed], seed)
    unseen[seed] = labelled(to_compare(base, run.pick(1000, 20), seed, "test"), seed)
    for count in COUNTS:
        begun = time.perf_counter()
        rewards[seed, count] = reward_model(base, pairs[seed][:count], seed)
        seconds[f"reward model of {count}"].append(time.perf_counter() - begun)
        scorer = rated_by(rewards[seed, count])
        found = differences(scorer, unseen[seed])
        accuracy[count].append(as_labelled(scorer, unseen[seed]))
        liked[count].append(as_liked(scorer, unseen[seed]))
        sureness = 1 / (1 + np.exp(-np.abs(found)))
        sure[count].append(mean(sureness))
        error[count].append(calibration_error(sureness, found > 0, 10))
        nats[count].append(cost_of(found))
        same[count].append(equally_sure(min(0.99, accuracy[count][-1])))
    ceiling["knows the taste"].append(PEOPLE.ceiling(unseen[seed]))
    linear[seed] = linear_rule(pairs[seed], True)
    rules["the shorter one"].append(as_labelled(lambda q, a: -lengths(q, a), unseen[seed]))
    rules["words"].append(as_labelled(linear_rule(pairs[seed], False), unseen[seed]))
    rules["pairs of words"].append(as_labelled(linear[seed], unseen[seed]))
print("of unseen pairs, the share decided as people said, and as they like; all else: see below")
columns = {"said": accuracy, "liked": liked, "sure": sure, "ECE": error, "nats": nats, "equally sure": same}
print(table([[c, *(mean(column[c]) for column in columns.values())] for c in COUNTS], ["pairs", *columns]))
run.say("as people said:", {name: round(mean(v), 3) for name, v in (rules | ceiling).items()})
run.show(
    line_chart(
        {"reward model": [(c, 100 * mean(accuracy[c])) for c in COUNTS]},
        title="What people said of unseen pairs", xlabel="pairs to learn from", ylabel="% decided as they did",
        subtitle="dashed: the taste itself, and rules that have all the pairs", log_x=True,
        baselines={name: 100 * mean(values) for name, values in (rules | ceiling).items()},
    ),
    "pairs",
)  # fmt: skip

# %%
few = pairs[run.seeds[0]][:8]
own = rewards[run.seeds[0], MAIN]
questions = prompts_of([p.asked for p in few])
better, worse = (own.scores(text_batch(questions, [ended(a) for a in texts])) for texts in list(zip(*few))[1:])
apart = {"reward loss": abs(RewardLoss(own)(batch_of(few)).item() + ops.log_sigmoid(better - worse).mean().item())}
last = run.seeds[-1]
found = differences(rated_by(rewards[last, TWICE]), unseen[last])
picture = reliability(1 / (1 + np.exp(-np.abs(found))), found > 0, 10)
run.show(
    reliability_figure(
        picture.edges, picture.counts, picture.confidence, picture.accuracy,
        title="How sure, and how often as said", subtitle=f"reward model of {TWICE} pairs, on unseen ones, seed {last}",
    ),
    "calibration",
)  # fmt: skip

# %% [markdown]
# What do we see? A hundred labels already bring a good deal, for the base has read grades: it knows what is right and
# who is named, and a label only has to say that this counts. What no book says (not twice, not too long) comes with
# more pairs. The ceiling is far away still.
#
# And the sceptic has won a point: **a linear model on pairs of words, given all pairs, decides more of them as people
# did** than our network, and one on words alone does what our network does with 400 pairs. Keep it in mind; it comes
# back.
#
# *Calibrated* is who is right 80 times of 100 that he is 80 % sure. The *ECE*, expected calibration error, is how far
# the two are apart on average, over the upper five of ten equal bins from 0 to 1. From a hundred pairs it is large, and
# the column *sure* says why: 52 % sure on average, and right in 62 of 100. Nothing has told that reward model yet how
# much its number may mean. From 3200 it is 68 % sure, and right in 69.
#
# A sceptic is calibrated, too: he calls himself 69 % sure each time. What does it help to know *when*? Look at the
# last two columns: *nats* is the loss of the labels, 0.69 for a coin, and beside it stands that of the sceptic, who
# decides as our network does and is always equally sure. From a hundred pairs he is the better one; from all of them
# the network is, by 0.03 nats a label. So its number does say which pairs are hard, and not by much.
#
# ## No training: the best of n
#
# Now we have a number for every answer. What is the cheapest use of it? Let the base write n answers, and take the one
# with the largest number: the *best of n*. No step is made; it only costs n answers for each. The scorers: reward
# models of more and more pairs, the linear model, and to compare with, length and the very taste.

# %%
DRAWN, NS = run.pick(64, 4), run.pick((1, 2, 4, 8, 16, 32, 64), (1, 2, 4))


class Scaled:
    """A scorer in units of its own spread over some answers, and from their mean on."""

    def __init__(self, scorer, questions, answers):
        found = scorer(questions, answers)
        self.scorer, self.mean, self.spread = scorer, float(found.mean()), float(found.std()) + 1e-6

    def __call__(self, questions, answers):
        return (self.scorer(questions, answers) - self.mean) / self.spread


def curve_of(scores, points):
    """Mean points of the best of n by the scores, for each n."""
    return [float(points[best_of_n(scores, n)].mean()) for n in NS]


def standard_error(values):
    """Of a mean over so many questions."""
    return float(np.std(values) / np.sqrt(len(values)))


best, scorers, truth = defaultdict(list), {}, {}
for seed, base in bases.items():
    questions = repeated(TESTED[: run.pick(80, 4)], DRAWN)
    drawn = write(base, questions, np.random.default_rng([seed, 2026, 4]))
    truth[seed] = Scaled(TASTE.of, questions, drawn)
    points = TASTE.of(questions, drawn)
    best["the taste itself"].append(curve_of(points, points))
    best["the shortest"].append(curve_of(-lengths(questions, drawn), points))
    best["pairs of words"].append(curve_of(linear[seed](questions, drawn), points))
    for count in COUNTS:
        scorers[seed, count] = Scaled(rated_by(rewards[seed, count]), questions, drawn)
        best[f"{count} pairs"].append(curve_of(scorers[seed, count](questions, drawn), points))
chosen = points[best_of_n(scorers[seed, MAIN](questions, drawn), NS[-1])]
print("true points of the best of n, by who chooses; standard error over", f"{len(chosen)} questions:", end=" ")
print(f"{standard_error(chosen):.2f}")
print(table([[name, *np.mean(curves, 0)] for name, curves in best.items()], ["", *map(str, NS)]))
run.show(
    line_chart(
        {name: list(zip(NS, np.mean(best[name], 0).tolist())) for name in
         ("the taste itself", f"{TWICE} pairs", f"{MAIN} pairs", f"{COUNTS[0]} pairs", "pairs of words")},
        title="The more there is to choose from", xlabel="answers to choose from", ylabel="true points",
        subtitle="the best of n, chosen by reward models, by a linear model, by the taste", log_x=True,
    ),
    "best",
)  # fmt: skip

# %% [markdown]
# Read the lines from left to right: who chooses from more has more to choose from, and at first each reward model
# finds better and better answers. Then less and less comes of more: the best of many is best in what is good about it,
# and in the mistakes of who rates it, too. From a hundred and from 400 pairs the lines turn after sixteen answers and
# fall; from 1600 and more they still rise at 64, each doubling by less. The more pairs, the higher. The very taste has
# no such bend.
#
# And the linear model, which decides pairs best of all? It has the same 3200 pairs as the best reward model, and up to
# eight answers it chooses as well. Then it turns, and loses a third of a point, as if it had learned from a few hundred
# labels. We take it that each "welcome" is worth something to it; between two answers of the base, which say it once or
# twice, that hardly matters, and among sixty-four there is one that says it more often. **How good a rater is on pairs
# does not tell how far one may trust it.**
#
# ## PPO: the policy learns
#
# Who wants the better answer at once, and not by writing sixteen, has to change the network. The network that writes is
# now called the policy. It draws an answer y; the reward model says r. Make what did better than expected likelier.
# Three questions:
#
# **Better than what?** A second network, the *value model*, says before each token what reward may still be expected.
# Token t was better than expected by $\delta_t = r_t + V_{t+1} - V_t$, and what comes of it later counts too, with a
# factor of 0.95 for each token further on:
#
# $$A_t = \delta_t + 0.95\, A_{t+1}$$
#
# That is the *advantage* (generalized advantage estimation, GAE; Schulman et al., 2016); behind the last token V and A
# are 0. (The package has a factor γ before $V_{t+1}$, too, here 1.) V learns to foretell the sum of the two, $A_t+V_t$:
# half of its squared error is added to the loss, times a half.
#
# **How far in one step?** With $\rho$ the probability of a token now over the one at the time of writing, what is made
# small is the mean over all tokens of $-\min(\rho A, \text{clip}(\rho, 0.8, 1.2) A)$; A is first brought to mean 0
# and variance 1. Once a token with A > 0 is likelier by a fifth, or one with A < 0 less likely by a fifth, there is
# nothing more to gain by it, until the policy has written anew. This is *PPO*, proximal policy
# optimization (Schulman et al., 2017). Each answer serves two steps.
#
# **How far in all?** The reward model has only seen answers of the base. So each token has a **price**,
# $0.2\,(\ln\,p-\ln\,p_{\text{base}})$. Summed over an answer and averaged, that is 0.2 times the *KL divergence* of the
# policy from the base, in nats: how much an answer tells a reader by which of the two it was written. The rewards of
# the tokens, (B, T), are minus that price, and at the last token of an answer the reward model's number besides.
# (Exercises 24.2 and 24.3 first, if you want to: the next cell has both answers.)
#
# Rewards are in units of their own spread over the base's answers, so that a price means the same for any of them.

# %%
ANSWERS, ROUNDS, FREE, EVERY = run.pick((64, 40, 96, 8), (4, 2, 2, 1))
HALF, RATE, PRICE, UPDATES, LAMBDA = run.pick(24, 2), 5e-4, 0.2, 2, 0.95


def priced_by_hand(batch, scores):
    rewards = np.zeros(batch["targets"].shape)
    for i, row in enumerate(batch["targets"]):
        places = np.flatnonzero(row != ops.IGNORE)
        rewards[i, places] = -PRICE * (batch["old_log_probs"] - batch["reference_log_probs"])[i, places]
        rewards[i, places[-1]] += scores[i]
    return rewards


def advantages_by_hand(rewards, values, mask):
    advantages = np.zeros(rewards.shape)
    for i, row in enumerate(mask):
        later = value = 0.0
        for t in reversed(np.flatnonzero(row)):
            later = rewards[i, t] + value - values[i, t] + LAMBDA * later
            advantages[i, t], value = later, values[i, t]
    return advantages


def written(policy, reference, rng, questions):
    """Roll-outs: all that PPO needs of what the policy writes; and the same as texts."""
    made = rollout(policy, prompts_of(questions), LONGEST, Sampler(), rng, pad=END, stop_ids=[END], reference=reference)
    return made, [text_of(tokens) for tokens in made.answers]


def seen(policy, reference, scorer, true):
    """How far it is from the base, what it is paid, and what people would like, all three of unseen questions."""
    questions = TESTED[: run.pick(200, 8)]
    made, answers = written(policy, reference, np.random.default_rng([24, 6]), questions)
    far = {
        "nats": answer_kl(made.batch),
        "proxy": mean(scorer(questions, answers)),
        "true": mean(true(questions, answers)),
    }
    return far | means_of(questions, answers)


def ppo(base, scorer, true, seed, price=PRICE, rounds=ROUNDS):
    """The policy, how it was seen every few rounds, and the seconds that learning took."""
    policy, reference, rng = copy.deepcopy(base), Reference(base), np.random.default_rng([seed, 2026, 5])
    learner = ActorCritic(policy, ScalarModel(copy.deepcopy(base)))
    loss, optimizer = PPOLoss(learner), AdamW(learner.named_parameters(), RATE, (0.9, 0.98))
    curve, took = [], 0.0
    for n in run.progress(range(rounds + 1), "rounds"):
        if n % EVERY == 0:
            curve.append({"round": n} | seen(policy, reference, scorer, true))
        if n < rounds:
            begun = time.perf_counter()
            questions = generate_asked(rng, ANSWERS)
            made, answers = written(policy, reference, rng, questions)
            values, scores = learner.values(made.batch), scorer(questions, answers)
            batch = ppo_batch(made.batch, scores, values, kl_coef=price, lam=LAMBDA)
            fit(loss, optimizer, [batch] * UPDATES, divisor=loss.divisor, threads=1)
            took += time.perf_counter() - begun
    return policy, curve, took


base = bases[run.seeds[0]]
other = copy.deepcopy(base)
other.token_embedding.weight.assign(other.token_embedding.weight.data * 1.1)  # so that the price is not 0
made, _ = written(base, Reference(other), np.random.default_rng(6), TESTED[:8])
scores, values = np.arange(8.0), np.random.default_rng(7).normal(size=made.batch["targets"].shape)
priced = priced_by_hand(made.batch, scores)
apart["rewards"] = float(np.abs(priced - token_rewards(made.batch, scores, PRICE)).max())
by_hand = advantages_by_hand(priced, values, answer_mask(made.batch))
package = ppo_batch(made.batch, scores, values, kl_coef=PRICE, lam=LAMBDA, whiten=False)["advantages"]
apart["advantages"] = float(np.abs(by_hand - package).max())
run.say(
    f"token rewards from {priced.min():.2f} to {priced.max():.2f}; by hand, and by the package, apart by",
    {name: float(f"{v:.1e}") for name, v in apart.items()},
)

# %% [markdown]
# By hand and by the package, the same. Now forty rounds of 64 *roll-outs* each, answers that the policy writes to learn
# from. What would a sceptic do with the same pairs?
#
# - Learn **what was preferred** as if it were a lesson (SFT, 21), and throw away the rest.
# - Of each four answers of the policy **learn the best**, by the reward model, as many answers a round; twenty-four
#   rounds, for in trials its best moment came early. No value model, no advantage, no price. We count that best moment,
#   by the very taste, which nobody could pick.
# - **The best of 16** of the base's answers, as above, by the same reward model.
# - **Mend by hand.** Who has looked at a few dozen labels sees that people like to be named and thanked. So keep the
#   first sentence of each of the base's answers, take all names out, put the right one before, "welcome !" behind.
#
# All of them answer the same 400 questions.


# %%
MANY = run.pick(16, 4)


def mended(asked, answer):
    """The first sentence that says something, with who asked before it and one courtesy behind it."""
    said = next((some for some in sentences(answer) if COURTESY not in some), ".")
    kept = [word for word in said.split() if word not in (*NAMES, "well", ",", ".")]
    return f"{asked.name} , {' '.join(kept)} . {COURTESY} !"


def judged_and_mended(model):
    answers = write(model, TESTED, np.random.default_rng([24, 3]))
    return means_of(TESTED, [mended(asked, answer) for asked, answer in zip(TESTED, answers)])


def best_of_many(drawn, scorer):
    """Points of the best of sixteen answers to each question."""
    questions = repeated(TESTED, MANY)
    return mean(TASTE.of(questions, drawn)[best_of_n(scorer(questions, drawn), MANY)])


def learn_the_best(base, scorer, seed, of=4):
    """The most points, of those every few rounds."""
    policy, rng, points = copy.deepcopy(base), np.random.default_rng([seed, 2026, 7]), []
    optimizer = AdamW(policy.named_parameters(), RATE, (0.9, 0.98))
    for n in run.progress(range(1, HALF + 1), "rounds"):
        questions = generate_asked(rng, ANSWERS // of)
        made = rollout(policy, prompts_of(questions), LONGEST, Sampler(), rng, pad=END, group_size=of, stop_ids=[END])
        scores = scorer(repeated(questions, of), [text_of(tokens) for tokens in made.answers])
        fit(policy.loss, optimizer, [chosen_batch(made, best_of_n(scores, of), END)] * UPDATES, threads=1)
        if n % EVERY == 0:
            points.append(judged(policy)["points"])
    return max(points)


def learn_the_preferred(base, pairs, seed, size=32):
    rng, batches = np.random.default_rng([seed, 2026, 8]), []
    for _ in range(max(1, 2 * len(pairs) // size)):
        some = [pairs[i] for i in rng.integers(0, len(pairs), size)]
        batches.append(answer_batch(prompts_of([p.asked for p in some]), [ended(p.chosen) for p in some], END))
    model = copy.deepcopy(base)
    return learn(model, model.loss, batches, 1e-3)


curves, others, sixteen = defaultdict(dict), defaultdict(list), {}
for seed, base in bases.items():
    policy, curves["priced"][seed], took = ppo(base, scorers[seed, MAIN], truth[seed], seed)
    reached["PPO"].append(judged(policy))
    seconds["PPO"].append(took)
    begun = time.perf_counter()
    lesson = learn_the_preferred(base, pairs[seed][:MAIN], seed)
    seconds["learn what was preferred"].append(time.perf_counter() - begun)
    others["learn what was preferred"].append(judged(lesson)["points"])
    begun = time.perf_counter()
    others["learn the best of 4"].append(learn_the_best(base, scorers[seed, MAIN], seed))
    seconds["learn the best of 4"].append(time.perf_counter() - begun)
    sixteen[seed] = write(base, TESTED, np.random.default_rng([seed, 2026, 11]), MANY)
    others["best of 16"].append(best_of_many(sixteen[seed], scorers[seed, MAIN]))
    reached["base, mended by hand"].append(judged_and_mended(base))
    reached["PPO, mended by hand"].append(judged_and_mended(policy))
SO_FAR = ("base", "PPO", "base, mended by hand", "PPO, mended by hand")
rows = [[name, *np.mean([list(m.values()) for m in reached[name]], 0)] for name in SO_FAR]
print(table(rows, ["", *reached["base"][0]]))
run.say("points of others:", {name: round(mean(values), 2) for name, values in others.items()})
error_of_one = standard_error(TASTE.of(TESTED, write(policy, TESTED, np.random.default_rng([24, 3]))))
print(f"standard error of such a number, over {len(TESTED)} questions: {error_of_one:.2f}")
for asked, answer in zip(TESTED[:4], write(policy, TESTED[:4], np.random.default_rng(0))):
    run.say(f"  {asked.text:46} {answer}")

# %% [markdown]
# From about 1.6 points to 2.7, of 4 that one can have: it is right more often, names who asks, is nearly always kind,
# and repeats itself less. (The four above are from the last seed, and unlucky: in the table 63 of 100 are right and 64
# name who asks.) Since it was the base it has been shown no point, and no answer but its own. Labels, a reward model,
# and a policy that is paid by it: that is *RLHF*, reinforcement learning from human feedback (Christiano et al., 2017;
# Stiennon et al., 2020; Ouyang et al., 2022).
#
# Against the sceptic: learning what was preferred brings little, since that is only the better of two: the very
# taste's best of two has 2.34 points, and who copies such answers can hardly get beyond. Learning the best of four, at
# a moment that somebody picked who knew the taste, brings nearly as much as PPO, and on one seed of three more.
# **Choosing the best of sixteen with the same reward model brings more**, 2.98, without a step. It costs sixteen
# answers for each one, for ever; PPO has paid once.
#
# And **the rule by hand has 3.00**, with no label, no reward model and no step. Most of what PPO gains is manners, and
# who knows which ones can write them down. What the rule cannot do is know better: of its answers 53 in 100 are right,
# of the base's 49, of PPO's 63. Mended by the same rule PPO has 3.26. So RLHF is for what nobody can write down; of
# this taste, which we have made up, that is the smaller part.
#
# ## Without a price
#
# The same once more, and leaving the base costs nothing; for ninety-six rounds. What the policy is paid is called a
# *proxy*: it stands for what people like. We look at both, each in units of its own spread over the base's answers.

# %%
KEYS = ("round", "nats", "proxy", "true", "points", "right", "named", "kind", "again", "length")


def shown_as_table(curve):
    print(table([[round(row[key], 2) for key in KEYS] for row in curve[::2]], list(KEYS)))


def peak_of(curve):
    """The moment with the most true points."""
    return max(curve, key=lambda row: row["points"])


for seed, base in bases.items():
    policy, curves["free"][seed], _ = ppo(base, scorers[seed, MAIN], truth[seed], seed, 0.0, FREE)
    strange = write(policy, TESTED[:4], np.random.default_rng(0))
for name in ("free", "priced"):
    print(f"{name}, seed {last}:")
    shown_as_table(curves[name][last])
for asked, answer in zip(TESTED[:4], strange):
    run.say(f"  {asked.text:46} {answer}")
risen = {
    (name, key): [curve[-1][key] - curve[0][key] for curve in by.values()]
    for name, by in curves.items() for key in ("proxy", "true")
}  # fmt: skip
for (name, key), values in risen.items():
    print(f"{name}, {key}: gained in spreads, each seed", *(f"{v:.2f}" for v in values))
parted = {name: {s: peak_of(curve) for s, curve in by.items()} for name, by in curves.items()}
for name in curves:
    found = [(peak["nats"], peak["points"], curves[name][s][-1]["points"]) for s, peak in parted[name].items()]
    run.say(f"{name}: most points at", "; ".join(f"{k:.1f} nats ({p:.2f}, at the end {e:.2f})" for k, p, e in found))
run.show(
    line_chart(
        {
            "proxy, free": [(row["nats"], row["proxy"]) for row in curves["free"][last]],
            "true, free": [(row["nats"], row["true"]) for row in curves["free"][last]],
            "true, priced": [(row["nats"], row["true"]) for row in curves["priced"][last]],
            "proxy, priced": [(row["nats"], row["proxy"]) for row in curves["priced"][last]],
        },
        title="What it is paid, and what people like", xlabel="KL from the base, nats an answer",
        ylabel="gained, in spreads of the base", subtitle=f"seed {last}, every eight rounds",
    ),
    "parted",
)  # fmt: skip

# %% [markdown]
# First the two rise together. Then they part: the policy is paid a little more and more, and people like it less and
# less, on two of the seeds in the end about as little as the base. (On the first it has lost little more than a tenth
# of a point; it is paid 1.6 spreads more, and liked 1.0 more.) That is *overoptimization*. Look at what it says, and
# at the marks: everything is kind, nothing is said again, each of these four is called "finn"; one in four names who
# asked, and one in four is right, where the base had half. It has found answers that the base never writes, and of
# which the reward model has therefore never seen a pair. Gao et al. (2023) drew such curves for reward models of up to
# three billion weights, with a larger one in the place of people.
#
# With a price it stays where the reward model knows its way: the line simply ends, near 1.5 nats, or 1.8 on the first
# seed. Not that a price were a guarantee: on the seed of the figure it, too, is a quarter of a point behind its best.
#
# ## Paid for length
#
# What if the labels themselves are bent? Let the people who compare take a long answer for a thorough one: to them each
# word is worth 0.4 points more. The reward model learns what they say. Can one see that without knowing what people
# really like?

# %%
LOVE = 0.4
fond_curves, gamed = {}, defaultdict(list)
for seed, base in bases.items():
    loving = labelled(compared[seed][:MAIN], seed, People(Taste(length=LOVE)))
    fond = rated_by(reward_model(base, loving, seed))
    questions, drawn = TESTED, write(base, TESTED, np.random.default_rng([24, 3]))
    _, fond_curves[seed], _ = ppo(base, Scaled(fond, questions, drawn), truth[seed], seed)
    long = lengths(questions, drawn)
    for name, scorer, said in (("honest", scorers[seed, MAIN], pairs[seed][:MAIN]), ("fond of length", fond, loving)):
        gamed[f"{name}: the longer preferred"].append(as_labelled(lengths, said))
        gamed[f"{name}: correlation"].append(float(np.corrcoef(scorer(questions, drawn), long)[0, 1]))
    end, honest = fond_curves[seed][-1], curves["priced"][seed][-1]
    gamed["words, honest"].append(honest["length"] / curves["priced"][seed][0]["length"])
    gamed["words, fond"].append(end["length"] / fond_curves[seed][0]["length"])
    gamed["proxy gained, fond"].append(end["proxy"] - fond_curves[seed][0]["proxy"])
    gamed["gained, fond"].append(end["points"] - fond_curves[seed][0]["points"])
    gamed["gained, honest"].append(honest["points"] - curves["priced"][seed][0]["points"])
for name, values in gamed.items():
    print(f"  {name:30} {'  '.join(f'{v:5.2f}' for v in values)}")
run.show(
    line_chart(
        {
            "fond of length": [(row["round"], row["length"]) for row in fond_curves[last]],
            "honest": [(row["round"], row["length"]) for row in curves["priced"][last]],
        },
        title="How one sees it", xlabel="round", ylabel="words an answer", subtitle=f"both with a price, seed {last}",
    ),
    "length",
)  # fmt: skip

# %% [markdown]
# With the same price, its answers grow by about a third, where the honest one's grow by a tenth, and a fifth to more
# than a third of the gain is gone. Its own number says that all is well. What would have told us?
#
# - **How it rates what is there already**: on answers of the base, its rewards and their lengths go together; the
#   honest one's do less, -0.01 to 0.22. That can be seen before any step is made. (That the labels love length, that
#   is; whether people mean it, only they can say.)
# - **The labels themselves**, says the sceptic, and needs no reward model: of two answers the longer one was preferred
#   in 71 of 100 pairs, by honest people in 51.
# - **How long the answers get**, round by round. Nobody asked for that.
#
# Singhal et al. (2023) found that much of what RLHF gains, by the reward models that there are, is length.
#
# ## A model for a judge
#
# Labels cost people's time. Could a model compare in their place? That is *RLAIF*, reinforcement learning from the
# feedback of an AI (Bai et al., 2022; Lee et al., 2023). Our base has read grades: behind an answer's end it gives
# each of the eight grades a probability. We write down a **constitution**, one sentence: *right counts twice, named
# once, kind once*. Then an answer is worth 2 p(right) + p(named) + p(kind), by the base's own opinion. The judge
# prefers what is worth more to it, of the very pairs that people were shown. Nobody is asked. Or we leave out the
# reward model, and pay the policy by that number itself.

# %%
SIGNS = np.array([[sign == "+" for sign in name] for name in GRADES], float)
CONSTITUTION = np.array([2.0, 1.0, 1.0])


def opinion_of(model):
    """A scorer: what the model thinks of answers, by the grade that it would write behind them."""

    def scorer(questions, answers):
        found = []
        for i in range(0, len(answers), 400):
            batch = text_batch(prompts_of(questions[i : i + 400]), [ended(a) for a in answers[i : i + 400]], END)
            with no_grad():
                logits = model(batch["tokens"]).numpy()[np.arange(len(batch["lengths"])), batch["lengths"] - 1]
            weights = np.exp(logits - logits.max(1, keepdims=True))[:, [ID[name] for name in GRADES]]
            found.append(weights / weights.sum(1, keepdims=True) @ SIGNS @ CONSTITUTION)
        return np.concatenate(found)

    return scorer


def judge_of(worth):
    """How probable it is that the first answer is the better one, by what each answer is worth to the judge."""
    return lambda prompt, one, other: 1 / (1 + np.exp(worth[prompt, other] - worth[prompt, one]))


agreed = defaultdict(list)
for seed, base in bases.items():
    begun, opinion = time.perf_counter(), opinion_of(base)
    questions, ones, others_too = map(list, zip(*compared[seed][:MAIN]))  # the very pairs that people have labelled
    texts, by_text = [asked.text for asked in questions], {asked.text: asked for asked in questions}
    worth = dict(zip(zip(texts * 2, ones + others_too), opinion(questions * 2, ones + others_too)))
    lines = judged_preferences(zip(texts, ones, others_too), judge_of(worth))
    by_judge = [Preference(by_text[line["prompt"]], line["chosen"], line["rejected"]) for line in lines]
    seconds["comparing, by the judge"].append(time.perf_counter() - begun)
    taught = rated_by(reward_model(base, by_judge, seed))
    agreed["judge, as people said"].append(as_labelled(opinion, unseen[seed]))
    agreed["judge, as they like"].append(as_liked(opinion, unseen[seed]))
    by_people = {(pair.asked.text, *pair[1:]) for pair in pairs[seed][:MAIN]}
    agreed["labels that both give"].append(mean([(pair.asked.text, *pair[1:]) in by_people for pair in by_judge]))
    others["best of 16, by the judge"].append(best_of_many(sixteen[seed], opinion))
    drawn = write(base, TESTED, np.random.default_rng([24, 3]))
    for name, scorer in (("RLAIF", taught), ("paid by the judge", opinion)):
        policy, curves[name][seed], took = ppo(base, Scaled(scorer, TESTED, drawn), truth[seed], seed)
        reached[name].append(judged(policy))
        seconds[f"PPO, {name}"].append(took)
gains = {n: [m["points"] - b["points"] for m, b in zip(reached[n], reached["base"])] for n in reached}
shares = {n: [g / max(p, 0.01) for g, p in zip(gains[n], gains["PPO"])] for n in ("RLAIF", "paid by the judge")}
run.say("of unseen pairs:", {name: round(mean(values), 3) for name, values in agreed.items()})
rows = [[name, *np.mean([list(m.values()) for m in found], 0)] for name, found in reached.items()]
print(table(rows, ["", *reached["base"][0]]))
run.say("share of the gain by people's labels:", {n: [round(v, 2) for v in values] for n, values in shares.items()})

# %% [markdown]
# Without one label by a person: nearly nine tenths of the gain. On unseen pairs the judge agrees with people nearly as
# often as a reward model of 1600 of their labels does, and of the pairs that both have labelled, in 65 of 100. Paid by
# the judge itself, with no reward model between, the policy gains as much as by people, or a little more; Lee et al.
# (2023) report that this works, too. And the sceptic, who trains nothing, lets the judge choose the best of sixteen:
# 2.63 points (the table below), as RLAIF.
#
# What is missing? The judge was told of three things, and there it is about as good: as many are named and kind, and
# right are 59 in 100, by people's labels 63. Of saying things twice and of rambling
# its constitution has no word, so the answers repeat and run on more than those that people taught: what nobody wrote
# down, only people's labels know. And no judge knows more than the book that it has read. Its grades, of some 25,000
# answers, were somebody's work once. (A sceptic would say that this is where the labels are. He is right.)
#
# ## What did each learn from?

# %%
taken = {name: mean(values) for name, values in seconds.items()}
comparing = taken["answers to compare"] + taken[f"reward model of {MAIN}"]
points_of = {name: [m["points"] for m in found] for name, found in reached.items()} | others
tuning = 2 * MAIN + ROUNDS * ANSWERS
used = {
    "base": (0, 0, 0.0),
    "base, mended by hand": (0, 0, 0.0),
    "learn what was preferred": (MAIN, 2 * MAIN, taken["answers to compare"] + taken["learn what was preferred"]),
    "best of 16": (MAIN, 2 * MAIN, comparing),
    "learn the best of 4": (MAIN, 2 * MAIN + HALF * ANSWERS, comparing + taken["learn the best of 4"]),
    "PPO": (MAIN, tuning, comparing + taken["PPO"]),
    "RLAIF": (0, tuning, comparing + taken["comparing, by the judge"] + taken["PPO, RLAIF"]),
    "paid by the judge": (0, ROUNDS * ANSWERS, taken["PPO, paid by the judge"]),
    "best of 16, by the judge": (0, 0, 0.0),
}
rows = [[name, *numbers, mean(points_of[name])] for name, numbers in used.items()]
print(table(rows, ["", "labels by people", "answers written", "seconds", "points"]))

# %% [markdown]
# A label is what costs money; seconds are those of this machine, and are not judged. Rounds of PPO cost little here
# since writing an answer of eight words does. In InstructGPT it was 33,000 questions, of each of which four to nine
# answers were ranked, and a reward model of 6 billion weights.
#
# ## What did not come true
#
# - **PPO was to be ahead of learning the best of four.** On one of the three seeds of a first record it was not, at
#   that one's best moment. Now we claim what each gains.
# - **Labels fond of length were to cost a fifth of a point at least.** On one seed it was a little less.
# - **Our first base had read no grades.** Its reward model of 3,200 pairs decided 66 of 100 as people did, as one of
#   fewer than 1600 does now: what is right had to be found out from labels alone. What a reward model can learn
#   depends on what its base has read.
# - **A love of length of 0.15 points a word changed nothing**: the policy was as good as with honest labels. 0.4 is a
#   strong love.
# - **PPO at twice this rate** was 14 nats away after twenty rounds, at "welcome ! welcome !", and had no top to be
#   seen.
# - We thought that a reward model of twice the pairs would move the place where the curves part. A bound of its mean
#   was once a part of the claim, held, and was noise: on two seeds its policy ended better, on one worse by more than
#   a point. The page no longer runs it.
# - **Without a price people were to like it less on every seed**, by a tenth of a point since its best moment. With
#   these draws it was 0.08 on the first seed after 64 rounds. There are 96 now, and the claim is about the mean, and
#   about how far what it is paid for is above what people like.
# - The judge was once shown other answers than people were. Now both label the very same pairs, which changes little.
# - That a linear model decides pairs better than a network was not our plan, nor that a rule by hand would do.
#
# So three parts of the claim failed on records before this one. They were rewritten as told, some bounds were made
# wider, and labels were drawn anew. The first seed had been seen when the last bounds were set.
#
# **Exercises**: 24.1 what a pair teaches, 24.2 a price on every token, 24.3 better than expected. `tgl chapter 24
# --mine` runs this page on your token rewards and your advantages.

# %%
run.check("by hand against the package", apart, at_most=EQUAL)
most, fewest, last_n = f"{TWICE} pairs", f"{COUNTS[0]} pairs", NS.index(NS[-1])
known = {name: mean(values) for name, values in (rules | ceiling).items()}
run.check(
    "reward model, unseen pairs as people said", accuracy[TWICE], at_least=AS_SAID, baseline=known, full_only=True
)
more = [a - b for a, b in zip(accuracy[TWICE], accuracy[COUNTS[0]])]
run.check("the same, by all pairs less by a hundred", more, at_least=BY_MORE, full_only=True)
spared = [s - n for s, n in zip(same[TWICE], nats[TWICE])]
run.check("nats a label, less than equally sure", spared, at_least=SPARED, full_only=True)
run.check("ECE, all pairs", error[TWICE], at_most=CALIBRATED, baseline={fewest: error[COUNTS[0]]}, full_only=True)
at_last = [a[last_n] - b[last_n] for a, b in zip(best[most], best[fewest])]
run.check("best of 64: all pairs, less a hundred", at_last, at_least=LATER, full_only=True)
turned = [max(curve) - curve[last_n] for curve in best["pairs of words"]]
taste = {"the taste": [max(curve) - curve[last_n] for curve in best["the taste itself"]]}
run.check(
    "linear model: best of 64, behind its best n, mean", mean(turned), at_least=TURNED, baseline=taste, full_only=True
)
by_rule = {"base has": mean(points_of["base"]), "by hand": gains["base, mended by hand"]}
run.check("PPO: points gained", gains["PPO"], at_least=GAINED, baseline=by_rule, full_only=True)
righter = {n: [m["right"] - b["right"] for m, b in zip(reached[n], reached["base"])] for n in SO_FAR[1:]}
run.check("PPO: right, more than the base", righter["PPO"], at_least=RIGHTER, full_only=True,
          baseline={"by hand": righter["base, mended by hand"]})  # fmt: skip
ahead = [p - o for p, o in zip(points_of["PPO"], others["learn what was preferred"])]
run.check("PPO, ahead of learn what was preferred", ahead, at_least=OVER_PREFERRED, full_only=True)
for name, least in (("learn the best of 4", BEST_OF_4), ("best of 16", GAINED)):
    gained = [o - b for o, b in zip(others[name], points_of["base"])]
    run.check(f"{name}: points gained", gained, at_least=least, baseline={"PPO": gains["PPO"]}, full_only=True)
ends = {name: [curve[-1] for curve in by.values()] for name, by in curves.items()}
peaks = {name: list(by.values()) for name, by in parted.items()}


def since_peak(name, key):
    return [e[key] - p[key] for e, p in zip(ends[name], peaks[name])]


run.check("free, since the most points: proxy", since_peak("free", "proxy"), at_least=PAID_MORE, full_only=True)
priced_too = {"priced": since_peak("priced", "points")}
run.check("free, since the most points: points, mean", mean(since_peak("free", "points")), at_most=LIKED_LESS,
          baseline=priced_too, full_only=True)  # fmt: skip
run.report("free, since the most points: points, each seed", since_peak("free", "points"))
run.check("priced, since the most points: points", priced_too["priced"], at_least=HELD, full_only=True)
gap = {name: [p - t for p, t in zip(risen[name, "proxy"], risen[name, "true"])] for name in ("free", "priced")}
run.check("free: paid for, less liked, gained", gap["free"], at_least=PARTED, baseline={"priced": gap["priced"]},
          full_only=True)  # fmt: skip
fonder = [a - b for a, b in zip(gamed["fond of length: correlation"], gamed["honest: correlation"])]
honest = {"honest": gamed["honest: correlation"]}
run.report("labels for the longer one", {n: gamed[f"{n}: the longer preferred"] for n in ("honest", "fond of length")})
run.check("fond of length: correlation, more than honest", fonder, at_least=FOND, baseline=honest, full_only=True)
run.check("fond of length: words, times the base", gamed["words, fond"], at_least=LONGER, full_only=True,
          baseline={"honest": gamed["words, honest"]})  # fmt: skip
behind = [a - b for a, b in zip(gamed["gained, honest"], gamed["gained, fond"])]
run.check("fond of length: gained, behind honest", behind, at_least=LOST, full_only=True)
run.check("judge, as people said", agreed["judge, as people said"], at_least=AGREES, full_only=True,
          baseline={"ceiling": known["knows the taste"]})  # fmt: skip
for name, share in shares.items():
    run.check(f"{name}: share of PPO's gain", share, at_least=BY_JUDGE, full_only=True)
run.report("nats at the most points", {n: [round(p["nats"], 2) for p in found] for n, found in peaks.items()})
run.report("seconds", {name: round(value, 1) for name, value in taken.items()})
run.finish()
