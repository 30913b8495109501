"""A checkpoint survives truncation, flipped bits, death at any moment, and a disk that says no."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm.errors import CheckpointError, StorageError
from tinygrad_llm.train import checkpoint as module
from tinygrad_llm.train.checkpoint import exists, load_checkpoint, save_checkpoint

SYSTEM_CALLS = {
    "mkdir": os,
    "rename": os,
    "fsync": os,
    "open": os,
    "close": os,
    "rmdir": os,
    "unlink": os,
    "replace": os,
}


def save(folder: Path, number: int, size: int = 2) -> None:
    save_checkpoint(folder, {"model": {"w": np.full(size, float(number))}}, {"state": {"step": number}})


def number_in(folder: Path) -> int:
    found = load_checkpoint(folder)
    number = found.documents["state"]["step"]
    np.testing.assert_array_equal(found.arrays["model"]["w"], number)  # never one's weights with the other's step
    return number


@pytest.fixture
def last(tmp_path):
    save(tmp_path / "last", 1)
    return tmp_path / "last"


def files_of(folder: Path):
    return sorted(path for path in folder.iterdir())


def test_the_newer_takes_the_place_of_the_older(last):
    save(last, 2)
    assert number_in(last) == 2 and load_checkpoint(last).sequence == 2
    assert [p.name for p in last.parent.iterdir()] == ["last"]


def test_every_truncation_of_every_file_is_refused(last):
    for path in files_of(last):
        content = path.read_bytes()
        for length in range(len(content)):
            path.write_bytes(content[:length])
            with pytest.raises(CheckpointError):
                load_checkpoint(last)
        path.write_bytes(content)
    assert number_in(last) == 1


def test_every_flipped_bit_of_every_file_is_noticed(last):
    for path in files_of(last):
        content = path.read_bytes()
        for bit in range(8 * len(content)):
            flipped = bytearray(content)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            with pytest.raises(CheckpointError):
                load_checkpoint(last)
        path.write_bytes(content)
    assert number_in(last) == 1


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.long)])
def test_sampled_bits_of_a_larger_one_are_noticed(count, tmp_path):
    save(tmp_path / "last", 1, size=20_000)
    rng = np.random.default_rng(0)
    for _ in range(count):
        path = files_of(tmp_path / "last")[int(rng.integers(3))]
        content = path.read_bytes()
        flipped = bytearray(content)
        bit = int(rng.integers(8 * len(content)))
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(CheckpointError):
            load_checkpoint(tmp_path / "last")
        path.write_bytes(content)


def test_a_damaged_new_one_leaves_the_old_one(last):
    for ending in ("new", "old"):
        beside = last.with_name(f"last.{ending}")
        save(beside, 7)
        (beside / "state.json").write_bytes(b"{}")
        assert number_in(last) == 1
    save(last, 2)
    assert number_in(last) == 2 and [p.name for p in last.parent.iterdir()] == ["last"]


def test_the_newest_whole_one_is_taken(last):
    """What a kill between the two renames leaves, and one between the last rename and the removal."""
    os.rename(last, last.with_name("last.old"))
    assert number_in(last) == 1 and exists(last)
    save(last, 2)
    assert number_in(last) == 2


def count_calls(folder: Path) -> int:
    calls = 0

    def counted(plain):
        def call(*args, **kwargs):
            nonlocal calls
            calls += 1
            return plain(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name, owner in SYSTEM_CALLS.items():
            patch.setattr(owner, name, counted(getattr(owner, name)))
        patch.setattr("builtins.open", counted(open))
        save(folder, 2)
    return calls


def fail_at(patch, moment: int, action) -> None:
    """The moment-th system call does `action` instead."""
    seen = 0

    def wrapped(plain):
        def call(*args, **kwargs):
            nonlocal seen
            seen += 1
            if seen == moment:
                action()
            return plain(*args, **kwargs)

        return call

    for name, owner in SYSTEM_CALLS.items():
        patch.setattr(owner, name, wrapped(getattr(owner, name)))
    patch.setattr("builtins.open", wrapped(open))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_death_at_any_system_call_leaves_the_old_or_the_new_one(tmp_path):
    save(tmp_path / "probe", 1)
    moments = count_calls(tmp_path / "probe")
    assert moments > 12
    seen = set()
    for moment in range(1, moments + 1):
        folder = tmp_path / str(moment) / "last"
        save(folder, 1)
        child = os.fork()
        if child == 0:
            fail_at(pytest.MonkeyPatch(), moment, lambda: os._exit(9))
            save(folder, 2)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (0, 9)
        seen.add(number_in(folder))
        save(folder, 3)  # and the next save finds its way
        assert number_in(folder) == 3
        assert [p.name for p in folder.parent.iterdir()] == ["last"]
    assert seen == {1, 2}


ERRORS = [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EROFS, "Read-only file system"),
          PermissionError(errno.EACCES, "Permission denied"), OSError(errno.EIO, "Input/output error"), MemoryError()]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: getattr(e, "strerror", None) or type(e).__name__)
def test_a_disk_that_says_no_at_any_moment_costs_nothing_saved(error, tmp_path):
    save(tmp_path / "probe", 1)
    moments = count_calls(tmp_path / "probe")
    refused = 0
    for moment in range(1, moments + 1):
        folder = tmp_path / str(moment) / "last"
        save(folder, 1)

        def refuse():
            raise error

        with pytest.MonkeyPatch.context() as patch:
            fail_at(patch, moment, refuse)
            try:
                save(folder, 2)
            except StorageError as found:
                refused += 1
                assert "untouched" in str(found)
        assert number_in(folder) in (1, 2)
        assert not folder.with_name("last.new").exists()
        save(folder, 3)
        assert number_in(folder) == 3
    assert refused >= moments - 4  # the old one need not be read, nor opened for it, nor be removed at once


def test_ctrl_c_at_any_moment_leaves_the_old_or_the_new_one(tmp_path):
    save(tmp_path / "probe", 1)
    for moment in range(1, count_calls(tmp_path / "probe") + 1):
        folder = tmp_path / str(moment) / "last"
        save(folder, 1)

        def interrupt():
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            fail_at(patch, moment, interrupt)
            with pytest.raises(KeyboardInterrupt):
                save(folder, 2)
        assert number_in(folder) in (1, 2)


SAVER = """
import sys, itertools, numpy as np
from tinygrad_llm.train.checkpoint import save_checkpoint
print("ready", flush=True)
for n in itertools.count(1):
    save_checkpoint(sys.argv[1], {"model": {"w": np.full(2000, float(n))}}, {"state": {"step": n}})
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("kills", [8, pytest.param(1000, marks=pytest.mark.long)])
def test_a_real_kill_at_a_random_moment_leaves_a_whole_one(kills, tmp_path):
    rng, before = np.random.default_rng(0), 0
    save(tmp_path / "last", 0, 2000)
    for _ in range(kills):
        process = subprocess.Popen([sys.executable, "-c", SAVER, str(tmp_path / "last")], stdout=subprocess.PIPE)
        with process:
            assert process.stdout.readline() == b"ready\n"
            time.sleep(float(rng.uniform(0, 0.05)))
            process.kill()
        sequence = load_checkpoint(tmp_path / "last").sequence
        number_in(tmp_path / "last")
        assert sequence >= before
        before = sequence


