"""Verifiers: what counts as the right answer is what their names say."""

from __future__ import annotations

import pytest

from tinygrad_llm.align.verifier import VERIFIERS

CASES = [
    ("text", "a  b\n", "a b", True), ("text", "a b.", "a b", False), ("text", "A b", "a b", False), ("text", "", "a", False),
    ("words", "The cat!", "cat", True), ("words", "cats", "cat", False), ("words", "", "a cat", False),
    ("contains", "It is Paris, I think", "Paris", True), ("contains", "Parisian", "Paris", False), ("contains", "new   york", "new york", True),
    ("contains", "York New", "New York", False), ("contains", "a+b", "a+b", True), ("contains", "aab", "a+b", False),
    ("last-line", "3 + 4\n7\n\n", "7", True), ("last-line", "7\n3 + 4", "7", False), ("last-line", "\n ", "7", False), ("last-line", "so 7", "7", False),
    ("number", "3 + 4 = 7", "7", True), ("number", "7 = 3 + 4", "7", False), ("number", "1,200", "1200.0", True), ("number", "-5", "5", False),
    ("number", "none", "5", False), ("number", "5", "none", False), ("number", "none", "none", False), ("number", "The answer is 7, not 8", "7", True), ("number", "0.1", "0.10", True),
    ("number", "answer 12, or 13.", "13", True), ("number", "1,20", "20", True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "expected", "right"), CASES)
def test_an_answer_is_right_by_the_rule_of_that_name(name, answer, expected, right):
    assert VERIFIERS[name](answer, expected) is right


def test_every_rule_is_tried_both_ways():
    assert {(name, right) for name, _, _, right in CASES} == {
        (name, right) for name in VERIFIERS for right in (True, False)
    }
