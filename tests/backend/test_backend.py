"""Claims about where arrays live and how they are worked on."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.backend import (
    KeyedStream,
    as_array,
    check_device,
    erf,
    gemm,
    namespace,
    python_scalar,
    row_tiles,
    to_device,
)
from tinygrad_llm.errors import DeviceError, DtypeError


def ulps(found, expected):
    return np.abs(found - expected) / np.spacing(np.abs(expected))


@pytest.mark.parametrize("low_high", [(-0.5, 0.5), (0.45, 0.6), (-4.2, 4.2), (3.9, 7.0), (1e-300, 1e-290)])
def test_erf_is_within_two_units_of_the_c_library(low_high):
    x = np.random.default_rng(0).uniform(*low_high, 20_000)
    assert ulps(erf(x), np.array([math.erf(v) for v in x])).max() <= 2


def test_erf_in_float32_is_rounded_once():
    x = np.random.default_rng(0).uniform(-4, 4, 5000).astype(np.float32)
    found = erf(x)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array([math.erf(float(v)) for v in x]).astype(np.float32))


def test_erf_at_the_ends():
    found = erf(np.array([np.nan, np.inf, -np.inf, 0.0, -0.0]))
    np.testing.assert_array_equal(found, [np.nan, 1, -1, 0, 0])
    assert np.signbit(found[4]) and not np.signbit(found[3])


@pytest.mark.oracle
def test_erf_is_near_scipys():
    from scipy import special

    x = np.random.default_rng(0).uniform(-6, 6, 100_000)
    assert ulps(erf(x), special.erf(x)).max() <= 4  # scipy's own is up to 3 from the C library's


@given(n=st.integers(1, 4), i=st.integers(1, 4), o=st.integers(1, 4), flags=st.tuples(*[st.booleans()] * 4))
def test_gemm_does_what_its_flags_say(n, i, o, flags):
    transpose_a, transpose_b, into, accumulate = flags
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(n, i)), rng.normal(size=(i, o))
    out = rng.normal(size=(n, o)) if into or accumulate else None
    expected = np.einsum("ni,io->no", a, b) + (out if accumulate else 0)
    left, right = (np.ascontiguousarray(x.T) if flip else x for x, flip in ((a, transpose_a), (b, transpose_b)))
    found = gemm(left, right, transpose_a=transpose_a, transpose_b=transpose_b, out=out, accumulate=accumulate)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert out is None or found is out


@given(rows=st.integers(0, 50), row_bytes=st.integers(0, 100), tile=st.integers(1, 500))
def test_tiles_cover_every_row_once(rows, row_bytes, tile):
    covered = [i for part in row_tiles(rows, row_bytes, tile) for i in range(part.start, part.stop)]
    assert covered == list(range(rows))
    assert all(
        part.stop - part.start == 1 or (part.stop - part.start) * row_bytes <= tile
        for part in row_tiles(rows, row_bytes, tile)
    )


def test_keyed_numbers_do_not_depend_on_the_split():
    whole = [KeyedStream(7, 3).random((6, 4)) for _ in range(2)]
    np.testing.assert_array_equal(*whole)
    parts = [KeyedStream(7, 3, first).random((3, 4)) for first in (0, 3)]
    np.testing.assert_array_equal(np.concatenate(parts), whole[0])


def test_keyed_numbers_differ_by_seed_step_call_and_example():
    stream = KeyedStream(7, 3)
    draws = [
        stream.random((2, 50)),
        stream.random((2, 50)),
        KeyedStream(8, 3).random((2, 50)),
        KeyedStream(7, 4).random((2, 50)),
    ]
    rows = np.concatenate(draws)
    for i in range(len(rows)):
        for j in range(i):
            assert not np.isin(rows[i], rows[j]).any()


def test_keyed_numbers_are_uniform():
    counts, _ = np.histogram(KeyedStream(1, 2).random((200, 100)), bins=10, range=(0, 1))
    assert ((counts - 2000) ** 2 / 2000).sum() < 27.9  # chi-square, 9 degrees: one in a thousand
    assert KeyedStream(1, 2).random((2, 3), dtype=np.float32).dtype == np.float32


def test_kept_pages_change_no_result():
    program = "from tinygrad_llm.backend import keep_freed_pages as k; import numpy as np; print(k(), float(np.ones(10**6).sum()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    known, total = done.stdout.split()
    assert known in ("True", "False") and float(total) == 1e6


def test_scalars_and_lists_take_the_defaults():
    assert python_scalar(np.float64(2)) == 2.0 and type(python_scalar(np.float64(2))) is float
    assert as_array([1.5]).dtype == np.float32 and as_array(np.ones(1)).dtype == np.float64
    assert as_array([1.5], "float64").dtype == np.float64
    assert namespace(1.0, np.ones(1)) is np
    with pytest.raises(DtypeError, match="float16"):
        as_array(np.ones(1, np.float16))


def test_a_device_that_is_not_there_is_named():
    assert to_device(np.ones(1), "cpu") == 1
    with pytest.raises(DeviceError, match="tpu"):
        check_device("tpu")


def test_every_whole_number_is_a_seed_of_its_own():
    seeds = [0, 1, -1, 2, -2, 2**32, 2**63, 2**64 - 2**33, 2**64 - 2**33 + 1]
    rows = [tuple(KeyedStream(seed, 0).random((1, 4))[0]) for seed in seeds]
    rows += [tuple(KeyedStream(7, step).random((1, 4))[0]) for step in (1, 2, 2**40)]
    assert len(set(rows)) == len(rows)
    np.testing.assert_array_equal(KeyedStream(-1, 0).random((1, 4)), KeyedStream(2**64 - 1, 0).random((1, 4)))


@pytest.mark.parametrize(("problem", "device"), [(None, "cuda"), ("no driver", "cpu")])
def test_auto_is_the_gpu_where_one_can_be_used(problem, device, monkeypatch):
    monkeypatch.setattr("tinygrad_llm.backend.device.cuda_problem", lambda: problem)
    monkeypatch.setattr("tinygrad_llm.backend.device.load_cupy", lambda: None)
    assert check_device("auto") == device
