"""What runs kernels on the CPU is itself right: it computes as CUDA does, and it refuses what a GPU would not forgive."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from cuda_on_cpu.build import KernelError, available, compile_text

from tinygrad_llm.backend.kernels import FOLDER

pytestmark = pytest.mark.skipif(not available(), reason="running kernels on the CPU needs g++")
COMMON = (FOLDER / "common.cuh").read_text(encoding="utf-8")
BOTH = pytest.mark.parametrize("threads", [False, True], ids=["fibers", "threads"])
KERNEL = 'extern "C" __global__ void '


def compiled(body: str, **kwargs):
    return compile_text(f"{COMMON}\n{body}", **kwargs)


# ---- it computes as CUDA does ---------------------------------------------------------------------------------------


@BOTH
def test_a_block_sums_what_its_threads_hold(threads):
    kernels = compiled(
        KERNEL + "sums(const float* x, float* out, float* most, int n) {"
        "  __shared__ float partial[32];"
        "  int i = blockIdx.x * blockDim.x + threadIdx.x;"
        "  float total = block_sum(i < n ? x[i] : 0.0f, partial), peak = block_max(i < n ? x[i] : -1e9f, partial);"
        "  if (threadIdx.x == 0) { out[blockIdx.x] = total; most[blockIdx.x] = peak; }"
        "}",
        threads=threads,
    )
    x, out, most = np.random.default_rng(0).integers(-9, 9, 230).astype(np.float32), np.zeros(3, np.float32), None
    most = out.copy()
    kernels.launch("sums", 3, 96, (x, out, most, np.int32(230)))
    parts = np.split(x, [96, 192])
    np.testing.assert_array_equal(out, [part.sum() for part in parts])
    np.testing.assert_array_equal(most, [part.max() for part in parts])


@BOTH
def test_shuffles_move_values_between_lanes_as_cuda_says(threads):
    kernels = compiled(
        KERNEL + "moves(int* out, long long* wide) {"
        "  int i = threadIdx.x, step = blockDim.x;"
        "  out[0 * step + i] = __shfl_sync(EVERYONE, i, 5);"
        "  out[1 * step + i] = __shfl_xor_sync(EVERYONE, i, 3);"
        "  out[2 * step + i] = __shfl_up_sync(EVERYONE, i, 2);"
        "  out[3 * step + i] = __shfl_down_sync(EVERYONE, i, 7);"
        "  out[4 * step + i] = __shfl_down_sync(EVERYONE, i, 3, 8);"
        "  out[5 * step + i] = __shfl_sync(EVERYONE, i, 9, 8);"
        "  out[6 * step + i] = __ballot_sync(EVERYONE, i % 3 == 0);"
        "  out[8 * step + i] = __shfl_up_sync(EVERYONE, i, 3, 8);"
        "  out[9 * step + i] = __shfl_xor_sync(EVERYONE, i, 12, 8);"
        "  out[7 * step + i] = __any_sync(EVERYONE, i == 40) * 2 + __all_sync(EVERYONE, i >= 32);"
        "  wide[i] = __shfl_xor_sync(EVERYONE, (long long)i << 40, 1);"
        "}",
        threads=threads,
    )
    out, wide = np.zeros((10, 64), np.int32), np.zeros(64, np.int64)
    kernels.launch("moves", 1, 64, (out, wide))
    i, lane, first = np.arange(64), np.arange(64) % 32, np.arange(64) // 32 * 32
    votes = [sum(1 << k for k in range(32) if (k + base) % 3 == 0) for base in (0, 32)]
    expected = [
        first + 5,
        i ^ 3,
        np.where(lane >= 2, i - 2, i),
        np.where(lane < 25, i + 7, i),
        np.where(lane % 8 < 5, i + 3, i),
        i // 8 * 8 + 1,
        np.array(votes, np.uint32).view(np.int32)[i // 32],
        np.where(i < 32, 0, 3),
        np.where(lane % 8 >= 3, i - 3, i),
        np.where(i % 16 < 8, i, i ^ 12),  # an earlier eight may be read, a later one not
    ]
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(wide, (i ^ 1) << 40)


def test_half_a_warp_may_exchange_while_the_other_half_does_something_else():
    kernels = compiled(
        KERNEL + "halves(int* out) {"
        "  int i = threadIdx.x, x = 0;"
        "  if (i < 16) x = __shfl_xor_sync(0x0000ffffu, i, 1); else x = 100 + __shfl_xor_sync(0xffff0000u, i, 2);"
        "  out[i] = __shfl_sync(EVERYONE, x, i);"
        "}"
    )
    out = np.zeros(32, np.int32)
    kernels.launch("halves", 1, 32, (out,))
    i = np.arange(32)
    np.testing.assert_array_equal(out, np.where(i < 16, i ^ 1, 100 + (i ^ 2)))


@BOTH
def test_atomics_lose_nothing(threads):
    kernels = compiled(
        KERNEL + "count(int* n, unsigned* u, float* f) { atomicAdd(n, 2); atomicAdd(u, 1u); atomicAdd(f, 0.5f); }",
        threads=threads,
    )
    n, u, f = np.zeros(1, np.int32), np.zeros(1, np.uint32), np.zeros(1, np.float32)
    kernels.launch("count", 3, 64, (n, u, f))
    assert (n[0], u[0], f[0]) == (384, 192, 96.0)


def test_every_block_of_a_grid_of_three_dimensions_runs_once():
    kernels = compiled(
        KERNEL + "visit(int* seen) {"
        "  if (threadIdx.x == 0) seen[(blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x] += 1;"
        "}"
    )
    seen = np.zeros((4, 3, 2), np.int32)
    kernels.launch("visit", (2, 3, 4), 32, (seen,))
    assert (seen == 1).all()


def test_philox_gives_the_published_numbers():
    # Random123's known answers for philox4x32-10 (kat_vectors).
    kernels = compiled(
        KERNEL + "bits(const unsigned* in, unsigned* out) {"
        "  if (threadIdx.x == 0) {"
        "    Bits b = philox(in[0], in[1], in[2], in[3], in[4], in[5]);"
        "    for (int i = 0; i < 4; i++) out[i] = b.word[i];"
        "  }"
        "}"
    )
    for given, wanted in {
        (0,) * 6: (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
        (0xFFFFFFFF,) * 6: (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0): (
            0xD16CFE09,
            0x94FDCCEB,
            0x5001E420,
            0x24126EA1,
        ),
    }.items():
        out = np.zeros(4, np.uint32)
        kernels.launch("bits", 1, 32, (np.array(given, np.uint32), out))
        assert tuple(out) == wanted


def test_bfloat16_rounds_as_ml_dtypes_does():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    kernels = compiled(
        KERNEL + "rounds(const float* x, bfloat16* y, float* back, int n) {"
        "  for (int i = threadIdx.x; i < n; i += blockDim.x) {"
        "    y[i] = from_float<bfloat16>(x[i]);"
        "    back[i] = to_float(y[i]);"
        "  }"
        "}"
    )
    bits = np.random.default_rng(0).integers(0, 2**32, 20_000, np.uint32)
    ties = np.arange(0x3F808000, 0x3FC08000, 0x10000, dtype=np.uint32)
    corners = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 3.4e38, -3.4e38, 1e-45], np.float32)
    x = np.concatenate([bits.view(np.float32), ties.view(np.float32), corners])
    y, back = np.zeros(x.shape, ml_dtypes.bfloat16), np.zeros(x.shape, np.float32)
    kernels.launch("rounds", 1, 256, (x, y, back, np.int32(x.size)))
    with np.errstate(invalid="ignore"):  # signalling NaN among the random bits
        expected = x.astype(ml_dtypes.bfloat16).astype(np.float32)
    np.testing.assert_array_equal(y.astype(np.float32), expected)
    np.testing.assert_array_equal(back, y.astype(np.float32))


@BOTH
def test_the_warps_matrix_product_is_numpys(threads):
    """The layout of the registers is PTX's: m16n8k16, row and column, bfloat16 into float."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    kernels = compiled(
        KERNEL + "product(const bfloat16* a, const bfloat16* bt, float* d) {"
        "  int lane = threadIdx.x, group = lane / 4, t = lane % 4;"
        "  const unsigned *a2 = (const unsigned*)a, *b2 = (const unsigned*)bt;"  # rows of 8 pairs
        "  unsigned ra[4] = {a2[group * 8 + t], a2[(group + 8) * 8 + t], a2[group * 8 + t + 4], a2[(group + 8) * 8 + t + 4]};"
        "  unsigned rb[2] = {b2[group * 8 + t], b2[group * 8 + t + 4]};"
        "  float rd[4];"
        "  for (int i = 0; i < 4; i++) rd[i] = d[(group + i / 2 * 8) * 8 + 2 * t + i % 2];"
        "  mma_16x8x16(rd, ra, rb);"
        "  for (int i = 0; i < 4; i++) d[(group + i / 2 * 8) * 8 + 2 * t + i % 2] = rd[i];"
        "}",
        threads=threads,
    )
    rng = np.random.default_rng(0)
    a, bt = (rng.normal(size=(n, 16)).astype(ml_dtypes.bfloat16) for n in (16, 8))
    d = rng.normal(size=(16, 8)).astype(np.float32)
    expected = d + a.astype(np.float64) @ bt.astype(np.float64).T
    kernels.launch("product", 1, 32, (a, bt, d))
    np.testing.assert_allclose(d, expected, atol=1e-5)


