"""Runs an exercise's checks and reads what they found."""

from __future__ import annotations

import importlib.util
import json
import os
import re
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

LIMIT_S = 3.0
"""A check that computes for longer has a loop that does not end. Starting up is not counted."""
START_S = 60.0
FRAME = re.compile(r'File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)')


@dataclass(frozen=True)
class Outcome:
    """What was found.

    checks   an event a check, in the file's order: {kind, name, line, …}.
    stopped  where the process was when its time was up: {at, function}; None where it came to an end.
    output   what pytest itself printed.
    """

    exercise: Exercise
    file: Path
    test: Path
    checks: list[dict[str, Any]]
    stopped: dict[str, Any] | None
    output: str
    seconds: float

    @property
    def green(self) -> bool:
        """Whether there are checks, and all passed."""
        return bool(self.checks) and self.stopped is None and all(c["kind"] == "passed" for c in self.checks)

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The checks that did not pass."""
        return [c for c in self.checks if c["kind"] != "passed"]


def run(
    course: Course, exercise: Exercise, file: Path | None = None, limit: float = LIMIT_S, debug: bool = False
) -> Outcome:
    """The checks of an exercise on `file`, the learner's own where None.

    debug  in this process and without a limit, so that breakpoint() and debuggers work.

    Raises ConfigError without pytest.
    """
    missing = [name for name in ("pytest", "hypothesis") if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError("exercises", " and ".join(missing), "none", "pip install 'tinygrad_llm[learn]'")
    file = course.own(exercise) if file is None else file
    return watched(course, exercise, file, 0 if debug else limit, _here if debug else _start)


def watched(
    course: Course, exercise: Exercise, file: Path, limit: float, start: Callable[[list[str], Path], str]
) -> Outcome:
    """Starts the child by `start(arguments, root)`, which gives its output, and reads its events."""
    test = course.test(exercise)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        events, stacks = Path(folder) / "events", Path(folder) / "stacks"
        output = start([str(file), str(test), str(events), str(stacks), str(limit)], course.root)
        checks, warnings = [], []
        for event in _events(events):
            if event["kind"] == "warning":
                warnings.append(event["text"])
            else:
                checks.append(event)
        for event in checks:
            event["warned"] = warnings
        stopped = _stopped(stacks, str(file))
    return Outcome(exercise, file, test, checks, stopped, output, time.perf_counter() - begun)


def forked(course: Course, exercise: Exercise, file: Path, limit: float) -> Outcome:
    """The same in a fork of this process, which has imported everything already: for hundreds of runs."""
    return watched(course, exercise, file, limit, _fork)


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
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
                os.chdir(root)
                checks.main(*arguments)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        output.seek(0)
        return output.read().decode(errors="replace")


def _start(arguments: list[str], root: Path) -> str:
    arrays = root / "work" / ".state" / "arrays"
    for old in arrays.glob("*.npy"):
        old.unlink(missing_ok=True)
    environment = child_environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", OPENBLAS_NUM_THREADS="1")
    environment[SAVE_TO] = str(arrays)
    command = [sys.executable, "-m", "tinygrad_llm.course.exercises.child", *arguments]
    limit = START_S + float(arguments[-1])
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, encoding="utf-8", errors="replace", timeout=limit,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        return str(late.stdout or "") + f"\nno end after {limit:.0f} s"
    return done.stdout + done.stderr


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