FULL_DISK = """
import resource, signal, sys, numpy as np
from tinygrad_llm.errors import StorageError
from tinygrad_llm.train.checkpoint import load_checkpoint, save_checkpoint
save_checkpoint(sys.argv[1], {"model": {"w": np.ones(100)}}, {"state": {"step": 1}})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    save_checkpoint(sys.argv[1], {"model": {"w": np.ones(10_000)}}, {"state": {"step": 2}})
except StorageError as error:
    print(error)
print(load_checkpoint(sys.argv[1]).documents["state"]["step"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_a_file_that_may_not_grow_is_a_storage_error(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "last")], capture_output=True, text=True, check=True
    )
    message, step = done.stdout.splitlines()
    assert "file too large" in message and "untouched" in message and step == "1"
    assert [p.name for p in tmp_path.iterdir()] == ["last"]


def test_nothing_there_is_said(tmp_path):
    assert not exists(tmp_path / "last")
    with pytest.raises(CheckpointError, match="nothing there"):
        load_checkpoint(tmp_path / "last")


def test_a_file_too_many_is_refused(last):
    (last / "extra.json").write_text("{}")
    with pytest.raises(CheckpointError, match="others"):
        load_checkpoint(last)


def test_windows_has_no_folder_to_sync(last, monkeypatch):
    monkeypatch.setattr(
        module,
        "os",
        type("nt", (), {**{k: getattr(os, k) for k in ("mkdir", "rename", "fsync", "open", "close")}, "name": "nt"}),
    )
    save(last, 2)
    assert number_in(last) == 2
