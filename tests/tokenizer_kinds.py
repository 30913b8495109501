"""Tokenizers of many kinds, made by tokenizers, and random texts for them: for its oracle tests and the goldens."""

from __future__ import annotations

import json
import math
import unicodedata
from collections import Counter

CORPUS = [
    "The cat's hat, the bat's mat: they'll sit at 12345 o'clock!  \n\n Über naïve cafés 🙂 ",
    "the cat sat on the mat and ate the rat; that hat, this hat.\tA  tab   and spaces",
    "low lower lowest new newer newest wide wider widest 日本語 Ελλάδα ſt İstanbul ﬁne",
] * 3
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace("{1,3}", "")
MARK = "▁"


def added(content, **flags):
    from tokenizers import AddedToken

    return AddedToken(content, **flags)


def byte_level(pattern=None, normalizer=None, prefix=False, ignore_merges=False):
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    other = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    level = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=pattern is None)
    if normalizer is not None:
        other.normalizer = normalizer
    cut = pre_tokenizers.Split(Regex(pattern), "isolated") if pattern else None
    other.pre_tokenizer = pre_tokenizers.Sequence([cut, level]) if pattern else level
    other.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    other.train_from_iterator(CORPUS, trainer)
    other.add_special_tokens(["<|begin|>", "<|end|>", "<|end|>!"])
    other.add_tokens(["hat.", added("<tool>", normalized=False)])
    first = [("<|begin|>", other.token_to_id("<|begin|>"))]
    template = processors.TemplateProcessing("<|begin|> $A", "<|begin|> $A:0 <|begin|>:1 $B:1", first)
    other.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    return other


def without_merges(other, words):
    """The same with whole words that no merge leads to, as Llama 3's file has them."""
    from tokenizers import Tokenizer

    document = json.loads(other.to_str())
    vocabulary = document["model"]["vocab"]
    for token in document["added_tokens"]:
        token["id"] += len(words)
    ids = document["post_processor"]["processors"][1]["special_tokens"]["<|begin|>"]["ids"]
    ids[0] += len(words)
    vocabulary |= {word: len(vocabulary) + i for i, word in enumerate(words)}
    return Tokenizer.from_str(json.dumps(document))


def unigram_pieces(size):
    """Pieces of the corpus's words and letters with their shares: UnigramTrainer learns others at each run."""
    counts = Counter()
    for text in CORPUS:
        for word in text.replace("日本語", "").replace("🙂", "").split():
            spelled = MARK + word
            counts.update(spelled[i : i + n] for n in range(1, 7) for i in range(len(spelled) - n + 1))
    total, ranked = sum(counts.values()), sorted(counts, key=lambda piece: (len(piece) > 1, -counts[piece], piece))
    return [(piece, round(math.log(counts[piece] / total), 3)) for piece in ranked[:size]]


