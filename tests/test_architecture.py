"""The layers of the package hold: imports go down, never up or sideways; files and functions stay small."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "tinygrad_llm"
LAYERS = (
    "errors extras shapes ranges files backend autograd ops nn optim tokenizer datasets models visualize train generate evaluate prompt quantize "
    "finetune distill retrieve align course cli __main__"
).split()
MOST_LINES, MOST_LINES_A_FUNCTION = 400, 60
DELAYED = {("autograd/operators.py", "ops")}  # Tensor.__add__ and its like delegate to the layer above


def files():
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(tree: ast.AST):
    for node in ast.walk(tree):
        modules = (
            [node.module]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        for module in modules:
            if module and module.split(".")[0] == "tinygrad_llm":
                names = [a.name for a in node.names] if module == "tinygrad_llm" else [module.split(".")[1]]
                yield from names


def test_imports_go_down():
    for path in files():
        if path.name == "__init__.py" and path.parent == PACKAGE:
            continue
        own = LAYERS.index(room(path))
        for name in imported_rooms(ast.parse(path.read_text(encoding="utf-8"))):
            if name == "__version__" and room(path) == "cli":
                continue
            delayed = (path.relative_to(PACKAGE).as_posix(), name) in DELAYED
            assert delayed or name == room(path) or LAYERS.index(name) < own, (
                f"{path} imports {name}, which is not below it"
            )


def test_only_the_backend_knows_cupy():
    for path in files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert room(path) == "backend" or not any(name.split(".")[0] == "cupy" for name in names)


def test_files_and_functions_are_small():
    for path in files():
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= MOST_LINES, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                doc = node.body[0].end_lineno - node.body[0].lineno + 1 if ast.get_docstring(node) else 0
                assert node.end_lineno - node.lineno + 1 - doc <= MOST_LINES_A_FUNCTION, f"{path}: {node.name}"


def test_public_things_say_what_they_are():
    for path in files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree) or not tree.body, path
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                if any(getattr(d, "id", "") == "overload" for d in node.decorator_list):
                    continue  # a signature of what follows
                assert ast.get_docstring(node), f"{path}: {node.name}"


def test_importing_does_nothing_but_import():
    top = ast.parse((PACKAGE / "backend" / "memory.py").read_text(encoding="utf-8")).body
    assert not any(isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in top)
