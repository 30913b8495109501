"""Which elements a kernel moves 16 bytes at a time: every pack that fits, and not one that is not aligned."""

from __future__ import annotations

import numpy as np
import pytest
from cuda_on_cpu.build import available, compile_text

from tinygrad_llm.backend.kernels import FOLDER

pytestmark = pytest.mark.skipif(not available(), reason="running kernels on the CPU needs g++")

PROBE = """
template <typename A, typename B>
__device__ void probe(const A* a, const B* b, int* size, int* times, long long n) {
  for_packs<16 / sizeof(A)>(whole_grid(), n, before_packs(n, a, b), [=](auto count, long long i) {
    for (int k = 0; k < count.value; k++) {
      size[i + k] = count.value;
      times[i + k]++;
    }
  });
}
extern "C" __global__ void probe_2_2(const bfloat16* a, const bfloat16* b, int* size, int* times, long long n) {
  probe(a, b, size, times, n);
}
extern "C" __global__ void probe_2_4(const bfloat16* a, const float* b, int* size, int* times, long long n) {
  probe(a, b, size, times, n);
}
extern "C" __global__ void probe_4_4(const float* a, const float* b, int* size, int* times, long long n) {
  probe(a, b, size, times, n);
}
"""


def sizes(bytes_a: int, bytes_b: int, a: int, b: int, n: int) -> list[int]:
    """How large the pack is in which each element is moved, when the arrays begin at these addresses."""
    size, times = np.zeros(n, np.int32), np.zeros(n, np.int32)
    text = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("common.cuh", "packs.cuh"))
    args = a, b, size, times, np.int64(n)
    compile_text(text + PROBE).launch(f"probe_{bytes_a}_{bytes_b}", 2, 32, args)
    assert (times == 1).all()
    return size.tolist()


def expected(bytes_a: int, bytes_b: int, a: int, b: int, n: int) -> list[int]:
    width = 16 // bytes_a
    for head in range(min(width, n)):
        if (a + head * bytes_a) % 16 == 0 and (b == 0 or (b + head * bytes_b) % 16 == 0):
            packs = (n - head) // width
            return [1] * head + [width] * (packs * width) + [1] * (n - head - packs * width)
    return [1] * n


@pytest.mark.parametrize("bytes_a, bytes_b", [(4, 4), (2, 2), (2, 4)])
def test_every_pack_that_fits_is_moved_as_one(bytes_a, bytes_b):
    for n in (1, 5, 8, 300):
        for a in range(0, 16, bytes_a):
            for b in range(0, 16, bytes_b):
                where = 4096 + a, 8192 + b  # the probe does not look at what is there
                assert sizes(bytes_a, bytes_b, *where, n) == expected(bytes_a, bytes_b, *where, n)


def test_a_null_pointer_asks_for_nothing():
    assert sizes(4, 4, 4096 + 4, 0, 20) == [1] * 3 + [4] * 16 + [1]
