"""A report of an evaluation as one HTML file: tables, figures and examples; it needs no network and no other file.

    sections = [scores_section("Scores", measured), examples_section(predictions)]
    write_report("report.html", "How good is it?", {"model": "out/tales"}, sections)

It is light or dark as its reader's pages are, and fits a phone: what is wider is scrolled by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from tinygrad_llm.errors import ArgumentError, ShapeError, StorageError, reason
from tinygrad_llm.evaluate.bootstrap import Interval
from tinygrad_llm.evaluate.calibration import reliability
from tinygrad_llm.evaluate.compare import TESTS, Compared
from tinygrad_llm.evaluate.goals import Goal, decide
from tinygrad_llm.evaluate.measure import JACKKNIFE, Measured
from tinygrad_llm.evaluate.predictions import Prediction
from tinygrad_llm.visualize.figure import Figure
from tinygrad_llm.visualize.reliability import reliability_figure
from tinygrad_llm.visualize.win_rates import win_rate_figure
from tinygrad_llm.visualize.words import legal

MOST_EXAMPLES = 50
LEVEL = 0.05
"""A p-value below it is set off, where Holm's is."""
STYLE = """
:root { color-scheme: light dark; --ink: #24292f; --pale: #57606a; --line: #d0d7de; --paper: white; --shade: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --pale: #9aa4ae; --line: #3d444d; --paper: #15181c; --shade: #22272e; } }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 62rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; }
p { max-width: 46rem; } p, dd, figcaption, summary { color: var(--pale); font-size: .9rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; font-size: .9rem; }
dt { color: var(--pale); } dd { margin: 0; color: var(--ink); overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--pale); font-weight: 600; } .number { text-align: right; }
.number, .short { white-space: nowrap; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 9rem; max-width: 24rem; }
.set-off { font-weight: 700; }
svg { display: block; max-width: 100%; height: auto; margin: .75rem 0; }
.beside { display: flex; flex-wrap: wrap; gap: 0 2rem; } summary { cursor: pointer; }
@media (max-width: 30em) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .4rem; } }
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
<dl>
{facts}
</dl>
{sections}
</body>
</html>
"""


@dataclass(frozen=True)
class Cell:
    """What stands in a table: words, whether they are a number, somebody's text, or set off."""

    words: str
    kind: str = ""

    @property
    def html(self) -> str:
        """The words, escaped."""
        return f"<td class='{self.kind}'>{_html(self.words)}</td>" if self.kind else f"<td>{_html(self.words)}</td>"


@dataclass(frozen=True)
class Section:
    """title, and below it what there is of: text, a table of cells under heads, figures side by side.

    folded  the table is shown to who asks for it, under these words.
    """

    title: str
    text: str = ""
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    figures: tuple[Figure, ...] = ()
    folded: str = ""

    @property
    def html(self) -> str:
        """A part of the page."""
        parts = [f"<h2>{_html(self.title)}</h2>"] + ([f"<p>{_html(self.text)}</p>"] if self.text else [])
        if self.figures:
            drawn = "".join(f"<div>{figure.svg}</div>" for figure in self.figures)
            parts.append(f"<div class='beside'>{drawn}</div>")
        if self.rows:
            numeric = [all(row[i].kind.startswith("number") for row in self.rows) for i in range(len(self.heads))]
            heads = "".join(
                f"<th{' class=number' * number}>{_html(head)}</th>" for head, number in zip(self.heads, numeric)
            )
            body = "\n".join(f"<tr>{''.join(cell.html for cell in row)}</tr>" for row in self.rows)
            table = f"<div class='wide'><table>\n<tr>{heads}</tr>\n{body}\n</table></div>"
            parts.append(f"<details><summary>{_html(self.folded)}</summary>{table}</details>" if self.folded else table)
        return "\n".join(parts)


def report_page(title: str, facts: Mapping[str, Any], sections: Sequence[Section]) -> str:
    """The whole page."""
    told = "\n".join(f"<dt>{_html(name)}</dt><dd>{_html(str(value))}</dd>" for name, value in facts.items())
    return PAGE.format(
        title=_html(title), style=STYLE, facts=told, sections="\n".join(section.html for section in sections)
    )


