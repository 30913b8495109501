# %% [markdown]
# # 21 · Following instructions
#
# A network has read thousands of exercises with their solutions, and can solve them. Ask it: "twice say the last of :
# cup red cat ." It answers with the next exercise. That is not stupid: it has learned to continue texts, and in its
# texts an exercise is often followed by another one. It *can* do what you ask, and does not know that you asked.
#
# What does it take to make it answer? And does it then follow only the kinds of instruction that it was shown?
#
# - **Builds on** 07 counting words (bits a byte), 09 attention (coin flips), 15 GPT-1 to GPT-3, 18 Llama and Mistral.
# - **Reads** [`tokenizer/chat.py`](../tinygrad_llm/tokenizer/chat.py),
#   [`tokenizer/extended.py`](../tinygrad_llm/tokenizer/extended.py),
#   [`models/resize.py`](../tinygrad_llm/models/resize.py),
#   [`datasets/packing.py`](../tinygrad_llm/datasets/packing.py),
#   [`datasets/chat.py`](../tinygrad_llm/datasets/chat.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its
#   baseline, are the `run.check(…)` of the last cell; [a recorded run](../docs/records/21/output.txt) shows them all.
# - **Departs from** InstructGPT in size, and in the instructions: ours are made up, so that a program knows whether an
#   answer follows them. Of its three steps this page takes the first.
# - **Run**: `python chapters/21_following_instructions.py`. One seed takes about two and a half
#   minutes of a processor, most of them for the base, which has both cores. `--seeds 3` takes a minute and a half more.
#   `--fast` takes less than ten seconds: it asserts the equalities, and nothing that is learned.

# %%
from collections import Counter, defaultdict

import numpy as np
from threadpoolctl import threadpool_limits

from tinygrad_llm import no_grad, ops
from tinygrad_llm.backend import to_device
from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets.chat import (
    FORMS,
    LAYOUTS,
    TASKS,
    dialogue_of,
    exercise,
    generate_books,
    generate_papers,
    generate_requests,
)
from tinygrad_llm.datasets.locate import tales_files
from tinygrad_llm.datasets.packing import pack, padded_batch, shifted
from tinygrad_llm.datasets.text import read_text
from tinygrad_llm.generate import Sampler, generate
from tinygrad_llm.models import Llama, LlamaConfig
from tinygrad_llm.models.resize import with_vocabulary
from tinygrad_llm.optim import AdamW, schedule
from tinygrad_llm.tokenizer import CHATML, ExtendedTokenizer, WordTokenizer
from tinygrad_llm.train import fit
from tinygrad_llm.visualize import Line, grouped_bars, line_chart

run = Chapter(
    "21",
    "A base that solves exercises goes on with another request when it is asked plainly. Forty steps on dialogues "
    "make it answer, and it follows kinds of instruction that no dialogue had, which five times the steps from new "
    "weights do not bring. Loss on answers alone is no worse for that than loss on all. Tuned for longer, it forgets "
    "old text and new kinds; a tenth of old text in each step keeps both, a tenth of tales alone not the kinds. "
    "Packed rows give the loss and the gradients of rows of their own; without their mask, coin flips are predicted.",
)
threadpool_limits(1, user_api="blas")  # matrices this small are done before a second core has woken up
D, LAYERS, HEADS, T = 64, 2, 4, 48
SOLVES, PLAINLY, GOES_ON = 0.85, 0.05, 0.9
TAUGHT, NEW, FROM_NOTHING, MARGIN, NO_WORSE = 0.75, 0.5, 0.3, 0.3, -0.05
NARROWED, FORGOTTEN, KEPT, EQUAL, HONEST, LEAKING = 0.1, 0.1, 0.05, 1e-10, 0.6, 0.85

# %% [markdown]
# ## What can the base do?
#
# A *request* says what is to be said (of three words the first, the second, the last, all, the reverse, both ends, or
# the one of a given kind, food or thing; of one word its kind, or its opposite) and in which form: twice, loudly,
# kindly, fully, or just so. That is nine *tasks* in five *forms*, 45 kinds of request. What stands in them are the
# *contents*. For each request one answer is right, and a program knows it. *Following* an instruction means to say
# exactly that, in that form, and to stop.
#
# What does our base read? Three things, as the web has them side by side:
#
# - **Books of exercises** with solutions, in three layouts. All 45 kinds are there.
# - **Exam papers**: requests alone, one after the other. Nobody answers.
# - **Tales**, the stories of chapter 07.
#
# In no text does anybody speak to anybody. A list that begins and ends with certain pairs of words, one in ten, is held
# out: it stands in no text, and every request of the test (but for kinds and opposites, which are facts) has one.

