# %% [markdown]
# # 05 · Tokens
#
# A model does not read letters. It reads whole numbers, and looks each one up in a table. So before anything can be
# learned somebody must decide what a number stands for: a letter, a byte, a word? Such a piece of text with its number
# is called a *token*, all of them together the *vocabulary*, and what cuts a text into them a *tokenizer*. This chapter
# builds the answer that nearly all language models use, in forty lines.
#
# - **Builds on** nothing but Python. Chapter 06 begins where the numbers are looked up.
# - **Reads** [`tokenizer/merges.py`](../tinygrad_llm/tokenizer/merges.py),
#   [`tokenizer/regex_bpe.py`](../tinygrad_llm/tokenizer/regex_bpe.py),
#   [`tokenizer/base.py`](../tinygrad_llm/tokenizer/base.py).
# - **Claim**: the sentence in `Chapter(…)` below. Its parts, each with its bound and, where there is one, its baseline,
#   are the `run.check(…)` of the last cell; [a recorded run](../docs/records/05/output.txt) shows them all.
#   (`tokenizers`, in the claim, is Hugging Face's library of that name.)
# - **Departs from** Sennrich, Haddow and Birch (2016) as GPT-2 did, OpenAI's language model of 2019: bytes instead of
#   characters, and the space belongs to the word after it.
# - **Run**: `python chapters/05_tokens.py`. It takes about ten seconds; `--seeds 3` fifteen.

# %%
import importlib.util
import json
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np

from tinygrad_llm.course.chapter import Chapter, table
from tinygrad_llm.datasets.locate import corpus, tales_files
from tinygrad_llm.datasets.text import read_text
from tinygrad_llm.errors import TokenError
from tinygrad_llm.tokenizer import BPETokenizer, ByteTokenizer, CharTokenizer, RegexBPETokenizer
from tinygrad_llm.tokenizer.merges import learn_merges_plainly
from tinygrad_llm.tokenizer.regex_bpe import BYTE_ORDER, BYTE_TOKENS
from tinygrad_llm.visualize import line_chart
from tinygrad_llm.visualize.figure import INK, PALE_INK, Figure

run = Chapter(
    "05",
    "BPE learned here equals tokenizers' merge by merge; every string of bytes comes back; 512 merges put at least 3 "
    "bytes into a token, merges of shuffled letters less than 2; cut into words first, a word has at most two "
    "spellings instead of three and more.",
)
MERGES, LEAST_BYTES, MOST_SHUFFLED, MOST_SPELLINGS, LEAST_UNCUT = 512, 3.0, 2.0, 2, 3.0
TEXTS, UNCUT_LETTERS = run.pick(1000, 200), run.pick(200_000, 60_000)
train_text, unseen_text = map(read_text, tales_files())

# %% [markdown]
# ## What shall a number stand for?
#
# We need a text. The *tales* are short stories of two children that a program made up for this course, a million
# letters of English. From some of them we learn, and from others, the *unseen* text, we do not.
#
# The obvious answer: a letter. The tales are written with few of them, so the table is small. What could go wrong?

# %%
characters = CharTokenizer.train(train_text)
print(f"{characters.vocab_size} characters: {characters.alphabet!r}")
print('"Max" ->', characters.encode("Max"))
try:
    characters.encode("Max 🙂")
except TokenError as error:
    run.say("TokenError:", error)

# %% [markdown]
# It cannot say what it has not seen. Then a number for every character there is? Unicode, the list of all characters,
# has 150,000, most of which no training text of ours will ever show. A row of the table that was never used has never
# learned.
#
# ## Is there an alphabet from which nothing can be missing?
#
# There is: bytes. Any text on any computer is a row of bytes already, and there are 256 of them. In *UTF-8*, the usual
# way to write text as bytes, an English letter is one byte, an umlaut two, a Chinese character three, an emoji four,
# and a family is three people held together by two invisible joiners. (A *code point* is a place in Unicode's list. The
# family takes five.)

