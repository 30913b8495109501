"""The kernels as NVRTC compiles them for this GPU: the same cases that run on the CPU, launched as they are."""

from __future__ import annotations

import numpy as np
import pytest
from gpu_mirror import Mirror
from kernel_cases import Case, Launch, bfloat16, cases

from tinygrad_llm.backend import as_dtype
from tinygrad_llm.backend.kernels import kernel_files

pytestmark = pytest.mark.gpu
FILES = [] if bfloat16 is None else kernel_files()


def launched(case: Case, file: str, mirror: Mirror) -> Case:
    for one in case.launches:
        mirror.launch(file, one.kernel, one.grid, one.block, one.args, one.shared_bytes)
    mirror.bring_back()
    return case


@pytest.mark.parametrize(("file", "name"), [(file, name) for file in FILES for name in cases(file)])
def test_a_kernel_gives_what_numpy_gives(file, name, cupy, tensor_cores):
    launched(cases(file)[name](), file, Mirror(cupy)).check()


@pytest.mark.parametrize("shift", [0, 1, 3])
def test_a_mirror_keeps_what_is_shared_and_where_it_begins(shift, cupy):
    """Two views of one array: the kernel writes into one, and the other and the frame around it are as they were."""
    memory = np.full(64, 7.0, np.float32)
    x, y = memory[4 + shift : 14 + shift], memory[30 + shift : 40 + shift]
    x[...] = np.arange(10) - 4.5
    before, expected = memory.copy(), memory.copy()
    expected[30 + shift : 40 + shift] = x.astype(as_dtype("bfloat16")).astype(np.float32)
    half = np.zeros(10, as_dtype("bfloat16"))
    mirror = Mirror(cupy)
    for array in (x, y, half):
        assert mirror.on_gpu(array).data.ptr % 256 == array.ctypes.data % 256
    n = np.int64(10)
    mirror.launch("elementwise", "to_bfloat16", 1, 32, (x, half, n))
    mirror.launch("elementwise", "to_float32", 1, 32, (half, y, n))
    np.testing.assert_array_equal(memory, before)  # as long as nothing is brought back
    mirror.bring_back()
    np.testing.assert_array_equal(memory, expected)


def test_a_wrong_launch_is_found(cupy):
    """A case that is launched with one block too few does not pass."""
    name = next(name for name in cases("norm") if "forward" in name and "one column" in name)
    case = cases("norm")[name]()
    one = case.launches[0]
    args = [np.int32(int(a) - 1) if i == len(one.args) - 3 else a for i, a in enumerate(one.args)]  # a row too few
    with pytest.raises(AssertionError):
        launched(Case([Launch(one.kernel, one.grid, one.block, args)], case.check), "norm", Mirror(cupy)).check()
