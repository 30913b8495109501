"""One exercise's checks, in a process of their own: pytest with one plugin, which writes what it finds as JSON lines.

    python -m tinygrad_llm.course.exercises.child FILE TEST EVENTS STACKS LIMIT KNOWN

Only FILE is the learner's; all else is the reference, so red is always about FILE. The plugin is named to pytest
directly, and no others are looked for (PYTEST_DISABLE_PLUGIN_AUTOLOAD=1), which makes the start three times faster.
"""

from __future__ import annotations

import bdb
import faulthandler
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

import pytest

from tinygrad_llm.course.exercises.calls import Expectation, Raised
from tinygrad_llm.course.exercises.loading import Mine, MissingName
from tinygrad_llm.course.exercises.reasons import Check, mistakes, reason
from tinygrad_llm.course.exercises.seal import Seal
from tinygrad_llm.course.exercises.show import safe_repr
from tinygrad_llm.course.todo import Todo

WAITING = 5
"""How many times the limit may pass for something that waits."""


class Plugin:
    """Gives the checks their `mine`, and writes events: how many checks there are, and of each its beginning and end.

    What it writes to is opened before the learner's file is executed, and its name is not handed on. A process that the
    learner's code forks writes nothing.
    """

    def __init__(self, file: str, events: str, restart: Callable[[], None]) -> None:
        self.file, self.events, self.restart = file, open(events, "a", encoding="utf-8"), restart
        self.process, self.seal = os.getpid(), Seal()
        self.checks: list[Check] = []

    @pytest.fixture(scope="session")
    def mine(self) -> Mine:
        """The learner's file, executed."""
        return Mine(self.file)

    def pytest_collection_finish(self, session):
        """Nothing of the learner's has been executed yet: now are checks counted, and kept what they compare with."""
        self._write(kind="count", count=len(session.items))
        self.seal = Seal()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        """A check begins, and has its own time."""
        self._write(kind="begun", name=_name(item), line=item.location[1] + 1)
        self.restart()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        """An interrupt that the learner's code raises is an error like others, not the end of all checks."""
        try:
            return (yield)
        except KeyboardInterrupt as error:
            raise Raised("") from error

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """One event for what decides: the call, or a set-up that failed."""
        report = yield
        if call.when == "call" or (call.when == "setup" and call.excinfo):
            error = None if call.excinfo is None else call.excinfo.value
            replaced = self.seal.broken() if error is None else ""
            finding = self._finding(error) if error is not None else {"kind": "passed"}
            if replaced:
                finding = {"kind": "replaced", "what": replaced}
            printed = dict(report.sections).get("Captured stdout call", "")
            self._write(
                name=_name(item),
                line=item.location[1] + 1,
                printed=printed,
                warned=self._warned(getattr(error, "warned", ())),
                **finding,
            )
            if call.when == "call":
                self.checks.append(_check(item, error))
        return report

    def pytest_collectreport(self, report):
        """A test file that cannot be read is our fault, and is said so."""
        if report.failed:
            self._write(kind="broken", text=str(report.longrepr))

    def done(self) -> None:
        """All checks have come to an end; what follows is about them."""
        self._write(kind="done")

    def say_why(self, folder: Path) -> None:
        """Tries the known mistakes in `folder` on what is red."""
        if any(check.error is not None for check in self.checks):
            self._write(kind="reason", text=reason(self.checks, mistakes(folder)))

    def _write(self, **event: Any) -> None:
        if os.getpid() == self.process:
            self.events.write(json.dumps(event, ensure_ascii=True, default=safe_repr) + "\n")
            self.events.flush()

    def _warned(self, said: Iterable[tuple[str, int, str]]) -> list[str]:
        """NumPy's warnings during the call that is shown, of lines of the learner's own."""
        return [f"{text} (line {line})" for file, line, text in said if file == self.file]

    def _finding(self, error: BaseException) -> dict[str, Any]:
        if isinstance(error, Expectation):
            return {
                "kind": "expectation", "called": error.called, "got": error.got, "expected": error.expected,
                "differs": error.differs,
            }  # fmt: skip
        if isinstance(error, MissingName):
            return {"kind": "missing", "wanted": error.wanted, "near": error.near, "at": error.line}
        called, cause = (error.called, error.__cause__) if isinstance(error, Raised) else ("", error)
        assert cause is not None
        if isinstance(cause, Todo | NotImplementedError):
            return {"kind": "todo", "at": self._line_of(cause), "text": _text(cause)}
        if isinstance(cause, SyntaxError) and cause.filename == self.file:
            return {"kind": "syntax", "at": cause.lineno, "text": cause.msg, "source": (cause.text or "").rstrip()}
        where = self._last_frame(cause)
        if isinstance(cause, bdb.BdbQuit):
            return {"kind": "breakpoint", **where}
        words = _text(cause) or "no message"
        return {"kind": "raised", "called": called, "error": f"{type(cause).__name__}: {words}", **where}

    def _line_of(self, error: BaseException) -> int | None:
        return self._last_frame(error).get("at")

    def _last_frame(self, error: BaseException) -> dict[str, Any]:
        """The deepest line of the learner's own file."""
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if frame.filename == self.file:
                return {"at": frame.lineno, "function": frame.name, "source": (frame.line or "").strip()}
        return {}