# %%
bytes_ = ByteTokenizer()
for text in ("a", "ü", "字", "🙂", "👨‍👩‍👧"):
    run.say(f"{text}  {len(text)} code points, {len(bytes_.encode(text)):2} bytes: {bytes_.encode(text)}")

# %% [markdown]
# Nothing is missing now, but everything is long. A model that looks at 64 tokens sees 64 letters, a sentence, and
# computes as much for each of them as it would for a word.
#
# ## What would you join?
#
# Whatever stands together most often. Count all pairs of neighbours, give the most frequent one a number of its own,
# put it everywhere in the place of the pair, and count again. That is *byte-pair encoding*, BPE, all of it; each such
# replacement is a *merge*. (Gage invented it in 1994 to compress files.)
#
# By hand, on a text of six words, *the the the then hen hen*:
#
# | the words now | pairs and how often they occur | merge |
# |---|---|---|
# | t h e (3 times), t h e n (1), h e n (2) | h e: 6, t h: 4, e n: 3 | h e → he |
# | t he (3), t he n (1), he n (2) | t he: 4, he n: 3 | t he → the |
# | the (3), the n (1), he n (2) | he n: 2, the n: 1 | he n → hen |
# | the (3), the n (1), hen (2) | the n: 1 | the n → then |
#
# Two things make it quick and definite. The tales have 212,387 words, but only a few hundred *different* ones: so count
# each once, times its number, as the table does. And of two pairs that are equally frequent, a *tie*, the one with the
# smaller numbers comes first; without some such rule two programs would learn two vocabularies.
#
# First the words. A space belongs to the word after it, and signs are not part of a word. Why so? We will see below
# what happens otherwise.

# %%
WORDS = re.compile(
    r"'(?:[sdmt]|ll|ve|re)"  # 's, 'll and their like
    r"| ?[A-Za-z]+"  # a word, with the space before it
    r"| ?[0-9]+| ?[^\sA-Za-z0-9]+"  # a number; other signs
    r"|\s+(?!\S)|\s+"  # what space is left; the last one goes to the word behind it
)
print(WORDS.findall('"What a day," said Max.\n\nClara\'s lantern'))

ID_OF_BYTE = {byte: i for i, byte in enumerate(BYTE_ORDER)}  # GPT-2's order: the bytes that can be printed first
counted = Counter(WORDS.findall(train_text))
words = {tuple(ID_OF_BYTE[byte] for byte in word.encode()): count for word, count in counted.items()}
print(f"{sum(counted.values()):,} words, {len(words)} different ones")

# %% [markdown]
# Then the three steps. A token's number is called its *id*; $(a, b)$ is a pair of ids, and `words` the ids of each word
# with its count.

# %%


def count_pairs(words):
    pairs = Counter()
    for word, count in words.items():
        for pair in zip(word, word[1:]):
            pairs[pair] += count
    return pairs


def most_frequent(pairs):
    """Of equals the one with the smallest ids."""
    return min(pairs, key=lambda pair: (-pairs[pair], pair))


def merged(word, pair, new):
    """The word with every `pair` replaced, from the left: a a a becomes (aa) a."""
    out = []
    for token in word:
        if out and (out[-1], token) == pair:
            out[-1] = new
        else:
            out.append(token)
    return tuple(out)


def learn(words, most, best=most_frequent):
    tokens, merges = list(BYTE_TOKENS), []
    while len(merges) < most and (pairs := count_pairs(words)):
        pair = best(pairs)
        merges.append(pair)
        tokens.append(tokens[pair[0]] + tokens[pair[1]])
        words = {merged(word, pair, len(tokens) - 1): count for word, count in words.items()}
    return merges, tokens


