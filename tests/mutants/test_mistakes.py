"""A mistake on the lists is planted in today's source: what it replaces stands there, once."""

from __future__ import annotations

import pytest

from tests.mutants.areas import PACKAGE
from tests.mutants.mistakes import MISTAKES


@pytest.mark.parametrize(("file", "right", "wrong", "name"), MISTAKES, ids=[name for _, _, _, name in MISTAKES])
def test_what_a_planted_mistake_replaces_is_there_once(file, right, wrong, name):
    text = (PACKAGE / file).read_text(encoding="utf-8")
    assert text.count(right) == 1 and wrong != right
    compile(text.replace(right, wrong), file, "exec")


def test_each_mistake_has_a_name_of_its_own():
    names = [name for _, _, _, name in MISTAKES]
    assert sorted(set(names)) == sorted(names)