def _name(item: Any) -> str:
    return item.name.removeprefix("test_").replace("_", " ")


def _check(item: Any, error: BaseException | None) -> Check:
    """The check, so that it can be made again with other functions."""
    names = item._fixtureinfo.argnames
    given = {name: item.funcargs[name] for name in names}
    function = item.obj
    return Check(lambda mine: function(**{**given, **({"mine": mine} if "mine" in given else {})}), error)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as other:
        return f"(its message raised {type(other).__name__})"


def _learner_profile() -> None:
    """Small, repeatable cases.  Set before the checks are read, if they use hypothesis at all."""
    from hypothesis import Phase, settings

    settings.register_profile(
        "learner", derandomize=True, database=None, deadline=None, max_examples=50, report_multiple_bugs=False,
        print_blob=False, phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )  # fmt: skip
    settings.load_profile("learner")


class Watch:
    """Ends this process once a check has computed for `limit` seconds, its stacks written to `where`.

    Seconds of computing, since on a busy machine a quick check lasts long; each check has its own. What waits, or
    computes without letting another thread run, is ended after `WAITING` times as many seconds. A limit of 0 is none.
    """

    def __init__(self, limit: float, where: TextIO) -> None:
        self.limit, self.where, self.finished = limit, where, threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.restart()
        if limit:
            self.thread.start()

    def restart(self) -> None:
        """The time begins anew."""
        self.end = time.process_time() + self.limit
        if self.limit:
            faulthandler.dump_traceback_later(WAITING * self.limit, exit=True, file=self.where)

    def call_off(self) -> None:
        """Nothing is ended any more."""
        self.finished.set()
        if self.limit:
            self.thread.join()
            faulthandler.cancel_dump_traceback_later()

    def _look(self) -> None:
        while not self.finished.wait(0.05):
            if time.process_time() > self.end:
                self.where.write("Timeout\n")
                self.where.flush()
                faulthandler.dump_traceback(self.where)
                os._exit(1)


def main(file: str, test: str, events: str, stacks: str, limit: str, known: str) -> int:
    """Runs the checks; the exit status is pytest's.

    After `limit` seconds of computing in one check it ends, and `stacks` says where it was. With a limit of 0 it takes
    its time, and what is printed is shown at once: somebody looks at it step by step. `known` is the folder of known
    mistakes; without one, the first red check ends it.
    """
    with open(stacks, "w", encoding="utf-8") as where:
        watch = Watch(float(limit), where)
        if "hypothesis" in Path(test).read_text(encoding="utf-8"):
            _learner_profile()
        options = ["-q", "--tb=short", "--no-header", "-p", "no:cacheprovider", "--assert=plain"]
        options += ["-o", "addopts=", "-o", "filterwarnings=default", "-o", "pythonpath="]
        own = str(Path(test).parent)  # what lies around it, as a project with an environment in it, has no say
        options += ["-c", os.devnull, "--rootdir", own, "--confcutdir", own]
        options += ["-p", "no:faulthandler"]  # pytest's own would call our watchdog off at the first red check
        if not float(limit):
            options += ["--capture=no"]
        if not known:
            options += ["--exitfirst"]
        plugin = Plugin(file, events, watch.restart)
        status = int(pytest.main([*options, test], plugins=[plugin]))
        plugin.done()
        watch.restart()
        if known:
            plugin.say_why(Path(known))
        watch.call_off()
    return status


if __name__ == "__main__":
    arguments = sys.argv[1:]
    del sys.argv[1:]  # where the events go is no business of the learner's file
    sys.exit(main(*arguments))