by_hand = {tuple(ID_OF_BYTE[b] for b in word.encode()): count for word, count in (("the", 3), ("then", 1), ("hen", 2))}
assert [t.decode() for t in learn(by_hand, 9)[1][256:]] == ["he", "the", "hen", "then"]
merges, tokens = learn(words, 10_000)
print(f"after {len(merges)} merges every word is one token, and nothing is left to join")
run.say("the first:", *[t.decode().replace(" ", "·") for t in tokens[256:286]])
print("the last: ", *[t.decode().replace(" ", "·").replace("\n", "⏎") for t in tokens[-12:]])

# %% [markdown]
# (In `merged`, could `out[-1]` be a `new` that has just been made, and be joined once more? Only if `new` were part of
# the pair, and it is younger than both.)
#
# First come pairs that English is made of, at the end whole words. Nobody told it what a word is worth.
#
# ## How does one write a new text with it?
#
# Cut it into words, each word into bytes. Then the merges, **in the order in which they were learned**, until none
# applies.

# %%
RANK = {pair: number for number, pair in enumerate(merges)}


def encode_word(word, ranks):
    ids = tuple(ID_OF_BYTE[byte] for byte in word.encode())
    while known := [pair for pair in zip(ids, ids[1:]) if pair in ranks]:
        first = min(known, key=ranks.get)
        ids = merged(ids, first, 256 + ranks[first])
    return list(ids)


for word in (" lantern", " lanterns", " Hello", "Hello"):
    print(word.replace(" ", "·"), "->", [tokens[i].decode().replace(" ", "·") for i in encode_word(word, RANK)])

# %% [markdown]
# " lantern" is one token. "lanterns" it has never met, and it takes what pieces it has. "Hello" and " Hello" are
# spelled differently, because they are different: the space is part of the word. For a model they are two things, and
# it must learn that they mean the same.
#
# The text that a model is asked to continue is called a *prompt*. If it ends in a space, a model often stumbles: the
# prompt has already used up the space of the word to come.
#
# Why not simply take the longest token that fits? It would look much the same. (From here on we keep 512 of the merges,
# so that some words are still in pieces.)

# %%


def longest_first(word):
    raw, id_of, ids = word.encode(), {token: i for i, token in enumerate(tokens[: 256 + MERGES])}, []
    while raw:
        length = max(n for n in range(1, len(raw) + 1) if raw[:n] in id_of)
        ids.append(id_of[raw[:length]])
        raw = raw[length:]
    return ids


at_512 = {pair: RANK[pair] for pair in merges[:MERGES]}
unseen_words = Counter(WORDS.findall(unseen_text))
by_rank = {word: encode_word(word, at_512) for word in unseen_words}
by_length = {word: longest_first(word) for word in unseen_words}
different = [word for word in unseen_words if by_rank[word] != by_length[word]]
example = different[0]
print(f"{len(different)} of {len(unseen_words)} words differ, such as {example!r}:", end=" ")
print([[tokens[i].decode() for i in ids[example]] for ids in (by_rank, by_length)])
print("tokens in all:", *[sum(n * len(ids[word]) for word, n in unseen_words.items()) for ids in (by_rank, by_length)])

# %% [markdown]
# Either is about as short. But a model knows the numbers it was trained with, and no others. A tokenizer that cuts some
# words otherwise than it did in training makes no error message. The model just meets words in a spelling that it never
# learned, and nobody knows why it guesses worse.
#
# ## The package's
#
# `RegexBPETokenizer` does the same; its `learn_merges` keeps the counts instead of counting anew and is many times
# faster, and `learn_merges_plainly` is the form on one page. They must agree with ours to the last merge. From here on
# we use the package's.

# %%
package = RegexBPETokenizer.train(train_text, 10_000)
assert package.merges == merges and package.tokens == tokens
assert learn_merges_plainly(words, BYTE_TOKENS, 10_000) == merges
small = RegexBPETokenizer(merges[:MERGES])
assert small.words(unseen_text) == WORDS.findall(unseen_text)
assert all(small.encode(word) == ids for word, ids in by_rank.items())
print("ours, the plain one and the fast one agree on all merges, and on the ids of every unseen word")

