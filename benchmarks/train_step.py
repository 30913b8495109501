"""A training step of tinygrad_llm beside PyTorch's: forward, backward, clip, AdamW, float32, on the CPU.

    python -m benchmarks.train_step [--rows 1,2,3] [--rounds 7] [--threads 2] [--no-compile] [--avx2]

The contenders are processes that live side by side and take turns, so a machine that slows down slows all of them; what
counts is the median over rounds. They start from the same weights and see the same batches, and their losses must
agree. Prints the processor, the kernels that each library chose for it, a table, and one JSON line last. "share" is the
time of the step's matrix products alone, by ours. Needs torch (and a C++ compiler for torch.compile).

The ratio to PyTorch depends on the processor: name it beside every figure. --avx2 forbids AVX-512 to all contenders, as
on a machine without it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.workload import ROWS, config_of, simd_features

STEPS = (12, 4, 2)
"""Steps a turn, about half a second of work each."""
WARM_UP = (6, 3, 2)


class Contender:
    """A child process that runs steps when it is told to."""

    def __init__(self, kind: str, row: int, threads: int, weights: Path, avx2: bool) -> None:
        # OPENBLAS_CORETYPE, where a machine sets it for old libraries, would hold a new one back
        held_back = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
        environment = {k: v for k, v in os.environ.items() if k not in held_back} | {"OMP_NUM_THREADS": str(threads)}
        environment |= without_avx512() if avx2 else {}
        command = [sys.executable, "-m", "benchmarks.workload", kind, str(row), str(threads), str(weights)]
        self.kind, self.ms, self.losses, self.peak, self.kernels = kind, [], [], 0.0, ""
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def turn(self, steps: int, count: bool = True) -> None:
        """Some steps; their median is one sample."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the {self.kind} contender stopped: exit code {self.process.wait()}")
        answer = json.loads(line)
        self.losses.append(answer["loss"])
        self.peak, self.kernels = answer["peak_mb"], answer["kernels"]
        if count:
            self.ms.append(statistics.median(answer["ms"]))

    def close(self) -> None:
        """Ends the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def without_avx512() -> dict[str, str]:
    """The environment in which OpenBLAS, NumPy, ATen, MKL and oneDNN do without AVX-512."""
    features = [name for name in simd_features() if name == "X86_V4" or name.startswith("AVX512")]
    return {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": " ".join(features),
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
    }


def processor() -> str:
    """The processor's name and how many of its cores there are."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else []:
        if line.startswith("model name"):
            name = line.partition(":")[2].strip()
    return f"{name}, {os.cpu_count()} cores"


def measure(row: int, threads: int, rounds: int, compiled: bool, avx2: bool) -> dict:
    """One row of the table."""
    from tinygrad_llm.models.gpt import GPT, GPTConfig

    kinds = ["ours", "torch", *(["compile"] if compiled else []), "floor"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        model = GPT(GPTConfig(bias=False, **config_of(ROWS[row])), rng=np.random.default_rng(0))
        np.savez(path, **model.state_dict())
        contenders = {kind: Contender(kind, row, threads, path, avx2) for kind in kinds}
        for contender in contenders.values():
            contender.turn(WARM_UP[row], count=False)
        for _ in range(rounds):
            for contender in contenders.values():
                contender.turn(STEPS[row])
        for contender in contenders.values():
            contender.close()
    check_losses(contenders)
    return summary(ROWS[row]["name"], contenders)


def check_losses(contenders: dict[str, Contender]) -> None:
    """After every turn, the same loss: they did the same work."""
    for kind in contenders.keys() - {"floor"}:
        ours, theirs = contenders["ours"].losses, contenders[kind].losses
        # the paths part slowly: two float32 programs round differently, and training amplifies it
        if not np.allclose(ours, theirs, rtol=2e-2):
            raise SystemExit(f"losses differ: ours {ours}, {kind} {theirs}")


def summary(name: str, contenders: dict[str, Contender]) -> dict:
    """Medians, and ratios of turns that stood side by side."""

    def ratio(kind: str) -> float | None:
        if kind not in contenders:
            return None
        pairs = zip(contenders[kind].ms, contenders["ours"].ms)
        return round(statistics.median(theirs / ours for theirs, ours in pairs), 3)

    def ms(kind: str) -> float | None:
        return round(statistics.median(contenders[kind].ms), 2) if kind in contenders else None

    return {
        "name": name,
        "ours_ms": ms("ours"),
        "torch_ms": ms("torch"),
        "torch_compile_ms": ms("compile"),
        "ratio_eager": ratio("torch"),
        "ratio_compile": ratio("compile"),
        "gemm_floor_ms": ms("floor"),
        "floor_share": ratio("floor"),
        "ours_peak_mb": round(contenders["ours"].peak, 1),
        "torch_peak_mb": round(contenders["torch"].peak, 1),
        "kernels": {kind: c.kernels for kind, c in contenders.items() if kind in ("ours", "torch")},
        "last_losses": {kind: round(c.losses[-1], 5) for kind, c in contenders.items() if kind != "floor"},
    }


def main() -> None:
    """Measures the rows and prints them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--rows", default="1,2,3", help="which rows, counted from 1")
    parser.add_argument("--rounds", type=int, default=7, help="turns each")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--avx2", action="store_true", help="forbid AVX-512 to all contenders")
    options = parser.parse_args()
    rows: list[dict] = []
    print(processor())
    print(
        f"{'row':42}{'ours ms':>9}{'torch':>9}{'compile':>9}{'eager/ours':>12}{'compile/ours':>14}"
        f"{'floor ms':>10}{'share':>7}{'peak MB: ours':>15}{'torch':>8}"
    )
    for number in options.rows.split(","):
        r = measure(int(number) - 1, options.threads, options.rounds, not options.no_compile, options.avx2)
        rows.append(r)
        compiled = f"{r['torch_compile_ms'] or float('nan'):9.1f}"
        print(
            f"{r['name']:42}{r['ours_ms']:9.1f}{r['torch_ms']:9.1f}{compiled}{r['ratio_eager']:12.3f}"
            f"{r['ratio_compile'] or float('nan'):14.3f}{r['gemm_floor_ms']:10.1f}{r['floor_share']:7.2f}"
            f"{r['ours_peak_mb']:15.0f}{r['torch_peak_mb']:8.0f}",
            flush=True,
        )
    print("; ".join(rows[-1]["kernels"].values()))
    print(json.dumps({"processor": processor(), "rows": rows}))


if __name__ == "__main__":
    main()
