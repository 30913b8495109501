"""Work done in forks, some at a time, each with a folder of its own for temporary files and a limit of processor time."""

from __future__ import annotations

import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REAL_STDERR = os.dup(2)
"""Where a fork, which is silent, says what its parent should read."""


@dataclass
class Ended:
    """What a fork left."""

    task: Any
    answer: Any
    """None where it ended without one."""
    out_of_time: bool
    seconds: float
    """Processor time, that of the processes it waited for with it."""


def forked(tasks: Iterable, work: Callable[[Any], Any], jobs: int, limit_s: float) -> Iterator[Ended]:
    """`work(task)` for each, in the order in which they end."""
    waiting, running = iter(tasks), {}
    try:
        while True:
            while len(running) < jobs and (task := next(waiting, running)) is not running:
                folder = tempfile.mkdtemp()
                sys.stdout.flush()  # what the buffer holds would be written twice
                child = os.fork()
                if child == 0:
                    _work(work, task, Path(folder), limit_s)
                running[child] = task, Path(folder)
            if not running:
                return
            child, status, used = os.wait4(-1, 0)
            if child in running:
                yield _ended(child, status, used, *running.pop(child))
    finally:
        for child, (_, folder) in running.items():
            _end_group(child, signal.SIGTERM)
            shutil.rmtree(folder, ignore_errors=True)


def end_forks_with_me() -> None:
    """The process that is asked to end asks those that it made."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def limit(seconds: float) -> None:
    """The process ends after so much processor time from now: a busy machine finds no more than an idle one."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _work(work: Callable[[Any], Any], task: Any, folder: Path, limit_s: float) -> None:
    """The child's life."""
    code = 1
    try:
        os.setpgid(0, 0)
        for number in (0, 1, 2):
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        for number in (signal.SIGPROF, signal.SIGALRM, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        limit(limit_s)
        signal.alarm(int(10 * limit_s))  # one that sleeps for ever
        tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
        answer = pickle.dumps(work(task))
        (folder / "answer.part").write_bytes(answer)
        os.rename(folder / "answer.part", folder / "answer")
        code = 0
    except BaseException:
        os.write(REAL_STDERR, traceback.format_exc(limit=0).encode())
    finally:
        os._exit(code)


def _ended(child: int, status: int, used: resource.struct_rusage, task: Any, folder: Path) -> Ended:
    _end_group(child, signal.SIGKILL)  # what it started and did not wait for
    path = folder / "answer"
    answer = pickle.loads(path.read_bytes()) if path.is_file() else None
    shutil.rmtree(folder, ignore_errors=True)
    by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return Ended(task, answer, by in (signal.SIGPROF, signal.SIGALRM), used.ru_utime + used.ru_stime)


def _end_group(child: int, by: signal.Signals) -> None:
    try:
        os.killpg(child, by)
    except (ProcessLookupError, PermissionError):
        pass
