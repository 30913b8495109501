"""What a chapter's script says of itself: its title as it is written, and where it speaks of an exercise."""

from __future__ import annotations

import re
from pathlib import Path

TITLE = re.compile(r"# # \d\d · (.+)")
SECTION = re.compile(r"# ## (.+)")
LAST = "# **Exercises**"
"""How the line begins that names all of them."""


def title_of(script: Path) -> str:
    """The title: "GPT-1 to GPT-3"; the file's name, in words, where there is no such line."""
    found = (TITLE.fullmatch(line) for line in _lines(script))
    return next((match.group(1) for match in found if match), script.stem[3:].replace("_", " "))


def sections_of(script: Path, id: str) -> list[tuple[str, int]]:
    """The sections whose text names the exercise, each with the line where it begins."""
    section, found = None, {}
    for number, line in enumerate(_lines(script), 1):
        if match := SECTION.fullmatch(line):
            section = match.group(1), number
        elif line.startswith(LAST):
            break
        elif section and line.startswith("#") and re.search(rf"\b{re.escape(id)}\b", line):
            found[section] = True
    return list(found)


def _lines(script: Path) -> list[str]:
    try:
        return script.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # a list of names shall not fail for it
        return []
