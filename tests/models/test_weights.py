"""Weights in files: what is whole opens, what is not is refused before anything is allocated or executed."""

from __future__ import annotations

import io
import json
import pickle
import tracemalloc

import numpy as np
import pytest

from tinygrad_llm.errors import CheckpointError, StorageError
from tinygrad_llm.models import weights as weights_module
from tinygrad_llm.models.weights import (
    DTYPES,
    MAX_HEADER,
    load_json,
    load_weights,
    parse_weights,
    save_weights,
    weights_bytes,
    widened,
)

ARRAYS = {
    "f32": np.arange(6, dtype=np.float32).reshape(2, 3), "f64": np.array([np.pi, -0.0, np.inf]), "i64": np.array([[1], [-2]]),
    "u8": np.arange(5, dtype=np.uint8), "bool": np.array([True, False]), "scalar": np.array(3.5), "empty": np.zeros((0, 4)),
    "f16": np.ones(3, np.float16), "u16": np.arange(3, dtype=np.uint16),
}  # fmt: skip


def same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].dtype == b[name].dtype.newbyteorder("=") and a[name].shape == b[name].shape, name
        np.testing.assert_array_equal(a[name], b[name])


def test_every_dtype_and_shape_survives(tmp_path):
    save_weights(tmp_path / "w", ARRAYS, {"note": "text"})
    same(load_weights(tmp_path / "w"), ARRAYS)


def test_turned_cut_and_foreign_byte_orders_survive():
    base = np.arange(12, dtype=np.float32).reshape(3, 4)
    arrays = {"turned": base.T, "cut": base[::2, 1:], "big": base.astype(">f4")}
    same(parse_weights(weights_bytes(arrays), "w"), arrays)


def test_a_file_written_here_opens_with_the_librarys_own_reader(tmp_path):
    from safetensors.numpy import load_file

    save_weights(tmp_path / "w.safetensors", ARRAYS)
    same(load_file(tmp_path / "w.safetensors"), ARRAYS)


def test_bfloat16_is_widened_exactly_for_every_pattern():
    bits = np.arange(1 << 16, dtype=np.uint16)
    wide = widened(bits).view(np.uint32)
    np.testing.assert_array_equal(wide >> 16, bits)
    assert not (wide & 0xFFFF).any()


FLOAT = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def empty(at, shape=(0,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at]}


LIBRARYS_CHOICE = {
    "empty behind": {"a": FLOAT, "e": empty(0)}, "empty first": {"e": empty(0), "a": FLOAT}, "empty at the end": {"e": empty(8), "a": FLOAT},
    "both": {"z": empty(8), "a": FLOAT, "e": empty(0, (3, 0), "F64"), "b": empty(0, (0, 2), "BOOL")},
    "between": {"b": {**FLOAT, "data_offsets": [8, 16]}, "e": empty(8), "a": FLOAT}, "nothing": {},
    "inside another": {"a": FLOAT, "e": empty(4)}, "behind the data": {"a": FLOAT, "e": empty(12)},
    "empty, but for its shape": {"a": FLOAT, "e": empty(8, (1,))}, "empty, and huge": {"a": FLOAT, "e": empty(8, (0, 1 << 63))},
    "metadata null": {"__metadata__": None, "a": FLOAT}, "metadata {}": {"__metadata__": {}, "a": FLOAT}, "metadata 3": {"__metadata__": 3, "a": FLOAT},
    "metadata with null": {"__metadata__": {"k": None}, "a": FLOAT}, "metadata false": {"__metadata__": False, "a": FLOAT},
    "half a character": {"\ud800": FLOAT}, "40 axes": {"a": {**FLOAT, "shape": [1] * 40 + [2]}}, "70 axes": {"a": {**FLOAT, "shape": [1] * 70 + [2]}},
}  # fmt: skip