# %% [markdown]
# ## Is it right? Ask somebody else
#
# Hugging Face's `tokenizers` was trained on the same text, and [what it said](../tests/goldens/make_goldens.py) was
# recorded with its version. Its files show bytes as characters that can be seen: a space is `Ġ`. Nothing deep: the 68
# bytes that cannot be printed are shown as the characters from number 256 on. You will meet this alphabet in the files
# of every model whose BPE begins with bytes, GPT-2's `vocab.json` first of all.

# %%
VISIBLE = [chr(byte) if i < 188 else chr(256 + i - 188) for i, byte in enumerate(BYTE_ORDER)]


def visible(token):
    return "".join(VISIBLE[ID_OF_BYTE[byte]] for byte in token)


def as_in_files(tokenizer):
    return [" ".join(visible(tokenizer.tokens[i]) for i in pair) for pair in tokenizer.merges]


golden = json.loads((run.root / "tests" / "goldens" / "tales_merges.json").read_text(encoding="utf-8"))
agree = sum(a == b for a, b in zip(as_in_files(package), golden["rows"]))
print(
    f"{agree} of {len(golden['rows'])} merges are those of tokenizers {golden['made_with']['tokenizers']}, in its order"
)


def ask_tokenizers(text):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    theirs.train_from_iterator(
        [text], trainers.BpeTrainer(vocab_size=10_000, initial_alphabet=alphabet, show_progress=False)
    )
    return theirs


if importlib.util.find_spec("tokenizers"):
    live = ask_tokenizers(train_text)
    assert live.encode(unseen_text).ids == package.encode(unseen_text)
    print("tokenizers is installed here: asked live, it gives the same ids for the whole unseen text")
else:
    print("tokenizers is not installed here; what it said is recorded, so nothing is lost")

# %% [markdown]
# Would we notice a mistake? Give ties to the *largest* ids instead, and count again how many merges still stand where
# they should.

# %%


def ties_to_the_largest(pairs):
    return max(pairs, key=lambda pair: (pairs[pair], pair))


mistaken = RegexBPETokenizer(learn(words, len(merges), ties_to_the_largest)[0])
agree_mistaken = sum(a == b for a, b in zip(as_in_files(mistaken), golden["rows"]))
print(f"with the other rule for ties only {agree_mistaken} agree")

# %% [markdown]
# ## Does everything come back?
#
# Three kinds of things: texts that an English keyboard can type, at random; texts from the first 12,288 characters of
# Unicode, with a few emoji; and random bytes, which are no text at all. Three others may try the texts, too: the
# tokenizer of characters that learned from the tales; one that was given all 95 signs of the keyboard; and a table of
# all the words that stand in the tales, spaces and signs included, a number for each.

# %%
KEYBOARD, EMOJI = "".join(map(chr, range(32, 127))), "🙂👍🏽👨‍👩‍👧🏴‍☠️"
keys = CharTokenizer.train(KEYBOARD)


def can_write(tokenizer, text):
    try:
        return tokenizer.decode(tokenizer.encode(text)) == text
    except TokenError:
        return False


came_back, tried, by_others = 0, 0, {}
for seed in run.seeds:
    rng = np.random.default_rng(seed)
    for _ in range(TEXTS):
        typed = "".join(rng.choice(list(KEYBOARD), rng.integers(1, 20)))
        anything = "".join(map(chr, rng.integers(0, 0x3000, rng.integers(1, 20)))) + EMOJI[rng.integers(len(EMOJI)) :]
        raw = rng.bytes(int(rng.integers(0, 40)))
        came_back += small.decode_bytes(small.encode_word(raw)) == raw
        tried += 1
        for text in (typed, anything):
            came_back += can_write(small, text)
            others = {
                f"{characters.vocab_size} characters": can_write(characters, text),
                f"{keys.vocab_size} characters": can_write(keys, text),
                "whole words": all(word in counted for word in WORDS.findall(text)),
            }
            for name, can in others.items():
                by_others.setdefault(name, Counter())["typed" if text is typed else "anything"] += can
