"""Small mistakes, made one at a time over a syntax tree: a term dropped, a sign flipped, a bound off by one."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SWAPPED: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip


ALONG_AXES = ("max", "min", "sum", "mean", "var", "std", "argmax", "prod", "any", "all")
"""Methods of an array that run over all of it where no axis is given."""


@dataclass(frozen=True)
class Mutant:
    """A file with one mistake in it."""

    file: str
    line: int
    what: str
    source: str
    """The line as it was."""
    text: str
    """The whole mutated file."""


def replacements(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What the node could be by mistake: a description and the wrong node."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in SWAPPED:
        swapped = SWAPPED[type(node.op)]
        yield f"{type(node.op).__name__} to {swapped.__name__}", _changed(node, op=swapped())
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
        yield "right operand dropped", node.left
        if isinstance(node.op, ast.Add | ast.Mult):
            yield "left operand dropped", node.right
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        swapped = SWAPPED[type(node.ops[0])]
        yield f"{type(node.ops[0]).__name__} to {swapped.__name__}", _changed(node, ops=[swapped(), *node.ops[1:]])
    if isinstance(node, ast.BoolOp):
        yield "and/or exchanged", _changed(node, op=SWAPPED[type(node.op)]())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield f"{type(node.op).__name__} dropped", node.operand
    if isinstance(node, ast.IfExp):
        yield "branches exchanged", ast.IfExp(node.test, node.orelse, node.body)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "truth exchanged", ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        wrong_value = node.value + 1 if isinstance(node.value, int) else node.value * 2 or 1.0
        yield f"{node.value} to {wrong_value}", ast.Constant(wrong_value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ALONG_AXES:
        kept = [k for k in node.keywords if k.arg not in ("axis", "keepdims")]
        if (node.args and not _is_numpy(node.func.value)) or len(kept) < len(node.keywords):
            yield (
                f"{node.func.attr} over all axes",
                _changed(node, args=node.args[:1] if _is_numpy(node.func.value) else [], keywords=kept),
            )
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        yield "statement dropped", ast.Pass()


def _is_numpy(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "xp")


def _changed(node: ast.AST, **fields: Any) -> ast.AST:
    """A copy with other fields."""
    wrong = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(wrong, name, value)
    return wrong


def mutants(file: str, text: str) -> Iterator[Mutant]:
    """Every mistake that the operators can make in the functions of a file.  Annotations are not computed with."""
    tree = ast.parse(text)
    lines = text.splitlines()
    for parent in _computing(tree):
        for name, value in ast.iter_fields(parent):
            places = (
                [(None, value)]
                if isinstance(value, ast.AST)
                else list(enumerate(value))
                if isinstance(value, list)
                else []
            )
            for index, node in places:
                if name in ("annotation", "returns") or not isinstance(node, ast.AST):
                    continue
                if _is_docstring(node) or not _in_function(tree, node):
                    continue
                for what, wrong in replacements(node):
                    _put(parent, name, index, ast.copy_location(wrong, node))
                    mutated = ast.unparse(ast.fix_missing_locations(tree))
                    _put(parent, name, index, node)
                    line = getattr(node, "lineno", 1)
                    yield Mutant(file, line, what, lines[line - 1].strip(), mutated)


def _computing(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree, without what stands in annotations."""
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns"):
                todo.extend(n for n in (value if isinstance(value, list) else [value]) if isinstance(n, ast.AST))


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _in_function(tree: ast.Module, node: ast.AST) -> bool:
    """Constants of the module are settings; what is computed stands in functions."""
    line = getattr(node, "lineno", None)
    return line is not None and any(start <= line <= stop for start, stop in _functions(tree))


def _functions(tree: ast.Module) -> list[tuple[int, int]]:
    found = getattr(tree, "_functions", None)
    if found is None:
        kinds = (ast.FunctionDef,)
        found = [(n.body[0].lineno, n.end_lineno or 0) for n in ast.walk(tree) if isinstance(n, kinds)]
        found += [(n.lineno, n.lineno) for n in ast.walk(tree) if isinstance(n, kinds)]  # defaults
        tree._functions = found  # type: ignore[attr-defined]
    return found
