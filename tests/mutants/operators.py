"""Small mistakes, made one at a time over a syntax tree: a term dropped, a sign flipped, an axis or a bound off by one."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

SWAPPED: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip


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
        wrong = copy.deepcopy(node)
        wrong.op = SWAPPED[type(node.op)]()
        yield f"{type(node.op).__name__} to {type(wrong.op).__name__}", wrong
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
        yield "right operand dropped", node.left
        if isinstance(node.op, ast.Add | ast.Mult):
            yield "left operand dropped", node.right
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        wrong = copy.deepcopy(node)
        wrong.ops[0] = SWAPPED[type(node.ops[0])]()
        yield f"{type(node.ops[0]).__name__} to {type(wrong.ops[0]).__name__}", wrong
    if isinstance(node, ast.BoolOp):
        wrong = copy.deepcopy(node)
        wrong.op = SWAPPED[type(node.op)]()
        yield "and/or exchanged", wrong
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield f"{type(node.op).__name__} dropped", node.operand
    if isinstance(node, ast.IfExp):
        yield "branches exchanged", ast.IfExp(node.test, node.orelse, node.body)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "truth exchanged", ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        wrong_value = node.value + 1 if isinstance(node.value, int) else node.value * 2 or 1.0
        yield f"{node.value} to {wrong_value}", ast.Constant(wrong_value)
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        yield "statement dropped", ast.Pass()


def mutants(file: str, text: str) -> Iterator[Mutant]:
    """Every mistake that the operators can make in the functions of a file."""
    tree = ast.parse(text)
    lines = text.splitlines()
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            places = (
                [(None, value)]
                if isinstance(value, ast.AST)
                else list(enumerate(value))
                if isinstance(value, list)
                else []
            )
            for index, node in places:
                if not isinstance(node, ast.AST) or _is_docstring(node) or not _in_function(tree, node):
                    continue
                for what, wrong in replacements(node):
                    _put(parent, name, index, ast.copy_location(wrong, node))
                    mutated = ast.unparse(ast.fix_missing_locations(tree))
                    _put(parent, name, index, node)
                    yield Mutant(file, node.lineno, what, lines[node.lineno - 1].strip(), mutated)


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
