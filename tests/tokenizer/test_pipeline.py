"""A tokenizer.json, part by part, with what each part must do worked out by hand; and what tokenizers says of ten kinds."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_parts import LLAMA2, METASPACE, TEMPLATE, letters, split

from tinygrad_llm.cli.main import main
from tinygrad_llm.errors import CheckpointError, TokenError
from tinygrad_llm.tokenizer import PipelineTokenizer, load_tokenizer
from tinygrad_llm.tokenizer.charsmap import CharsMap
from tinygrad_llm.tokenizer.decoders import decoder_of
from tinygrad_llm.tokenizer.normalizers import normalizer_of
from tinygrad_llm.tokenizer.post_processors import templates_of
from tinygrad_llm.tokenizer.pre_tokenizers import pre_tokenizer_of
from tinygrad_llm.tokenizer.sentencepiece_bpe import PieceBPE, bpe_of
from tinygrad_llm.tokenizer.special import encode_text
from tinygrad_llm.tokenizer.tokenizer_json import from_tokenizer_json
from tinygrad_llm.tokenizer.unigram import Unigram

GOLDENS = json.loads((Path(__file__).parents[1] / "goldens/tokenizers.json").read_text(encoding="utf-8"))["kinds"]


@lru_cache
def golden(name):
    return from_tokenizer_json(GOLDENS[name]["document"])


@pytest.mark.parametrize("name", GOLDENS)
def test_ids_and_texts_are_those_of_tokenizers(name):
    tokenizer = golden(name)
    for text, ids, decoded in GOLDENS[name]["texts"]:
        assert tokenizer.encode(text, tokenizer.special) == ids, text
        assert tokenizer.decode(ids) == decoded, text
        stream = tokenizer.stream_decoder()
        assert "".join([*map(stream.push, ids), stream.finish()]) == decoded


@pytest.mark.parametrize("name", GOLDENS)
def test_marks_around_a_text_and_a_pair_are_those_of_tokenizers(name):
    tokenizer = golden(name)
    for (first, second), (ids, belongs) in GOLDENS[name]["pairs"]:
        assert tokenizer.encode_pair(first, second) == (ids, belongs), (first, second)


@pytest.mark.parametrize("name", GOLDENS)
def test_what_is_saved_opens(name, tmp_path):
    golden(name).save(tmp_path)
    again = load_tokenizer(tmp_path)
    assert type(again) is type(golden(name)) and again.to_dict() == golden(name).to_dict()
    for text, ids, _ in GOLDENS[name]["texts"][:9]:
        assert again.encode(text, again.special) == ids
        assert list(again.encode_stream(text, again.special)) == ids  # a letter at a time


@pytest.mark.parametrize("name", ["llama3", "llama3 whole", "bpe normalizer"])
@given(text=st.text(st.characters(exclude_characters="▁<", exclude_categories=["Cs"]), max_size=30))
def test_a_text_comes_back_where_every_byte_has_a_token(name, text):
    assert golden(name).decode(golden(name).encode(text)) == text


# -- Unigram ---------------------------------------------------------------------------------------------------------

PIECES = [("<unk>", 0.0), ("a", -2.0), ("b", -3.0), ("c", -2.5), ("ab", -4.5), ("bc", -4.0), ("abc", -7.5)]


def cut(word, pieces=PIECES, **options):
    model = Unigram(pieces, 0, **{"byte_fallback": False, **options})
    return [pieces[i][0] for i in model.ids(word)]


def test_the_most_probable_cut_is_taken():
    """abc: a bc is worth -6, ab c -7, a b c -7.5 and abc -7.5. ab: ab -4.5, a b -5."""
    assert cut("abc") == ["a", "bc"] and cut("ab") == ["ab"] and cut("abab") == ["ab", "ab"]
    assert cut("") == [] and cut("ac") == ["a", "c"]


def test_of_equally_probable_cuts_the_last_piece_is_the_longest():
    assert cut("xyz", [("<unk>", 0.0), ("x", -1.0), ("yz", -2.0), ("xy", -2.0), ("z", -1.0)]) == ["x", "yz"]


def test_an_unknown_character_costs_ten_more_than_the_worst_piece():
    """The worst is -8. abx: ab and -18 for x is better than a, b and x; but xa, at -8, is better than -18 - 2."""
    pieces = [*PIECES, ("xa", -8.0)]
    assert cut("abx", pieces) == ["ab", "<unk>"] and cut("abxa", pieces) == ["ab", "xa"]
    assert cut("qq", [("<unk>", 0.0), ("q", -21.0), ("qq", -42.5)]) == ["q", "q"]
    assert cut("qr", [("<unk>", 0.0), ("q", -1.0), ("qr", -12.5)]) == ["qr"]  # q and r: -1 - 22.5
    for q, expected in ((9.0, ["qr"]), (11.0, ["q", "<unk>"])):  # q and r: q - 22.5
        assert cut("qr", [("<unk>", 0.0), ("q", q), ("qr", -12.5)]) == expected


def test_unknown_characters_side_by_side_are_one_token_or_their_bytes():
    assert cut("axyzb") == ["a", "<unk>", "b"] and cut("xaxx") == ["<unk>", "a", "<unk>"]
    bytes_ = [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
    assert cut("aéb", [*PIECES, *bytes_], byte_fallback=True) == ["a", "<0xC3>", "<0xA9>", "b"]
    assert cut("aéb", [*PIECES, *bytes_]) == ["a", "<unk>", "b"]
    assert cut("aéb", [*PIECES, *bytes_[:200]], byte_fallback=True) == ["a", "<0xC3>", "<0xA9>", "b"]
    assert cut("aéb", [*PIECES, *bytes_[:190]], byte_fallback=True) == ["a", "<unk>", "b"]  # 0xC3 is not there
    assert cut("aéb", [*PIECES, *bytes_[:168]], byte_fallback=True) == ["a", "<unk>", "b"]


def test_a_special_piece_is_not_spelled():
    assert cut("abc", special={"bc"}) == ["ab", "c"]


@given(st.text("abcdx", max_size=9), st.lists(st.integers(-9, 9), min_size=12, max_size=12))
def test_no_cut_is_more_probable(word, scores):
    spelled = ["a", "b", "c", "ab", "bc", "abc", "cd", "dab", "aa", "bb", "cab"]
    pieces = [("<unk>", float(scores[-1])), *((piece, score + 0.25) for piece, score in zip(spelled, scores))]
    worth = dict(pieces[1:])
    unknown = min(score for _, score in pieces) - 10

    def best(rest):
        if not rest:
            return 0.0
        first = [worth[rest[:n]] + best(rest[n:]) for n in range(1, len(rest) + 1) if rest[:n] in worth]
        return max([*first, *([] if rest[0] in worth else [unknown + best(rest[1:])])], default=-math.inf)

    found = Unigram(pieces, 0, byte_fallback=False).best_cut(word)
    assert "".join(word[start:end] for start, end, _ in found) == word
    assert sum(pieces[piece][1] if piece else unknown for _, _, piece in found) == pytest.approx(best(word))


# -- byte pairs of characters ----------------------------------------------------------------------------------------

BYTES = {f"<0x{byte:02X}>": 100 + byte for byte in range(256)}
VOCABULARY = {"<unk>": 0, "l": 1, "o": 2, "w": 3, "lo": 4, "low": 5, "ow": 6, "lowlow": 7, "wow": 8}
MERGES = [("o", "w"), ("l", "o"), ("lo", "w"), ("l", "ow")]


def test_merges_are_made_in_the_order_learned_whatever_their_ids():
    """In low, o w comes first, and then l ow, the last; l o, which would be next, is there no more."""
    model = PieceBPE(VOCABULARY, MERGES)
    assert model.ids("low") == [5] and model.ids("lo") == [4] and model.ids("wow") == [3, 6] and model.ids("") == []
    assert PieceBPE(VOCABULARY, MERGES[:3]).ids("low") == [1, 6]


def test_a_word_of_the_vocabulary_is_one_token_where_merges_are_ignored():
    model = PieceBPE(VOCABULARY, MERGES, ignore_merges=True)
    assert model.ids("wow") == [8] and model.ids("lowlow") == [7] and model.ids("lowlo") == [5, 4]
    assert PieceBPE(VOCABULARY, MERGES, ignore_merges=True, special={"wow"}).ids("wow") == [3, 6]


def test_what_a_file_does_not_say_is_not_so():
    """As tokenizers reads it: unknown characters stay apart, none is cut into bytes, words are merged."""
    said = {"vocab": VOCABULARY | BYTES, "merges": [" ".join(pair) for pair in MERGES], "unk_token": "<unk>"}
    model = bpe_of(said, "model", ())
    assert model.ids("xxlo") == [0, 0, 4] and model.ids("wow") == [3, 6]
    assert bpe_of(said | {"fuse_unk": True}, "model", ()).ids("xx") == [0]


def test_an_unknown_character_is_left_out_unknown_or_its_bytes():
    assert PieceBPE(VOCABULARY, MERGES).ids("xlxxow") == [5]
    assert PieceBPE(VOCABULARY, MERGES, unk=0).ids("xxlo") == [0, 0, 4]
    assert PieceBPE(VOCABULARY, MERGES, unk=0, fuse_unk=True).ids("xxloyzl") == [0, 4, 0, 1]
    with_bytes = VOCABULARY | BYTES
    assert PieceBPE(with_bytes, MERGES, unk=0, byte_fallback=True).ids("éx") == [100 + 0xC3, 100 + 0xA9, 100 + 0x78]
    assert PieceBPE(with_bytes, MERGES, unk=0).ids("é") == [0]
    assert PieceBPE(VOCABULARY, MERGES, unk=0, byte_fallback=True).ids("é") == [0]


def test_bytes_are_all_there_or_none():
    del (some := dict(BYTES))["<0x41>"]
    with pytest.raises(CheckpointError, match="all of <0x00> to <0xFF>, or none, got 255"):
        PieceBPE(VOCABULARY | some, MERGES, byte_fallback=True)
    assert PieceBPE(VOCABULARY | some, MERGES, unk=0).ids("A") == [0]


def test_what_makes_a_special_token_is_not_merged():
    assert PieceBPE(VOCABULARY, MERGES, special={"low"}).ids("low") == [1, 6]
    assert PieceBPE(VOCABULARY, MERGES, unk=0, special={"w"}).ids("w") == [0]


# -- the parts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "text", "expected"), [
    (None, " É", " É"), ({"type": "NFC"}, "e\u0301ﬁ", "éﬁ"), ({"type": "NFD"}, "éﬁ", "e\u0301ﬁ"), ({"type": "NFKC"}, "e\u0301ﬁ", "éfi"),
    ({"type": "NFKD"}, "éﬁ", "e\u0301fi"), ({"type": "Lowercase"}, "ÉAΣ", "éaσ"), ({"type": "StripAccents"}, "e\u0301é\u0903\u20dd", "eé"),
    ({"type": "Strip"}, "\u00a0 a b\n", "a b"), ({"type": "Strip", "strip_left": False}, " a ", " a"), ({"type": "Strip"}, "\x1ca", "\x1ca"),
    ({"type": "Strip", "strip_right": False}, " a ", "a "), ({"type": "Prepend", "prepend": "▁"}, "a", "▁a"), ({"type": "Prepend", "prepend": "▁"}, "", ""),
    ({"type": "Replace", "pattern": {"String": "."}, "content": r"\1"}, "a.b", r"a\1b"), ({"type": "Replace", "pattern": {"Regex": "a+"}, "content": "."}, "caab", "c.b"),
    ({"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}]}, "ÉA", "ea"),
    ({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": " "}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}, "a b", "▁a▁b"),
])  # fmt: skip
def test_a_text_is_normalized(said, text, expected):
    assert normalizer_of(said)(text) == expected


@pytest.mark.parametrize(("said", "text", "expected"), [
    (None, "a b", ["a b"]), (split("Isolated"), "a--b-", ["a", "-", "-", "b", "-"]), (split("Removed"), "-a--b", ["a", "b"]),
    (split("MergedWithPrevious"), "-a--b-", ["-", "a-", "-", "b-"]), (split("MergedWithNext"), "-a--b-", ["-a", "-", "-b", "-"]),
    (split("Contiguous"), "-a--b", ["-", "a", "--", "b"]), (split("Removed", True), "-a--b", ["-", "-", "-"]),
    (split("Isolated", pattern={"Regex": r"\p{L}+| "}), "été 1", ["été", " ", "1"]), (split("MergedWithNext", True, {"Regex": "a+"}), "baac", ["baa", "c"]),
    ({"type": "WhitespaceSplit"}, " a\u2028b.\t", ["a", "b."]), ({"type": "Whitespace"}, "a_b.. é", ["a_b", "..", "é"]),
    ({"type": "Digits"}, "a12b", ["a", "12", "b"]), ({"type": "Digits", "individual_digits": True}, "a12", ["a", "1", "2"]),
    ({"type": "Punctuation"}, "a.,b", ["a", ".", ",", "b"]), ({"type": "Punctuation", "behavior": "Contiguous"}, "a.,b", ["a", ".,", "b"]),
    ({"type": "ByteLevel", "add_prefix_space": False}, "a é's", ["a", "ĠÃ©", "'s"]), ({"type": "ByteLevel"}, "a b", ["Ġa", "Ġb"]), ({"type": "ByteLevel"}, " a", ["Ġa"]),
    ({"type": "ByteLevel", "use_regex": False}, "a b", ["ĠaĠb"]), ({"type": "ByteLevel", "add_prefix_space": False}, "\n\xad", ["Ċ", "ÂŃ"]),
    ({"type": "Metaspace", "replacement": "▁"}, "a  b", ["▁a", "▁", "▁b"]), ({"type": "Metaspace", "replacement": "▁", "split": False}, "a b", ["▁a▁b"]),
    ({"type": "Metaspace", "replacement": "▁"}, " a", ["▁a"]), ({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never"}, "a b", ["a", "▁b"]),
    ({"type": "Metaspace", "replacement": "▁", "add_prefix_space": False}, "a b", ["a", "▁b"]), ({"type": "Metaspace", "replacement": "_", "add_prefix_space": True}, "a b", ["_a", "_b"]),
    ({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁"}]}, " a  b▁c", ["▁a", "▁b", "▁c"]),
])  # fmt: skip
def test_a_text_is_cut_into_words(said, text, expected):
    assert pre_tokenizer_of(said)(text, True) == pre_tokenizer_of(said)(text, False) == expected


def test_first_is_where_the_text_begins():
    words = pre_tokenizer_of({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"})
    assert words("a b", True) == ["▁a", "▁b"] and words("a b", False) == ["a", "▁b"] and words("▁a", True) == ["▁a"]


@pytest.mark.parametrize(("said", "tokens", "expected"), [
    ({"type": "ByteLevel"}, ["Ġa", "Ã", "©"], " aé"), ({"type": "ByteLevel"}, ["a b", "Ġ"], "a b "), (LLAMA2, ["▁▁a", "▁b", "<0xC3>", "<0xA9>", "▁"], " a bé "),
    (LLAMA2, ["a", "▁b"], "a b"), (LLAMA2, ["▁", "▁b"], " b"), (LLAMA2, ["<0x20>", "a"], "a"), (METASPACE, ["▁a", "▁b"], "a b"), (METASPACE, ["▁▁", "▁b"], " b"),
    (METASPACE | {"prepend_scheme": "never"}, ["▁a", "▁b"], " a b"), ({"type": "Sequence", "decoders": [{"type": "ByteFallback"}, METASPACE]}, ["▁a", "<0x0a>", "▁"], "a\n "),
    ({"type": "Sequence", "decoders": [*LLAMA2["decoders"][:3], {"type": "Strip", "content": " ", "start": 0, "stop": 0}]}, ["▁a"], " a"),
    ({"type": "Sequence", "decoders": LLAMA2["decoders"][:3]}, ["▁a"], " a"), ({"type": "Fuse"}, ["a▁", "b"], "a▁b"), (LLAMA2, ["<0x4>", "<0x411>"], "<0x4><0x411>"),
])  # fmt: skip
def test_tokens_are_joined(said, tokens, expected):
    decoder = decoder_of(said)
    assert b"".join(decoder.bytes_of(token, first=i == 0) for i, token in enumerate(tokens)).decode() == expected


@pytest.mark.parametrize(("said", "one", "two"), [
    (None, [("A", 0)], [("A", 0), ("B", 1)]), ({"type": "ByteLevel", "trim_offsets": False}, [("A", 0)], [("A", 0), ("B", 1)]),
    (TEMPLATE, [(1, 0), ("A", 0)], [(1, 0), ("A", 0), (1, 0), (2, 0), ("B", 1)]), ({"type": "Sequence", "processors": [{"type": "ByteLevel"}, TEMPLATE]}, [(1, 0), ("A", 0)], [(1, 0), ("A", 0), (1, 0), (2, 0), ("B", 1)]),
    ({"type": "BertProcessing", "cls": ["c", 4], "sep": ["s", 5]}, [(4, 0), ("A", 0), (5, 0)], [(4, 0), ("A", 0), (5, 0), ("B", 1), (5, 1)]),
    ({"type": "RobertaProcessing", "cls": ["c", 4], "sep": ["s", 5]}, [(4, 0), ("A", 0), (5, 0)], [(4, 0), ("A", 0), (5, 0), (5, 0), ("B", 0), (5, 0)]),
])  # fmt: skip
def test_marks_are_put_around_texts(said, one, two):
    assert templates_of(said) == (one, two)


def test_an_empty_second_text_is_a_second_text():
    assert letters(post_processor=TEMPLATE).encode_pair("a", "") == ([1, 0, 1, 2], [0, 0, 0, 0])
    assert letters(post_processor=TEMPLATE).encode_pair("a") == ([1, 0], [0, 0])


# -- added tokens ----------------------------------------------------------------------------------------------------


def spelled(tokenizer, text, **options):
    return [tokenizer.tokens[i] for i in tokenizer.encode(text, tokenizer.special, **options)]


LOWER = {"normalizer": {"type": "Lowercase"}}


@pytest.mark.parametrize(("added", "text", "expected"), [
    ([("no", "")], "nono n", ["no", "no", " ", "n"]), ([("no", ""), ("non", "")], "nono", ["non", "o"]),
    ([("no", "w")], "no nose ano no-no", ["no", " ", *"nose", " ", *"ano", " ", "no", "-", "no"]), ([("no", "l")], "a  no b", ["a", "no", " ", "b"]),
    ([("no", "r")], "a no  b", ["a", " ", "no", "b"]), ([("no", "lr")], "no \tno a", ["no", "no", "a"]), ([("no", "l")], "a\u2028no", ["a", "no"]),
])  # fmt: skip
def test_an_added_token_is_found_as_its_flags_say(added, text, expected):
    assert spelled(letters(*added), text) == expected


def test_a_normalized_token_is_found_in_the_normalized_text_in_its_normalized_form():
    assert spelled(letters(("No", "n"), **LOWER), "aNO no") == ["a", "no", " ", "no"]
    assert spelled(letters(("No", ""), **LOWER), "aNO No") == ["a", "n", "o", " ", "No"]
    both = letters(("No", "n"), ("NO", ""), **LOWER)
    assert spelled(both, "NOnO") == ["NO", "no"]  # what is looked for as it stands comes first


def test_where_nothing_is_said_a_token_is_normalized_unless_it_is_special():
    assert spelled(letters(added_tokens=[{"id": 30, "content": "No"}], **LOWER), "aNO") == ["a", "no"]
    assert spelled(letters(added_tokens=[{"id": 30, "content": "No", "special": True}], **LOWER), "aNO") == [
        "a",
        "n",
        "o",
    ]


def test_each_special_token_of_a_text_must_be_allowed():
    tokenizer = letters(("<a>", "s"), ("<b>", "s"))
    with pytest.raises(TokenError, match="'<b>' at position 4"):
        tokenizer.encode("<a> <b>", ["<a>"])


def test_a_special_token_is_refused_meant_or_spelled_in_a_pipeline_too():
    tokenizer = letters(("<s>", "s"), ("no", ""))
    with pytest.raises(TokenError, match="'<s>' at position 3"):
        tokenizer.encode("no <s>")
    with pytest.raises(TokenError, match="'<s>' at position 3.*--special allow"):
        encode_text(tokenizer, "no <s>")
    no, space, s = tokenizer.encode("no "), tokenizer.encode(" "), tokenizer.special["<s>"]
    assert tokenizer.encode("no <s>", ["<s>"]) == [*no, s] == encode_text(tokenizer, "no <s>", "allow").tolist()
    ordinary = tokenizer.encode_ordinary("no <s>")
    assert ordinary[: len(no)] == no and s not in ordinary and len(ordinary) == len(no) + 3 and space == no[-1:]
    assert encode_text(tokenizer, "no <s>", "text").tolist() == ordinary


def test_a_special_token_that_normalization_makes_is_refused_too():
    tokenizer = letters(("<s>", "sn"), **LOWER)
    with pytest.raises(TokenError, match="'<s>', once what begins at position 0 is normalized"):
        tokenizer.encode("a<S>")
    s = tokenizer.special["<s>"]
    assert tokenizer.encode("a<S>", ["<s>"])[1:] == [s] == encode_text(tokenizer, "a<S>", "allow").tolist()[1:]
    assert s not in tokenizer.encode_ordinary("a<S>")


def test_the_command_opens_a_tokenizer_json(tmp_path, capsys):
    (tmp_path / "tokenizer.json").write_text(json.dumps(GOLDENS["llama3"]["document"]), encoding="utf-8")
    argv = ["tokenize", "the<|end|>", "--tokenizer", str(tmp_path)]
    assert main(argv) == 2 and "--special allow" in capsys.readouterr().err
    assert main([*argv, "--special", "allow"]) == 0 and "'<|end|>'" in capsys.readouterr().out


def test_half_a_surrogate_pair_is_refused():
    for name in GOLDENS:
        if type(golden(name)) is PipelineTokenizer:
            with pytest.raises(TokenError, match="lone surrogate '.ud800' at position 1"):
                golden(name).encode("a\ud800")


def test_characters_that_are_one_together_are_looked_up_together_up_to_five_bytes():
    """As SentencePiece's tables are read there: a letter and two accents are five, a letter and three are seven."""
    normalizer = CharsMap({"a\u0301": "X"})
    assert normalizer("a\u0301\u0301") == "X" and normalizer("a\u0301" * 2) == "XX"
    assert normalizer("a\u0301\u0301\u0301") == "a\u0301\u0301\u0301"


def test_a_long_word_is_cut_as_a_short_one():
    """A cache keeps words of up to 64 letters; a heap takes over from 65 symbols on."""
    tokenizer = golden("bpe first whole")
    text = " ".join(["the cat sat on the mat"] * 40)
    parts = tokenizer.encode("the cat sat on the mat") * 40
    assert tokenizer.encode(text) == tokenizer.encode(text) == parts and len(text) > 800
