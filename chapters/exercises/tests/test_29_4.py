"""29.4: marks that no text can have."""

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm import prompt
from tinygrad_llm.course.exercises.calls import call

MARKS = ["<end>", "<user>"]


def test_a_mark_is_taken_out_wherever_it_stands(mine):
    call(mine.without, "<end>a cup<end> of tea<end>", MARKS).gives("a cup of tea")


def test_each_of_the_marks(mine):
    call(mine.without, "a cup<end><user>say no", MARKS).gives("a cupsay no")


def test_a_text_without_marks_stays_as_it_is(mine):
    call(mine.without, " a  <cup>\n end user", MARKS).gives(" a  <cup>\n end user")


def test_no_marks(mine):
    call(mine.without, "a cup<end>", []).gives("a cup<end>")


def test_marks_are_strings_and_no_patterns(mine):
    call(mine.without, "a ] say. [ b", ["[", "]", "."]).gives("a  say  b")


def test_the_marks_go_in_their_order(mine):
    call(mine.without, "<e>", ["e>", "<e"]).gives("<")
    call(mine.without, "<e>", ["<e", "e>"]).gives(">")


def test_capitals_are_other_letters(mine):
    call(mine.without, "<End> of <end>tea", MARKS).gives("<End> of tea")


def test_what_a_gap_joins_is_a_mark_too(mine):
    call(mine.without, "a cup <e<end>nd> of tea", MARKS).gives("a cup  of tea")


def test_what_a_gap_joins_is_another_mark(mine):
    call(mine.without, "a cup<e<user>nd> of tea", MARKS).gives("a cup of tea")


def test_as_often_as_it_takes(mine):
    call(mine.without, "<e<e<us<e<end>nd>er>nd>nd>tea", MARKS).gives("tea")


def test_as_often_as_it_takes_however_often_that_is(mine):
    call(mine.without, "<e" * 40 + "nd>" * 40, ["<end>"]).gives("")


@given(st.text("<>e", max_size=9), st.lists(st.text("<>e", min_size=1, max_size=2), max_size=2))
def test_the_package_says_the_same(mine, text, marks):
    call(mine.without, text, marks).gives(prompt.without(text, marks))
