"""What is shown of a growing text never holds a part of a stop string, and loses nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.errors import ArgumentError
from tinygrad_llm.generate.stop import Shown

words = st.text("ab.", max_size=12)


@given(parts=st.lists(words, max_size=6), stops=st.lists(words.filter(bool), max_size=3))
def test_all_before_the_first_stop_string_is_shown_and_never_more(parts, stops):
    """However the text is cut: what is shown is a beginning of it, as long as it can be at each moment."""
    shown, said, text = Shown(stops), "", ""
    for part in parts:
        text += part
        said += shown.push(part)
        ends = [text.find(stop) for stop in stops if stop in text]
        if ends:
            assert said == text[: min(ends)] and shown.found in stops and text.startswith(shown.found, min(ends))
            assert shown.push("aaa") == shown.finish() == ""
            return
        held = text[len(said) :]
        assert text.startswith(said) and (not held or any(stop.startswith(held) for stop in stops))
        longer = [text[i:] for i in range(len(said)) if any(stop.startswith(text[i:]) for stop in stops)]
        assert not longer  # nothing that may become a stop string has been shown
    assert said + shown.finish() == text and shown.found is None and shown.finish() == ""


def test_of_stop_strings_that_begin_together_the_longest_is_found():
    shown = Shown(["ab", "abc", "c"])
    assert shown.push("xabcz") == "x" and shown.found == "abc"


def test_an_empty_stop_string_is_refused():
    with pytest.raises(ArgumentError, match="stop_strings"):
        Shown(["a", ""])


def test_what_may_become_a_stop_string_is_held_back_until_it_cannot():
    shown = Shown(["abc", "bx"])
    assert [shown.push(part) for part in ("xa", "b", "d", "ab", "x..")] == ["x", "", "abd", "", "a"]
    assert shown.found == "bx" and shown.finish() == ""
    ended = Shown(["abc"])
    assert ended.push("zab") + "|" + ended.finish() == "z|ab" and ended.found is None