def test_ldmatrix_hands_out_rows_or_columns():
    kernels = compiled(
        KERNEL + "load(const unsigned short* x, unsigned short* plain, unsigned short* turned) {"
        "  int lane = threadIdx.x;"
        "  unsigned r[4], c[4];"
        "  ldmatrix_x4(r, x + lane * 8);"
        "  ldmatrix_x4_transposed(c, x + lane * 8);"
        "  for (int j = 0; j < 4; j++) {"
        "    int at = j * 64 + lane / 4 * 8 + 2 * (lane % 4);"
        "    plain[at] = r[j] & 0xffff; plain[at + 1] = r[j] >> 16;"
        "    turned[at] = c[j] & 0xffff; turned[at + 1] = c[j] >> 16;"
        "  }"
        "}"
    )
    x = np.arange(256, dtype=np.uint16).reshape(4, 8, 8)
    assert x.ctypes.data % 16 == 0
    plain, turned = np.zeros_like(x), np.zeros_like(x)
    kernels.launch("load", 1, 32, (x, plain, turned))
    np.testing.assert_array_equal(plain, x)
    np.testing.assert_array_equal(turned, x.transpose(0, 2, 1))
    with pytest.raises(KernelError, match="ldmatrix reads a row at .* not a multiple of 16 bytes"):
        kernels.launch("load", 1, 32, (x.ctypes.data + 2, plain, turned))