def write_report(path: str | Path, title: str, facts: Mapping[str, Any], sections: Sequence[Section]) -> Path:
    """Writes the page.  Raises ArgumentError for a name that is no page's, StorageError where the disk refuses."""
    check_report(path)
    try:
        Path(path).write_text(report_page(title, facts, sections), encoding="utf-8")
    except OSError as error:
        raise StorageError(str(path), "a place that can be written", reason(error)) from error
    return Path(path)


def check_report(path: str | Path) -> None:
    """Raises ArgumentError for a name that does not end as a page's does: asked before long work begins."""
    if Path(path).suffix not in (".html", ".htm"):
        raise ArgumentError("report", "a name that ends with .html", Path(path).name)


def goals_section(title: str, goals: Sequence[Goal], found: Mapping[str, Mapping[str, Interval]]) -> Section:
    """A table of goals, and of each version by its name what was measured; below it what follows for each.

    Raises as `decide`.
    """
    verdicts = ["release" if decide(goals, each) else "do not release" for each in found.values()]
    rows, about = [], "An interval is told in brackets, and its worse end has to keep the bound."
    for goal in goals:
        cells = [Cell(goal.label), Cell(goal.told)]
        for by_name in found.values():
            one, words = by_name[goal.name], "kept" if goal.kept(by_name[goal.name]) else "missed"
            score, low, high = (f"{float(end):.2f}" for end in (one.score, one.low, one.high))
            cells.append(Cell(f"{score} ({low} to {high}) {words}", "set-off" * (words == "missed")))
        rows.append(tuple(cells))
    follows = [Cell(words, "set-off") for words in verdicts]
    rows.append((Cell("all of them", "set-off"), Cell(""), *follows))
    return Section(title, about, ("goal", "bound", *found), tuple(rows))


def groups_section(title: str, text: str, heads: Sequence[str], shares: Mapping[str, Sequence[float]]) -> Section:
    """A table of one share a group, a row a version; the last column has what lies between the least and the most.

    Raises ShapeError for a row that does not have one share a group.
    """
    rows = []
    for version, row in shares.items():
        if len(row) != len(heads):
            raise ShapeError(version, f"{len(heads)} shares, one a group", len(row))
        told = [Cell(f"{share:.2f}", "number") for share in row]
        rows.append((Cell(version, "short"), *told, Cell(f"{max(row) - min(row):.2f}", "number set-off")))
    return Section(title, text, ("", *heads, "between"), tuple(rows))


def scores_section(title: str, measured: Sequence[Measured], confidence: float) -> Section:
    """A table of scores with their intervals."""
    rows = []
    for one in measured:
        score, low, high = numbers(one.score, one.low, one.high)
        cells = Cell(one.label, "short"), Cell(score, "number set-off"), Cell(f"{low} to {high}", "number")
        rows.append((*cells, Cell(direction(one.lower, one.most), "short")))
    return Section(title, "", ("metric", "score", f"{confidence:.0%} interval", "scale"), tuple(rows))


def method_section(measured: Sequence[Measured], confidence: float) -> Section:
    """What the intervals say, and what to quote beside each number so that others can be compared with it."""
    rows = tuple((Cell(one.label, "short"), Cell(one.signature, "text")) for one in measured)
    quote = "Scores that were counted in other ways cannot be compared: below stands what to quote beside each."
    text = f"{about_intervals(measured, confidence)} {quote}"
    return Section("How it is counted", text, ("metric", "counted how"), rows, folded=f"{len(rows)} metrics")


def about_intervals(found: Sequence[Measured | Compared], confidence: float) -> str:
    """What an interval is, and how those in a table were found."""
    text = (
        "An interval says how far a score may be off because these examples were taken and no others of their kind: "
        f"of intervals found so, {confidence:.0%} hold the true one. They are found by the bootstrap, which draws "
        "examples anew"
    )
    ours = ", ".join(one.label for one in found if one.interval == JACKKNIFE)
    return text + (f"; of {ours} by the jackknife, which leaves out one at a time." if ours else ".")