@pytest.mark.parametrize("name", LIBRARYS_CHOICE)
def test_a_file_opens_exactly_where_the_librarys_own_reader_opens_it(name):
    from safetensors.numpy import load

    header = LIBRARYS_CHOICE[name]
    ends = [e["data_offsets"][1] for k, e in header.items() if k != "__metadata__" and e["shape"][-1:] == [2]]
    content = with_header(header, np.arange(max(ends, default=0) // 4, dtype="<f4").tobytes())
    try:
        theirs = load(content)
    except Exception:
        with pytest.raises(CheckpointError):
            parse_weights(content, "w")
    else:
        same(parse_weights(content, "w"), theirs)


def test_every_shorter_file_is_refused():
    content = weights_bytes(ARRAYS)
    for length in range(len(content)):
        with pytest.raises(CheckpointError):
            parse_weights(content[:length], "w")
    with pytest.raises(CheckpointError):
        parse_weights(content + b"x", "w")


def with_header(header, data=b"\0" * 16):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + data


def entry(dtype="F32", shape=(4,), offsets=(0, 16), **extra):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)} | extra


HOSTILE = {
    "no header": b"", "huge header": (1 << 62).to_bytes(8, "little"), "not JSON": with_header(b"{"),
    "deep JSON": with_header(b'{"a":' * 100_000), "a list": with_header([]), "twice": with_header(b'{"a":1,"a":1}'),
    "NaN": with_header(b'{"a":NaN}'), "not UTF-8": with_header(b'{"\xff":1}'), "huge shape": with_header({"a": entry(shape=(1 << 40, 1 << 40))}),
    "overflow": with_header({"a": entry(shape=(1 << 32, 1 << 32, 4), offsets=(0, 0))}), "negative": with_header({"a": entry(shape=(-4,))}),
    "past the end": with_header({"a": entry(shape=(8,), offsets=(0, 32))}), "overlap": with_header({"a": entry(), "b": entry()}),
    "gap": with_header({"a": entry(shape=(2,), offsets=(8, 16))}), "backwards": with_header({"a": entry(offsets=(16, 0))}),
    "float shape": with_header({"a": entry(shape=(4.0,))}), "bool shape": with_header({"a": entry(shape=(True,), offsets=(0, 4))}),
    "dtype": with_header({"a": entry("F8_E4M3", (16,))}), "dtype number": with_header({"a": entry(7)}), "missing": with_header({"a": {"dtype": "F32"}}),
    "extra": with_header({"a": entry(more=1)}), "not an object": with_header({"a": 3}), "metadata": with_header({"__metadata__": {"a": 1}, "a": entry()}),
    "many axes": with_header({"a": entry(shape=(1,) * 70 + (4,))}), "offsets": with_header({"a": entry(offsets=(0,))}),
    "empty and too long": with_header({"a": entry(shape=(0, 1 << 63), offsets=(0, 0))}, b""),
    "empty and too large": with_header({"a": entry(shape=(1 << 40, 0, 1 << 40), offsets=(0, 0))}, b""),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_header_is_refused_before_memory_is_taken(name):
    tracemalloc.start()
    with pytest.raises(CheckpointError):
        parse_weights(HOSTILE[name], "w")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * len(HOSTILE[name]) + 1_000_000


def test_a_header_is_bounded_and_so_is_what_it_costs():
    tensors = {f"t{i}": entry(shape=(0,), offsets=(0, 0)) for i in range(20_000)}
    content = with_header(tensors, b"")
    tracemalloc.start()
    assert len(parse_weights(content, "w")) == 20_000
    _, peak = tracemalloc.get_traced_memory()
    assert peak < 40 * len(content)
    huge = with_header(b"{" + b" " * MAX_HEADER + b"}", b"")
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    with pytest.raises(CheckpointError, match="at most"):
        parse_weights(huge, "w")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < 100_000 and MAX_HEADER <= 16 << 20


def test_a_hole_with_a_header_that_fits_it_is_refused_before_memory_is_taken(tmp_path):
    count = 1 << 42  # 16 terabytes, of which the disk holds a few kilobytes
    with open(tmp_path / "w", "wb") as file:
        file.write(with_header({"a": entry(shape=(count // 4,), offsets=(0, count))}, b""))
        file.truncate(file.tell() + count)
    with pytest.raises(CheckpointError, match="memory"):
        load_weights(tmp_path / "w")


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('executed')",)


def test_a_file_that_grows_shorter_while_it_is_read_is_refused():
    class Shrinking(io.BytesIO):
        def readinto(self, buffer):
            return super().readinto(memoryview(buffer)[: len(buffer) // 2])

    content = weights_bytes({"w": np.ones(4)})
    with pytest.raises(CheckpointError, match="32 bytes"):
        weights_module._arrays(Shrinking(content), len(content), "w")


def test_a_pickle_is_never_executed(tmp_path):
    (tmp_path / "w").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError):
        load_weights(tmp_path / "w")
    np.save(tmp_path / "objects.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(CheckpointError):
        load_weights(tmp_path / "objects.npy")


def test_what_cannot_be_saved_or_found_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="complex"):
        weights_bytes({"a": np.ones(2, complex)})
    with pytest.raises(CheckpointError, match="none"):
        load_weights(tmp_path / "none")
    with pytest.raises(CheckpointError, match="none"):
        load_json(tmp_path / "none")
    with pytest.raises(StorageError, match="nowhere"):
        save_weights(tmp_path / "nowhere" / "w", ARRAYS)


@pytest.mark.parametrize("name", DTYPES)
def test_each_dtype_of_the_format_has_its_numbers(name):
    """At both ends of its range, by the library's own reader and by ours."""
    from safetensors.numpy import load

    dtype = (
        np.dtype("?")
        if name == "BOOL"
        else np.dtype({"F": "f", "I": "i", "U": "u", "B": "u"}[name[0]] + str(int(name.lstrip("FIUB")) // 8))
    )
    limits = {"b": lambda t: (0, 1), "f": np.finfo}.get(dtype.kind, np.iinfo)(dtype)
    ends = limits if dtype.kind == "b" else (limits.min, limits.max)
    array = np.array([ends[0], 1, 0, ends[1]], dtype)
    content = with_header({"a": entry(name, (4,), (0, array.nbytes))}, array.astype(dtype.newbyteorder("<")).tobytes())
    found = parse_weights(content, "w")["a"]
    if name == "BF16":
        assert found.dtype == np.float32 and found[2] == 0 and (found.view(np.uint32) >> 16).tolist() == array.tolist()
        return
    assert found.dtype == dtype and found.tolist() == array.tolist()
    assert load(content)["a"].tolist() == array.tolist()


def test_weights_that_do_not_fit_into_memory_are_refused_by_their_header(monkeypatch):
    content = with_header({"a": entry()})  # of 16 bytes
    for room, fits in ((16, True), (None, True), (15, False)):
        monkeypatch.setattr("tinygrad_llm.models.weights.memory", lambda room=room: room)
        if fits:
            assert parse_weights(content, "w")["a"].shape == (4,)
        else:
            with pytest.raises(CheckpointError, match="fit into 15 bytes of memory, got 16 bytes"):
                parse_weights(content, "w")


ENTRY = b'{"dtype":"F32","shape":[4],"data_offsets":[0,16]}'
NOT_STRICT = {
    "a tensor twice": b'{"a":%s,"a":%s}' % (ENTRY, ENTRY), "a size twice": b'{"a":{"shape":[4],%s}' % ENTRY[1:],
    "metadata twice": b'{"__metadata__":{"k":"v"},"__metadata__":{},"a":%s}' % ENTRY, "a note twice": b'{"__metadata__":{"k":"v","k":"w"},"a":%s}' % ENTRY,
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_STRICT)
def test_a_name_stands_once_though_all_else_is_right(name):
    assert parse_weights(with_header(b'{"a":%s}' % ENTRY), "w")["a"].shape == (4,)
    with pytest.raises(CheckpointError, match="twice"):
        parse_weights(with_header(NOT_STRICT[name]), "w")


@pytest.mark.parametrize("text", ['{"a":NaN}', '{"a":[Infinity]}', '{"a":{"b":-Infinity}}', '{"a":1,"a":1}', '{"b":{"a":1,"a":2}}', "[]", "3", "null", '"a"', "{} {}", "{'a':1}", '{"a":1,}', "", '{"\\ud800":1}'])  # fmt: skip
def test_json_is_one_object_and_strict(text, tmp_path):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(CheckpointError):
        load_json(tmp_path / "c.json")
