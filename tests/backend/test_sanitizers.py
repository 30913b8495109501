"""The kernels are free of races and of reads and writes beyond their arrays; and planted faults are found where they are.

Two GPU threads that meet in shared memory without a barrier give the right sum on one machine and a wrong one on the
next, and an index one too far often hits memory that is somebody else's. No comparison of results shows that, so each
kernel file also runs under ThreadSanitizer, and under AddressSanitizer with UndefinedBehaviorSanitizer.
"""

from __future__ import annotations

import functools
import multiprocessing
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
from cuda_on_cpu.build import compile_text
from cuda_on_cpu.sanitized import SanitizerError, run_sanitized, why_not
from kernel_cases import Launch, bfloat16, cases, tiny_cases

from tinygrad_llm.backend.kernels import FOLDER, kernel_files, source

pytestmark = pytest.mark.skipif(bfloat16 is None, reason="the cases need ml_dtypes")
FILES = [] if bfloat16 is None else kernel_files()
COMMON = (FOLDER / "common.cuh").read_text(encoding="utf-8")
BARRIER = "__syncthreads();"
why_not = functools.cache(why_not)


def run_tiny(file: str, sanitizer: str, text: str | None = None, only: str = "", copies_at_once: bool = False) -> None:
    """The tiny cases of a file, those with `only` in their name, and their checks."""
    if reason := why_not(sanitizer):
        pytest.skip(f"no {sanitizer} sanitizer: {reason}")
    made = [make() for name, make in tiny_cases(file).items() if only in name]
    launches = [launch for case in made for launch in case.launches]
    run_sanitized(text or source(file), launches, sanitizer, copies_at_once=copies_at_once)
    for case in made:
        case.check()


@pytest.mark.parametrize("sanitizer", ["thread", "address"])
@pytest.mark.parametrize("file", FILES)
def test_no_sanitizer_finds_anything_in_the_kernels(file, sanitizer):
    run_tiny(file, sanitizer)


COPYING = [file for file in FILES if "cp_async_commit();" in source(file)]


@pytest.mark.parametrize("file", COPYING)
def test_copies_do_not_come_while_somebody_still_reads_what_lay_there(file):
    run_tiny(file, "thread", copies_at_once=True)


@pytest.mark.parametrize("file", FILES)
def test_the_sanitizers_see_every_kernel(file):
    seen = {launch.kernel for make in tiny_cases(file).values() for launch in make().launches}
    every = compile_text(source(file)).kernels
    # One template for several sizes, NAME_64 and NAME_128, is seen through one of them.
    assert {without_size(name) for name in every} == {without_size(name) for name in seen}


def without_size(name: str) -> str:
    return re.sub(r"_\d+(?=_|$)", "", name)


# ---- planted faults: barriers ---------------------------------------------------------------------------------------


def barriers(text: str) -> list[int]:
    """Where each stands in the text."""
    return [found.start() for found in re.finditer(re.escape(BARRIER), text)]


def without(text: str, at: int, length: int = len(BARRIER)) -> str:
    """The text with `length` characters blanked, so that no line moves."""
    return text[:at] + " " * length + text[at + length :]


def assert_race(error: SanitizerError, text: str, at: int) -> None:
    """The race that is reported lies within a few lines of the barrier that was taken away."""
    found = re.search(r"data race \S*kernel\.cu:(\d+)", str(error))
    assert found, str(error)
    assert abs(int(found[1]) - text.count("\n", 0, at) - 1) <= 6, found[0]


FLOATS_ONLY = source("norm").replace("\nKERNELS(bfloat16)", "\n") if "norm" in FILES else ""
"""norm.cu without half of its kernels: quicker to compile, and the same barriers."""


@pytest.mark.parametrize("which", range(FLOATS_ONLY.count(BARRIER) - COMMON.count(BARRIER)))
def test_each_barrier_of_the_norms_is_needed(which):
    at = barriers(FLOATS_ONLY)[COMMON.count(BARRIER) + which]
    with pytest.raises((SanitizerError, AssertionError)) as found:  # on a busy machine the numbers may go wrong first
        run_tiny("norm", "thread", without(FLOATS_ONLY, at), only="float32")
    if isinstance(found.value, SanitizerError):
        assert_race(found.value, FLOATS_ONLY, at)


ORDER = re.compile(r"__sync(threads|warp)\(\);")