# %%
draw = np.random.default_rng(1)
books = generate_books(draw, run.pick(12000, 150))
papers = generate_papers(draw, run.pick(2500, 50))
train_tales, unseen_tales = ([t for t in read_text(path).split("\n\n") if t] for path in tales_files())
PAGE = "[PAGE]"
words = WordTokenizer.train(
    " ".join([*books[:500], *papers[:50], *train_tales, "user assistant"]), spaces=False, special=(PAGE,)
)
V, ID, encode = words.vocab_size, words.id_of, words.encode


def rows_of(pages):
    """A page a row, and the beginning of the next where there is room.  (N - 1, T + 1)"""
    return np.array([[0, *encode(a), 0, *encode(b)][: T + 1] for a, b in zip(pages, pages[1:])])


def in_a_row(pages):
    """One page after the other, cut into rows.  (N, T + 1)"""
    ids = np.concatenate([[0, *encode(page)] for page in pages])
    return np.stack([ids[i : i + T + 1] for i in range(0, len(ids) - T, T)])


OLD = {"books": rows_of(books), "papers": rows_of(papers), "tales": in_a_row(train_tales[: run.pick(None, 50)])}
SHARES = {"books": 34, "papers": 7, "tales": 7}  # rows of each batch


def old_rows(rng, shares):
    return np.concatenate([OLD[name][rng.integers(0, len(OLD[name]), n)] for name, n in shares.items()])


