"""What every file of the package keeps to, so that it does the same on every system: read off its syntax trees."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path, PureWindowsPath

from tinygrad_llm.train import data

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


# ---- encodings and line ends

TEXT_METHODS = {"read_text", "write_text"}


def opens_text(node: ast.Call) -> bool:
    """Whether the call opens a file as text: `open` or `path.open`, not os.open and the like; read_text, write_text."""
    name = dotted(node.func) or getattr(node.func, "attr", "")
    last = name.rpartition(".")[2]
    if last in TEXT_METHODS:
        return isinstance(node.func, ast.Attribute)  # a function of that name is our own
    if last in ("TemporaryFile", "NamedTemporaryFile"):
        return any(k.arg == "mode" and "b" not in ast.unparse(k.value) for k in node.keywords)
    if last == "run" or last == "Popen":
        return any(k.arg in ("text", "universal_newlines") for k in node.keywords)
    if last != "open" or name.startswith(("os.", "tokenize.")):
        return False
    place = 0 if isinstance(node.func, ast.Attribute) else 1
    modes = [ast.unparse(a) for a in node.args[place : place + 1]]
    modes += [ast.unparse(k.value) for k in node.keywords if k.arg == "mode"]
    return "b" not in "".join(modes)


def test_every_text_is_read_and_written_in_an_encoding_that_is_named():
    """Windows takes its code page where none is."""
    calls = [(name, node) for name, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    texts = [(name, node) for name, node in calls if opens_text(node)]
    assert len(texts) > 25, "they are found"
    assert [f"{name}:{n.lineno}" for name, n in texts if all(k.arg != "encoding" for k in n.keywords)] == []


def test_a_checkout_has_the_same_line_ends_everywhere():
    """Corpora are held to their SHA-256, and a model would learn carriage returns."""
    assert "* text=auto eol=lf" in (PACKAGE.parent / ".gitattributes").read_text(encoding="utf-8")
    for path in (PACKAGE.parent / "data").rglob("*"):
        assert path.is_dir() or b"\r" not in path.read_bytes(), path


# ---- what only some systems have

UNIX = {
    "os": "fork setsid killpg getpgid getuid geteuid sched_getaffinity sysconf mkfifo uname nice statvfs chown pread pwrite wait3 "
    "posix_fadvise O_NONBLOCK O_DIRECTORY O_CLOEXEC O_NOFOLLOW".split(),
    "signal": "SIGHUP SIGKILL SIGALRM SIGUSR1 SIGUSR2 SIGPIPE SIGCHLD alarm setitimer pause".split(),
}  # fmt: skip
UNIX_MODULES = {"fcntl", "resource", "termios", "tty", "pwd", "grp", "select", "msvcrt", "winreg"}
KNOWN = {
    "course/exercises/keys.py": "keyboard() asks os.name first",
    "course/exercises/runner.py:_fork": "prove.py takes it only where there is os.fork",
    "course/exercises/runner.py:_end_marked": "kills what it finds in /proc, which is Linux's",
    "train/lock.py:_taken": "asks os.name first",
}


def functions(tree: ast.AST):
    """Each function with what it asks of the system, and a last entry for what is outside of all."""
    inside = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    yield from ((f.name, f) for f in inside)
    body = {id(node) for f in inside for node in ast.walk(f)}
    rest = [node for node in ast.walk(tree) if id(node) not in body and not isinstance(node, ast.Module)]
    yield "", ast.Module([node for node in rest if isinstance(node, ast.stmt)], [])


def of_one_system(node: ast.AST):
    """Names in a function that Windows, or Unix, lacks."""
    for part in ast.walk(node):
        owner, _, name = dotted(part).rpartition(".") if isinstance(part, ast.Attribute) else ("", "", "")
        if name in UNIX.get(owner, ()):
            yield f"{owner}.{name}"
        if isinstance(part, ast.Import | ast.ImportFrom):
            names = [part.module or ""] if isinstance(part, ast.ImportFrom) else [a.name for a in part.names]
            yield from UNIX_MODULES & {name.partition(".")[0] for name in names}


def guarded(node: ast.AST) -> bool:
    """Whether the function itself asks whether it is there, or expects that it is not."""
    words = ast.unparse(node)
    return any(sign in words for sign in ("hasattr(os,", "getattr(os,", "hasattr(signal,", "except (AttributeError"))


def test_what_a_system_may_lack_is_asked_for_before_it_is_used():
    found, used = [], set()
    for file, tree in TREES.items():
        for name, node in functions(tree):
            for what in of_one_system(node):
                key = next((k for k in (f"{file}:{name}", file) if k in KNOWN), None)
                used.add(key)
                if key is None and not guarded(node):
                    found.append(f"{file}:{name} uses {what}")
    assert found == []
    assert used - {None} == set(KNOWN), "no reason is left without its case"


LACKING = """
import importlib.abc, os, pkgutil, signal, sys
for owner, names in {unix!r}.items():
    for name in names:
        if hasattr(sys.modules[owner], name):
            delattr(sys.modules[owner], name)