print(f"of {3 * tried} strings {came_back} came back")
rows = [[name, tried, counts["typed"], counts["anything"]] for name, counts in by_others.items()]
print(table(rows, ["a tokenizer of", "of each kind", "can write, typed", "of any signs"]))

# %% [markdown]
# What a tokenizer of characters can write is a matter of its alphabet: the tales show it 53 signs, and most random
# texts from a keyboard have another one. With 95 it writes them all, and fails at the first umlaut. Whole words fail at
# whatever is not a word of the tales.
#
# A token need not be a whole character. Our tales have no emoji, so 🙂 is four tokens, one a byte, and a program that
# shows each token as it comes would show four question marks. `stream_decoder` holds back what is not complete. And if
# emoji are frequent, they are joined like anything else:

# %%
stream = small.stream_decoder()
print("shown at each token of 'Max 🙂':", [stream.push(i) for i in small.encode("Max 🙂")])
print("each token alone:             ", [small.decode([i]) for i in small.encode("Max 🙂")])
cheerful = RegexBPETokenizer.train("What a day 🙂 " * 50, 300)
assert len(small.encode("🙂")) == 4 and len(cheerful.encode(" 🙂")) == 1

# %% [markdown]
# ## What has it bought?
#
# Bytes of unseen text in a token, against the number of merges. What should we compare it with? With bytes, which have
# 1 by definition. With the same letters in random order: that shows how much comes from frequent letters alone, and how
# much from English. And with two other ways to cut: the space as a word of its own, and no cutting at all.
#
# What would a sceptic take? A table of whole words: where every word is one token the curve ends, and no merge can do
# better. How many rows has it, and what does it lack? That depends on the text. So we look at the unseen tales, and at
# another small corpus of this course, the *kingdom* of chapter 06. (In the picture the merges go in factors of ten.)

# %%
SIZES = [k for k in (8, 16, 32, 64, 128, 256, 512, 800) if not run.fast or k <= MERGES]


def curve(make, learned):
    """(merges, bytes a token) of the unseen text."""
    sizes = [k for k in SIZES if k <= len(learned)]
    return [(k, len(unseen_text.encode()) / len(make(learned[:k]).encode(unseen_text))) for k in sizes]


APART = r"\p{L}+|\p{N}+|[^\s\p{L}\p{N}]+|\s+"
uncut_text = train_text[:UNCUT_LETTERS]
apart = RegexBPETokenizer.train(train_text, 256 + SIZES[-1], pattern=APART)
uncut = BPETokenizer.train(uncut_text, 256 + SIZES[-1])
cut_alike = RegexBPETokenizer.train(uncut_text, 256 + SIZES[-1])  # the same text as `uncut` had
curves = {
    "not cut": curve(BPETokenizer, uncut.merges),
    "cut into words": curve(RegexBPETokenizer, merges),
    "space apart": curve(lambda m: RegexBPETokenizer(m, APART), apart.merges),
}
shuffled = []
for seed in run.seeds:
    letters = np.random.default_rng(seed).permutation(list(train_text))
    learned = RegexBPETokenizer.train("".join(letters), 256 + SIZES[-1]).merges
    points = curve(RegexBPETokenizer, learned)
    shuffled.append(dict(points)[MERGES])
    curves["shuffled letters"] = points
run.show(
    line_chart(
        curves, title="What a merge buys", subtitle="bytes of unseen text in a token", xlabel="merges",
        ylabel="bytes a token", baselines={"bytes": 1.0}, log_x=True,
    ),
    "compression",
)  # fmt: skip
per_token = dict(curves["cut into words"])[MERGES]
print(f"with {MERGES} merges: {per_token:.2f} bytes a token; learned from shuffled letters {max(shuffled):.2f}")
rows, whole_words = [], {}
for name, text in (("the unseen tales", unseen_text), ("kingdom", read_text(corpus("kingdom") / "test.txt"))):
    cut = WORDS.findall(text)
    whole_words[name] = len(text.encode()) / len(cut)
    lacks = f"{np.mean([word not in counted for word in cut]):.0%}"
    rows.append([name, whole_words[name], lacks, len(text.encode()) / len(small.encode(text))])
