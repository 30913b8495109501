"""What is saved is on the disk before anything relies on it, and the newest whole one is found, whatever it is called."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tinygrad_llm.errors import CheckpointError, StorageError
from tinygrad_llm.train import checkpoint as module
from tinygrad_llm.train.checkpoint import MANIFEST, exists, load_checkpoint, save_checkpoint


def save(folder: Path, number: int) -> int:
    arrays = {"model": {"w": np.full(2, float(number))}, "optimizer": {"m": np.full(3, -float(number))}}
    return save_checkpoint(folder, arrays, {"state": {"step": number}, "run": {"lr": number / 2}})


def number_in(folder: Path) -> int:
    saved = load_checkpoint(folder)
    number = saved.document("state")["step"]
    assert saved.document("run") == {"lr": number / 2}
    assert (
        saved.group("model")["w"].tolist() == [number] * 2 and saved.group("optimizer")["m"].tolist() == [-number] * 3
    )
    return number


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_everything_is_on_disk_before_the_old_one_is_removed(tmp_path, monkeypatch):
    """Each file whole, then the manifest, the folder's names, the renames, and only then the removal."""
    save(tmp_path / "last", 1)
    told, sizes = [], {}
    fsync, rename, rmtree = os.fsync, os.rename, shutil.rmtree

    def synced(descriptor):
        found = os.fstat(descriptor)
        (path,) = (p for p in (tmp_path, *tmp_path.rglob("*")) if p.stat().st_ino == found.st_ino)
        told.append(f"{path.relative_to(tmp_path.parent).as_posix().removeprefix(tmp_path.name)} synced")
        sizes[path.name] = found.st_size
        fsync(descriptor)

    def renamed(source, target):
        told.append(f"{Path(source).name} → {Path(target).name}")
        rename(source, target)

    def removed(path, **options):
        told.append(f"{Path(path).name} removed")
        rmtree(path, **options)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(shutil, "rmtree", removed)
    save(tmp_path / "last", 2)
    files = ["model.safetensors", "optimizer.safetensors", "run.json", "state.json"]
    assert sorted(told[:4]) == [f"/last.new/{name} synced" for name in files]
    assert told[4:] == [
        f"/last.new/{MANIFEST} synced", "/last.new synced", "last → last.old", "last.new → last", " synced", "last.old removed",
    ]  # fmt: skip
    for path in (tmp_path / "last").iterdir():
        assert sizes[path.name] == path.stat().st_size, f"{path.name} was synced before all of it was written"


@pytest.mark.parametrize("failing", [1, 2])
def test_where_a_rename_fails_the_old_one_is_back_in_its_place(failing, tmp_path, monkeypatch):
    save(tmp_path / "last", 1)
    rename, calls = os.rename, itertools.count(1)

    def refuse(source, target):
        if next(calls) == failing:
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(StorageError, match="input/output error"):
        save(tmp_path / "last", 2)
    assert names(tmp_path) == ["last"] and number_in(tmp_path / "last") == 1


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))), ids=str)
@pytest.mark.parametrize("torn", [None, "last", "last.new", "last.old"])
def test_the_newest_whole_one_is_loaded_and_outlives_the_next_save(order, torn, tmp_path):
    last = tmp_path / "last"
    numbers = dict(zip(("last", "last.new", "last.old"), order))
    for number in (1, 2, 3):
        save(tmp_path / "made", number)
        (name,) = (name for name in numbers if numbers[name] == number)
        shutil.copytree(tmp_path / "made", tmp_path / name)
    shutil.rmtree(tmp_path / "made")
    if torn:
        (tmp_path / torn / "state.json").write_bytes(b"{}")
        del numbers[torn]
    assert exists(last) and number_in(last) == max(numbers.values())
    with pytest.MonkeyPatch.context() as patch:  # tidying alone, and then no room for another
        patch.setattr(
            module, "_write_folder", lambda *args: (_ for _ in ()).throw(OSError(28, "No space left on device"))
        )
        with pytest.raises(StorageError, match="no space left"):
            save(last, 9)
    assert names(tmp_path) == ["last"] and number_in(last) == max(numbers.values())
    assert save(last, 9) == max(numbers.values()) + 1
    assert names(tmp_path) == ["last"] and number_in(last) == 9


@pytest.mark.parametrize("newest", ["last.new", "last.old"])
def test_what_a_crash_left_behind_outlives_a_disk_that_removes_nothing(newest, tmp_path, monkeypatch):
    """Tidying fails: then nothing of what is there was half-made by this save."""
    for number, name in enumerate(sorted(("last.new", "last.old"), key=lambda name: name == newest), 1):
        save(tmp_path / "made", number)
        shutil.copytree(tmp_path / "made", tmp_path / name)
    shutil.rmtree(tmp_path / "made")

    def refuse(path, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(StorageError, match="permission denied"):
        save(tmp_path / "last", 3)
    assert number_in(tmp_path / "last") == 2


def test_saves_are_counted_and_the_count_comes_back(tmp_path):
    assert [save(tmp_path / "a" / "b" / "last", n) for n in (5, 6, 7)] == [1, 2, 3]
    assert load_checkpoint(tmp_path / "a" / "b" / "last").sequence == 3


def test_what_is_not_there_is_named_with_what_is(tmp_path):
    save(tmp_path / "last", 1)
    saved = load_checkpoint(tmp_path / "last")
    assert saved.path == tmp_path / "last"
    for get, name in ((saved.group, "weights.safetensors"), (saved.document, "weights.json")):
        with pytest.raises(CheckpointError, match=rf"{name}, got \['model', 'optimizer'\] and \['run', 'state'\]"):
            get("weights")


def test_a_document_with_a_number_that_json_lacks_is_never_written(tmp_path):
    save(tmp_path / "last", 1)
    with pytest.raises(ValueError, match="JSON"):
        save_checkpoint(tmp_path / "last", {}, {"state": {"best": float("nan")}})
    assert number_in(tmp_path / "last") == 1


@pytest.mark.parametrize(
    "entry", [{"bytes": 5}, {"sha256": "0"}, "text", {"bytes": "5", "sha256": "0"}, {"bytes": 1 << 60, "sha256": "0"}]
)
def test_an_entry_of_a_manifest_that_says_nothing_or_too_much_is_refused(entry, tmp_path):
    save(tmp_path / "last", 1)
    body = {"sequence": 1, "files": {name: entry for name in names(tmp_path / "last") if name != MANIFEST}}
    (tmp_path / "last" / MANIFEST).write_bytes(module._json_bytes({**body, "sha256": module._digest(body)}))
    with pytest.raises(CheckpointError, match=r"bytes and sha256|of memory"):
        load_checkpoint(tmp_path / "last")
