"""Runs an exercise's checks and reads what they found."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygrad_llm.course.exercises.catalog import Course, Exercise
from tinygrad_llm.course.exercises.show import SAVE_TO
from tinygrad_llm.errors import ConfigError
from tinygrad_llm.extras import install

LIMIT_S = 3.0
"""A check that computes for longer has a loop that does not end. Starting up is not counted."""
LONGEST_S = 600.0
"""For a process that does not even end itself: each check has its own limit, and there is a time for starting up."""
MARK = "TINYGRAD_LLM_CHECK"
"""Environment variable by which the processes that an answer starts are known."""
FRAME = re.compile(r'File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)')


@dataclass(frozen=True)
class Outcome:
    """What was found.

    count    the number of checks that the exercise has, counted before the learner's file was executed.
    checks   an event a check, in the file's order: {kind, name, line, …}.
    reason   what the first red check's answer comes of, where that is known; else "".
    stopped  where the process was when its time was up: {at, function}; None where it came to an end.
    output   what pytest itself printed.
    """

    exercise: Exercise
    file: Path
    test: Path
    count: int
    checks: list[dict[str, Any]]
    reason: str
    stopped: dict[str, Any] | None
    output: str
    seconds: float

    @property
    def green(self) -> bool:
        """Whether there are checks, and as many passed as there are."""
        passed = sum(c["kind"] == "passed" for c in self.checks)
        return self.stopped is None and 0 < passed == self.count == len(self.checks)

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The checks that did not pass."""
        return [c for c in self.checks if c["kind"] != "passed"]


def run(
    course: Course,
    exercise: Exercise,
    file: Path | None = None,
    limit: float = LIMIT_S,
    explain: bool = True,
    debug: bool = False,
) -> Outcome:
    """The checks of an exercise on `file`, the learner's own where None.

    debug  in this process and without a limit, so that breakpoint() and debuggers work.

    Raises ConfigError without pytest.
    """
    missing = [name for name in ("pytest", "hypothesis") if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError("exercises", " and ".join(missing), "none", install("learn"))
    file = course.own(exercise) if file is None else file
    return watched(course, exercise, file, 0 if debug else limit, _here if debug else _start, explain)


def watched(
    course: Course, exercise: Exercise, file: Path, limit: float, start: Callable[[list[str], Path], str],
    explain: bool = True,
) -> Outcome:  # fmt: skip
    """Starts the child by `start(arguments, root)`, which gives its output, and reads its events.

    explain  whether all checks are made and the reason is looked for; else the first red check ends it.
    """
    test = course.test(exercise)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        events, stacks = Path(folder) / "events", Path(folder) / "stacks"
        known = course.home / "mutants" / exercise.id if explain else ""
        output = start([str(file), str(test), str(events), str(stacks), str(limit), str(known)], course.root)
        found = _events(events)
        done = any(event["kind"] == "done" for event in found)
        stopped = None if done else _stopped(stacks, str(file))
    count = next((event["count"] for event in found if event["kind"] == "count"), 0)
    why = next((event["text"] for event in found if event["kind"] == "reason"), "")
    checks = _checks(found, stopped is not None)
    return Outcome(exercise, file, test, count, checks, why, stopped, output, time.perf_counter() - begun)


def _checks(found: list[dict[str, Any]], stopped: bool) -> list[dict[str, Any]]:
    """The events of checks; in one that began and did not end, though nobody stopped it, the process ended."""
    checks = [event for event in found if event["kind"] not in ("count", "begun", "done", "reason")]
    begun = [event for event in found if event["kind"] == "begun"]
    ended = {event.get("line") for event in checks}
    if begun and begun[-1]["line"] not in ended and not stopped:
        checks.append({**begun[-1], "kind": "ended", "warned": []})
    return checks


def forked(course: Course, exercise: Exercise, file: Path, limit: float, explain: bool) -> Outcome:
    """The same in a fork of this process, which has imported everything already: for hundreds of runs."""
    return watched(course, exercise, file, limit, _fork, explain)


def _here(arguments: list[str], root: Path) -> str:
    from tinygrad_llm.course.exercises import child as checks

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    checks.main(*arguments)
    return ""


def _fork(arguments: list[str], root: Path) -> str:
    from tinygrad_llm.course.exercises import child as checks  # needs pytest, which an installation may lack

    with tempfile.TemporaryFile() as output:
        if (child := os.fork()) == 0:
            try:
                os.setsid()
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
                os.chdir(root)
                checks.main(*arguments)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        _end_group(child)
        output.seek(0)
        return output.read().decode(errors="replace")


def _start(arguments: list[str], root: Path) -> str:
    arrays = root / "work" / ".state" / "arrays"
    for old in arrays.glob("*.npy"):
        old.unlink(missing_ok=True)
    environment = child_environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", OPENBLAS_NUM_THREADS="1")
    environment[SAVE_TO] = str(arrays)
    environment[MARK] = mark = secrets.token_hex(16)
    command = [sys.executable, "-m", "tinygrad_llm.course.exercises.child", *arguments]
    with tempfile.TemporaryFile() as output:  # no pipe: what the answer started may hold its other end for ever
        child = subprocess.Popen(
            command, cwd=root, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        late = ""
        try:
            child.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            late = f"\nno end after {LONGEST_S:.0f} s"
        finally:
            _end_group(child.pid)
            child.kill()
            child.wait()
            _end_marked(mark)
        output.seek(0)
        return output.read().decode(errors="replace") + late


def _end_group(leader: int) -> None:
    """Ends what a process started, itself included, where the system has groups of processes."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def _end_marked(mark: str) -> None:
    """Ends what left the group, where the system shows the environments of processes."""
    wanted = f"{MARK}={mark}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)


def child_environment(**more: str) -> dict[str, str]:
    """Ours, with this very package on the path, wherever the child is started."""
    package = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    return dict(os.environ, PYTHONUTF8="1", PYTHONPATH=path, **more)


def _events(path: Path) -> list[dict[str, Any]]:
    """Those that can be read; a last line that was torn is left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return found


def _stopped(path: Path, file: str) -> dict[str, Any] | None:
    """The innermost frame in the learner's file, of the stack that was written when the time was up."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    if "Timeout" not in text:
        return None
    frames = [match.groupdict() for match in map(FRAME.search, text.splitlines()) if match]
    own = [frame for frame in frames if frame["file"] == file]
    return {"at": int(own[0]["line"]), "function": own[0]["function"]} if own else {}
