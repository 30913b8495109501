"""The lock of a run's folder: one process at a time, and never in the way of anybody after that."""

from __future__ import annotations

import os
import subprocess
import sys
import types

import pytest

from tinygrad_llm.errors import ConfigError, StorageError
from tinygrad_llm.train import lock
from tinygrad_llm.train.lock import claimed, has_run, locked, newest

HOLDS = """
import sys, time
from pathlib import Path
from tinygrad_llm.train.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path / "run")], env=environment, stdout=subprocess.PIPE
    )
    assert process.stdout.readline().startswith(b"held")
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_process_is_refused_until_the_first_has_died(holder, tmp_path):
    with pytest.raises(ConfigError, match=f"got process {holder.pid} on "):
        with locked(tmp_path / "run"):
            pass
    holder.kill()
    holder.wait()
    with locked(tmp_path / "run"):
        assert (tmp_path / "run" / "lock").read_text().startswith(f"process {os.getpid()} on ")


def test_the_lock_ends_with_an_error_too(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


def test_a_file_system_without_locks_does_not_stop_a_run(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def none(*args):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", none)
    with locked(tmp_path / "run"):
        assert (tmp_path / "run").is_dir()


def test_a_free_folder_is_made_and_what_is_there_is_passed_over(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "tales-2").write_text("somebody's")
    assert [claimed(tmp_path / "out" / "tales").name for _ in range(3)] == ["tales", "tales-3", "tales-4"]
    assert [claimed(tmp_path / "out" / "lr0.1").name for _ in range(2)] == ["lr0.1", "lr0.1-2"]
    assert (tmp_path / "out" / "tales-2").read_text() == "somebody's"


def test_where_no_folder_can_be_made_that_is_said(tmp_path):
    (tmp_path / "out").write_text("")
    for make in (claimed, lambda path: locked(path).__enter__()):
        with pytest.raises(StorageError, match="Choose another --out"):
            make(tmp_path / "out" / "tales")


@pytest.mark.parametrize(
    "left", ["log.jsonl", "checkpoint/last", "checkpoint/best", "checkpoint/last.old", "checkpoint/best.new"]
)
def test_whatever_a_run_has_left_counts_as_a_run(left, tmp_path):
    assert not has_run(tmp_path) and newest(tmp_path).name == "last"
    (tmp_path / left).mkdir(parents=True)
    assert has_run(tmp_path)
    assert newest(tmp_path).name == ("best" if "best" in left else "last")


@pytest.mark.parametrize("free", [True, False])
def test_on_windows_the_lock_is_on_a_byte_that_nobody_reads(free, tmp_path, monkeypatch):
    """Its own call, as documented: from where the file stands, and OSError where another process has the byte."""
    asked = []

    def locking(descriptor, mode, count):
        asked.append((os.lseek(descriptor, 0, os.SEEK_CUR), mode, count))
        if not free:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK=2))
    (tmp_path / "lock").write_text("process 1 on a\n", encoding="utf-8")
    with open(tmp_path / "lock", "a+", encoding="utf-8") as file:
        monkeypatch.setattr(lock.os, "name", "nt")
        taken = lock._taken(file)
        monkeypatch.undo()
        assert taken == free
        file.seek(0)
        assert file.read() == "process 1 on a\n"
    assert asked == [(lock.LOCKED_BYTE, 2, 1)] and (tmp_path / "lock").stat().st_size < lock.LOCKED_BYTE
