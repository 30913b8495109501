"""One contender of `benchmarks.train_step`, in a process of its own: reads commands, runs steps, answers in JSON.

    python -m benchmarks.workload KIND ROW THREADS WEIGHTS.npz

KIND is ours, torch, compile, or floor: the matrix products of a step and nothing else. Each line `n` on standard input
runs n steps; the answer is {"ms": [...], "loss": last, "peak_mb": beyond what the imports took, "kernels": which}.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

ROWS = (
    {
        "name": "nanoGPT CPU preset (4, 4, 128, 64) x 12",
        "n_layer": 4,
        "n_head": 4,
        "n_embd": 128,
        "block_size": 64,
        "batch": 12,
    },
    {"name": "(4, 4, 256, 128) x 16", "n_layer": 4, "n_head": 4, "n_embd": 256, "block_size": 128, "batch": 16},
    {"name": "(6, 6, 384, 256) x 8", "n_layer": 6, "n_head": 6, "n_embd": 384, "block_size": 256, "batch": 8},
)
VOCABULARY = 65


def config_of(row: dict) -> dict:
    """The model's part of a row."""
    return {"vocab_size": VOCABULARY} | {key: row[key] for key in ("block_size", "n_layer", "n_head", "n_embd")}


def batches(row: dict):
    """Endless batches of a text that can be learned: each token depends on the one before. The same for everyone."""
    rng = np.random.default_rng(1)
    following = rng.integers(0, VOCABULARY, (VOCABULARY, 4))
    while True:
        shape = (row["batch"], row["block_size"] + 1)
        text = np.empty(shape, np.int64)
        text[:, 0] = rng.integers(0, VOCABULARY, shape[0])
        choice = rng.integers(0, 4, shape)
        for t in range(1, shape[1]):
            text[:, t] = following[text[:, t - 1], choice[:, t]]
        yield np.ascontiguousarray(text[:, :-1]), np.ascontiguousarray(text[:, 1:])


class Ours:
    """A step of tinygrad_llm, as its trainer does it."""

    def __init__(self, row: dict, weights: dict, threads: int) -> None:
        from tinygrad_llm.backend import keep_freed_pages
        from tinygrad_llm.models.gpt import GPT, GPTConfig
        from tinygrad_llm.optim import AdamW
        from tinygrad_llm.train.step import EagerStep, ThreadedStep

        self.imported_mb = peak_mb()
        keep_freed_pages(threads)
        model = GPT(GPTConfig(bias=False, **config_of(row)), rng=np.random.default_rng(0))
        model.load_state_dict(weights)
        optimizer = AdamW(model.named_parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
        self.run = (
            ThreadedStep(model.loss, optimizer, threads=threads) if threads > 1 else EagerStep(model.loss, optimizer)
        )
        self.number = 0

    def step(self, tokens: np.ndarray, targets: np.ndarray) -> float:
        """One step; the loss before the update."""
        self.number += 1
        return self.run([{"tokens": tokens, "targets": targets}], self.number, 1e-3, targets.size).loss


class Torch:
    """A step of PyTorch."""

    def __init__(self, row: dict, weights: dict, threads: int, compiled: bool) -> None:
        from benchmarks.torch_gpt import Trainer

        self.imported_mb = peak_mb()
        self.step = Trainer(config_of(row), weights, threads, compiled).step


class Floor:
    """The matrix products of one step, each into memory that exists, the batch split over threads: the time that is
    left when everything else costs nothing. Attention counts with the lower half of its scores."""

    def __init__(self, row: dict, weights: dict, threads: int) -> None:
        from tinygrad_llm.train.workers import Workers

        self.imported_mb = peak_mb()
        self.workers = Workers(threads)
        width, time_, heads = row["n_embd"], row["block_size"], row["n_head"]
        rows = row["batch"] * time_ // threads
        shapes = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)] * row["n_layer"]
        jobs = [self._linear(rows, *shape) for shape in [*shapes, (width, VOCABULARY)]]
        pairs = row["batch"] * heads // threads
        attention = self._attention(pairs, time_, width // heads)
        self.jobs = [[*jobs, *[attention] * row["n_layer"]] for _ in range(threads)]

    def step(self, tokens: np.ndarray, targets: np.ndarray) -> float:
        """All products of a step."""

        def products(i: int) -> None:
            for job in self.jobs[i]:
                for a, b in job:
                    np.matmul(a, b)

        self.workers.run(products)
        return 0.0

    @staticmethod
    def _linear(rows: int, inputs: int, outputs: int) -> list:
        x, w, g = (np.ones(shape, np.float32) for shape in ((rows, inputs), (outputs, inputs), (rows, outputs)))
        return [(x, w.T), (g, w), (g.T, x)]

    @staticmethod
    def _attention(pairs: int, time_: int, size: int) -> list:
        """q k^T, p v, and four products back, over half of the keys: the mean of what a causal mask leaves."""
        q, k = np.ones((pairs, time_, size), np.float32), np.ones((pairs, time_ // 2, size), np.float32)
        p, k_t = np.ones((pairs, time_, time_ // 2), np.float32), k.swapaxes(1, 2)
        p_t = p.swapaxes(1, 2)
        return [(q, k_t), (p, k), (q, k_t), (p, k), (p_t, q), (p_t, q)]


def kernels(kind: str) -> str:
    """Which instructions the contender's products and elementwise loops were compiled for, as its libraries say."""
    if kind in ("torch", "compile"):
        import torch

        return f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}"
    blas = [
        f"{library['internal_api']} {library['version']} on {library.get('architecture', 'unknown')} kernels"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]
    return f"{', '.join(blas)}, NumPy {np.__version__} with {', '.join(simd_features()[-1:]) or 'its baseline'}"


def simd_features() -> list[str]:
    """The instruction sets that NumPy chooses its loops by, those that are in use here."""
    umath = np._core._multiarray_umath  # type: ignore[attr-defined]
    return [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__.get(name)]


def peak_mb() -> float:
    """The most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Serves steps until standard input ends."""
    kind, number, threads, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    row = ROWS[number]
    with np.load(path) as file:
        weights = {name: file[name] for name in file.files}
    contenders: dict[str, Any] = {"ours": Ours, "floor": Floor}
    if kind in contenders:
        contender = contenders[kind](row, weights, threads)
    else:
        contender = Torch(row, weights, threads, compiled=kind == "compile")
    source = batches(row)
    for line in sys.stdin:
        times, loss = [], 0.0
        for _ in range(int(line)):
            tokens, targets = next(source)
            start = time.perf_counter()
            loss = contender.step(tokens, targets)
            times.append((time.perf_counter() - start) * 1e3)
        answer = {"ms": times, "loss": loss, "peak_mb": peak_mb() - contender.imported_mb, "kernels": kernels(kind)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
