"""A chapter, run with the learner's functions in the place of the package's.

    python -m tinygrad_llm.course.exercises.mine SCRIPT [flags]        TINYGRAD_LLM_MINE={"target": "file", …}

Each target is replaced as soon as its module has been executed, so that whoever imports it afterwards gets the
learner's. A function of the learner that returns (y, vjp) is made an operation by `@op`, as ours is. And where an
operation was replaced, the fused ones give way to those of `ops/composed.py`: nothing goes round it. Calls are counted;
the last line of the output tells how many there were. Of what a chapter has no use for, course.toml says why.

A Python process that the chapter starts (12: a run that is killed) has the learner's functions too: the two would not
compute the same otherwise. It is told by a sitecustomize.py on its path.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import json
import os
import runpy
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinygrad_llm.course.exercises.catalog import Course, Exercise
from tinygrad_llm.course.exercises.desk import Desk
from tinygrad_llm.course.exercises.loading import module_of
from tinygrad_llm.course.exercises.report import sign
from tinygrad_llm.course.exercises.runner import child_environment

VARIABLE = "TINYGRAD_LLM_MINE"
PACKAGE, OPS = "tinygrad_llm", "tinygrad_llm.ops"
COUNTS = "calls of your functions: "


def chapter_command(course: Course, number: str, flags: list[str], files: dict[str, Path]) -> int:
    """Runs a chapter's script in a process of its own, with the package's functions replaced where `files` says so."""
    script = str(course.chapter(number))
    environment = child_environment()
    if not files:
        return subprocess.run([sys.executable, script, *flags], env=environment).returncode
    environment[VARIABLE] = json.dumps({target: str(file) for target, file in files.items()})
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, script, *flags]
    return subprocess.run(command, env=environment).returncode


def green_files(course: Course, number: str) -> tuple[dict[str, Path], list[str]]:
    """The learner's green functions up to a chapter, by target, and a line on each exercise of that chapter."""
    desk = Desk(course)
    files = {e.target: course.own(e) for e in course.exercises if e.target and e.chapter <= number and desk.done(e)}
    return files, [_line(e, desk.done(e)) for e in course.of_chapter(number)]


def _line(exercise: Exercise, done: bool) -> str:
    if exercise.not_used:
        return f"{exercise.id} {exercise.name}: not used. {exercise.not_used}"
    return f"{exercise.id} {exercise.name}: " + (f"yours {sign(True)}" if done else "reference (not green)")


class Replacing(importlib.abc.MetaPathFinder):
    """Puts the learner's functions in place while the package is imported."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files, self.calls = files, dict.fromkeys(files, 0)
        self.modules = {target.rpartition(".")[0] for target in files}
        if any(module.startswith(OPS) for module in self.modules):
            self.modules.add(OPS)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The usual spec, whose loader then lets us change the module."""
        if name not in self.modules:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: types.ModuleType) -> None:
                execute(module)
                self.change(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def change(self, module: types.ModuleType) -> None:
        """Replaces what the module defines, or, in `ops` itself, what is fused."""
        for target, file in self.files.items():
            home, _, name = target.rpartition(".")
            if home == module.__name__:
                setattr(module, name, self.made(getattr(module, name), name, target, file))
        if module.__name__ == OPS:
            own = {target.rpartition(".")[2] for target in self.files if target.startswith(OPS)}
            for name, function in vars(module.composed).items():
                fused = isinstance(function, types.FunctionType) and function.__module__ == f"{OPS}.composed"
                if fused and name not in own:
                    setattr(module, name, function)

    def made(self, ours: Any, name: str, target: str, file: str) -> Any:
        """The learner's function, counted, and an operation where ours is one."""
        theirs = getattr(module_of(file, f"mine_{name}"), name)
        if isinstance(theirs, type):
            return self._counted_class(theirs, target)
        counted = self._counted(theirs, target)
        if hasattr(ours, "array"):
            from tinygrad_llm.autograd.op import op

            counted = op(counted)
        return counted

    def _counted(self, function: Callable[..., Any], target: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def count(*args: Any, **options: Any) -> Any:
            self.calls[target] += 1
            return function(*args, **options)

        return count

    def _counted_class(self, theirs: type, target: str) -> type:
        calls = self.calls

        def count(instance: Any, *args: Any, **options: Any) -> None:
            calls[target] += 1
            begin(instance, *args, **options)

        begin = vars(theirs).get("__init__", object.__init__)
        setattr(theirs, "__init__", count)  # noqa: B010 - of the class itself: it makes its own instances too
        return theirs


def put_in_place() -> Replacing:
    """From now on whoever imports the package gets the learner's functions, which the environment names."""
    replacing = Replacing(json.loads(os.environ[VARIABLE]))
    sys.meta_path.insert(0, replacing)
    for name in [n for n in sys.modules if n.split(".")[0] == PACKAGE]:
        del sys.modules[name]  # what we needed to get here is imported anew, with the learner's functions in place
    return replacing


def main(argv: list[str]) -> None:
    """Runs the script as if it had been started, and says how often each function was called."""
    replacing = put_in_place()
    sys.argv = argv
    with tempfile.TemporaryDirectory() as folder:
        text = f"from {__spec__.name} import put_in_place\n\nput_in_place()\n"
        Path(folder, "sitecustomize.py").write_text(text, encoding="utf-8")
        os.environ["PYTHONPATH"] = os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")])
        try:
            runpy.run_path(argv[0], run_name="__main__")
        finally:
            counts = {target.rpartition(".")[2]: count for target, count in replacing.calls.items()}
            print(COUNTS + json.dumps(counts), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
