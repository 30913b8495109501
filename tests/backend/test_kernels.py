"""Every kernel, run on the CPU, gives what NumPy says."""

from __future__ import annotations

import pytest
from cuda_on_cpu.build import available, compile_text
from kernel_cases import Case, bfloat16, cases

from tinygrad_llm.backend.kernels import kernel_files, source

pytestmark = pytest.mark.skipif(
    not available() or bfloat16 is None, reason="running kernels on the CPU needs g++ and ml_dtypes"
)
FILES = [] if bfloat16 is None else kernel_files()
EVERY = [pytest.param(file, name, id=f"{file} {name}") for file in FILES for name in cases(file)]


def run(file: str, name: str, reverse: bool = False) -> Case:
    compiled = compile_text(source(file))
    case = cases(file)[name]()
    for launch in case.launches:
        compiled.launch(launch.kernel, launch.grid, launch.block, launch.args, launch.shared_bytes, reverse=reverse)
    return case


@pytest.mark.parametrize("file, name", EVERY)
def test_a_kernel_gives_what_numpy_gives(file, name):
    run(file, name).check()


@pytest.mark.parametrize("file, name", EVERY)
def test_a_kernel_does_not_depend_on_the_order_of_blocks_and_threads(file, name):
    run(file, name, reverse=True).check()


@pytest.mark.parametrize("file", FILES)
def test_every_kernel_has_a_case(file):
    launched = {launch.kernel for make in cases(file).values() for launch in make().launches}
    assert set(compile_text(source(file)).kernels) == launched
