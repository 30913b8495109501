"""Figures in the dark: every color has its partner, both can be read, and a browser shows the one that is asked for."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from browser import visit

from tinygrad_llm.visualize import Figure, heat_map
from tinygrad_llm.visualize.chart import COLORS, shade
from tinygrad_llm.visualize.dark import DARK, dark_rules
from tinygrad_llm.visualize.figure import INK, PALE_INK

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*(ROOT / "chapters").glob("*.py"), *(ROOT / "tinygrad_llm" / "visualize").glob("*.py")]
PAPER = "#ffffff"


def luminance(color):
    """WCAG 2.2, relative luminance."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    """WCAG 2.2, contrast ratio."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def mixed(color, paper, share):
    parts = zip(*([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (color, paper)))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in parts)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.name)
def test_every_color_that_is_drawn_with_has_a_partner(path):
    used = set(re.findall(r"""["'](#[0-9a-f]{6})["']""", path.read_text(encoding="utf-8")))
    assert used - {*DARK, *DARK.values()} == set(), "give it a partner in visualize/dark.py"


def test_in_the_light_and_in_the_dark_ink_and_lines_stand_out_from_the_paper():
    for ink, least in ((INK, 4.5), (PALE_INK, 4.5), *((color, 3) for color in COLORS)):  # WCAG: text, and graphics
        assert contrast(ink, PAPER) >= least, ink
        assert contrast(DARK[ink], DARK[PAPER]) >= least, DARK[ink]


def test_numbers_on_a_heat_map_can_be_read_in_the_light_and_in_the_dark():
    values = np.linspace(0, 1, 41)[None]
    figure = heat_map(values, ["row"], [str(i) for i in range(41)], title="t", numbers=True)
    cells, numbers = ([m for m in figure.marks if type(m).__name__ == kind] for kind in ("Rectangle", "Text"))
    numbers = [m for m in numbers if m.anchor == "middle"]
    assert len(cells) == len(numbers) == 41
    for cell, number in zip(cells, numbers):
        share = int(cell.color[7:], 16) / 255
        for color, ink, paper in (
            ("#093f8c", number.color, PAPER),
            *[tuple(map(DARK.get, ("#093f8c", number.color, PAPER)))],
        ):
            assert contrast(ink, mixed(color, paper, share)) >= 3, (share, ink)


def test_a_figure_has_rules_for_its_own_colors_alone():
    figure = Figure(20, 20, "t")
    figure.rect((0, 0), 5, 5, shade(0.5))
    figure.text((1, 1), "a", INK)
    rules = re.search(r"<style>@media \(prefers-color-scheme:dark\)\{(.*)\}</style>", figure.svg)[1]
    assert rules == dark_rules(["white", "#093f8c", INK])
    assert set(re.findall(r"\[fill='([^']*)'\]", rules)) == {"white", "#093f8c", INK}
    assert all(rule.startswith(".drawing ") for rule in rules.split("}") if rule)


@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_shows_the_colors_that_its_reader_asks_for(dark, tmp_path):
    figure = Figure(20, 20, "t")
    figure.rect((0, 0), 5, 5, shade(0.5))
    figure.line((0, 9), (9, 9), PALE_INK)
    script = """<script>document.title = [...document.querySelectorAll('rect, line')].map(mark => {
        const s = getComputedStyle(mark); return mark.tagName === 'line' ? s.stroke : s.fill + s.fillOpacity}).join(' ')</script>"""
    page = tmp_path / "a.html"
    page.write_text(figure.html.replace("</body>", script + "</body>"), encoding="utf-8")
    shown = re.search("<title>(.*)</title>", visit(page, dark=dark).dom)[1]
    paper, cell, line = (DARK[c] if dark else c for c in ("#ffffff", "#093f8c", PALE_INK))

    def rgb(color):
        return f"rgb({', '.join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))})"

    assert shown == f"{rgb(paper)}1 {rgb(cell)}0.502 {rgb(line)}"


def test_no_two_colors_of_lines_become_one():
    pairs = [(a, b) for a, b in product(COLORS, COLORS) if a < b]
    assert all(DARK[a] != DARK[b] for a, b in pairs)
