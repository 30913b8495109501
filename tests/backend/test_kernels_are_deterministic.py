"""No kernel adds in an order that is left to chance: whichever block, warp or lane comes first, the bits are the same."""

from __future__ import annotations

import numpy as np
import pytest
from cuda_on_cpu.build import available, compile_text
from kernel_cases import cases

from tinygrad_llm.backend.kernels import source

pytestmark = pytest.mark.skipif(not available(), reason="running kernels on the CPU needs g++")
FILES = ("activation", "elementwise", "softmax", "loss", "embedding", "rope", "dropout", "optimizer", "sample")
EVERY = [pytest.param(file, name, id=f"{file} {name}") for file in FILES for name in cases(file)]


@pytest.mark.parametrize("file, name", EVERY)
def test_the_order_of_blocks_and_threads_does_not_change_a_bit(file, name):
    compiled, results = compile_text(source(file)), []
    for reverse in (False, True):
        case = cases(file)[name]()
        for launch in case.launches:
            compiled.launch(launch.kernel, launch.grid, launch.block, launch.args, launch.shared_bytes, reverse=reverse)
        arrays = [arg for launch in case.launches for arg in launch.args if isinstance(arg, np.ndarray)]
        results.append([array.tobytes() for array in arrays])
    assert results[0] == results[1]