class Lacks(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in {modules!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Lacks())
for name in {modules!r}:
    sys.modules.pop(name, None)
import tinygrad_llm
names = [m.name for m in pkgutil.walk_packages(tinygrad_llm.__path__, "tinygrad_llm.") if not m.name.endswith("__main__")]
for name in names:
    __import__(name)
from tinygrad_llm.cli.main import main
from tinygrad_llm.files import memory
from tinygrad_llm.train.workers import cores
assert main(["tokenize", "x"]) == 0 and main(["list"]) == 0 and cores() >= 1 and memory() is None
print(len(names))
"""


def test_without_what_only_unix_has_everything_can_be_imported(tmp_path):
    """As on Windows: no fork, no SIGHUP, no fcntl. What else differs there, this cannot tell."""
    modules = sorted(UNIX_MODULES - {"select", "msvcrt", "winreg"})
    script = LACKING.format(unix={k: [n for n in v if n != "uname"] for k, v in UNIX.items()}, modules=modules)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) > 150


# ---- files

RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}


def test_no_file_has_a_name_that_a_system_refuses():
    """Windows reserves some, forbids some signs, and takes `a` and `A` for one; its paths have at most 260 letters."""
    root = PACKAGE.parent
    folders = ("tinygrad_llm", "chapters", "tests", "data", "benchmarks", "docs")
    names = [
        p.relative_to(root).as_posix()
        for folder in folders
        for p in (root / folder).rglob("*")
        if "__pycache__" not in p.parts
    ]
    assert len(names) > 800 and max(map(len, names)) < 120
    for name in names:
        for part in name.split("/"):
            assert part.partition(".")[0].lower() not in RESERVED, name
            assert not set(part) & set('<>:"|?*\\') and part[-1] not in ". ", name
    assert len({name.lower() for name in names}) == len(names)


def test_no_file_is_replaced_while_it_is_open():
    """Windows refuses: no `os.replace` or `rename` stands within the `with open(…)` of what it moves."""
    found = []
    for file, tree in TREES.items():
        for block in ast.walk(tree):
            opens = isinstance(block, ast.With) and any("open(" in ast.unparse(item) for item in block.items)
            for node in ast.walk(block) if opens else ():
                if isinstance(node, ast.Call) and dotted(node.func) in ("os.replace", "os.rename", "shutil.move"):
                    found.append(f"{file}:{node.lineno}")
    assert found == []


def test_where_a_text_is_from_a_run_s_folder_is_written_with_slashes(monkeypatch):
    """A run that was begun on Windows goes on elsewhere."""
    monkeypatch.setattr(data, "Path", PureWindowsPath)
    monkeypatch.setattr(data.os.path, "relpath", lambda path, start: "..\\texts\\a.txt")
    assert data.text_places("a.txt", Path("run"))[1] == "../texts/a.txt"
