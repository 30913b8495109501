"""Tables of chapters: never wider than a terminal, no word or number lost, numbers rounded for people; and recorded lines."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.claim import Part
from tinygrad_llm.course.record import record, wide_lines
from tinygrad_llm.course.table import WIDTH, cell, table

ROOT = Path(__file__).resolve().parents[2]
RECORDS = sorted((ROOT / "docs" / "records").iterdir())

words = st.text("abcdefghij", min_size=1, max_size=24)
phrases = st.lists(words, min_size=1, max_size=6).map(" ".join)
values = st.one_of(phrases, st.integers(0, 10**9), st.floats(1e-9, 1e6))


@st.composite
def tables(draw):
    columns = draw(st.integers(1, 9))
    heads = draw(st.lists(phrases, min_size=columns, max_size=columns))
    row = st.lists(values, min_size=columns, max_size=columns)
    return draw(st.lists(row, min_size=1, max_size=4)), heads


@given(tables())
def test_no_table_is_wider_than_a_terminal_and_none_of_its_words_is_lost_or_broken(drawn):
    rows, heads = drawn
    shown = table(rows, heads)
    assert max(map(len, shown.splitlines())) <= WIDTH
    wanted = [word for row in [heads, *rows] for value in row for word in cell(value).split()]
    assert set(wanted) <= set(shown.split())


@given(tables())
def test_no_column_is_lost_and_where_there_is_room_there_is_one_table(drawn):
    rows, heads = drawn
    shown, whole = table(rows, heads), table(rows, heads, None)
    blocks = [
        re.findall("-+", next(line for line in b.splitlines() if set(line) <= set("- "))) for b in shown.split("\n\n")
    ]
    assert sum(len(block) - 1 for block in blocks) + 1 == len(heads) and all(blocks)
    if max(map(len, whole.splitlines())) <= WIDTH:
        assert shown == whole


def test_numbers_stand_to_the_right_and_a_column_with_a_word_to_the_left():
    shown = table([["a", 1, 2], ["bbb", 333, "none"]], ["x", "number", "either"]).splitlines()
    assert [line.split() for line in shown[2:]] == [["a", "1", "2"], ["bbb", "333", "none"]]
    ends = {line.index(cell) + len(cell) for line, cell in zip(shown[2:], ("1", "333"))}
    begins = {line.rindex(cell) for line, cell in zip(shown[2:], ("2", "none"))}
    assert len(ends) == len(begins) == 1


def test_heads_wrap_before_columns_leave():
    shown = table([["a", 1.0, 2]], ["x", "words " * 8, "words " * 8])
    assert "\n\n" not in shown and len(shown.splitlines()) >= 4


def test_what_wraps_at_no_width_goes_into_a_second_table_behind_the_first_column():
    shown = table([["linear", *range(8)]], ["operation", *("x" * 15 + str(i) for i in range(8))])
    first, *rest = shown.split("\n\n")
    assert first.splitlines()[0].split() == ["operation", *("x" * 15 + str(i) for i in range(3))]
    assert rest and all(block.splitlines()[0].startswith("operation") for block in rest)
    assert [block.splitlines()[-1].split()[0] for block in rest] == ["linear"] * len(rest)


def test_a_word_longer_than_the_terminal_is_broken_and_not_lost():
    shown = table([["x" * 200, 1]], ["a", "b"])
    assert max(map(len, shown.splitlines())) <= WIDTH and shown.count("x") == 200


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.123456, "0.123"), (12.3456, "12.3"), (99.96, "100"), (123.456, "123"), (999.4, "999"), (999.7, "1000"),
        (1038.2, "1038"), (25584.0, "25584"), (-1234.5, "-1234"), (2.9e-5, "2.9e-05"), (123456789.0, "1.23e+08"),
        (np.float32(0.5), "0.5"), (float("inf"), "inf"), (float("nan"), "nan"), (123456, "123456"), ("a", "a"),
        (np.int64(12345), "12345"), (True, "True"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits_but_their_whole_part_and_counts_have_all(value, shown):
    assert cell(value) == shown


def test_a_table_may_ask_for_more_digits():
    assert table([[1.23456, 2]], ["a", "b"], digits=5).splitlines()[-1].split() == ["1.2346", "2"]


@pytest.mark.parametrize(
    ("value", "bounds", "threshold", "measured"),
    [
        (0.98765, {"at_least": 0.9}, "≥ 0.9", "0.988"),
        (0.89996, {"at_least": 0.9}, "≥ 0.9", "0.89996"),  # at three digits it would be the 0.9 that it misses
        ([0.95, 0.6932], {"above": 0.6931}, "> 0.6931", "0.6932 … 0.95"),
        (1.0000001, {"equals": 1}, "= 1", "1.0000001"),
        (2 / 3, {"at_least": 0.1, "at_most": 0.7}, "≥ 0.1 and ≤ 0.7", "0.667"),
    ],
)
def test_a_part_shows_as_many_digits_as_it_takes_to_see_its_verdict(value, bounds, threshold, measured):
    _, bound, found, _, _ = Part("name", value, bounds).row()
    assert (bound, found) == (threshold, measured)


@given(st.floats(0.01, 10), st.floats(0.01, 10), st.sampled_from(["at_least", "at_most", "above", "below"]))
def test_whoever_compares_what_is_shown_comes_to_the_same_verdict(value, bound, kind):
    part = Part("name", value, {kind: bound})
    _, threshold, measured, _, verdict = part.row()
    sign, shown = threshold.split()
    holds = {"≥": float.__ge__, "≤": float.__le__, ">": float.__gt__, "<": float.__lt__}[sign](
        float(measured), float(shown)
    )
    assert holds is part.holds and verdict == ("✓" if holds else "✗")


TABLE = "a            b\n----------  --\nx            1"


@pytest.mark.parametrize(
    ("line", "wide"),
    [("a" * 100, False), ("a" * 101, True), ("-" * 40 + "  " + "-" * 38, False), ("-" * 40 + "  " + "-" * 39, True),
     ("- " * 45, False)],
)  # fmt: skip
def test_lines_of_100_columns_and_tables_of_80_are_wide_enough(line, wide):
    output = f"$ python x\n%% 01234567\n{TABLE}\n{line}\n{TABLE}\n" + '{"holds": true, "words": "' + "x" * 200 + '"}\n'
    assert wide_lines(output) == ([line] if wide else [])


def test_who_records_a_chapter_hears_of_its_wide_lines(tmp_path, capsys):
    script = tmp_path / "chapters" / "77_x.py"
    script.parent.mkdir()
    script.write_text("# %%\nimport sys\nfrom pathlib import Path\nprint('w' * 120)\n"
                      "out = Path(sys.argv[-1]) / 'a.svg'\nout.write_text('<svg/>')\nprint(f'figure: {out}')\n")  # fmt: skip
    record(script, [], tmp_path / "77")
    assert f"77_x.py prints a line of 120 columns: {'w' * 80} …" in capsys.readouterr().err
    assert wide_lines((tmp_path / "77" / "output.txt").read_text()) == ["w" * 120]


@pytest.mark.parametrize("folder", RECORDS, ids=lambda p: p.name)
def test_no_recorded_line_is_too_wide(folder):
    assert wide_lines((folder / "output.txt").read_text(encoding="utf-8")) == []
