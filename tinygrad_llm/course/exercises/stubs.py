"""From a solution to what a learner starts from: what stands between `# >>>` and `# <<<` becomes `raise Todo`.

    def double(x):
        # >>> twice x
        return 2 * x
        # <<<

becomes

    def double(x):
        raise Todo("twice x")
"""

from __future__ import annotations

import ast
import json
import re

from tinygrad_llm.errors import ConfigError

IMPORT = "from tinygrad_llm.course import Todo"
OPEN = re.compile(r"^(\s*)# >>> ?(.*)$")
CLOSE = re.compile(r"^\s*# <<<\s*$")


def stub_of(solution: str, name: str = "solution") -> str:
    """The stub's text; a solution without a region is its own.  Raises ConfigError for regions that do not pair."""
    lines: list[str] = []
    region: str | None = None
    for number, line in enumerate(solution.splitlines(), 1):
        opened = OPEN.match(line)
        if opened and region is None:
            region = opened[1]
            lines.append(f"{region}raise Todo({json.dumps(opened[2] or 'write this', ensure_ascii=False)})")
        elif CLOSE.match(line) and region is not None:
            region = None
        elif opened or CLOSE.match(line):
            raise ConfigError(f"{name}:{number}", "`# >>>` and `# <<<` in turn", line.strip())
        elif region is None:
            lines.append(line)
    if region is not None:
        raise ConfigError(name, "`# <<<` at the end of each region", "a region without an end")
    text = "\n".join(lines) + "\n"
    return _with_import(text) if regions(solution) else text


def without_marks(solution: str) -> str:
    """The solution as a learner would have written it."""
    kept = [line for line in solution.splitlines() if not OPEN.match(line) and not CLOSE.match(line)]
    return "\n".join(kept) + "\n"


def regions(solution: str) -> list[range]:
    """The line numbers, from 1, of what the learner writes."""
    found, start = [], 0
    for number, line in enumerate(solution.splitlines(), 1):
        if OPEN.match(line):
            start = number + 1
        elif CLOSE.match(line):
            found.append(range(start, number))
    return found


def _with_import(text: str) -> str:
    """The import of Todo after the last import, else after the docstring."""
    last = 0
    for node in ast.parse(text).body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Import | ast.ImportFrom) or (is_text and not last):
            last = node.end_lineno or 0
            imports = not is_text
    lines = text.splitlines()
    lines[last:last] = [IMPORT] if last and imports else ["", IMPORT]
    return "\n".join(lines) + "\n"
