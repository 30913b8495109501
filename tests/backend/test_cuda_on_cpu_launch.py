"""A launch takes the arguments that the kernel takes, and no others; and a text that is wrong is told."""

from __future__ import annotations

import numpy as np
import pytest
from cuda_on_cpu.build import available, build, c_type, compile_text

pytestmark = pytest.mark.skipif(not available(), reason="running kernels on the CPU needs g++")
KERNEL = 'extern "C" __global__ void '

TAKES = KERNEL + (
    "takes(const float* __restrict__ x, unsigned short* u, const long long* ids, int n, long long m, float a, unsigned s,"
    " unsigned long long b) { u[0] = n + m + a + s + b + (x ? x[0] : 0.5f) * 2 + (ids ? ids[0] : 100); }"
)


def good():
    return [
        np.ones(2, np.float32),
        np.zeros(1, np.uint16),
        np.full(3, 7, np.int64),
        np.int32(1),
        np.int64(2),
        np.float32(3),
        np.uint32(4),
        np.uint64(5),
    ]


def test_types_are_read_from_the_kernels_signature():
    kernels = compile_text(TAKES)
    assert kernels.kernels == {
        "takes": [
            "const float*",
            "unsigned short*",
            "const long long*",
            "int",
            "long long",
            "float",
            "unsigned int",
            "unsigned long long",
        ]
    }
    assert c_type("float const *x") == "const float*"
    args = good()
    kernels.launch("takes", 1, 32, args)
    assert args[1][0] == 1 + 2 + 3 + 4 + 5 + 2 + 7
    args[0] = args[2] = None
    kernels.launch("takes", 1, 32, args)
    assert args[1][0] == 1 + 2 + 3 + 4 + 5 + 1 + 100
    args[0] = np.full(1, 10, np.float32).ctypes.data  # an address; its memory is already free, and is not looked at:
    args[0] = (kept := np.full(1, 10, np.float32)).ctypes.data
    args[4] = 2  # CuPy passes a Python int as 64 bits
    kernels.launch("takes", 1, 32, args)
    assert args[1][0] == 1 + 2 + 3 + 4 + 5 + 2 * kept[0] + 100


@pytest.mark.parametrize(
    "at, given, message",
    [
        (0, np.ones(2), "wants an array of float32, got float64"),
        (0, np.ones(2, np.uint16), "wants an array of float32"),
        (0, np.ones((4, 4), np.float32)[:, ::2], "not C-contiguous"),
        (0, np.asfortranarray(np.ones((2, 3), np.float32)), "not C-contiguous"),
        (0, [1.0], "wants an array, None or an address, got list"),
        (0, np.float32(1), "wants an array"),
        (1, np.broadcast_to(np.uint16(1), (1,)), "read-only"),
        (2, np.ones(2, np.int32), "wants an array of int64"),
        (3, 1, "int wants np.int32, got int64"),
        (3, np.int64(1), "int wants np.int32"),
        (3, np.float32(1), "int wants np.int32"),
        (3, np.ones((), np.int32), "int wants np.int32"),
        (3, True, "int wants np.int32, got bool"),
        (3, None, "int wants np.int32"),
        (4, np.int32(1), "long long wants np.int64"),
        (5, 1.0, "float wants np.float32, got float64"),
        (5, np.float64(1), "float wants np.float32"),
        (6, np.int32(4), "unsigned int wants np.uint32"),
        (7, np.int64(4), "unsigned long long wants np.uint64"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_refused(at, given, message):
    args = good()
    args[at] = given
    with pytest.raises(TypeError, match=f"takes: argument {at}.*{message}"):
        compile_text(TAKES).launch("takes", 1, 32, args)


def test_a_wrong_number_of_arguments_is_refused():
    for args in (good()[:-1], [*good(), np.int32(1)]):
        with pytest.raises(TypeError, match=f"takes 8 arguments .* got {len(args)}"):
            compile_text(TAKES).launch("takes", 1, 32, args)


def test_an_impossible_launch_is_refused():
    kernels = compile_text(
        'extern "C" __global__ __launch_bounds__(128, 2) void small(int n) {}\n'
        'extern "C" __global__ void __launch_bounds__(64) smaller(int n) {}\n' + KERNEL + "large(int n) {}"
    )
    n = (np.int32(0),)
    for grid, block, shared, message in [
        (1, 33, 0, "whole warps"),
        (1, 0, 0, "whole warps"),
        (1, 1056, 0, "at most 1024"),
        (1, (32, 2), 0, "one dimension"),
        (0, 32, 0, "each side"),
        ((1, 65536), 32, 0, "each side"),
        (1, 32, 227 * 1024 + 1, "at most 232448"),
        (1, 32, -1, "shared memory"),
    ]:
        with pytest.raises(ValueError, match=message):
            kernels.launch("large", grid, block, n, shared)
    kernels.launch("large", 1, 1024, n, 227 * 1024)
    kernels.launch("small", 1, 128, n)
    with pytest.raises(ValueError, match="160 threads, its __launch_bounds__ allow 128"):
        kernels.launch("small", 1, 160, n)
    with pytest.raises(ValueError, match="allow 64"):
        kernels.launch("smaller", 1, 128, n)
    with pytest.raises(KeyError, match="no kernel tiny: there are small, smaller, large"):
        kernels.launch("tiny", 1, 32, n)


def test_what_gcc_refuses_is_told():
    with pytest.raises(RuntimeError, match=r"kernel\.cu:2:.*not declared"):
        compile_text(KERNEL + "wrong(int* x) {\n *x = y; }")
    with pytest.raises(RuntimeError, match="one __shared__ variable a statement"):
        compile_text(KERNEL + "two(int* x) { __shared__ int a[2], b[2]; *x = a[0] + b[0]; }")
    with pytest.raises(RuntimeError, match="no kernel in this text"):
        compile_text("__global__ void not_extern(int* x) { *x = 1; }")


def test_a_text_is_compiled_once(monkeypatch):
    text = KERNEL + "once(int* x) { *x = 1; }"
    made = build(text)
    monkeypatch.setattr("cuda_on_cpu.build.COMPILER", "no-compiler-here")
    assert build(text) == made
    with pytest.raises(FileNotFoundError):
        build(text + "\n")