def base_batches(steps, seed):
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        rows = old_rows(rng, {name: n // run.pick(1, 7) for name, n in SHARES.items()})
        yield {"tokens": rows[:, :-1], "targets": rows[:, 1:]}


def new_model():
    config = LlamaConfig(V, 2 * T, LAYERS, HEADS, D, 168, tied=True, init_std=0.12)
    return Llama(config, rng=np.random.default_rng(10)).to(run.device)


def learn(model, batches, steps, rate, decay=0.0, threads=1, after=None):
    at = schedule("cosine", rate, steps, max(1, steps // 10))
    optimizer = AdamW(model.named_parameters(), rate, (0.9, 0.98), weight_decay=decay)
    return fit(model.loss, optimizer, batches, lr=at, threads=threads, after=after)


STEPS = run.pick(1200, 4)
base = new_model()
learn(base, run.progress(base_batches(STEPS, 11), "the base", STEPS), STEPS, 6e-3, decay=0.3, threads="auto")
SAVED = {path: to_device(array, "cpu").copy() for path, array in base.state_dict().items()}
run.say("a book:", books[0])
run.say("a paper:", papers[0])
print(f"{base.n_parameters()} weights, {V} words")

# %% [markdown]
# Can it do what the books do? Write a request as a book would, up to "Solution :", and look whether the right answer is
# what it says. It says it if each token of the answer is its likeliest: *greedy* decoding (15) would write just that.
#
# And now like somebody who has a question. First the request alone; then with three others before it that have been
# answered, the *few-shot* prompt of chapter 15, but without the books' words.


# %%
def would_say(model, prompts, answers):
    """Whether greedy decoding goes on after each prompt with this answer: each token of it is the likeliest.  (N,)"""
    found = []
    for i in range(0, len(prompts), 150):
        pairs = list(zip(prompts[i : i + 150], answers[i : i + 150]))
        batch = padded_batch([(np.array(p + a), np.arange(len(p + a)) >= len(p)) for p, a in pairs], 0)
        with no_grad():
            said = model(batch["tokens"]).numpy().argmax(-1)
        found.append(((said == batch["targets"]) | (batch["targets"] == ops.IGNORE)).all(1))
    return np.concatenate(found)


test = generate_requests(np.random.default_rng(2), run.pick(900, 40), "test")
right = [encode(request.answer) for request in test]
shots = generate_requests(np.random.default_rng(3), 3 * len(test))
few_shot = [" ".join(f"{s.text} {s.answer}" for s in shots[3 * i : 3 * i + 3]) for i in range(len(test))]
by_way = {
    "as a book has it": would_say(base, [[0, *encode(exercise(r))] for r in test], right),
    "plainly": would_say(base, [[0, *encode(r.text)] for r in test], right),
    "plainly, after three that are answered": would_say(
        base, [[0, *encode(f"{shown} {r.text}")] for shown, r in zip(few_shot, test)], right
    ),
}
solves = float(by_way["as a book has it"].mean())
for way, found in by_way.items():
    print(f"{found.mean():.3f} right, asked {way}")
by_task = {t: float(np.mean([ok for r, ok in zip(test, by_way["as a book has it"]) if r.task == t])) for t in TASKS}
run.say("as a book has it:", *(f"{task} {share:.2f}" for task, share in by_task.items()))

BEGINNINGS = {"say", *(form.ask for form in FORMS.values()), *(before.split()[0] for before, _ in LAYOUTS)}
plain_ids = [[0, *encode(request.text)] for request in test]
written = generate(base, plain_ids, 10, Sampler(greedy=True), np.random.default_rng(0)).tokens
goes_on = float(np.mean([words.vocabulary[int(ids[0])] in BEGINNINGS for ids in written]))
print(f"after a plain request, the first word is one with which requests begin: {goes_on:.3f}")
for request, ids in list(zip(test, written))[:3]:
    run.say(f"  {request.text}  →  {words.decode([int(i) for i in ids])}…")

# %% [markdown]
# It can, and it does not. Asked plainly it goes on with the next request, as a paper would. Nor do three answers
# help: in no text that it knows does an answer stand without a book's words around it.
#
# Keep the first line in mind. **Who knows the books can have the answers without any tuning**: he writes "Exercise :"
# before his question, and "Solution :" behind it. No tuned network below does better than that. What tuning changes is
# what *somebody who has never seen the books* gets.
#
# ## A form for talking
#
# How do we show it that somebody asks? By marks that stand in no text. This is *ChatML*, OpenAI's *chat template*:

# %%
chat = ExtendedTokenizer(words, CHATML.special)
START, END = chat.encode("<|im_start|><|im_end|>", chat.special)
shown = dialogue_of(generate_requests(np.random.default_rng(4), 1))
print(CHATML.text(shown))


def dialogue(messages):
    """Ids, and which of them are learned: what an assistant says, and the mark by which it stops."""
    ids, learned = [], []
    for message in messages:
        said, is_learned = chat.encode_ordinary(message["content"]), message["role"] == "assistant"
        ids += [START, ID[message["role"]], *said, END]
        learned += [False, False, *[is_learned] * (len(said) + 1)]
    return np.array(ids), np.array(learned)


def targets_of(ids, learned):
    """What comes next, where it is learned."""
    return np.where(learned[1:], ids[1:], ops.IGNORE)


ours, theirs = dialogue(shown), CHATML.encode(chat, shown)
parts_apart = int(sum((np.asarray(a) != b).sum() for a, b in zip(ours, theirs)))
parts_apart += int((targets_of(*ours) != shifted(theirs)[1]).sum())
print("learned:", chat.decode([int(i) for i in ours[0][ours[1]]]))
print("ids, flags and targets that differ from the package's:", parts_apart)

# %% [markdown]
# A *special token* such as `<|im_end|>` is one token that no text can spell: whoever writes those ten characters gets
# ten characters. (Our words have no line breaks, so that those of the template are lost here.)
#
# **What is learned** is what the assistant has to write: its answer, and the mark that ends it. Forget the mark, and it
# never stops. The request is read, and nobody is to predict it; its targets are left out of the loss.
#
# The two marks need rows in the table of embeddings. What should be in them? The package's `with_vocabulary` takes the
# mean of all rows, so that no old probability changes by much. One can do better, if one knows what a mark is for:
# **let it begin as the mean of the words that stand where it will stand.** After an answer a book has "Exercise",
# "Question" or "Task"; with their mean `<|im_end|>` begins. Before an answer it has "Solution :", "The answer :" or
# "Result :"; so begin `<|im_start|>` and `assistant`. (That word, like `user`, stands in no text of ours.)

# %%
ROLES = {START: "Solution answer Result", END: "Exercise Question Task", ID["assistant"]: ":"}


def fresh(begins="as words like it", new=False):
    """The base with rows for the marks; or new weights."""
    model = new_model()
    if not new:
        model.load_state_dict(SAVED)
    model = with_vocabulary(model, chat.vocab_size, rng=np.random.default_rng(13))
    if begins == "as words like it":
        rows = to_device(model.token_embedding.weight.data, "cpu").copy()
        for token, like in ROLES.items():
            rows[token] = rows[encode(like)].mean(0)
        model.token_embedding.weight.assign(rows)
    return model.to(run.device)


def asked(request):
    """The request in the template, up to where its answer begins."""
    return [0, *dialogue([{"role": "user", "content": request.text}])[0].tolist(), START, ID["assistant"]]


prompts, endings = [asked(request) for request in test], [[*answer, END] for answer in right]


def follows(model, some=slice(None)):
    """Whether it says the right answer in its form, and stops.  (N,)"""
    return would_say(model, prompts[some], endings[some])


untuned = float(follows(fresh()).mean())
print(f"followed before any step: {untuned:.3f}")

# %% [markdown]
# ## What does it follow that it was never shown?
#
# A seed draws two tasks and a form that no dialogue has. The other 28 kinds of request make 600 dialogues. The base
# takes 40 steps, of 20 dialogues each, at a small rate, and all of its weights may move. This is *supervised
# fine-tuning*, SFT. Four groups are judged, with held-out contents but for kinds and opposites: kinds that were taught;
# a new form of taught tasks; new tasks in taught forms; both new. (Of the requests of taught kinds, one in ten to one
# in four asks for a kind or an opposite that stands in the dialogues word for word, by the seed. In the new groups none
# can.)
#
# The rules that a sceptic would try, which get the same dialogues:
#
# - Of the taught requests take the **nearest**, the one with most words in common, and give its answer.
# - Give the **most frequent** taught answer.
# - Take **new weights** instead of the base's: five times the steps, at a rate that suits them.

# %%
COUNT, ROWS = run.pick(600, 40), 20
SHORT, LONG = run.pick(40, 2), run.pick(200, 3)
GROUPS = ("taught", "new form", "new task", "both new")


def taught_kinds(seed):
    rng = np.random.default_rng([seed, 27])
    return list(rng.permutation(list(TASKS))[2:]), ["plain", *rng.permutation(list(FORMS)[1:])[1:]]


def grouped(found, seed):
    """The share of each group, and of all new kinds together."""
    tasks, forms = taught_kinds(seed)
    place = np.array([2 * (r.task not in tasks) + (r.form not in forms) for r in test])
    shares = {name: float(found[place == i].mean()) for i, name in enumerate(GROUPS) if (place == i).any()}
    return shares | {"new": float(found[place > 0].mean())}


def taught_requests(seed):
    tasks, forms = taught_kinds(seed)
    return generate_requests(np.random.default_rng([seed, 8]), COUNT, tasks=tasks, forms=forms)


def tune(seed, steps, rate, *, on_all=False, old=None, begins="as words like it", new=False, after=None):
    """SFT. `old` gives rows of old text to each batch, in the place of dialogues."""
    model, examples = fresh(begins, new), []
    for request in taught_requests(seed):
        ids, learned = dialogue(dialogue_of([request]))
        examples.append((np.array([0, *ids]), np.array([False, *(learned | on_all)])))

    def batches():
        rng = np.random.default_rng([seed, 9])
        for _ in range(steps):
            mixed = [(row, np.ones(T + 1, bool)) for row in (old(rng) if old else ())]
            chosen = rng.integers(0, len(examples), ROWS - len(mixed))
            yield padded_batch([examples[i] for i in chosen] + mixed, 0)

    learn(model, batches(), steps, rate, after=None if after is None else lambda step, _: after(step, model))
    return model


def looked_up(seed):
    """By two rules: the nearest taught request's answer, and the most frequent one."""
    taught = taught_requests(seed)
    sets = [set(request.text.split()) for request in taught]
    nearest = []
    for request in test:
        asked_words = set(request.text.split())
        best = max(range(len(sets)), key=lambda i: len(asked_words & sets[i]) / len(asked_words | sets[i]))
        nearest.append(taught[best].answer == request.answer)
    common, _ = Counter(request.answer for request in taught).most_common(1)[0]
    return {"nearest": np.array(nearest), "most frequent": np.array([r.answer == common for r in test])}


RATE, LONG_RATE = 5e-4, 1e-3
results, tuned = defaultdict(list), {}
for seed in run.seeds:
    tasks, forms = taught_kinds(seed)
    held = sorted({*TASKS} - {*tasks}), sorted({*FORMS} - {*forms})
    print(f"seed {seed}: no dialogue has {', '.join(held[0])}, nor {held[1][0]}")
    tuned[seed] = tune(seed, SHORT, RATE)
    results["tuned"].append(grouped(follows(tuned[seed]), seed))
    results["loss on all"].append(grouped(follows(tune(seed, SHORT, RATE, on_all=True)), seed))
    results["new weights"].append(grouped(follows(tune(seed, LONG, 3e-3, new=True)), seed))
    results["the base, plainly"].append(grouped(by_way["plainly"], seed))
    results["the base, as in a book"].append(grouped(by_way["as a book has it"], seed))
    for rule, found in looked_up(seed).items():
        results[rule].append(grouped(found, seed))


def mean(way):
    return {group: float(np.mean([each.get(group, 0.0) for each in results[way]])) for group in (*GROUPS, "new")}


def shown_as_table(*ways):
    print(table([[way, *mean(way).values()] for way in ways], ["followed", *GROUPS, "all new"]))


RULES = ("the base, plainly", "nearest", "most frequent", "new weights")
shown_as_table("tuned", *RULES, "the base, as in a book")
first = tuned[run.seeds[0]]
out = generate(first, prompts[:4], 12, Sampler(greedy=True), np.random.default_rng(0), stop_ids=(END,)).tokens
for request, ids in zip(test, out):
    print(f"  {request.text}  →  {chat.decode([int(i) for i in ids])}")
SHOWN = {"base, asked plainly": "the base, plainly", "new weights, tuned": "new weights", "base, tuned": "tuned"}
run.show(
    grouped_bars(
        {name: {g: 100 * mean(way)[g] for g in GROUPS} for name, way in SHOWN.items()},
        title="Forty steps, and it answers", subtitle="% of requests followed, on contents that no text has",
        captions={"taught": "kinds that dialogues had"},
    ),
    "followed",
)  # fmt: skip

# %% [markdown]
# Forty steps, and it answers. Taught kinds it follows nearly always, new ones mostly, and least often where task and
# form are both new. Look at the table's last line: the base could do nearly all, in the books' words. So the skill is
# not what tuning brought. It brought that a question gets an answer; and for kinds that no dialogue had, too.
#
# New weights have no skill to bring out. After five times the steps they follow some of the taught kinds, and hardly
# any new one. (Tried on seed 0: a third of that rate, or twice as much, was no better. Fifteen times the steps brought
# two thirds of the taught kinds, and 3 in 100 of the new.) The nearest taught request shares most words with a
# question, and asks for something else.
#
# How sure is "mostly"? Tasks and forms differ, and so does what a seed holds out; the table of the last cell has the
# worst and the best seed. "Both new" are some forty requests a seed: give or take 15 in 100. And who chose forty
# steps, and so small a rate? We did, in trials in which other kinds were held out. It matters more than we had
# thought, as we shall see.

# %% [markdown]
# ## Loss on answers, or on all?
#
# Why not predict the requests as well? There are more of them, so there would be more to learn from. The same steps,
# the same dialogues, loss on every token:

# %%
shown_as_table("tuned", "loss on all")
seed, begun = run.seeds[0], {"as words like it": tuned[run.seeds[0]]}
begun["as the mean of all"] = tune(seed, SHORT, RATE, begins="mean")
begun["mean, 60 larger steps"] = tune(seed, run.pick(60, 2), LONG_RATE, begins="mean")
rows = []
for how, model in begun.items():
    shares, said = (grouped(found, seed) for found in (follows(model), would_say(model, prompts, right)))
    rows.append([how, *(shares.get(g, 0.0) for g in (*GROUPS, "new")), said.get("new form", 0.0)])
print(f"seed {seed}, by what the marks begin with; last, new form, stop or not:")
print(table(rows, ["followed", *GROUPS, "all new", "form, no stop"]))

# %% [markdown]
# On taught kinds it makes no difference. On new ones, loss on answers alone is ahead on each recorded seed, by 4 to 14
# in a hundred; we had only dared to claim that it is not five behind. We can only guess why. The words of our requests
# are drawn by lot, so that there is nothing to be learned from them; and who learns to predict requests learns that
# there are the taught kinds, and no others.
#
# The second table is about the marks. If they begin as the mean of all rows, forty small steps are not enough for
# anything. More and larger steps bring the taught kinds, but of the new form *nothing*, and few of the new tasks. Does
# it say the right thing, and only not stop? That was our guess: in a trial with an earlier base it had said "green !",
# loudly, as asked, and gone on talking, since no dialogue had taught it to stop after an exclamation mark. So the last
# column counts what is said rightly, stopped or not. Here the guess is wrong: next to nothing of the new form is there.
#
# Then why does the beginning matter so much? From a good one, few and small steps are enough, and they leave nearly
# everything as it was. From the mean, more and larger ones are needed; and what these do, we see next.

# %% [markdown]
# ## What is forgotten?
#
# So more steps are better? And what becomes of the tales, which no dialogue tells? We tune *harder*, for 200 steps at
# twice the rate (the claim calls that "longer"; what of it is the steps and what the rate, we do not take apart), and
# measure bits a byte (07) on tales that nobody has read. Then once more, with **a tenth of old text**: two rows of
# each batch are rows that the base learned from, drawn from books, papers and tales as they were then.

# %%
tale_rows = in_a_row(unseen_tales[: run.pick(60, 5)])
tale_bytes = len(words.decode_bytes([int(i) for i in tale_rows[:, 1:].reshape(-1) if i]))


def bits_a_byte(model):
    nats = 0.0
    with no_grad():
        for i in range(0, len(tale_rows), 50):
            some = tale_rows[i : i + 50]
            nats += model.loss({"tokens": some[:, :-1], "targets": some[:, 1:]}).item() * some[:, 1:].size
    return nats / np.log(2) / tale_bytes


def a_tenth(rng):
    """Two rows of old text, of the three sorts as often as in the base's batches."""
    sorts = rng.choice(list(SHARES), 2, p=np.array(list(SHARES.values())) / sum(SHARES.values()))
    return old_rows(rng, dict(Counter(sorts.tolist())))


def tales_alone(rng):
    return old_rows(rng, {"tales": 2})


WAYS = {"long": None, "a tenth old": a_tenth}
before, bits, curves = bits_a_byte(base), defaultdict(list), defaultdict(list)
some = slice(0, run.pick(300, 20))


def watch(seed, name):
    """Called after a step: what is followed of some taught and some new kinds."""
    tasks, forms = taught_kinds(seed)
    is_new = np.array([request.task not in tasks or request.form not in forms for request in test[some]])

    def after(step, model):
        if step % 20 == 0 or step == 1:
            found = follows(model, some)
            curves[f"taught{name}"].append((step, 100 * float(found[~is_new].mean())))
            curves[f"new{name}"].append((step, 100 * float(found[is_new].mean())))

    return after


unstopped = defaultdict(list)


def judge(way, model, seed):
    """Adds what is followed; of new kinds also what is said rightly, whether it stops there or not; and the bits."""
    results[way] += [grouped(follows(model), seed)] * (way != "tuned")
    unstopped[way].append(grouped(would_say(model, prompts, right), seed)["new"])
    bits[way].append(bits_a_byte(model))


for seed in run.seeds:
    judge("tuned", tuned[seed], seed)
    for way, old in WAYS.items():
        after = watch(seed, ", mixed" if old else "") if seed == run.seeds[0] else None
        judge(way, model := tune(seed, LONG, LONG_RATE, old=old, after=after), seed)
        tuned[way] = tuned.get(way) or model
seed = run.seeds[0]
judge("a tenth tales", tune(seed, LONG, LONG_RATE, old=tales_alone), seed)
heads = ["followed", *GROUPS, "all new", "stop or not", "bits"]
rows = [[way, *mean(way).values(), float(np.mean(unstopped[way])), float(np.mean(bits[way]))] for way in bits]
print(f"in the mean over the seeds; a tenth tales: seed {seed}. Before tuning {before:.3f} bits a byte.")
print(table(rows, heads))
new = [r for r in test if r.task not in taught_kinds(seed)[0] or r.form not in taught_kinds(seed)[1]][:4]
for way in ("tuned", *WAYS):
    model = tuned[seed if way == "tuned" else way]
    out = generate(
        model, list(map(asked, new)), 9, Sampler(greedy=True), np.random.default_rng(0), stop_ids=(END,)
    ).tokens
    for request, ids in zip(new, out):
        print(f"  {way}: {request.text}  →  {chat.decode([int(i) for i in ids if i != END])}")
COLORS = {"taught": "#8c959f", "new": "#cf5b16", "taught, mixed": "#57606a", "new, mixed": "#0969da"}
run.show(
    line_chart(
        [Line(name, points, COLORS[name]) for name, points in curves.items()],
        title="What was not shown is lost again", xlabel="step", ylabel="% followed",
        subtitle="kinds that dialogues had, and new ones; with and without a tenth of old text",
    ),
    "lost-again",
)  # fmt: skip

# %% [markdown]
# Harder tuning changes nothing for the kinds that dialogues had. **The new kinds are lost**, and fast: look at the
# figure, and at what it says. (On one of the recorded seeds a quarter of them is left, on the others next to none.)
# Asked for the second word, when dialogues had the first and the last, it says the first. Asked loudly, it answers in a
# plain voice. At first it learns that it is asked; then, that it is asked for *these* kinds. And a byte of the tales
# costs nearly twice what it did. Nobody asked it to keep them.
#
# With a tenth of old text both are kept. Is it the reminder that there are other texts? Then tales alone would do as
# well. They do not (seed 0 alone): with them the tales are kept, and the new kinds are not. **What keeps a skill is
# text that has it.** The books do have all 45 kinds, so somebody may say that the new kinds were shown after all. They
# were: by books, in their own form, as before tuning. By no dialogue.
#
# The column "stop or not" counts right answers behind which it goes on talking, too. There are none: what is lost is
# not the end.
#
# One more thing. In the figure the new kinds are there after 20 steps, and gone after 40. Our forty steps, at half this
# rate, must stop shortly before the fall. Who looks after forty of the larger ones will tell you that tuning does
# not carry over to new kinds. With a tenth of old text it matters much less when one stops.

# %% [markdown]
# ## No place for padding
#
# Dialogues are of all lengths, and a batch has the length of its longest. The rest is padding: places that are computed
# and thrown away. *Packing* puts several texts behind one another in a row. Each must be alone there: a **mask** lets
# no place look into another text, and positions begin anew at each text's first. Is it then really the same? We compare
# the loss and all gradients, in float64.


# %%
def loss_and_gradients(model, batch):
    for parameter in model.parameters():
        parameter.grad = None
    loss = model.loss(batch)
    loss.backward()
    return np.concatenate([[loss.item()], *(to_device(p.grad, "cpu").reshape(-1) for p in model.parameters())])


rng = np.random.default_rng(0)
texts = [(rng.integers(0, 30, n), rng.random(n) < 0.6) for n in (9, 5, 12, 3, 7, 2)]
small = Llama(LlamaConfig(30, 16, 2, 4, 16, 40, init_std=0.12), rng=rng, dtype=np.float64).to(run.device)
packed, alone = pack(texts, 16, 0), padded_batch(texts, 0)
no_mask = {name: array for name, array in packed.items() if name != "mask"}
apart = loss_and_gradients(small, packed) - (own := loss_and_gradients(small, alone))
leak = loss_and_gradients(small, no_mask) - own
print(f"{len(texts)} texts in {len(packed['tokens'])} rows in place of {len(alone['tokens'])};", end=" ")
print(f"loss and gradients differ by {np.abs(apart).max():.0e}, without the mask by {np.abs(leak).max():.2f}")

# %% [markdown]
# Suppose you forget the mask. Nothing breaks, and the loss falls as it should. How would you find out?
#
# By chapter 09's test: **nobody can predict coin flips.** Let each text be one toss, "toss : heads" or "toss : tails",
# and let the eight texts of a row be about the same one. From its own text nobody knows how it fell. From a neighbour's
# everybody does.


# %%
def tosses(rng, rows, masked):
    """Rows of eight texts, toss : heads or toss : tails, all eight about the same toss."""
    coins, learned = np.repeat(rng.integers(0, 2, rows), 8), np.array([False, False, True, False])
    batch = pack([(np.array([2, 3, coin, 4]), learned) for coin in coins], 24, 0)
    return batch if masked else {name: batch[name] for name in ("tokens", "targets")}


def tosses_predicted(seed, masked):
    rng = np.random.default_rng([seed, 5])
    model = Llama(LlamaConfig(5, 24, 1, 2, 16, 40, init_std=0.12), rng=rng).to(run.device)
    steps = run.pick(150, 3)
    fit(model.loss, AdamW(model.parameters(), 1e-2), (tosses(rng, 16, masked) for _ in range(steps)), threads=1)
    batch = tosses(rng, 1000, masked)
    context = {name: batch[name] for name in ("mask", "positions") if name in batch}
    with no_grad():
        said = model(batch["tokens"], **context).numpy().argmax(-1)
    return float((said == batch["targets"])[batch["targets"] != ops.IGNORE].mean())


honest, leaking = ([tosses_predicted(seed, masked) for seed in run.seeds] for masked in (True, False))
print("tosses predicted, with the mask:", *(f"{x:.3f}" for x in honest), " without:", *(f"{x:.3f}" for x in leaking))

# %% [markdown]
# Without mask and positions all are known but the first of each row, and that one in two times: 15 of 16. A model that
# learns from packed rows without their mask learns to look up what it will not have. Put such a test beside your own
# loader.
#
# (It nearly escaped us. In our first version a text ended with the toss itself, and nothing leaked: the last token of a
# text is a target and no input, so that no neighbour ever sees it. The end mark behind it makes it an input.)
#
# ## The three steps of InstructGPT
#
# Ouyang et al. (2022) made GPT-3 follow instructions in three steps:
#
# 1. **Show.** People wrote answers to some 13,000 prompts, and GPT-3 was fine-tuned on them. This page.
# 2. **Compare.** For some 33,000 prompts the tuned model gave several answers, and people ranked them. A *reward
#    model*, a network that gives an answer a number, learned to give the better one more.
# 3. **Improve.** On some 31,000 prompts the model's own answers were judged by the reward model, and it was trained to
#    get more of that. There, too, old text was mixed in, since some skills had suffered.
#
# Steps 2 and 3 get chapters of their own, later in this part: first one after the other, then both in one. People
# preferred the answers of InstructGPT with 1.3 billion weights to those of GPT-3 with 175 billion. And step 1 can be
# small: Zhou et al. (2023) tuned a model of 65 billion weights on 1,000 chosen dialogues. They conjecture that nearly
# all knowledge comes from pretraining, and that tuning teaches in which form to bring it. Our page was built to be such
# a case, so it is no evidence for them: it shows what that would look like.
#
# ## What did not come true
#
# - **Our first base could not do it.** It read exercises of twelve tasks in two wordings each, for as long as here, and
#   of the kinds that dialogues had the tuned network followed 43 in 100; of new ones 0 to 4. Nothing that we changed in
#   the tuning helped. We had looked for the fault in the wrong place: before you tune, ask the base in its own form.
# - Then came fewer words, shorter requests and larger batches. (In a trial, 32 rows a step brought 61 in 100, and 16
#   rows with twice the steps 15.) With rows that were cut out of a long text anywhere, a base solved 56 in 100 after
#   700 steps; with a page's beginning at each row's, more steps and three layouts, what you see above.
# - The marks were to begin as the mean of all rows, and hardly any new form was followed. Our reason for it, that it
#   only does not stop, held in the trial from which we had it, and not in the run that you see.
# - "More steps are better" was to be a line of the claim. It is false, for new kinds.
#
# The bounds were written down after trials in which other kinds were held out; two of them, on what a tenth of old text
# and a tenth of tales keep, after a first run with seed 0. Seeds 1 and 2 were run for the first time for the record.
#
# **Exercises**: 21.1 what of a dialogue is learned, 21.2 who may see whom in a packed row, 21.3 texts into rows. `tgl
# chapter 21 --mine` runs this page on your mask and your rows.


# %%
def of(way, group):
    return [each.get(group, 0.0) for each in results[way]]


rules = {rule: max(of(rule, "new")) for rule in RULES}
run.check("ids, flags, targets unlike the package's", parts_apart, equals=0)
run.check("the base solves, as in a book", solves, at_least=SOLVES, full_only=True)
run.check("the base follows, asked plainly", {w: float(f.mean()) for w, f in by_way.items() if w[:5] == "plain"},
          at_most=PLAINLY, baseline={"as in a book": solves}, full_only=True)  # fmt: skip
run.check("asked plainly, goes on with a request", goes_on, at_least=GOES_ON, full_only=True)
run.check("followed before any step", untuned, at_most=PLAINLY)
run.check("tuned: taught kinds", of("tuned", "taught"), at_least=TAUGHT, full_only=True,
          baseline={rule: max(of(rule, "taught")) for rule in RULES})  # fmt: skip
run.check("tuned: new kinds", of("tuned", "new"), at_least=NEW, baseline=rules, full_only=True)
ahead = [min(a - of(rule, "new")[i] for rule in RULES) for i, a in enumerate(of("tuned", "new"))]
run.check("new kinds: ahead of every rule", ahead, at_least=MARGIN, full_only=True)
run.check("new weights: new kinds", of("new weights", "new"), at_most=FROM_NOTHING, full_only=True)
less = [a - b for a, b in zip(of("tuned", "new"), of("loss on all", "new"))]
run.check("new kinds: answers alone, less all", less, at_least=NO_WORSE, full_only=True)
kept = [a - b for a, b in zip(of("a tenth old", "new"), of("long", "new"))]
run.check("tuned long, new kinds: a tenth old, less none", kept, at_least=NARROWED, full_only=True)
run.check("tuned long, a tenth old: new kinds", of("a tenth old", "new"), at_least=NEW, full_only=True)
tales_behind = of("a tenth old", "new")[0] - of("a tenth tales", "new")[0]
run.check("a tenth tales: new kinds behind a tenth old", tales_behind, at_least=NARROWED, full_only=True)
run.check("tuned long: more bits a byte", [b - before for b in bits["long"]], at_least=FORGOTTEN, full_only=True,
          baseline={"before": before})  # fmt: skip
run.check("a tenth old: more bits a byte", [b - before for b in bits["a tenth old"]], at_most=KEPT, full_only=True)
run.check("packed against rows of their own", float(np.abs(apart).max()), at_most=EQUAL,
          baseline={"without the mask": float(np.abs(leak).max())})  # fmt: skip
run.check("tosses predicted, masked", honest, at_most=HONEST, baseline={"chance": 0.5})
run.check("tosses predicted, without the mask", leaking, at_least=LEAKING, baseline={"masked": max(honest)},
          full_only=True)  # fmt: skip
run.report("followed", {way: [round(x, 4) for x in of(way, "new")] for way in results})
run.report("bits a byte", {"before": before, **bits})
run.finish()