print(f"whole words: {len(counted)} rows; {MERGES} merges: {small.vocab_size}")
print(table(rows, ["bytes a token on", "whole words", "words that it lacks", f"{MERGES} merges"]))

# %% [markdown]
# On the tales whole words win, with fewer rows and more bytes in a token: the program that wrote them has so few words
# that the training text shows them all. That is the number to beat, and 512 merges do not. They win as soon as the text
# is another. Half of the kingdom's words are not in the table, and the merges go on, with shorter tokens.
#
# A space of its own costs two fifths of the bytes in a token: text is a space after every word, and each would be a
# token. And not to cut at all gives the longest tokens. So why cut?
#
# ## Why must "Hello," not be one token?

# %%
greeting = "Hello, Hello! Hello? Hello, Hello. " * 5
for name, tokenizer in (
    ("not cut", BPETokenizer.train(greeting, 270)),
    ("cut", RegexBPETokenizer.train(greeting, 270)),
):
    print(f"{name:8}", [tokenizer.token_bytes(i).decode() for i in tokenizer.encode("Hello, Hello!")])

# %% [markdown]
# Not cut, the comma and the space stick to whatever stood beside them. Each time the word "Hello" looks different, and
# what is learned about one says nothing about the other. Let us count it. Call the tokens that cover a word its
# *spelling*: for each of the 100 most frequent words of the unseen text, how many different ones does it have? Both
# tokenizers learned from the same text. (The columns: bytes a token; the mean number of spellings; which word has most,
# and how many; how many tokens reach from one word into another.)

# %%


def spellings(tokenizer, text, most=100):
    """For each of the most frequent words, the set of token sequences that cover it."""
    ids = tokenizer.encode(text)
    ends = np.cumsum([len(tokenizer.tokens[i]) for i in ids])
    begins = np.append(0, ends[:-1])
    found, often = {}, Counter()
    for match in re.finditer("[A-Za-z]+", text):  # the text is ASCII: places of letters are places of bytes
        first, last = np.searchsorted(ends, match.start(), "right"), np.searchsorted(begins, match.end(), "left")
        found.setdefault(match.group(), set()).add(tuple(ids[first:last]))
        often[match.group()] += 1
    return {word: found[word] for word, _ in often.most_common(most)}


assert unseen_text.isascii()
rows, counts = [], {}
for name, tokenizer in (
    ("cut into words", RegexBPETokenizer(cut_alike.merges[:MERGES])),
    ("not cut", BPETokenizer(uncut.merges[:MERGES])),
):
    ways = {word: len(forms) for word, forms in spellings(tokenizer, unseen_text).items()}
    counts[name] = list(ways.values())
    crossing = sum(bool(re.search(r"[A-Za-z][^A-Za-z']+[A-Za-z]", t.decode())) for t in tokenizer.tokens[256:])
    length = len(unseen_text) / len(tokenizer.encode(unseen_text))
    rows.append([name, length, float(np.mean(counts[name])), max(ways, key=ways.get), max(counts[name]), crossing])
print(table(rows, ["", "bytes a token", "spellings of a word", "most has", "with", "tokens across words"]))

# %% [markdown]
# The cut costs some length, and buys that a word is a word: " the", or "the" at the beginning of a line, and that is
# all.
#
# ## Is one spelling always best?
#
# A model that meets " lantern" as one number, always, never learns that it is made of letters. At "lanterns" it begins
# anew. Provilkov and others (2020) therefore spell by chance *while a model trains*: before each merge, every pair that
# could be merged is overlooked with a small probability, the *dropout*. What comes out? (The last two columns: the
# share of the most frequent spelling, and how many times as many tokens a text has.)

