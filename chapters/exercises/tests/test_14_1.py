"""14.1: cut a word into pieces. Its golden: how tokenizers cuts fourteen words."""

import regex
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call
from tinygrad_llm.course.exercises.show import Spelled


def known(*pieces):
    return {piece: i for i, piece in enumerate(pieces)}


# tokenizers 0.23.3: WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100)
VOCABULARY = known(
    "[UNK]", "the", "play", "player", "##er", "##ers", "##s", "##ing", "##ed", "##re", "re", "un", "##un", "##play", "##able",
    "able", "##a", "##b", "##le", "a", "##n", "ab", "##l",
)  # fmt: skip
CUT = {
    "the": ["the"], "players": ["player", "##s"], "playing": ["play", "##ing"], "replayed": ["re", "##play", "##ed"],
    "unplayable": ["un", "##play", "##able"], "unable": ["un", "##able"], "able": ["able"], "ablest": ["[UNK]"],
    "uneasy": ["[UNK]"], "replaying": ["re", "##play", "##ing"], "aunun": ["a", "##un", "##un"], "rerun": ["[UNK]"],
    "unplayerable": ["un", "##play", "##er", "##able"], "a": ["a"],
}  # fmt: skip


def test_a_word_that_is_a_piece(mine):
    call(mine.pieces_of, "able", known("able")).gives(["able"])


def test_the_rest_goes_on_the_word(mine):
    call(mine.pieces_of, "unaffable", known("un", "##aff", "##able")).gives(["un", "##aff", "##able"])


def test_a_piece_may_be_one_letter(mine):
    call(mine.pieces_of, "ab", known("a", "##b")).gives(["a", "##b"])


def test_the_longest_piece_is_taken(mine):
    call(mine.pieces_of, "able", known("a", "##ble", "able")).gives(["able"])
    call(mine.pieces_of, "unable", known("un", "##a", "##ble", "##able", "u", "##nable")).gives(["un", "##able"])


def test_what_begins_words_does_not_go_on_one(mine):
    call(mine.pieces_of, "football", known("foot", "ball")).gives(["[UNK]"])


def test_what_goes_on_words_does_not_begin_one(mine):
    call(mine.pieces_of, "football", known("##foot", "##ball")).gives(["[UNK]"])


def test_where_no_piece_fits_the_whole_word_is_unknown(mine):
    vocabulary = known("un", "##able", "##a", "##ble")
    call(mine.pieces_of, "unxable", vocabulary).gives(["[UNK]"])
    call(mine.pieces_of, "unablest", vocabulary).gives(["[UNK]"])
    call(mine.pieces_of, "xunable", vocabulary).gives(["[UNK]"])


def test_what_was_taken_is_not_given_back(mine):
    # ab ##cd would do; but abc is longer, and then d is left
    call(mine.pieces_of, "abcd", known("abc", "ab", "##cd")).gives(["[UNK]"])
    call(mine.pieces_of, "abcd", known("abc", "ab", "##cd", "##d")).gives(["abc", "##d"])


def test_a_hundred_characters_are_cut(mine):
    call(mine.pieces_of, Spelled('"a" * 100'), known("a", "##a")).then(": how many", len).gives(100)


def test_one_more_is_too_long(mine):
    call(mine.pieces_of, Spelled('"a" * 101'), known("a", "##a")).gives(["[UNK]"])
    call(mine.pieces_of, Spelled('"a" * 101'), Spelled('{"a" * 101: 0}')).gives(["[UNK]"])


def test_words_as_tokenizers_cuts_them(mine):
    for word, pieces in CUT.items():
        call(mine.pieces_of, word, VOCABULARY).gives(pieces)


PIECES = st.lists(st.from_regex("(##)?[ab]{1,3}", fullmatch=True), min_size=1, max_size=6, unique=True)


@given(st.text("ab", min_size=1, max_size=6), PIECES)
def test_as_a_pattern_cuts_that_never_goes_back(mine, word, pieces):
    longest_first = sorted(pieces, key=len, reverse=True)
    begins = "|".join(piece for piece in longest_first if piece[0] != "#") or "#"  # in no word
    goes_on = "|".join(piece[2:] for piece in longest_first if piece[0] == "#") or "#"
    found = regex.fullmatch(f"((?>{begins}))((?>{goes_on}))*+", word)
    expected = found.captures(1) + ["##" + rest for rest in found.captures(2)] if found else ["[UNK]"]
    call(mine.pieces_of, word, known(*pieces)).gives(expected)
