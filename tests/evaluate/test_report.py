"""The report is one page that says what was measured, asks no network for anything, and runs nothing of anybody's text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from browser import visit

from tinygrad_llm.errors import ArgumentError, DataError, ShapeError, StorageError
from tinygrad_llm.evaluate import Goal, Interval, Prediction, compare, measure
from tinygrad_llm.evaluate.compare import Compared
from tinygrad_llm.evaluate.report import (
    Cell,
    Section,
    calibration_section,
    chance,
    comparison_section,
    direction,
    examples_section,
    goals_section,
    groups_section,
    method_section,
    numbers,
    report_page,
    scores_section,
    signed,
    verdict,
    write_report,
)

EVIL = "<script>alert(1)</script> & \x00 'x' \"y\""
SAID, OTHER = ["the cat sat", EVIL, "no"], ["a cat", "b", "no"]
WANTED = ["the cat sat down", "b c", "no"]
VOID = {"meta", "link", "rect", "line", "circle", "path", "polyline", "polygon"}


def sections():
    measured = measure([], SAID, WANTED, resamples=20, rng=np.random.default_rng(0))
    compared = compare([], SAID, OTHER, WANTED, resamples=20, rng=np.random.default_rng(0))
    return [
        scores_section("Answers", measured, 0.9), method_section(measured, 0.9),
        comparison_section(compared, ("one", EVIL), "bootstrap", 0.9),
        calibration_section("Sure?", [0.2, 0.9, 0.9], [0, 1, 1], "of three"),
        examples_section([Prediction(text, (wanted,), None, EVIL) for text, wanted in zip(SAID, WANTED)]),
    ]  # fmt: skip


class Parsed(HTMLParser):
    """Which elements a page has, and whether each is closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.attributes = [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_nobodys_text_is_part_of_it():
    page = report_page(EVIL, {"model": EVIL}, sections())
    found = Parsed(page)
    assert "script" not in found.seen and found.seen.count("svg") == 2 and found.seen.count("table") == 4
    assert not any(name.startswith("on") for name, _ in found.attributes)
    assert "\x00" not in page and "&lt;script&gt;" in page and "\\x00" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_the_tables_hold_what_was_measured():
    measured = measure(["bleu", "f1"], SAID, WANTED, resamples=20, rng=np.random.default_rng(0))
    html = scores_section("Answers", measured, 0.9).html
    for one in measured:
        for words in (one.label, *numbers(one.score, one.low, one.high)):
            assert words in html
    assert "90% interval" in html and "0 to 100, more is better" in html
    assert "smoothing exp" in method_section(measured, 0.9).html and "90% hold" in method_section(measured, 0.9).html
    assert "by the jackknife" in method_section(measure([], SAID, None, rng=np.random.default_rng(0)), 0.9).html


def compared(**given):
    values = {"name": "x", "label": "X", "lower": False, "first": 2.0, "second": 1.0, "difference": 1.0, "low": 0.5, "high": 1.5,
              "interval": "bootstrap", "p_value": 0.01, "holm": 0.02, "wins": 3, "ties": 1, "losses": 0}  # fmt: skip
    return Compared(**values | given)


def test_the_verdict_is_that_of_holms_p():
    assert verdict(compared()) == "A is better" and verdict(compared(lower=True)) == "B is better"
    assert verdict(compared(difference=-1.0)) == "B is better" and verdict(compared(holm=0.05)) == "may be chance"
    assert verdict(compared(difference=0.0)) == "may be chance"
    html = comparison_section([compared(), compared(label="Y", holm=0.2)], ("a", "b"), "randomization", 0.95).html
    assert html.count("<td class='number set-off'>") == 2 and "approximate randomization" in html
    assert "75%" in html and "4 examples" in html


def test_examples_are_the_first_ones_and_folded():
    html = examples_section([Prediction(f"t{i}", ("r", "s")) for i in range(60)]).html
    assert (
        "The first 50 of 60" in html
        and "t49<" in html
        and "t50<" not in html
        and "r | s" in html
        and "asked" not in html
    )
    assert Section("T", rows=((Cell("a"),),), heads=("h",)).html.count("details") == 0


def test_numbers_are_told_by_as_many_digits_as_fit():
    assert numbers(0.12345, -1.5) == ["0.1235", "-1.5000"] and numbers(12.345, 0.1) == ["12.35", "0.10"]
    assert [signed(text) for text in ("0.5", "-0.5", "0.00")] == ["+0.5", "-0.5", "0.00"]
    assert (chance(0.0001), chance(0.00009), chance(1)) == ("0.0001", "< 0.0001", "1.0000")
    assert direction(True, 0) == "from 0, less is better"


def test_where_it_cannot_be_written_is_told(tmp_path):
    with pytest.raises(ArgumentError, match=r"\.html"):
        write_report(tmp_path / "page.pdf", "t", {}, [])
    with pytest.raises(StorageError, match="none"):
        write_report(tmp_path / "none" / "page.html", "t", {}, [])


@pytest.mark.parametrize("width", [1200, 420])
def test_a_browser_shows_it_without_a_network_and_a_phone_scrolls_tables_alone(width, tmp_path):
    path = write_report(tmp_path / "page.html", "How good?", {"model": "m" * 90}, sections())
    text = path.read_text(encoding="utf-8")
    probe = "<script>document.title = document.documentElement.scrollWidth + ' of ' + innerWidth</script></body>"
    (tmp_path / "probe.html").write_text(text.replace("</body>", probe), encoding="utf-8")
    page = visit(path, width)
    assert page.console == [] and page.asked == []
    seen = re.search(r"<title>(\d+) of (\d+)</title>", visit(tmp_path / "probe.html", width).dom)
    assert int(seen[1]) <= int(seen[2])


GOALS = [Goal("right", "right answers", 0.8), Goal("spread", "most between two", 0.2, lower=True)]
KEPT = {"right": Interval(0.9, 0.85, 0.95), "spread": Interval(0.05, 0.0, 0.125)}
MISSED = {**KEPT, "spread": Interval(0.19, 0.1, 0.3)}


def test_goals_are_told_with_what_follows():
    section = goals_section("Goals", GOALS, {"new": MISSED, EVIL: KEPT})
    assert section.heads == ("goal", "bound", "new", EVIL)
    told = [[cell.words for cell in row] for row in section.rows]
    assert told == [
        ["right answers", "at least 0.8", "0.90 (0.85 to 0.95) kept", "0.90 (0.85 to 0.95) kept"],
        ["most between two", "at most 0.2", "0.19 (0.10 to 0.30) missed", "0.05 (0.00 to 0.12) kept"],
        ["all of them", "", "do not release", "release"],
    ]
    assert [cell.kind for cell in section.rows[1]] == ["", "", "set-off", ""]  # what was missed
    with pytest.raises(DataError, match="none for spread"):
        goals_section("Goals", GOALS, {"new": {"right": KEPT["right"]}})
    Parsed(report_page("Goals", {}, [section]))


def test_groups_stand_side_by_side_with_what_lies_between():
    section = groups_section("Names", "the same", ["ann", "ben"], {"old": [0.25, 0.5], "new": [1, 0.125]})
    assert section.heads == ("", "ann", "ben", "between")
    assert [[cell.words for cell in row] for row in section.rows] == [
        ["old", "0.25", "0.50", "0.25"], ["new", "1.00", "0.12", "0.88"],
    ]  # fmt: skip
    with pytest.raises(ShapeError, match="2 shares, one a group"):
        groups_section("Names", "", ["ann", "ben"], {"old": [0.25]})
