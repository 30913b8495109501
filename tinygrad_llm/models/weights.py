"""Weights in files: safetensors, read strictly. Nothing is ever unpickled.

A safetensors file is 8 bytes with the length of a JSON header, the header, and the arrays' bytes without gaps. The
header is checked against the file's size before any array is made. Format: https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save

from tinygrad_llm.errors import CheckpointError, StorageError, reason
from tinygrad_llm.files import MOST_TEXT, load_json, memory, open_regular, parse_json, size_of

DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"), "I16": np.dtype("<i2"), "I8": np.dtype("i1"), "U8": np.dtype("u1"), "U16": np.dtype("<u2"),
    "U32": np.dtype("<u4"), "U64": np.dtype("<u8"), "BOOL": np.dtype("?"),
}  # fmt: skip
MAX_HEADER = MOST_TEXT  # the format allows 100 MB, which is a million tensors: minutes, and gigabytes of objects


def weights_bytes(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> bytes:
    """The arrays as the bytes of a safetensors file."""
    little = {
        name: np.ascontiguousarray(a, dtype=a.dtype.newbyteorder("<")).reshape(a.shape) for name, a in arrays.items()
    }
    try:
        return save(little, dict(metadata) if metadata else None)
    except (SafetensorError, KeyError) as error:
        dtypes = sorted({str(a.dtype) for a in arrays.values()})
        raise CheckpointError("weights", "booleans, integers and floats", dtypes, f"{error}.") from error


def save_weights(path: str | Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> None:
    """Writes a safetensors file.  Raises StorageError where the disk refuses it."""
    content = weights_bytes(arrays, metadata)
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise StorageError(
            str(path), "a place that can be written", reason(error), "Free space or choose another."
        ) from error


def save_model(path: str | Path, config: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Writes config.json and model.safetensors, Hugging Face's layout, into the folder `path`.

    Raises StorageError where the disk refuses.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    except OSError as error:
        raise StorageError(str(folder), "a folder that can be written", reason(error)) from error
    save_weights(folder / "model.safetensors", arrays, {"format": "pt"})


def load_weights(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file by name, or of the files that an index, `*.json`, lists; bfloat16 is widened to
    float32, which is exact.

    Raises CheckpointError for anything that is not whole, gapless files of known dtypes.
    """
    if Path(path).suffix == ".json":
        return _load_shards(Path(path))
    with open_regular(path, "a safetensors file") as file:
        return _arrays(file, size_of(file), str(path))


def _load_shards(index: Path) -> dict[str, np.ndarray]:
    places = load_json(index).get("weight_map")
    if not isinstance(places, dict) or not all(map(_beside, places.values())):
        raise _bad(str(index), "a weight_map from names to files of this folder", f"{places!r:.60}")
    arrays: dict[str, np.ndarray] = {}
    for file in sorted(set(places.values())):
        found = load_weights(index.with_name(file))
        listed = {name for name, where in places.items() if where == file}
        if found.keys() != listed:
            raise _bad(
                str(index.with_name(file)), "the tensors that its index lists", sorted(found.keys() ^ listed)[:5]
            )
        arrays |= found
    return arrays


def _beside(file: Any) -> bool:
    """Whether this is the name of a safetensors file, of the same folder."""
    return isinstance(file, str) and file == Path(file).name and file.endswith(".safetensors")


def weights_file(path: str | Path) -> Path:
    """Where the weights of the model in a folder are: model.safetensors, else the index of several files.

    Raises CheckpointError where there is neither, with what is there instead and what to do.
    """
    folder = Path(path)
    for name in ("model.safetensors", "model.safetensors.index.json"):
        if (folder / name).exists():
            return folder / name
    got, next_step = "nothing", "Is the path right?"
    if folder.exists():
        names = sorted(file.name for file in folder.iterdir()) if folder.is_dir() else ["a file"]
        got, next_step = ", ".join(names[:8]) or "an empty folder", "Is it the whole model?"
        if any(name.endswith((".bin", ".bin.index.json", ".pt", ".pth", ".ckpt")) for name in names):
            got += " (a pickle, which can run any program when it is opened)"
            kind = "AutoModelForSeq2SeqLM" if _has_encoder(folder) else "AutoModelForCausalLM"
            calls = f"transformers.{kind}.from_pretrained({str(folder)!r}).save_pretrained({str(folder)!r})"
            next_step = f"If you trust it, convert it where transformers and torch are installed: {calls}"
        elif any(name.startswith(("tokenizer", "vocab", "merges")) for name in names):
            next_step = "These are the files of a tokenizer; the model's weights are elsewhere."
    raise CheckpointError(str(folder), "a folder with config.json and model.safetensors", got, next_step)