# ---- it is stricter than a GPU --------------------------------------------------------------------------------------


def test_an_asynchronous_copy_is_there_only_once_it_was_waited_for():
    kernels = compiled(
        KERNEL + "copies(const float* x, float* out) {"
        "  SHARED_BYTES(memory);"
        "  float* mine = (float*)memory + threadIdx.x * 8;"
        "  cp_async_16(mine, x, true); cp_async_commit(); cp_async_16(mine + 4, x + 4, true); cp_async_commit();"
        "  cp_async_wait<1>();"
        "  if (threadIdx.x == 0) { out[0] = mine[3]; out[1] = mine[4]; }"
        "  cp_async_wait<0>();"
        "  if (threadIdx.x == 0) out[2] = mine[4];"
        "  cp_async_16(mine, x, false); cp_async_commit(); cp_async_wait<0>();"  # not there: zeros
        "  if (threadIdx.x == 0) out[3] = mine[3];"
        "}"
    )
    x, out = np.arange(8, dtype=np.float32), np.zeros(4, np.float32)
    kernels.launch("copies", 1, 32, (x, out), shared_bytes=32 * 32)
    np.testing.assert_array_equal(out, [3.0, np.nan, 4.0, 0.0])


def test_shared_memory_is_nan_in_every_block_until_it_is_written():
    kernels = compiled(
        "template <typename T> __device__ T left_over() {"
        "  __shared__ T there[4];"
        "  T found = there[1];"
        "  __syncthreads();"
        "  there[threadIdx.x % 4] = T(3);"
        "  return found;"
        "}\n" + KERNEL + "stale(float* out) {"
        "  SHARED_BYTES(memory);"
        "  float found = left_over<float>(), dynamic = ((float*)memory)[1];"
        "  __syncthreads();"
        "  ((float*)memory)[1] = 5.0f;"
        "  if (threadIdx.x == 0) { out[2 * blockIdx.x] = found; out[2 * blockIdx.x + 1] = dynamic; }"
        "}"
    )
    out = np.zeros(4, np.float32)
    kernels.launch("stale", 2, 32, (out,), shared_bytes=16)
    assert np.isnan(out).all()


