"""A chapter's verdict: what fails is said, what was not tested never counts as true, and the table fits a terminal."""

from __future__ import annotations

import io
import json
import math
import sys

import numpy as np
import pytest

from tinygrad_llm.course.chapter import Chapter, ClaimFailed, table
from tinygrad_llm.course.claim import ASCII, Part, format_range
from tinygrad_llm.course.table import WIDTH
from tinygrad_llm.errors import ArgumentError


def chapter(*flags):
    return Chapter("09", "More than none.", [*flags])


def finished(run, capsys):
    """What finish() printed, its last line as JSON, and whether it raised ClaimFailed."""
    capsys.readouterr()
    try:
        run.finish()
        raised = False
    except ClaimFailed:
        raised = True
    lines = capsys.readouterr().out.splitlines()
    return "\n".join(lines), json.loads(lines[-1]) if run.json else None, raised


BOUNDS = [
    ("at_least", 2, [2, 2.5], [1.999, -5]),
    ("at_most", 2, [2, 1.5], [2.001, 5]),
    ("equals", 2, [2, 2.0], [1.999, 2.001]),
    ("above", 2, [2.001, 3], [2, 1]),
    ("below", 2, [1.999, 1], [2, 3]),
]


@pytest.mark.parametrize(("kind", "bound", "good", "bad"), BOUNDS, ids=[b[0] for b in BOUNDS])
def test_each_bound_is_kept_on_its_side_and_broken_on_the_other(kind, bound, good, bad, capsys):
    for value, holds in [*((v, True) for v in good), *((v, False) for v in bad)]:
        run = chapter("--json")
        run.check("part", value, **{kind: bound})
        _, last, raised = finished(run, capsys)
        assert (last["holds"], raised) == (holds, not holds), value
        assert last["measured"] == {"part": value} and last.get("failed") == (None if holds else ["part"])


@pytest.mark.parametrize("kind", [b[0] for b in BOUNDS])
@pytest.mark.parametrize("value", [math.nan, np.float32("nan"), [3.0, math.nan], {"a": math.nan}])
def test_nan_keeps_no_bound(kind, value, capsys):
    run = chapter("--json")
    run.check("part", value, **{kind: 2})
    _, last, raised = finished(run, capsys)
    assert raised and last["holds"] is False and "nan" in json.dumps(last["measured"])


def test_a_bound_that_is_nan_is_kept_by_nothing(capsys):
    run = chapter("--json")
    run.check("part", 1.0, at_most=math.nan)
    assert finished(run, capsys)[1]["holds"] is False


@pytest.mark.parametrize("values", [[0.95, 0.89, 0.99], {"a": 0.95, "b": 0.89}, np.array([0.89, 0.95])])
def test_every_seed_must_hold_and_the_table_shows_the_range(values, capsys):
    run = chapter("--json")
    run.check("right", values, at_least=0.9)
    printed, last, _ = finished(run, capsys)
    assert last["holds"] is False and "0.89 … 0.9" in printed
    run = chapter("--json")
    run.check("right", values, at_least=0.89)
    assert finished(run, capsys)[1]["holds"] is True


def test_a_bound_a_number_is_compared_one_by_one(capsys):
    for queen, holds in (([0.9, 0.5], True), ([0.9, 0.3], False)):
        run = chapter("--json")
        run.check("queen", queen, above=[0.8, 0.4])
        assert finished(run, capsys)[1]["holds"] is holds


@pytest.mark.parametrize(
    ("bounds", "holds"), [({"b": 4, "a": 0}, True), ({"a": 0, "b": 6}, False), ({"b": 0, "a": 4}, False)]
)
def test_numbers_and_bounds_by_name_are_paired_by_their_names_in_whatever_order(bounds, holds):
    for value in ({"a": 1, "b": 5}, {"b": 5, "a": 1}):
        assert Part("x", value, {"at_least": bounds}).holds is holds


def test_numbers_and_bounds_of_other_names_are_refused():
    for value, bound in (({"a": 1, "b": 5}, {"a": 0, "c": 4}), ({"a": 1, "b": 5}, {"a": 0}), ({"a": 1}, {"b": 0}),
                         ({"a": 1, "b": 5}, [0, 4]), ([1, 5], {"a": 0, "b": 4}), (1, {"a": 0})):  # fmt: skip
        with pytest.raises(ArgumentError, match="bounds of the value's names"):
            Part("x", value, {"at_most": 9, "at_least": bound})


