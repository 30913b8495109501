"""A term is explained in the chapter that docs/glossary.md names for it, and before that used only with a link to it.

Only prose is read: the Markdown cells of the chapters, without code, formulas and headings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tinygrad_llm.course.record import cells_of

ROOT = Path(__file__).resolve().parents[1]
GLOSSARY = ROOT / "docs" / "glossary.md"
CHAPTERS = {path.name[:2]: path for path in sorted((ROOT / "chapters").glob("[0-9][0-9]_*.py"))}
ROW = re.compile(r"^\| (.+?) \| (.+?) \| \[(\d\d)\]\(\.\./chapters/(.+?)\) \|$", re.MULTILINE)
NUMBER = r"\d\d(?!\d|\.\d)"
REFERENCE = re.compile(rf"\bchapters? ({NUMBER}(?:(?:,| and| to|, and) {NUMBER})*)|\(({NUMBER})\)", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """Its names, of which the first is the usual one, what it means, and the chapter that explains it."""

    names: tuple[str, ...]
    meaning: str
    chapter: str


def terms_of(glossary: str) -> list[Term]:
    return [Term(tuple(names.split(", ")), meaning, number) for names, meaning, number, _ in ROW.findall(glossary)]


def paragraphs(script: str) -> list[str]:
    """The paragraphs and list items of a chapter's Markdown, each on one line, headings left out."""
    text = "\n\n".join(cell.text for cell in cells_of(script) if cell.markdown)
    blocks = re.split(r"\n\s*\n|\n(?=- |\d+\. |\|)", re.sub(r"\$\$.*?\$\$", " ", text, flags=re.DOTALL))
    return [" ".join(block.split()) for block in blocks if block.strip() and not block.lstrip().startswith("#")]


def plain(paragraph: str) -> str:
    """Without code, formulas and where links lead."""
    return re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`|\$[^$]*\$", " ", paragraph))


def pattern(name: str) -> str:
    return rf"(?<![\w-]){re.escape(name)}s?(?![\w-])"


def references(paragraph: str) -> set[str]:
    """The chapters that a paragraph names: "chapter 09", "chapters 06 to 12", "(09)"."""
    found: set[str] = set()
    for many, one in REFERENCE.findall(plain(paragraph)):
        numbers = re.findall(r"\d\d", many or one)
        found |= set(numbers)
        for first, last in re.findall(r"(\d\d) to (\d\d)", many):
            found |= {f"{number:02}" for number in range(int(first), int(last))}
    return found


def problems(terms: Sequence[Term], scripts: Mapping[str, str]) -> list[str]:
    """What is wrong with the order in which the chapters (number: script) use and explain the terms."""
    prose = {number: paragraphs(script) for number, script in scripts.items()}
    found = [
        f"chapter {number} refers to chapter {other}, which is not there: {text[:60]} …"
        for number, texts in prose.items()
        for text in texts
        for other in sorted(references(text) - set(scripts))
    ]
    for term in terms:
        name = term.names[0]
        mark = "|".join(rf"\*{pattern(n)}[.,:]?\*" for n in term.names)
        if not any(re.search(mark, text, re.IGNORECASE) for text in prose[term.chapter]):
            found.append(f"chapter {term.chapter} should explain “{name}”, and sets it nowhere *like this*")
        uses = re.compile("|".join(map(pattern, term.names)), re.IGNORECASE)
        for number, texts in prose.items():
            first = next((text for text in texts if uses.search(plain(text))), None)
            if number < term.chapter and first and term.chapter not in references(first):
                found.append(f"chapter {number} uses “{name}” without naming chapter {term.chapter}: {first[:60]} …")
    return found


def test_each_term_is_explained_in_its_chapter_and_linked_before():
    scripts = {number: path.read_text(encoding="utf-8") for number, path in CHAPTERS.items()}
    assert problems(terms_of(GLOSSARY.read_text(encoding="utf-8")), scripts) == []


def test_the_glossary_is_in_order_and_leads_to_chapters():
    text = GLOSSARY.read_text(encoding="utf-8")
    terms = terms_of(text)
    assert len(terms) == sum(line.startswith("| ") for line in text.splitlines()) - 1, "a row is not in the form"
    names = [name.lower() for term in terms for name in term.names]
    assert len(set(names)) == len(names)
    assert [term.names[0].lower() for term in terms] == sorted(term.names[0].lower() for term in terms)
    for _, meaning, number, file in ROW.findall(text):
        assert CHAPTERS[number].name == file and meaning.endswith((".", "?"))


# The checks above can fail: two chapters without a fault, and one fault at a time.

SCRIPTS = {
    "01": "# %% [markdown]\n# # 01 · Mask\n#\n# Its heads (chapter 02).\n#\n# `mask` $mask$ [x](mask.py)\n\n# %%\n# mask\n",
    "02": "# %% [markdown]\n# A *head* is one. A **mask** hides\n# (see 01).\n",
}
TERMS = [Term(("head", "part"), "A.", "02"), Term(("mask",), "B.", "02")]


def test_two_chapters_without_a_fault_have_no_problems():
    assert problems(TERMS, SCRIPTS) == []


@pytest.mark.parametrize(
    ("number", "old", "new", "words"),
    [
        ("01", " (chapter 02)", "", "chapter 01 uses “head” without naming chapter 02"),
        ("01", "heads (chapter 02)", "heads.\n#\n# In chapter 02", "uses “head” without"),
        ("01", "heads (chapter 02)", "heads\n# - (chapter 02)", "uses “head” without"),
        ("01", "Its heads (chapter 02)", "Parts", "uses “head” without"),
        ("01", "`mask`", "mask:", "uses “mask” without naming chapter 02"),
        ("01", "chapter 02", "chapters 01 to 03", "refers to chapter 03, which is not there"),
        ("02", "*head*", "head", "should explain “head”"),
        ("02", "**mask**", "**masked**", "should explain “mask”"),
        ("02", "(see 01)", "(chapter\n# 31)", "refers to chapter 31"),
        ("02", "(see 01)", "(31)", "refers to chapter 31"),
    ],
)
def test_each_fault_is_found(number, old, new, words):
    assert old in SCRIPTS[number]
    found = problems(TERMS, SCRIPTS | {number: SCRIPTS[number].replace(old, new, 1)})
    assert any(words in problem for problem in found), found