def sentencepiece(form, model="bpe", fallback=True, unk=True):
    """Llama 2's kind: `form` is how a space becomes ▁."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)] if fallback else []
    specials = ["<unk>", "<s>", "</s>", *bytes_]
    if model == "bpe":
        learned = Tokenizer(models.BPE(unk_token="<unk>"))
        learned.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.BpeTrainer(vocab_size=120 + len(specials), special_tokens=specials, show_progress=False)
        learned.train_from_iterator([text.replace("日本語", "").replace("🙂", "") for text in CORPUS], trainer)
        said = json.loads(learned.to_str())["model"]
        merges = [tuple(pair) for pair in said["merges"]]
        options = {"unk_token": "<unk>"} if unk else {}
        built = models.BPE(vocab=said["vocab"], merges=merges, byte_fallback=fallback, fuse_unk=True, **options)
    else:
        pieces = [*((piece, 0.0) for piece in specials), *unigram_pieces(200)]
        built = models.Unigram(pieces, unk_id=0, byte_fallback=fallback)
    other = Tokenizer(built)
    if form == "normalizer":
        other.normalizer = normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)])
    elif form == "gemma":
        other.normalizer = normalizers.Replace(" ", MARK)
        other.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    elif form == "t5":
        metaspace = pre_tokenizers.Metaspace()
        other.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
    elif form == "albert":
        steps = [
            normalizers.Replace("``", '"'),
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
        ]
        other.normalizer = normalizers.Sequence(steps)
        other.pre_tokenizer = pre_tokenizers.Metaspace()
    else:
        scheme, _, whole = form.partition(" ")
        other.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=not whole)
    single = form in ("normalizer", "first whole", "always whole")
    steps = [decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse()]
    stripped = [decoders.Strip(" ", 1, 0)] if form not in ("gemma", "never") else []
    if single or form == "gemma":
        other.decoder = decoders.Sequence([*steps, *stripped])
    else:
        scheme = "never" if form == "never" else "always"
        other.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme=scheme)])
    other.add_special_tokens([added(name, normalized=False, special=True) for name in ("<unk>", "<s>", "</s>")])
    other.add_special_tokens(
        [added("<mask>", lstrip=True, special=True), added("<one>", single_word=True, special=True)]
    )
    other.add_tokens([added("<right>", rstrip=True, normalized=False), added("Hat"), added("<old>", normalized=True)])
    marks = [(name, other.token_to_id(name)) for name in ("<s>", "</s>")]
    other.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> </s> $B </s>", marks)
    return other


def bert(lowercase):
    """Its pieces are listed here: WordPieceTrainer learns others at each run."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = sorted(set("".join(CORPUS).lower() + "".join(CORPUS) + "eua") - set(" \n\t日é"))
    pieces = ["the", "cat", "hat", "low", "new", "wide", "caf", "##er", "##est", "##at", "##ves", "##as", "ca", "日"]
    vocabulary = [*special, *letters, *(f"##{letter}" for letter in letters if letter.isalnum()), *pieces]
    other = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(vocabulary)}, unk_token="[UNK]"))
    other.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    other.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    other.decoder = decoders.WordPiece(cleanup=lowercase)
    other.add_special_tokens(special)
    other.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return other


def nfc():
    from tokenizers import normalizers

    return normalizers.NFC()


FORMS = ["normalizer", "first whole", "always whole", "always", "first", "never", "gemma"]
KINDS = {
    "gpt2": lambda: byte_level(), "prefix": lambda: byte_level(prefix=True), "llama3": lambda: byte_level(LLAMA3),
    "qwen2": lambda: byte_level(QWEN2, nfc()),
    "llama3 whole": lambda: without_merges(byte_level(LLAMA3, ignore_merges=True), ["Ġunlikely", "cattail", "<tool"]),
    **{f"bpe {form}": lambda form=form: sentencepiece(form) for form in FORMS},
    "bpe unk": lambda: sentencepiece("always", fallback=False), "bpe nothing": lambda: sentencepiece("first", fallback=False, unk=False),
    **{f"unigram {form}": lambda form=form: sentencepiece(form, "unigram") for form in ["t5", "always", "first", "normalizer"]},
    "unigram unk": lambda: sentencepiece("t5", "unigram", fallback=False), "unigram albert": lambda: sentencepiece("albert", "unigram", False),
    "bert": lambda: bert(True), "bert cased": lambda: bert(False),
}  # fmt: skip


def known_since_unicode_3_2():
    then, now = unicodedata.ucd_3_2_0.category, unicodedata.category
    return [c for c in map(chr, [*range(0xD800), *range(0xE000, 0x110000)]) if "Cn" != then(c) == now(c)]


ANYTHING = known_since_unicode_3_2()
NEAR = [character for character in ANYTHING if character < "\u3100"]  # most of the others are ideographs, or nobody's
PIECES = [
    "the", " cat", "'s", "'LL", "hat.", "Hat", "12345", "7", "\n", "\n\n", "\t", " ", "  ", "   ", ".", ",", "!", MARK, "e\u0301", "é", "🙂", "日本",
    "unlikely", " unlikely", "cattail", "low", "est", "``", "ﬁ", "İ", "Σ", "\u00a0", "\u2028", "\x00", "<0x41>", "ate", " th",
]  # fmt: skip
MARKS = [
    "<|end|>",
    "<|end|>!",
    "<|begin|>",
    "<tool>",
    "<s>",
    "</s>",
    "<mask>",
    "<one>",
    "<right>",
    "<old>",
    "<unk>",
    "[MASK]",
    "[SEP]",
]


def random_text(rng):
    parts = []
    for _ in range(rng.integers(1, 10)):
        draw = rng.random()
        source = PIECES if draw < 0.65 else NEAR if draw < 0.77 else ANYTHING if draw < 0.85 else MARKS
        parts.append(source[rng.integers(len(source))])
    return "".join(parts)
