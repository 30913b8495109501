"""SentencePiece's table of characters is read from its double array, and used as tokenizers uses it."""

from __future__ import annotations

import base64
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import CheckpointError
from tinygrad_llm.tokenizer.normalizers import normalizer_of

TABLE = {
    "ﬁ": "fi",
    "\t": " ",
    "\u00a0": " ",
    "\u200b": "",
    "e\u0301": "é",
    "①": "1",
    "Ⅷ": "VIII",
    "x": "X",
    "xy": "Z",
    "o": "0",
    "o\u0301": "ó",
    "日": "day",
    "﷽": "long",
}


def double_array(table):
    """The table as Darts writes it: each node gets the first base where all its children find room."""
    units, texts, places = {0: 0}, b"", {}
    for text in dict.fromkeys(table.values()):
        places[text] = len(texts)
        texts += text.encode() + b"\0"
    waiting = [(0, sorted((key.encode() + b"\0", places[text]) for key, text in table.items()))]
    taken, bases, least = {0}, set(), 256
    while waiting:
        place, keys = waiting.pop()
        labels = sorted({key[0] for key, _ in keys})
        base = next(
            b for b in range(least, 1 << 21) if b not in bases and taken.isdisjoint(b ^ label for label in labels)
        )
        bases.add(base)
        least = max(least, base - 512)
        taken |= {base ^ label for label in labels}
        offset = base ^ place
        offset = offset << 10 if offset % 256 else offset >> 8 << 10 | 1 << 9  # so are those written that have no room
        units[place] |= offset | (labels[0] == 0) << 8
        for label in labels:
            inside = [(key[1:], value) for key, value in keys if key[0] == label]
            units[base ^ label] = label if label else 1 << 31 | inside[0][1]
            if label:
                waiting.append((base ^ label, inside))
    array = np.zeros(max(units) + 256, "<u4")
    array[list(units)] = list(units.values())
    return len(array.tobytes()).to_bytes(4, "little") + array.tobytes() + texts


def said(table=TABLE, content=None):
    content = double_array(table) if content is None else content
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(content).decode()}


@pytest.mark.parametrize(("text", "expected"), [
    ("ﬁne", "fine"), ("a\tb\u00a0c", "a b c"), ("a\u200bb", "ab"), ("cafe\u0301", "café"), ("①Ⅷ日本", "1VIIIday本"), ("plain", "plain"), ("", ""), ("﷽", "long"),
    ("o\u0301 o", "0 0"),  # the shorter key
    ("xy", "Xy"),  # they do not stand together as one
    ("x\u0301", "X"),  # they do: the key that it begins with stands for all of it
    ("x\u0301\u0302\u0303", "X\u0301\u0302\u0303"), ("e\u0301\u0302\u0303", "e\u0301\u0302\u0303"),  # seven bytes: one by one
])  # fmt: skip
def test_what_the_table_says_is_written(text, expected):
    assert normalizer_of(said())(text) == expected


ALPHABET = st.text(st.characters(max_codepoint=0x24F, min_codepoint=1), min_size=1, max_size=3)


@given(st.dictionaries(ALPHABET, ALPHABET, min_size=30, max_size=90))
def test_every_key_of_a_table_is_read_and_no_other(table):
    assert normalizer_of(said(table)).table == table


def test_a_table_that_is_not_whole_is_refused():
    whole = double_array(TABLE)
    size = int.from_bytes(whole[:4], "little")
    wrong = [
        b"",
        whole[:3],
        whole[: 4 + size - 4],
        whole[: 4 + size],
        whole[:-1],
        b"\0\0\0\0",
        (size + 2).to_bytes(4, "little") + whole[4:],
    ]
    circle = (16).to_bytes(4, "little") + np.array([2 << 10, 0, 0, 1 | 1 << 10], "<u4").tobytes() + b"a\0"
    for content in [*wrong, circle]:
        with pytest.raises(CheckpointError, match="precompiled_charsmap"):
            normalizer_of(said(content=content))
    for text in ("no base 64!", None, "\u00e9"):
        with pytest.raises(CheckpointError, match="precompiled_charsmap"):
            normalizer_of({"type": "Precompiled", "precompiled_charsmap": text})


def nfkc():
    """What NFKC changes in single characters and a few pairs, and white space: the most of T5's table."""
    then, now = unicodedata.ucd_3_2_0.category, unicodedata.category
    known = [c for c in map(chr, [*range(1, 0xD800), *range(0xE000, 0x30000)]) if "Cn" != then(c) == now(c)]
    table = {c: unicodedata.normalize("NFKC", c) for c in known if unicodedata.normalize("NFKC", c) != c}
    pairs = {c + mark for c in "aeoucnAEO" for mark in "\u0300\u0301\u0302\u0303\u0308\u0327"}
    table |= {pair: unicodedata.normalize("NFKC", pair) for pair in pairs}
    return known, table | {"\t": " ", "\n": " ", "\u200b": "", "\u00ad": ""}


@pytest.mark.oracle
def test_every_character_and_random_texts_are_written_as_tokenizers_writes_them():
    from tokenizers import normalizers

    known, table = nfkc()
    content = double_array(table)
    theirs, ours = normalizers.Precompiled(content), normalizer_of(said(content=content))
    assert ours.table == table
    rng = np.random.default_rng(0)
    pieces = [
        *"aeouc xA",
        *"\u0300\u0301\u0302\u0303\u0308\u0327\u200d\u200b",
        "\r\n",
        "ﬁ",
        "한",
        "ᄒ",
        "ᅡ",
        "🙂",
        "👩",
        "🇩",
        "क",
        "्",
        "ष",
    ]
    texts = [f"a{c}" for c in known] + [c + mark for c in known[::7] for mark in "\u0301\u0308"]
    for _ in range(20_000):
        parts = [
            pieces[i] if rng.random() < 0.8 else known[rng.integers(len(known))]
            for i in rng.integers(len(pieces), size=8)
        ]
        texts.append("".join(parts))
    for text in texts:
        assert ours(text) == theirs.normalize_str(text), [hex(ord(c)) for c in text]