def _has_encoder(folder: Path) -> bool:
    try:
        config = load_json(folder / "config.json")
    except CheckpointError:
        return False
    return bool(config.get("is_encoder_decoder")) or config.get("model_type") == "bart"


def parse_weights(content: bytes, name: str) -> dict[str, np.ndarray]:
    """`load_weights` of bytes that are in memory already."""
    return _arrays(io.BytesIO(content), len(content), name)


def _arrays(file: BinaryIO, length: int, name: str) -> dict[str, np.ndarray]:
    """The arrays of an open file of so many bytes; all of its header is checked before the first is made."""
    start, header = _header(file, length, name)
    entries, end = [], 0
    for key, entry in sorted(header.items(), key=lambda item: _place(item[1])):
        dtype, shape, begin, stop = _entry(name, key, entry)
        if begin != end:
            raise _bad(name, f"{key} to begin at byte {end} of the data", begin)
        end = stop
        entries.append((key, dtype, shape, entry["dtype"] == "BF16"))
    if start + end != length:
        raise _bad(name, f"{start + end} bytes", f"{length}")
    room = memory()
    if room is not None and end > room:
        raise CheckpointError(name, f"weights that fit into {room} bytes of memory", f"{end} bytes")
    arrays = {}
    for key, dtype, shape, half in entries:
        array = _array(file, dtype, shape, f"{name} {key}")
        arrays[key] = widened(array) if half else array
    return arrays


def _array(file: BinaryIO, dtype: np.dtype[Any], shape: list[int], name: str) -> np.ndarray:
    """The next array of an open file."""
    try:
        array = np.empty(shape, dtype)
        read = file.readinto(array.reshape(-1).view(np.uint8))  # type: ignore[attr-defined]
    except ValueError as error:  # more axes than this NumPy has
        raise _bad(name, "a shape that an array can have", f"{len(shape)} axes") from error
    except (MemoryError, OSError) as error:
        raise CheckpointError(name, "memory for it, and a disk that gives it", reason(error)) from error
    if read != array.nbytes:
        raise _bad(name, f"{array.nbytes} bytes", read)
    return array


def widened(halves: np.ndarray) -> np.ndarray:
    """bfloat16, given as its 16 bits, in float32: the same number, with 16 zeros behind."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


def _header(file: BinaryIO, length: int, name: str) -> tuple[int, dict[str, Any]]:
    """Where the data begins, and the header without its metadata."""
    size = int.from_bytes(file.read(8), "little")
    if length < 8 or size > min(MAX_HEADER, length - 8):
        limit = f"a header inside the file, of at most {MAX_HEADER} bytes"
        raise _bad(name, limit, f"{size} bytes of header in a file of {length}")
    header = parse_json(file.read(size), name)
    metadata = header.pop("__metadata__", None)
    metadata = {} if metadata is None else metadata  # null says that there is none
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _bad(name, "texts as metadata", repr(metadata)[:60])
    return 8 + size, header


def _place(entry: Any) -> list[int]:
    """Where the bytes of an array begin and end: an empty one stands before the one that begins where it does."""
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    return offsets if isinstance(offsets, list) and all(type(n) is int for n in offsets) else []


def _entry(name: str, key: str, entry: Any) -> tuple[np.dtype, list[int], int, int]:
    """dtype, shape, begin and end of one array, each checked; nothing is allocated."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _bad(name, f"dtype, shape and data_offsets of {key}", repr(entry)[:60])
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not isinstance(entry["dtype"], str) or entry["dtype"] not in DTYPES:
        raise _bad(name, f"{key} of a known dtype", repr(entry["dtype"])[:40])
    whole = isinstance(shape, list) and isinstance(offsets, list) and len(offsets) == 2
    if not whole or not all(type(n) is int and n >= 0 for n in [*shape, *offsets]):
        raise _bad(name, f"{key} with whole sizes and offsets", f"{shape!r:.40} and {offsets!r:.40}")
    dtype, count = DTYPES[entry["dtype"]], 1
    for n in shape:
        count *= n  # Python's integers do not overflow
    if math.prod(max(n, 1) for n in shape) * dtype.itemsize >= 1 << 63:  # empty arrays have limits as well
        raise _bad(name, f"{key} of a shape that an array can have", f"{shape!r:.60}")
    begin, stop = offsets
    if stop - begin != count * dtype.itemsize:
        raise _bad(name, f"{key} of {count * dtype.itemsize} bytes", stop - begin)
    return dtype, shape, begin, stop


def _bad(name: str, expected: object, got: object) -> CheckpointError:
    return CheckpointError(name, expected, got, "The file is torn, altered, or not a safetensors checkpoint.")
