"""The README can be followed from its top: what it tells to type works where it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tinygrad_llm.cli.completion import BY_HAND, parser_for
from tinygrad_llm.cli.main import COMMANDS
from tinygrad_llm.course.exercises.catalog import Course

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ACTIVATE = "source .venv/bin/activate"
BLOCKS = re.findall(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
TYPED = [line for block in BLOCKS for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", README)
COMMAND = re.compile(r"^(?:tgl|python|pip|jupytext)(?= |$)")
TOLD = [shlex.split(line, comments=True) for line in TYPED if line.startswith("tgl ")]


def test_nothing_bare_is_typed_before_the_environment_is_activated():
    before = README[: README.index(ACTIVATE)]
    typed = re.findall(r"`([^`\n]+)`", before) + before.split("```\n")[1::2]
    assert [line for text in typed for line in text.splitlines() if COMMAND.match(line)] == []
    assert r".venv\Scripts\activate" in README


def test_what_is_needed_stands_before_what_is_typed():
    before = README[: README.index("make train")]
    version = re.search(r"python_requires = >=(\d\.\d+)", (ROOT / "setup.cfg").read_text(encoding="utf-8"))[1]
    assert f"Python {version} or later" in before and "C compiler" in before and "MB of disk" in before


def test_a_nat_and_a_bit_are_explained_where_they_first_stand():
    first = README.index("nats a token")
    assert 0 < README.index("A bit is") - first < 1200 and 0 < README.index("a nat,") - first < 1200


def test_the_path_goes_from_the_picture_to_a_sample():
    section = README[README.index("## The first ten minutes") : README.index("## The chapters")]
    steps = [
        "docs/loss.svg",
        "make train",
        ACTIVATE,
        "chapters/01_",
        "tgl start",
        "tgl watch 01.1",
        "tgl sample out/tales --temperature",
    ]
    places = [section.index(step) for step in steps]
    assert places == sorted(places)
    assert Course.find(ROOT).get("01.1").file == "e01/slopes.py" and "work/e01/slopes.py" in section


def test_every_path_is_there():
    for path in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("words", TOLD, ids=" ".join)
def test_every_command_is_one_and_has_the_flags_that_it_is_given(words):
    if len(words) == 1:
        return  # `tgl` alone
    assert words[1] in COMMANDS
    if words[1] in BY_HAND:
        return
    parser = next(iter(parser_for(words[1:2])._subparsers._group_actions)).choices[words[1]]
    known = {option for action in parser._actions for option in action.option_strings}
    assert {word for word in words[2:] if word.startswith("--")} <= known