# %%
rng, lanterns, unseen_part = np.random.default_rng(0), {}, unseen_text[:5000]
rows = []
for dropout in (0.0, 0.1, 0.5, 1.0):
    drawn = Counter(tuple(small.encode_with_dropout(" lantern", dropout, rng)) for _ in range(1000))
    lanterns[dropout] = drawn
    longer = len(small.encode_with_dropout(unseen_part, dropout, rng)) / len(small.encode(unseen_part))
    rows.append([dropout, len(drawn), drawn.most_common(1)[0][1] / 1000, f"{longer:.2f}"])
print(table(rows, ["dropout", "spellings of ' lantern'", "share of the first", "tokens, times as many"]))
for ids, times in lanterns[0.1].most_common(4):
    print(f"{times:5} of 1000:", [tokens[i].decode().replace(" ", "·") for i in ids])
read_back = sum(times for drawn in lanterns.values() for ids, times in drawn.items() if small.decode(ids) == " lantern")

# %% [markdown]
# With 0 it is the rule, with 1 it is bytes, and in between the word comes in many pieces, each of which reads as the
# same word. At 0.1 most of them are the usual one. The texts grow longer, and training with them costs that much more.
# When the trained model is used, dropout is 0 again: what it is asked should look the way it looks most often.
#
# ## The same sentence, five times

# %%
SENTENCE = "Max lost the lantern, but Nora saw it 🙂"
PAPERS = ("#ddf4ff", "#fff1e5", "#dafbe1", "#fbefff")


def strips(rows, title):
    """Each row is a name and its pieces; a piece that is no whole character is grey."""
    figure = Figure(
        900, 76 + 54 * len(rows), title, "; ".join(f"{name}: {len(pieces)} tokens" for name, pieces in rows)
    )
    figure.text((20, 28), title, INK, 16, weight=600)
    for number, (name, pieces) in enumerate(rows):
        top, left = 72 + 54 * number, 20
        figure.text((left, top - 8), f"{name}: {len(pieces)} tokens", PALE_INK, 12)
        for i, piece in enumerate(pieces):
            whole = "\ufffd" not in piece
            width = 8 + 9.4 * max(1, len(piece))
            figure.rect((left, top), width - 1, 26, PAPERS[i % 4] if whole else "#d0d7de")
            figure.text(
                (left + width / 2 - 0.5, top + 18), piece.replace(" ", "·") if whole else "▪", INK, 13, anchor="middle"
            )
            left += width
    return figure


def pieces(tokenizer):
    return [tokenizer.decode([i]) for i in tokenizer.encode(SENTENCE)]


run.show(
    strips(
        [
            ("bytes", pieces(bytes_)),
            ("64 merges", pieces(RegexBPETokenizer(merges[:64]))),
            ("512 merges", pieces(small)),
            (f"all {len(merges)} merges", pieces(package)),
            ("512 merges, not cut into words", pieces(BPETokenizer(uncut.merges[:512]))),
        ],
        SENTENCE,
    ),
    "strips",
)

# %% [markdown]
# Row by row. Bytes: a token a letter, and four grey ones for 🙂. With 64 merges `·the` and `·it` are whole. With 512
# most words are. With all of them only 🙂 is in pieces, since no tale has one. Not cut, 512 merges make tokens that go
# across words: `,·but·` looks clever, and is of use in this one place. The other words pay for it: this row is longer
# than the one cut with as many merges.
#
# ## What does a larger vocabulary cost?
#
# A row of the table for each token. Let each be $D = 128$ numbers wide. One layer of a small GPT (chapter 12) has
# twelve tables of $D \times D$, which is $12 D^2 = 196{,}608$ numbers, so the rows are a share worth knowing. GPT-2's
# 50,257 tokens would need 6,432,896 numbers: eight times as many as four layers. What one gets for it: the letters that
# a model sees which looks at 64 tokens at a time.

# %%
rows = []
for size, value in curves["cut into words"]:
    rows.append([size, 256 + size, round(64 * value), (256 + size) * 128])