def comparison_section(compared: Sequence[Compared], names: tuple[str, str], test: str, confidence: float) -> Section:
    """A table of differences and whether they may be chance, beside how often either is better."""
    rows = []
    for one in compared:
        first, second, difference, low, high = numbers(one.first, one.second, one.difference, one.low, one.high)
        certain = " set-off" * (one.holm < LEVEL)
        told = [first, second, signed(difference), f"{low} to {high}", chance(one.p_value), chance(one.holm)]
        kinds = ["number", "number", f"number{certain}", "number", "number", f"number{certain}"]
        cells = map(Cell, told, kinds)
        rows.append((Cell(one.label, "short"), *cells, Cell(verdict(one), "short")))
    about = (
        f"A is {names[0]}, B is {names[1]}. p by {TESTS[test]}: how often a difference as large would come by chance, "
        "were the two equally good. Many metrics are many chances: Holm's p holds for all of them together. "
        + about_intervals(compared, confidence)
    )
    figure = win_rate_figure(
        {one.label: (one.wins, one.ties, one.losses) for one in compared}, ("A", "B"),
        title="Who is better, example by example", subtitle=f"{sum_of(compared[0]):,} examples, each scored by itself",
    )  # fmt: skip
    heads = ("metric", "A", "B", "A - B", f"{confidence:.0%} interval", "p", "Holm's p", f"at {LEVEL:g}")
    return Section("Comparison", about, heads, tuple(rows), (figure,))


def calibration_section(title: str, confidences: Any, right: Any, subtitle: str, bins: int = 10) -> Section:
    """A reliability diagram, from p (N,) and right (N,)."""
    found = reliability(confidences, right, bins)
    figure = reliability_figure(
        found.edges, found.counts, found.confidence, found.accuracy, title="Reliability", subtitle=subtitle
    )
    text = (
        "On the dashed line, of what the model called 80 percent sure, 80 percent was right. Below it, it was too "
        "sure. A dot is a bin, and larger with more examples; how many each has stands under it."
    )
    return Section(title, text, figures=(figure,))


def examples_section(predictions: Sequence[Prediction], title: str = "Examples") -> Section:
    """The first examples as they are: what was asked, said, and wanted."""
    asks = any(one.prompt for one in predictions)
    rows = tuple(
        (
            Cell(f"{place}", "number"), *([Cell(one.prompt, "text")] if asks else []), Cell(one.text, "text"),
            Cell(" | ".join(one.references), "text"),
        )
        for place, one in enumerate(predictions[:MOST_EXAMPLES], 1)
    )  # fmt: skip
    heads = ("", *(["asked"] if asks else []), "said", "reference")
    return Section(title, "", heads, rows, folded=f"The first {len(rows):,} of {len(predictions):,}")


def numbers(*values: float) -> list[str]:
    """The numbers of a row, with as many digits as suit its largest."""
    digits = 2 if max(map(abs, values)) >= 10 else 4
    return [f"{value:.{digits}f}" for value in values]


def signed(told: str) -> str:
    """A number that was written, with its sign."""
    return told if told.startswith("-") or not float(told) else f"+{told}"


def chance(p_value: float) -> str:
    """A p-value, not more exact than it is."""
    return f"{p_value:.4f}" if p_value >= 0.0001 else "< 0.0001"


def direction(lower: bool, most: int) -> str:
    """Of which scale a score is, and which end of it is the good one."""
    return f"{f'0 to {most}' if most else 'from 0'}, {'less' if lower else 'more'} is better"


def verdict(one: Compared) -> str:
    """Which of the two is better by this metric, where that is no chance."""
    if one.holm >= LEVEL or not one.difference:
        return "may be chance"
    return "A is better" if (one.difference > 0) != one.lower else "B is better"


def sum_of(one: Compared) -> int:
    """How many examples were compared."""
    return one.wins + one.ties + one.losses


def _html(words: str) -> str:
    return escape(legal(words))