@pytest.mark.parametrize(
    "body, message",
    [
        (
            "if (threadIdx.x < 32) __syncthreads();",
            "missed: block (0, 0, 0): __syncthreads in line 1 is reached by 32 of 64 threads: thread 0 waits there, thread 32 has finished",
        ),
        ("if (threadIdx.x % 2) __syncthreads();\n else\n __syncthreads();", "in another line"),
        ("if (threadIdx.x != 3) __shfl_xor_sync(0xffffffffu, 1, 1);", "thread 0 waits for its warp in line 1, but thread 3 has finished"),
        ("if (threadIdx.x != 3) __syncwarp(); else __syncthreads();", "but thread 3 waits in __syncthreads"),
        ("if (threadIdx.x % 2) __syncwarp();\n else\n __syncwarp();", "in another line"),
        ("__syncwarp(threadIdx.x % 32 < 16 ? 0xffffffffu : 0xffff0000u);", "thread 0 waits for its warp in line 1, but thread 16 has finished"),
        ("__shfl_sync(threadIdx.x < 8 ? 0xffu : 0xffffff00u, 1, 20);", "lane 0 reads from lane 20, which the mask leaves out"),
        ("__syncwarp(1u);", "thread 1 is not in its own mask 00000001"),
    ],
)  # fmt: skip
def test_a_barrier_that_some_threads_miss_is_reported(body, message):
    kernels = compile_text(KERNEL + "missed(int* done) {" + body + "\n if (threadIdx.x == 0) *done += 1; }")
    done = np.zeros(1, np.int32)
    for _ in range(2):  # and the next launch begins afresh
        with pytest.raises(KernelError) as found:
            kernels.launch("missed", 2, 64, (done,))
        assert message in str(found.value)


def test_a_launch_after_a_broken_one_is_whole():
    kernels = compile_text(
        KERNEL + "first(int n) { if (threadIdx.x >= n) __syncthreads(); }"
        f"\n{KERNEL} second(int* n) {{ __syncthreads(); atomicAdd(n, 1); __syncthreads(); }}"
    )
    with pytest.raises(KernelError):
        kernels.launch("first", 1, 64, (np.int32(3),))
    n = np.zeros(1, np.int32)
    kernels.launch("second", 2, 128, (n,))
    assert n[0] == 256


@pytest.mark.parametrize(
    "body, message",
    [
        ("((float*)(long long)(4 * n))[threadIdx.x] = 1.0f;", "memory that is not there"),
        ("*(float4*)(x + 4) = *(float4*)(x + n);", "a vector at an address that is no multiple"),
        ("__shared__ float a[4]; a[n + 3] = 1.0f; x[0] = a[n];", "an index beyond an array's end"),
        ("volatile float large[40000]; if (threadIdx.x == 5) large[0] = n; x[0] = large[0];", "not there"),
    ],
    ids=["null", "misaligned", "index", "stack"],
)
def test_a_bad_address_ends_the_launch_and_not_the_process(body, message):
    kernels = compile_text(KERNEL + "bad(float* x, int n) {" + body + "}")
    x = np.zeros(16, np.float32)
    assert x.ctypes.data % 16 == 0
    for _ in range(2):
        with pytest.raises(KernelError, match=rf"bad: block \(0, 0, 0\): thread 0 .*{message}"):
            kernels.launch("bad", 1, 32, (x, np.int32(1)))


def test_threads_that_wait_in_vain_end_the_process_with_a_message():
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from cuda_on_cpu.build import compile_text\n"
        "import numpy as np\n"
        f"text = '''{KERNEL} missed(int n) {{ if (threadIdx.x < n) __syncthreads(); else __syncthreads(); }}'''\n"
        "compile_text(text.replace('; else', ';\\nelse'), threads=True).launch('missed', 1, 64, (np.int32(3),))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode < 0 and "threads wait in line" in done.stderr


def test_the_other_order_of_blocks_and_threads_shows_who_depends_on_it():
    kernels = compile_text(KERNEL + "last(int* who) { *who = blockIdx.x * 1000 + threadIdx.x; }")
    who = np.zeros(1, np.int32)
    kernels.launch("last", 3, 64, (who,))
    assert who[0] == 2063
    kernels.launch("last", 3, 64, (who,), reverse=True)
    assert who[0] == 0
