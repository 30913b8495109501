"""Every kernel file compiles for every GPU that CuPy 14 runs on, by NVIDIA's own compiler and without a GPU."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys

import pytest
from cuda_on_cpu.build import cache_folder

from benchmarks.kernels import ARCHITECTURES, OPTIONS, has_kernels, nvrtc, usage
from tinygrad_llm.backend.kernels import kernel_files, source


def report(text: str, name: str, architecture: str) -> str:
    """The compiler's report; kept from run to run, since a text compiles as it did before."""
    try:
        compiler = nvrtc()
    except OSError as missing:
        pytest.skip(f"NVRTC is not installed (pip install nvidia-cuda-nvrtc): {missing}")
    if int(architecture.removesuffix("a")) not in compiler.architectures:
        pytest.skip(f"NVRTC {compiler.version} does not know sm_{architecture}")
    key = hashlib.sha256(repr((text, architecture, OPTIONS, compiler.version)).encode()).hexdigest()[:24]
    kept = cache_folder() / f"{key}.ptxas"
    if not kept.exists():
        found = compiler.compile(text, name, architecture)
        new = kept.with_suffix(f".{id(found)}")
        new.write_text(found, encoding="utf-8")
        new.replace(kept)
    kept.touch()
    return kept.read_text(encoding="utf-8")


# For sm_90a what needs it, for all others everything: a file without a kernel for one compiles to nothing.
EVERY = [(f, a) for f in kernel_files() for a in ARCHITECTURES if has_kernels(f, a) or not a.endswith("a")]


@pytest.mark.parametrize("file, architecture", EVERY)
def test_every_kernel_compiles_for_every_gpu(file, architecture):
    found = usage(report(source(file), f"{file}.cu", architecture), architecture)
    assert bool(found) == has_kernels(file, architecture)
    for row in found:
        # 65536 registers a multiprocessor, 256 threads a block at least
        assert 0 < row.registers <= 255 and row.shared <= 48 * 1024, row


PACKED = ("activation", "elementwise", "loss", "softmax")
"""Files whose kernels go over whole arrays by packs.cuh; one stores a number a row alone."""


def entries(file: str) -> dict[str, str]:
    """The PTX of each kernel of a file, by name, for sm_90."""
    try:
        compiler = nvrtc()
    except OSError as missing:
        pytest.skip(f"NVRTC is not installed (pip install nvidia-cuda-nvrtc): {missing}")
    text = compiler.ptx(source(file), f"{file}.cu", "90")
    return dict(re.findall(r"\.entry (\w+)\((.*?)\n}\n", text, re.DOTALL))


@pytest.mark.parametrize("file", PACKED)
def test_a_pack_is_loaded_and_stored_by_one_instruction(file):
    """Compiled from C++ alone, softmax and cross-entropy stored eight times 2 bytes: a fifth of the bandwidth."""
    for name, body in entries(file).items():
        assert re.search(r"ld\.global\S*\.v4\.[fub]32", body), name
        if not name.startswith("cross_entropy_forward"):
            assert "st.global.v4.b32" in body, name
            assert len(re.findall(r"st\.global\.[ub]16", body)) <= 3, name  # elements outside of the packs


def test_a_mistake_is_told_with_its_line():
    with pytest.raises(RuntimeError, match=r'wrong\.cu\(2\): error: identifier "y" is undefined'):
        report('extern "C" __global__ void f(float* x) {\n  *x = y;\n}', "wrong.cu", "90")


def test_registers_spills_and_shared_memory_are_read_from_the_report():
    text = """extern "C" __global__ __launch_bounds__(1024, 2) void f(float* x, int n) {
      __shared__ float a[96];
      float many[64];
      for (int i = 0; i < 64; i++) many[i] = x[i * n];
      a[threadIdx.x % 96] = x[threadIdx.x];
      __syncthreads();
      for (int k = 0; k < n; k++)
        for (int i = 0; i < 64; i++) many[i] = many[i] * many[(i + 1) % 64] + a[k % 96];
      for (int i = 0; i < 64; i++) x[i * n] = many[i];
    }"""
    (row,) = usage(report(text, "f.cu", "80"), "80")
    assert (row.kernel, row.architecture, row.registers, row.shared) == ("f", "80", 32, 96 * 4)
    assert row.spilled > 0 and row.stack > 0


def test_the_command_prints_a_table_and_one_line_of_json():
    report("", "nothing.cu", "90")  # skips where there is no compiler
    command = [sys.executable, "-m", "benchmarks.kernels", "--architectures", "90", "--files"]
    smallest = min(kernel_files(), key=lambda file: len(source(file)))
    done = subprocess.run([*command, smallest], capture_output=True, text=True, check=True)
    *table, last = done.stdout.splitlines()
    assert len(json.loads(last)["kernels"]) == len(table) - 1 > 0
