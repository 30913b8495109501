"""What every file of the package keeps to, so that it does the same on every system: read off its syntax trees."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "tinygrad_llm"
FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}
OF_THE_SYSTEM = {"OSError", "FileNotFoundError", "PermissionError", "FileExistsError", "BrokenPipeError", "TimeoutError",
                 "ConnectionError", "BlockingIOError"}  # fmt: skip


def dotted(node: ast.AST) -> str:
    """`os.path.join` of the expression; "" where it is no chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    before = dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{before}.{node.attr}" if before else ""


def said_raw(handler: ast.ExceptHandler):
    """Where a handler spells its error itself: `{error}`, `str(error)`."""
    for node in ast.walk(handler):
        spelled = node.value if isinstance(node, ast.FormattedValue) else None
        if isinstance(node, ast.Call) and dotted(node.func) in ("str", "repr"):
            spelled = node.args[0]
        if isinstance(spelled, ast.Name) and spelled.id == handler.name:
            yield node.lineno


def test_why_the_system_refused_is_said_by_one_function():
    """`reason` of errors.py: "no such file", not "[Errno 2] No such file or directory: 'x'", nor "None"."""
    found = []
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == "strerror":
                found.append(f"{name}:{node.lineno}")
            if isinstance(node, ast.ExceptHandler) and node.type is not None:
                kinds = {dotted(kind) for kind in ast.walk(node.type)}
                if kinds & OF_THE_SYSTEM:
                    found += [f"{name}:{line}" for line in said_raw(node)]
    assert found == []