def own_barriers() -> Iterator:
    """(the text's name, how many characters from its end a barrier stands) for each text besides those tested above."""
    texts = [path for path in sorted(FOLDER.glob("*.cu*")) if path.name not in ("common.cuh", "norm.cu")]
    for path in texts:
        text = path.read_text(encoding="utf-8")
        for found in ORDER.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield pytest.param(path.name, found.start(), len(found[0]), id=f"{path.name}:{line}")


@pytest.mark.long
@pytest.mark.parametrize("name, at, length", list(own_barriers()))
def test_each_barrier_is_needed_by_a_case(name, at, length):
    """Of a text that several files share, by a case of one of them. Else the barrier is superfluous or a case is missing."""
    own = (FOLDER / name).read_text(encoding="utf-8")
    for file in FILES:
        if source(file).count(own) == 1:
            try:
                for at_once in (False, True):
                    run_tiny(
                        file, "thread", source(file).replace(own, without(own, at, length)), copies_at_once=at_once
                    )
            except AssertionError:  # a race, or threads that wait for one another in vain, or wrong numbers
                return
    pytest.fail("nothing shows that it is gone")


REDUCTIONS = (
    COMMON + '\nextern "C" __global__ void twice(float* sums, float* peaks) {\n'
    "  __shared__ float partial[32];\n"
    "  float x = threadIdx.x;\n"
    "  for (int i = 0; i < 2; i++) x = block_sum(x, partial);\n"
    "  sums[threadIdx.x] = x;\n"
    "}\n"
    'extern "C" __global__ void twice_most(float* sums, float* peaks) {\n'
    "  __shared__ float partial[32];\n"
    "  float x = threadIdx.x;\n"
    "  for (int i = 0; i < 2; i++) x = block_max(x + 1.0f, partial);\n"
    "  peaks[threadIdx.x] = x;\n"
    "}\n"
)


def run_reductions(text: str) -> None:
    if reason := why_not("thread"):
        pytest.skip(reason)
    sums, peaks = np.zeros(64, np.float32), np.zeros(64, np.float32)
    run_sanitized(text, [Launch(name, 1, 64, (sums, peaks)) for name in ("twice", "twice_most")], "thread")
    assert (sums == 64 * sum(range(64))).all() and (peaks == 65).all()


@pytest.mark.parametrize("which", range(COMMON.count(BARRIER)))
def test_each_barrier_of_the_common_sums_is_needed(which):
    at = barriers(REDUCTIONS)[which]
    with pytest.raises(SanitizerError) as found:
        run_reductions(without(REDUCTIONS, at))
    assert_race(found.value, REDUCTIONS, at)


def test_the_common_sums_are_clean_with_all_their_barriers():
    run_reductions(REDUCTIONS)


@pytest.mark.parametrize("between, clean", [("__syncwarp();", True), ("x = __shfl_xor_sync(EVERYONE, x, 1);", False)])
def test_a_shuffle_orders_nothing_in_memory(between, clean):
    """CUDA promises that only of __syncwarp; on today's GPUs the fault would rarely show."""
    text = (
        COMMON + '\nextern "C" __global__ void hand_over(float* out) {\n'
        "  __shared__ float there[32];\n"
        "  float x = threadIdx.x;\n"
        f"  there[threadIdx.x] = x; {between}\n"
        "  out[threadIdx.x] = there[threadIdx.x ^ 1] + 0.0f * x;\n"
        "}\n"
    )
    if reason := why_not("thread"):
        pytest.skip(reason)
    out = np.zeros(32, np.float32)
    try:
        run_sanitized(text, [Launch("hand_over", 1, 32, (out,))], "thread")
        raced = False
    except SanitizerError as error:
        raced = "data race" in str(error)
    assert raced is not clean
    if clean:
        np.testing.assert_array_equal(out, np.arange(32) ^ 1)


# ---- planted faults: addresses --------------------------------------------------------------------------------------

