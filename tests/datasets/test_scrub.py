"""Private data by form: what is one, what only looks like one, and what stands in its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.datasets.scrub import find_private, scrub
from tinygrad_llm.errors import ArgumentError

PRIVATE = {
    "phone": ["415-555-0142", "(415) 555-0142", "(415)555-0142", "+1 415 555 0142", "+44 415.555.0142", "415.555.0142"],
    "email": ["lily.baker@tales.example", "b_o-b+x7@mail.old-mill.example", "X1@a.co"],
    "address": ["12 Mill Lane", "7 Old Harbor Street, Eastport", "99999 Castle Avenue, Rivertown 01234", "3 Elm Drive"],
}
NOT = [
    "It was printed in 1987 for 12.50.", "pages 112-118", "415-555-01422", "1415-555-0142", "555-0142", "v415.555.0142",
    "415-555-0142-7", "415-555-0142.5", "@noon", "a@b", "lily at tales dot example", "12 mill lane", "Mill Lane",
    "12 lane", "1.415.555.0142",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "datum"), [(kind, datum) for kind, data in PRIVATE.items() for datum in data])
def test_a_datum_is_found_whole(kind, datum):
    text = f"Write it down: {datum}. Then go."
    assert find_private(text) == [(15, 15 + len(datum), kind)]
    assert scrub(text) == f"Write it down: [{kind.upper()}]. Then go."


@pytest.mark.parametrize("text", NOT)
def test_what_has_another_form_stays(text):
    assert find_private(text) == [] and scrub(text) == text


def test_many_are_found_in_order_and_kinds_can_be_chosen():
    text = "Ring 415-555-0142 or 12 Mill Lane, Eastport 12345, or a.b@c.example; 415-555-0143"
    assert [kind for *_, kind in find_private(text)] == ["phone", "address", "email", "phone"]
    assert scrub(text) == "Ring [PHONE] or [ADDRESS], or [EMAIL]; [PHONE]"
    assert scrub(text, ["email"]) == text.replace("a.b@c.example", "[EMAIL]")
    with pytest.raises(ArgumentError, match="kinds: expected email or phone or address, got 'name'"):
        scrub(text, ["name"])


def test_of_two_that_overlap_the_one_that_begins_first_goes():
    text = "415-555-0142@mail.example"
    assert find_private(text) == [(0, len(text), "email")]
    assert scrub("Ring 415 555 0142 Mill Lane") == "Ring [PHONE] Mill Lane"


@given(st.lists(st.sampled_from([d for data in PRIVATE.values() for d in data] + ["a word", "and so on"]), max_size=6))
def test_nothing_is_left_after_scrubbing(parts):
    clean = scrub("; ".join(parts))
    assert find_private(clean) == [] and clean.count("[") == sum(part not in ("a word", "and so on") for part in parts)
