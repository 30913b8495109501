"""Checkpoints that survive anything: a power cut, a full disk, a flipped bit.

A checkpoint is a folder of files and a manifest with the SHA-256 of each, written last. It is made beside the old one
and then put in its place by two renames, since no rename can replace a folder that is not empty:

    write last.new  →  fsync  →  last → last.old  →  last.new → last  →  remove last.old

Whatever moment the process dies at, one of the three names holds a whole checkpoint: the old one or the new one. The
loader takes the newest whose manifest holds.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.errors import CheckpointError, StorageError, TinygradLLMError, reason
from tinygrad_llm.files import MOST_TEXT, memory, read_regular
from tinygrad_llm.models.weights import parse_json, parse_weights, weights_bytes

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Checkpoint:
    """arrays and documents as they were saved, by file name without its ending; sequence counts the saves."""

    arrays: dict[str, dict[str, np.ndarray]]
    documents: dict[str, dict[str, Any]]
    sequence: int
    path: Path

    def group(self, name: str) -> dict[str, np.ndarray]:
        """arrays[name].  Raises CheckpointError where there is none."""
        return self._found(self.arrays, name, "safetensors")

    def document(self, name: str) -> dict[str, Any]:
        """documents[name].  Raises CheckpointError where there is none."""
        return self._found(self.documents, name, "json")

    def _found(self, among: Mapping[str, Any], name: str, ending: str) -> Any:
        if name not in among:
            got = f"{sorted(self.arrays)} and {sorted(self.documents)}"
            raise CheckpointError(str(self.path), f"{name}.{ending}", got, "Is it the checkpoint of a run?")
        return among[name]


def save_checkpoint(
    folder: str | Path, arrays: Mapping[str, Mapping[str, np.ndarray]], documents: Mapping[str, Mapping[str, Any]]
) -> int:
    """Puts a new checkpoint in the place of the old one: arrays[NAME] → NAME.safetensors, documents[NAME] → NAME.json.

    Returns its number, which counts the saves.

    Raises StorageError where the disk refuses; the old checkpoint is then untouched, and nothing half-made is left.
    """
    last = Path(folder)
    new, is_tidy = _sibling(last, "new"), False
    try:
        last.parent.mkdir(parents=True, exist_ok=True)
        sequence, is_tidy = _tidy(last) + 1, True
        contents: dict[str, Callable[[], bytes]] = {}
        for name, group in arrays.items():
            contents[f"{name}.safetensors"] = lambda group=group: weights_bytes(group)  # type: ignore[misc]
        for name, document in documents.items():
            contents[f"{name}.json"] = lambda document=document: _json_bytes(document)  # type: ignore[misc]
        _write_folder(new, contents, sequence)
        _put_in_place(last)
    except (OSError, MemoryError) as error:
        if is_tidy:  # before, it may be what a crash left behind, and the newest whole one
            _remove_quietly(new)
        if not last.exists() and _sibling(last, "old").exists():
            _rename_quietly(_sibling(last, "old"), last)
        next_step = "Free space or choose another --out; what was saved before is untouched."
        raise StorageError(str(last), "room for a checkpoint", reason(error), next_step) from error
    return sequence


def load_checkpoint(folder: str | Path) -> Checkpoint:
    """The newest whole checkpoint among `folder`, its .new and its .old.

    Raises CheckpointError that says what is wrong with each where none is whole.
    """
    last = Path(folder)
    candidates, problems = [], []
    for path in (last, _sibling(last, "new"), _sibling(last, "old")):
        if path.exists():
            try:
                candidates.append(_read_folder(path))
            except TinygradLLMError as error:
                problems.append(str(error))
    if not candidates:
        got = " ".join(problems) if problems else "nothing there"
        raise CheckpointError(str(last), "a whole checkpoint", got, "Is the path right? Is there a backup?")
    return max(candidates, key=lambda c: c.sequence)


def exists(folder: str | Path) -> bool:
    """Whether anything of a checkpoint is there, whole or not."""
    return any(path.exists() for path in (Path(folder), _sibling(Path(folder), "new"), _sibling(Path(folder), "old")))


def _sibling(last: Path, ending: str) -> Path:
    return last.with_name(f"{last.name}.{ending}")


def _json_bytes(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=1, allow_nan=False).encode("utf-8")


def _write_folder(folder: Path, contents: Mapping[str, Callable[[], bytes]], sequence: int) -> None:
    """The files one after the other, each held in memory once, and the manifest last."""
    os.mkdir(folder)
    files = {}
    for name, content in contents.items():
        data = content()
        files[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        _write_file(folder / name, data)
    body: dict[str, Any] = {"sequence": sequence, "files": files}
    body["sha256"] = _digest(body)  # of the manifest itself
    _write_file(folder / MANIFEST, _json_bytes(body))
    _sync_folder(folder)


def _digest(body: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in body.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode("utf-8")).hexdigest()


def _write_file(path: Path, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Makes renames and new names in a folder durable; Windows has no such call, and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_in_place(last: Path) -> None:
    """last.new is whole by now."""
    old, new = _sibling(last, "old"), _sibling(last, "new")
    if last.exists():
        os.rename(last, old)
    os.rename(new, last)
    _sync_folder(last.parent)
    if old.exists():
        shutil.rmtree(old)


def _tidy(last: Path) -> int:
    """Puts right what a crash has left behind, so that `last` is the newest whole one; returns its number, 0 if none.

    Nothing is removed before something newer is known to be whole.
    """
    paths = [path for path in (last, _sibling(last, "new"), _sibling(last, "old")) if path.exists()]
    if paths == [last]:  # the usual case: no need to read all of it
        return _sequence(last)
    whole = {}
    for path in paths:
        try:
            whole[path] = _read_folder(path).sequence
        except TinygradLLMError:
            continue
    best = max(whole, key=lambda path: whole[path]) if whole else None
    for path in paths:
        if path not in (best, last):
            shutil.rmtree(path)
    if best is not None and best != last:
        if last.exists():
            shutil.rmtree(last)
        os.rename(best, last)
    return whole[best] if best is not None else 0


def _sequence(folder: Path) -> int:
    """The number in the manifest alone; 0 where there is none."""
    try:
        sequence = parse_json(_read(folder / MANIFEST), MANIFEST).get("sequence")
    except CheckpointError:
        return 0
    return sequence if type(sequence) is int else 0


def _read_folder(folder: Path) -> Checkpoint:
    """All files, each held against the manifest."""
    manifest = parse_json(_read(folder / MANIFEST), str(folder / MANIFEST))
    files, sequence = manifest.get("files"), manifest.get("sequence")
    canonical = _json_bytes(manifest) == _read(folder / MANIFEST)
    if (
        not isinstance(files, dict)
        or type(sequence) is not int
        or manifest.get("sha256") != _digest(manifest)
        or not canonical
    ):
        raise CheckpointError(str(folder / MANIFEST), "a manifest that was written here", "an altered one")
    if {path.name for path in folder.iterdir()} != files.keys() | {MANIFEST}:
        raise CheckpointError(str(folder), f"the files {sorted(files)}", "others")
    arrays, documents = {}, {}
    for name, entry in files.items():
        data = _read(folder / name, _size(entry, folder / name))
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            got = f"other bytes ({len(data)} of them)"
            raise CheckpointError(
                str(folder / name), f"the {entry['bytes']} bytes that were saved", got, "The file was altered."
            )
        if name.endswith(".json"):
            documents[name.removesuffix(".json")] = parse_json(data, name)
        else:
            arrays[name.removesuffix(".safetensors")] = parse_weights(data, name)
    return Checkpoint(arrays, documents, sequence, folder)


def _size(entry: Any, path: Path) -> int:
    """The bytes that the manifest says a file has."""
    size, room = entry.get("bytes") if isinstance(entry, dict) else None, memory()
    if type(size) is not int or "sha256" not in entry:
        raise CheckpointError(str(path), "bytes and sha256 in the manifest", repr(entry)[:60])
    if room is not None and size > room:
        raise CheckpointError(str(path), f"a file that fits into {room} bytes of memory", f"{size} bytes")
    return size


def _read(path: Path, most: int = MOST_TEXT) -> bytes:
    return read_regular(path, "a file of the checkpoint", most)


def _remove_quietly(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _rename_quietly(source: Path, target: Path) -> None:
    try:
        os.rename(source, target)
    except OSError:
        pass  # the loader finds it under its other name