# What is replaced, by what, which sanitizer's words tell of it, and in which line of the text: that which holds the last string.
ADDRESSES = [
    ("if (column < width) work(i, column)", "if (column <= width) work(i, column)", "heap-buffer-overflow", "return *reinterpret_cast"),
    ("column < width; column += team.size", "column <= width; column += team.size", "heap-buffer-overflow", "return *reinterpret_cast"),
    ("+ team.index; row < rows;", "+ team.index; row <= rows;", "heap-buffer-overflow", "return *reinterpret_cast"),
    ("end = min(rows, begin + chunk)", "end = begin + chunk", "heap-buffer-overflow", "return *reinterpret_cast"),
    ("if (column < width) {\n#pragma", "if (column < width + 1) {\n#pragma", "heap-buffer-overflow", "return *reinterpret_cast"),
    ("float corner[MOST * N]", "float corner[MOST / 8 * N]", "index .* out of bounds", "corner[threadIdx.x * N + k]"),
    ("float sums[MOST / WARP * COLUMNS];", "float sums[COLUMNS];", "index .* out of bounds", "sums[warp * COLUMNS + lane * N + k] = own[k]"),
    ("&& aligned(x) && aligned(y)", "", "misaligned address", "return *reinterpret_cast"),
]  # fmt: skip


@pytest.mark.parametrize("old, new, words, line", ADDRESSES)
def test_a_wrong_address_in_the_norms_is_found_in_its_line(old, new, words, line):
    assert FLOATS_ONLY.count(old) >= 1
    text = FLOATS_ONLY.replace(old, new)
    with pytest.raises(SanitizerError) as found:
        run_tiny("norm", "address", text, only="float32")
    report = str(found.value)
    assert re.search(words, report), report
    numbers = [i + 1 for i, content in enumerate(text.split("\n")) if line in content]
    first = re.search(r"kernel\.cu:(\d+)", report)
    assert first and int(first[1]) in numbers, report[:3000]


def test_one_byte_too_few_of_dynamic_shared_memory_is_found():
    text = COMMON + (
        '\nextern "C" __global__ void fills(float* out) {\n'
        "  SHARED_BYTES(memory);\n"
        "  ((float*)memory)[threadIdx.x] = 1.0f;\n"
        "}\n"
    )
    if reason := why_not("address"):
        pytest.skip(reason)
    out = np.zeros(1, np.float32)
    run_sanitized(text, [Launch("fills", 1, 64, (out,), shared_bytes=256)], "address")
    with pytest.raises(SanitizerError, match="heap-buffer-overflow"):
        run_sanitized(text, [Launch("fills", 1, 64, (out,), shared_bytes=252)], "address")


# ---- planted faults: numbers ----------------------------------------------------------------------------------------

NUMBERS = [
    ("x = all_x + (long long)row * width", "x = all_x + (long long)row * (width / 16 * 16)"),
    ("row += gridDim.x * team.count", "row += gridDim.x * team.count + 1"),
    ("row = blockIdx.x * team.count + team.index", "row = blockIdx.x + team.index"),
    ("width <= held<N>() * WARP * N", "width <= 2 * held<N>() * WARP * N"),
    ("column = (team.thread + HELD * team.size) * N", "column = (team.thread + (HELD + 1) * team.size) * N"),
    ("if (dw) dw[column + k] = 0.0f;", ""),
    ("sum += corner[t * WARP * N + j]", "sum += corner[t * WARP * N]"),
    ("out + (long long)blockIdx.y * width", "out + (long long)blockIdx.y * 32"),
    ("accumulate ? *at + sum : sum", "sum"),
    ("- n * mean_hn", "- mean_hn"),
    ("float distance = number(pack, k) - mean;", "float distance = number(pack, k);"),
]


def wrong_cases(text: str) -> int:
    """In how many cases these kernels differ from NumPy."""
    compiled, wrong = compile_text(text), 0
    for name, make in cases("norm").items():
        if "float32" in name and "address that is no multiple" not in name:
            case = make()
            for one in case.launches:
                compiled.launch(one.kernel, one.grid, one.block, one.args, one.shared_bytes)
            try:
                case.check()
            except AssertionError:
                wrong += 1
    return wrong


@pytest.mark.parametrize("old, new", NUMBERS)
def test_a_wrong_stride_or_sum_in_the_norms_differs_from_numpy(old, new):
    assert old in FLOATS_ONLY
    # in a process of its own, since a wrong stride writes where it likes
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as own:
        try:
            assert own.submit(wrong_cases, FLOATS_ONLY.replace(old, new)).result()
        except BrokenProcessPool:
            pass  # it wrote where it does harm


def test_the_norms_as_they_are_differ_nowhere():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as own:
        assert own.submit(wrong_cases, FLOATS_ONLY).result() == 0
