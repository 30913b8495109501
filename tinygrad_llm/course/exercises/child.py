"""One exercise's checks, in a process of their own: pytest with one plugin, which writes what it finds as JSON lines.

    python -m tinygrad_llm.course.exercises.child FILE TEST EVENTS STACKS LIMIT

Only FILE is the learner's; all else is the reference, so red is always about FILE. The plugin is named to pytest
directly, and no others are looked for (PYTEST_DISABLE_PLUGIN_AUTOLOAD=1), which makes the start three times faster.
"""

from __future__ import annotations

import ast
import bdb
import difflib
import faulthandler
import json
import os
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import pytest

from tinygrad_llm.course.exercises.calls import Expectation, Raised
from tinygrad_llm.course.todo import Todo

WAITING = 5
"""How many times the limit may pass for something that waits."""


class Mine:
    """The learner's file as the fixture `mine`: its functions are attributes."""

    def __init__(self, file: str) -> None:
        self._file, self._module = file, types.ModuleType("mine")
        self._module.__file__ = file
        source = Path(file).read_text(encoding="utf-8")
        exec(compile(source, file, "exec"), self._module.__dict__)

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._module, name)
        except AttributeError:
            raise MissingName(name, _defined(self._file)) from None


class MissingName(AttributeError):
    """A check asks for a function that the learner's file does not define."""

    def __init__(self, name: str, defined: dict[str, int]) -> None:
        super().__init__(name)
        near = difflib.get_close_matches(name, defined, 1)
        self.wanted, self.near, self.line = name, near[0] if near else None, defined[near[0]] if near else None


class Plugin:
    """Gives the checks their `mine`, and writes an event a check."""

    def __init__(self, file: str, events: str) -> None:
        self.file, self.events = file, open(events, "a", encoding="utf-8")
        self.warnings: list[str] = []

    @pytest.fixture(scope="session")
    def mine(self) -> Mine:
        """The learner's file, executed."""
        return Mine(self.file)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """One event for what decides: the call, or a set-up that failed."""
        report = yield
        if call.when == "call" or (call.when == "setup" and call.excinfo):
            finding = {"kind": "passed"} if call.excinfo is None else self._finding(call.excinfo.value)
            printed = dict(report.sections).get("Captured stdout call", "")
            self._write(
                name=item.name.removeprefix("test_").replace("_", " "),
                line=item.location[1] + 1,
                printed=printed,
                warned=self.warnings,
                **finding,
            )
            self.warnings = []
        return report

    def pytest_warning_recorded(self, warning_message):
        """NumPy's warnings say where an overflow began."""
        if str(warning_message.filename) == self.file:
            text = f"{warning_message.message} (line {warning_message.lineno})"
            self._write(kind="warning", text=text)

    def pytest_collectreport(self, report):
        """A test file that cannot be read is our fault, and is said so."""
        if report.failed:
            self._write(kind="broken", text=str(report.longrepr))

    def _write(self, **event: Any) -> None:
        self.events.write(json.dumps(event, ensure_ascii=True, default=str) + "\n")
        self.events.flush()

    def _finding(self, error: BaseException) -> dict[str, Any]:
        if isinstance(error, Expectation):
            return {
                "kind": "expectation", "called": error.called, "got": error.got, "expected": error.expected,
                "meaning": error.meaning,
            }  # fmt: skip
        if isinstance(error, MissingName):
            return {"kind": "missing", "wanted": error.wanted, "near": error.near, "at": error.line}
        called, cause = (error.called, error.__cause__) if isinstance(error, Raised) else ("", error)
        assert cause is not None
        if isinstance(cause, Todo | NotImplementedError):
            return {"kind": "todo", "at": self._line_of(cause), "text": str(cause)}
        if isinstance(cause, SyntaxError) and cause.filename == self.file:
            return {"kind": "syntax", "at": cause.lineno, "text": cause.msg, "source": (cause.text or "").rstrip()}
        where = self._last_frame(cause)
        if isinstance(cause, bdb.BdbQuit):
            return {"kind": "breakpoint", **where}
        words = str(cause) or "no message"
        return {"kind": "raised", "called": called, "error": f"{type(cause).__name__}: {words}", **where}

    def _line_of(self, error: BaseException) -> int | None:
        return self._last_frame(error).get("at")

    def _last_frame(self, error: BaseException) -> dict[str, Any]:
        """The deepest line of the learner's own file."""
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if frame.filename == self.file:
                return {"at": frame.lineno, "function": frame.name, "source": (frame.line or "").strip()}
        return {}


def _defined(file: str) -> dict[str, int]:
    """The functions and classes of a file, with their lines."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {n.name: n.lineno for n in ast.parse(Path(file).read_text(encoding="utf-8")).body if isinstance(n, kinds)}


def _learner_profile() -> None:
    """Small, repeatable cases.  Set before the checks are read, if they use hypothesis at all."""
    from hypothesis import Phase, settings

    settings.register_profile(
        "learner", derandomize=True, database=None, deadline=None, max_examples=50, report_multiple_bugs=False,
        print_blob=False, phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )  # fmt: skip
    settings.load_profile("learner")


def _watch(limit: float, where: TextIO) -> Callable[[], None]:
    """Ends this process once it has computed for `limit` seconds, its stacks written to `where`; what calls that off.

    Seconds of computing, since on a busy machine a quick check lasts long. What waits, or computes without letting
    another thread run, is ended after `WAITING` times as many seconds.
    """
    faulthandler.dump_traceback_later(WAITING * limit, exit=True, file=where)
    finished, end = threading.Event(), time.process_time() + limit

    def watch() -> None:
        while not finished.wait(0.05):
            if time.process_time() > end:
                where.write("Timeout\n")
                where.flush()
                faulthandler.dump_traceback(where)
                os._exit(1)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()

    def call_off() -> None:
        finished.set()
        thread.join()
        faulthandler.cancel_dump_traceback_later()

    return call_off


def main(file: str, test: str, events: str, stacks: str, limit: str) -> int:
    """Runs the checks; the exit status is pytest's.

    After `limit` seconds of computing it ends, and `stacks` says where it was. With a limit of 0 it takes its time, and
    what is printed is shown at once: somebody looks at it step by step.
    """
    with open(stacks, "w", encoding="utf-8") as where:
        done = _watch(float(limit), where) if float(limit) else None
        if "hypothesis" in Path(test).read_text(encoding="utf-8"):
            _learner_profile()
        options = ["-q", "--tb=short", "--no-header", "-p", "no:cacheprovider", "--assert=plain"]
        options += ["-o", "addopts=", "-o", "filterwarnings=default", "-o", "pythonpath="]
        options += ["-p", "no:faulthandler"]  # pytest's own would call our watchdog off at the first red check
        if not float(limit):
            options += ["--capture=no"]
        status = int(pytest.main([*options, test], plugins=[Plugin(file, events)]))
        if done is not None:
            done()
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