def test_two_bounds_are_both_kept(capsys):
    for value, holds in ((1, True), (0, False), (3, False)):
        run = chapter("--json")
        run.check("part", value, at_least=1, at_most=2)
        printed, last, _ = finished(run, capsys)
        assert last["holds"] is holds and "≥ 1 and ≤ 2" in printed


def test_a_part_for_full_runs_is_null_with_fast_and_judged_without(capsys):
    for flags, holds in ((["--fast"], None), ([], False)):
        run = chapter("--json", *flags)
        run.check("equal", 0, equals=0)
        run.check("large", 1, at_least=2, full_only=True)
        printed, last, raised = finished(run, capsys)
        assert last["holds"] is holds and raised is (holds is False)
        assert last.get("not_tested") == (["large"] if "--fast" in flags else None)
        assert ("Of 2 parts 1 held; the other 1, marked –, only a full run can test." in printed) is ("--fast" in flags)
        assert "claim holds" not in printed


def test_an_equality_that_fails_is_false_beside_parts_that_were_not_tested(capsys):
    run = chapter("--json", "--fast")
    run.check("equal", 1, equals=0)
    run.check("large", 3, at_least=2, full_only=True)
    _, last, raised = finished(run, capsys)
    assert raised and last["holds"] is False
    assert last["failed"] == ["equal"] and last["not_tested"] == ["large"]


def test_a_part_that_fails_makes_the_exit_status(capsys):
    run = chapter()
    run.check("equal", True, equals=True)
    run.check("large", 1, at_least=2, baseline={"counting": 0.5})
    capsys.readouterr()
    with pytest.raises(ClaimFailed, match=r"chapter 09: More than none\. .*'large': 1"):
        run.finish()
    printed = capsys.readouterr().out
    assert "does NOT hold: of 2 parts 1 failed: large" in printed and "✗" in printed and "counting 0.5" in printed


def test_without_json_the_last_line_is_a_sentence(capsys):
    run = chapter()
    run.check("part", 1, equals=1)
    printed, _, _ = finished(run, capsys)
    assert printed.splitlines()[-1].startswith("The claim holds in all of its 1 part.") and "{" not in printed


def test_figures_that_are_told_are_measured_and_not_judged(capsys):
    run = chapter("--json")
    run.check("part", 1, equals=1)
    run.report("seconds a step", 9.87654321)
    run.report("by name", {"a": [1, np.float64(math.inf)]})
    printed, last, _ = finished(run, capsys)
    assert last["holds"] is True
    assert last["measured"] == {"part": 1, "seconds a step": 9.87654, "by name": {"a": [1, "inf"]}}
    assert "seconds a step" in printed.split("{")[0] and "by name" not in printed.split("{")[0]


def test_a_claim_of_nothing_is_refused():
    run = chapter()
    run.report("seconds", 1.0)
    with pytest.raises(ArgumentError, match="at least one part"):
        run.finish()


@pytest.mark.parametrize(
    ("value", "bounds", "words"),
    [
        (1, {}, "a bound"),
        ([], {"at_least": 1}, "a number"),
        ("many", {"equals": "many"}, "a number"),
        (None, {"equals": 1}, "a number"),
        ([1, 2, 3], {"at_least": [1, 2]}, "3"),
        (1, {"at_least": []}, "a number"),
        (1, {"at_least": 1, "baseline": []}, "baseline: expected a number"),
        (1, {"at_least": 1, "baseline": {"chance": None}}, "baseline: expected a number"),
    ],
)
def test_a_part_that_cannot_fail_is_refused(value, bounds, words):
    with pytest.raises(ArgumentError, match=words):
        chapter().check("part", value, **bounds)


def test_names_are_given_once():
    run = chapter()
    run.check("part", 1, equals=1)
    for again in (lambda: run.check("part", 1, equals=1), lambda: run.report("part", 1)):
        with pytest.raises(ArgumentError, match="'part' again"):
            again()


