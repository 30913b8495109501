"""One process at a time writes into a run's folder.

The lock is the operating system's, on a file `lock` in the folder: it ends with the process, however that ends, so a
dead one's is simply taken over. What the file holds is only for people: who it is.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tinygrad_llm.errors import ConfigError, StorageError, reason
from tinygrad_llm.train.checkpoint import exists

NAME = "lock"
CHECKPOINTS = ("last", "best")
LOCKED_BYTE = 1 << 30
"""Windows locks bytes, and those can then not be read: one that the file does not have."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Makes the folder and holds it.  Raises ConfigError where another process does, StorageError where none can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / NAME, "a+", encoding="utf-8")
    except OSError as error:
        next_step = "Choose another --out."
        raise StorageError(str(folder), "a folder that can be written", reason(error), next_step) from error
    with file:
        if not _taken(file):
            file.seek(0)
            holder = file.read().strip() or "another process"
            next_step = "Wait for it, stop it, or choose another --out."
            raise ConfigError(str(folder), "a folder that no other run is writing to", holder, next_step)
        with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            file.flush()
        yield


def _taken(file: IO[str]) -> bool:
    """Whether the lock is ours now; true, too, on a file system that knows no locks."""
    if os.name == "nt":
        import msvcrt

        os.lseek(file.fileno(), LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def has_run(folder: Path) -> bool:
    """Whether a run has left anything there that a new one would add to or overwrite."""
    return (folder / "log.jsonl").exists() or any(exists(folder / "checkpoint" / name) for name in CHECKPOINTS)


def newest(folder: Path) -> Path:
    """What a run goes on from: its checkpoint/last, or checkpoint/best where that is all there is."""
    last, best = (folder / "checkpoint" / name for name in CHECKPOINTS)
    return best if exists(best) and not exists(last) else last


def claimed(wanted: Path) -> Path:
    """`wanted`, or `wanted-2` and so on: the first that is not there, made in the same moment, so nobody else has it.

    Raises StorageError where no folder can be made.
    """
    for number in itertools.count(1):
        path = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
        except FileExistsError:
            if not path.parent.is_dir():
                raise StorageError(str(path.parent), "a folder", "a file", "Choose another --out.") from None
            continue
        except OSError as error:
            next_step = "Choose another --out."
            raise StorageError(str(path), "a folder that can be written", reason(error), next_step) from error
        return path
    raise AssertionError("numbers do not end")