print(table(rows, ["merges", "tokens", "letters in a window of 64", "numbers in the table, D = 128"]))

# %% [markdown]
# ## And on another text?
#
# A tokenizer is good at what it has seen. Ours has seen tales. GPT-2's has seen eight million web pages and has 50,257
# tokens; its two files are not part of this project, and are used where `$TINYGRAD_LLM_DATA` has them
# (`tgl data get gpt2-encoder`, `gpt2-merges`).

# %%
folder = Path(os.environ.get("TINYGRAD_LLM_DATA", "")) / "gpt2"
gpt2 = None
if (folder / "encoder.json").exists() and (folder / "vocab.bpe").exists():
    gpt2 = RegexBPETokenizer.from_gpt2_files(folder / "encoder.json", folder / "vocab.bpe")
    assert gpt2.encode("Hello") == [15496] and gpt2.encode(" Hello") == [18435]  # as OpenAI's own encoder says
else:
    print("GPT-2's files are not here: its column is left out.\n")
PROBES = {
    "the unseen tales": unseen_text, "Hello, world!": "Hello, world!", "German": "Grüße aus Köln, schöne Straßen!",
    "Greek": "Καλημέρα σας", "Chinese": "你好,世界", "code": "    if x[i] == 10:\n        return None",
    "sums": "12345 + 67890 = 80235", "🙂": "🙂", "👨‍👩‍👧": "👨‍👩‍👧",
}  # fmt: skip
heads = ["text", "bytes", "ours, 512", f"ours, {len(merges)}"] + ["GPT-2"] * bool(gpt2)
rows = [
    [name, len(text.encode()), *[len(t.encode(text)) for t in (small, package, gpt2) if t is not None]]
    for name, text in PROBES.items()
]
print(table(rows, heads))

# %% [markdown]
# On Greek ours is no better than bytes, and yet nothing is lost: the worst case is the byte, and never "unknown". The
# sums, too, are bytes: the tales have no digits to learn from. (GPT-2's merges join some groups of digits and not
# others, by how often the web had them: the same sum may be cut in one way here and in another there.) And on its own
# tales a vocabulary of a thousand needs fewer tokens than GPT-2's fifty thousand.
#
# One warning for later. A loss in nats *a token* cannot be compared between tokenizers: longer tokens are harder to
# guess, each. Chapter 07 counts in bits a byte.
#
# **Exercises**: 05.1 the best pair, and when there is none that is worth it; 05.2 a merge; 05.3 writing with merges, by
# the rule and by chance. `tgl chapter 05 --mine` runs this page with yours.

# %%
run.check("merges learned", len(merges), equals=len(golden["rows"]))
run.check(
    "merges that are those of tokenizers", agree, equals=len(golden["rows"]), baseline={"ties reversed": agree_mistaken}
)
run.check("with ties reversed, merges that are", agree_mistaken, below=len(merges))
run.check(
    "strings that come back",
    came_back,
    equals=3 * tried,
    baseline={name: counts.total() for name, counts in by_others.items()},
)
run.check("spellings of a word by chance that read as the word", read_back, equals=4 * 1000)
baseline = {"bytes": 1, "whole words": whole_words["the unseen tales"]}
run.check(f"bytes a token, {MERGES} merges", per_token, at_least=LEAST_BYTES, baseline=baseline)
run.check("bytes a token, merges of shuffled letters", shuffled, below=MOST_SHUFFLED)
run.check("most spellings of a word, cut into words", max(counts["cut into words"]), at_most=MOST_SPELLINGS)
run.check("spellings of a word on average, not cut", float(np.mean(counts["not cut"])), at_least=LEAST_UNCUT)
run.report("texts typed", tried)
run.report("rows of the table of whole words", len(counted))
run.report("bytes a token, space apart", dict(curves["space apart"])[MERGES])
run.report("bytes a token, not cut", dict(curves["not cut"])[MERGES])
run.finish()