def test_a_table_wider_than_the_terminal_folds(capsys):
    run = chapter()
    long = "the share of the questions after a pronoun that the head with the best validation score answers " * 2
    run.check(long, [0.91234, 0.98765], at_least=0.9, baseline={"nearest name": 0.5, "the other head": [0.2, 0.3]})
    run.check("x" * 100, 1, equals=1)
    printed, _, _ = finished(run, capsys)
    assert max(map(len, printed.splitlines())) <= WIDTH
    assert " ".join(long.split()[:3]) in printed and printed.count("x") >= 100
    assert set(long.split()) <= set(printed.split()), "no word is lost or cut"


def test_a_table_without_a_width_is_not_folded():
    assert table([["word " * 30, 1.23456]], ["a", "b"], None).splitlines()[-1] == "word " * 30 + "  1.23"


def test_numbers_stand_to_the_right_and_words_to_the_left():
    assert table([["ab", 1], ["c", 22]], ["name", "n"]).splitlines() == ["name   n", "----  --", "ab     1", "c     22"]


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "ascii", "utf-8"])
def test_signs_that_a_code_page_lacks_are_written_out(encoding, monkeypatch):
    paper = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(paper, encoding=encoding))
    run = Chapter("09", "More than ℵ.", ["--json", "--fast"])
    run.check("high 🙂", [1, 2], at_least=1)
    run.check("low", 1, at_most=0)
    run.check("later", 1, at_most=0, full_only=True)
    with pytest.raises(ClaimFailed):
        run.finish()
    sys.stdout.flush()
    text = paper.getvalue().decode(encoding)
    assert json.loads(text.splitlines()[-1])["claim"] == "More than ℵ."
    for sign, words in ASCII.items():
        try:
            sign.encode(encoding)
            assert sign in text, sign
        except UnicodeEncodeError:
            assert words in text, (sign, words)


def test_a_part_that_a_fast_run_does_not_measure_has_no_value(capsys):
    run = chapter("--json", "--fast")
    run.check("equal", 0, equals=0)
    run.check("far", None, at_least=[1, 2], full_only=True)
    _, last, raised = finished(run, capsys)
    assert not raised and last["holds"] is None and last["measured"] == {"equal": 0, "far": None}
    with pytest.raises(ArgumentError, match="a number"):
        chapter("--fast").check("far", None, at_least=1)
    with pytest.raises(ArgumentError, match="a number"):
        chapter().check("far", None, at_least=1, full_only=True)


def test_people_get_the_table_of_parts_then_a_sentence_and_no_json(capsys):
    run = chapter()
    run.check("kept", 0.987654, at_least=0.9, baseline={"chance": 0.5})
    run.check("missed", 2, at_most=1)
    printed, _, raised = finished(run, capsys)
    heads, rule, *rows, gap, sentence = printed.strip().splitlines()
    assert heads.split() == ["part", "threshold", "measured", "baseline", "holds"] and set(rule) == {"-", " "}
    assert [row.split() for row in rows] == [
        ["kept", "≥", "0.9", "0.988", "chance", "0.5", "✓"],
        ["missed", "≤", "1", "2", "✗"],
    ]
    assert gap == "" and sentence.startswith("The claim does NOT hold: of 2 parts 1 failed: missed.") and raised


def test_what_is_longer_than_a_line_is_folded_and_no_word_of_it_is_lost(capsys):
    run = chapter()
    capsys.readouterr()
    run.say("a story:", "of words " * 40 + "\n\nand a second paragraph", 12)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDTH and lines[-2:] == ["", "and a second paragraph 12"]
    assert " ".join(lines).split() == f"a story: {'of words ' * 40} and a second paragraph 12".split()


def test_the_claim_is_printed_in_lines_that_a_terminal_takes(capsys):
    claim = "Everything that was said of far-away words holds, " * 5
    Chapter("09", claim, [])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines[1:])) <= WIDTH and len(lines) > 4
    assert " ".join(lines[1:]).split() == f"claim: {claim}".split()


def test_of_a_range_with_no_number_the_numbers_come_first():
    assert format_range([3.0, math.nan, 1.0]) == format_range([math.nan, 1.0, 3.0]) == "1 … nan"
