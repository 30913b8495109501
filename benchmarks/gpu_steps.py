"""Training steps of whole models on a GPU, ours and PyTorch's, in turns."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.gpu_kernels import tokens
from tinygrad_llm.backend.cuda import load_cupy
from tinygrad_llm.models.gpt import GPT, GPTConfig
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train.device_step import DeviceStep, GraphedStep

GRAPH_AFTER = GraphedStep.WARM_UP + 3
"""Steps of a warm-up: kernels are compiled, the graph is recorded and has run twice."""


@dataclass(frozen=True)
class Run:
    """A model, a batch, how many steps are timed alone, and how many rounds of how many steps against PyTorch."""

    name: str
    config: dict[str, Any]
    batch: int
    steps: int
    rounds: int = 7
    turn: int = 10

    @property
    def tokens(self) -> int:
        """Of one step."""
        return self.batch * self.config["block_size"]


NANOGPT = Run(
    "nanoGPT's character preset",
    {"vocab_size": 65, "block_size": 256, "n_layer": 6, "n_head": 6, "n_embd": 384, "dropout": 0.2},
    batch=64, steps=40, turn=20,
)  # fmt: skip
GPT2 = Run(
    "GPT-2 124M, vocabulary 50257 as it is, not padded",
    {"vocab_size": 50257, "block_size": 1024, "n_layer": 12, "n_head": 12, "n_embd": 768, "dropout": 0.0},
    batch=16, steps=6, turn=4,
)  # fmt: skip
SMALL = Run(
    "small",
    {"vocab_size": 13, "block_size": 8, "n_layer": 1, "n_head": 2, "n_embd": 16, "dropout": 0.2},
    batch=2, steps=2, rounds=2, turn=2,
)  # fmt: skip


def batches(run: Run, count: int = 8) -> list[tuple[np.ndarray, np.ndarray]]:
    """Some batches, used over and over; frequent tokens are frequent, as in a text."""
    ids = tokens(count * run.batch * (run.config["block_size"] + 1), run.config["vocab_size"]).get()
    text = ids.reshape(count, run.batch, -1)
    return [(np.ascontiguousarray(part[:, :-1]), np.ascontiguousarray(part[:, 1:])) for part in text]


# ---- the floor ------------------------------------------------------------------------------------------------------


def floor_ms(run: Run, parameters: int, precision: str, copy_gbs: float, tflops: float) -> float:
    """What a step takes if products run at the rate of large ones, and all else at that of a copy, moved once.

    Products: 6 operations a weight and token (the head's table among them), and 7 products of T x T x K a head, of
    which causal attention needs half. Bytes: forward, a layer reads and writes 38 numbers a token and unit of width
    between its products, norms, GELU, attention and sums; backward twice that. Logits are moved five times. The update
    moves seven float32 a weight, the norm one.
    """
    c = run.config
    width, layers, time_ = c["n_embd"], c["n_layer"], c["block_size"]
    operations = 6 * parameters * run.tokens + 7 * layers * run.tokens * time_ * width
    size = 2 if precision == "bf16" else 4
    moved = size * run.tokens * (3 * 38 * width * layers + 5 * c["vocab_size"]) + 8 * 4 * parameters
    return operations / tflops / 1e9 + moved / copy_gbs / 1e6


# ---- contenders -----------------------------------------------------------------------------------------------------


@dataclass
class Contender:
    """step(tokens, targets) asks for one; loss() waits; marks are events around each step."""

    name: str
    step: Callable[[np.ndarray, np.ndarray], None]
    loss: Callable[[], float]
    mark: Callable[[], Any]
    between: Callable[[Any, Any], float]
    held: Callable[[], float]
    failures: list[str] = field(default_factory=list)
    last_loss: float = float("nan")
    early_loss: float = float("nan")
    done: int = 0
    ms: list[float] = field(default_factory=list)
    host_ms: list[float] = field(default_factory=list)

    def turn(self, source: list, count: int, keep: bool = True) -> None:
        """`count` steps; the medians of the GPU's and of the host's time for one are kept as a sample each."""
        marks, start = [self.mark()], time.perf_counter()
        for _ in range(count):
            self.step(*source[self.done % len(source)])
            marks.append(self.mark())
            self.done += 1
        asked = time.perf_counter() - start
        self.last_loss = self.loss()  # waits
        if keep:
            self.ms.append(statistics.median(self.between(a, b) for a, b in zip(marks, marks[1:])))
            self.host_ms.append(asked * 1e3 / count)

    def summary(self, run: Run) -> dict[str, float]:
        """Medians over the turns."""
        ms = statistics.median(self.ms)
        return {
            "ms": ms,
            "host_ms": statistics.median(self.host_ms),
            "tokens_per_s": run.tokens / ms * 1e3,
            "held_gb": self.held(),
            "early_loss": self.early_loss,
            "last_loss": self.last_loss,
        }


def ours(run: Run, model: GPT, weights: dict, precision: str, graph: bool) -> Contender:
    """A step as the trainer makes it, from the given first weights."""
    cupy = load_cupy()
    pool = cupy.get_default_memory_pool()
    gc.collect()  # a contender before this one knew itself
    pool.free_all_blocks()
    before = pool.total_bytes()
    model.load_state_dict(weights)
    optimizer = AdamW(model.named_parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
    options: dict[str, Any] = {"clip": 1.0, "seed": 0, "precision": precision, "every": 64}
    failures: list[str] = []
    kind, told = (GraphedStep, {"report": failures.append}) if graph else (DeviceStep, {})
    step = kind(model.loss, optimizer, **options, **told)

    def mark() -> Any:
        event = cupy.cuda.Event()
        event.record()
        return event

    def held() -> float:
        own = pool.total_bytes() - before
        return (own + (step.graph.pool.total_bytes() if graph and not failures else 0)) / 2**30

    contender = Contender(
        f"ours, {precision}, {'graph' if graph else 'eager'}",
        lambda x, y: (step([{"tokens": x, "targets": y}], contender.done, 1e-3, y.size), None)[1],
        lambda: step.read().loss,
        mark,
        cupy.cuda.get_elapsed_time,
        held,
        failures,
    )
    return contender


def torch_contender(run: Run, weights: dict, compiled: bool, device: str = "cuda") -> Contender:
    """PyTorch's."""
    import torch

    from benchmarks.torch_gpt import DeviceTrainer

    on_gpu = device == "cuda"
    before = torch.cuda.memory_reserved() if on_gpu else 0
    trainer = DeviceTrainer(run.config, weights, compiled, device)

    def mark() -> Any:
        if not on_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    return Contender(
        f"PyTorch, bf16, {'compile' if compiled else 'eager'}",
        trainer.step,
        trainer.loss,
        mark,
        (lambda a, b: a.elapsed_time(b)) if on_gpu else (lambda a, b: (b - a) * 1e3),
        lambda: (torch.cuda.memory_reserved() - before) / 2**30 if on_gpu else 0.0,
    )


# ---- measuring ------------------------------------------------------------------------------------------------------


def warmed_up(contender: Contender, source: list) -> Contender:
    """Before anything is timed. All have seen the same batches then: their losses agree, as far as dropout lets."""
    contender.turn(source, GRAPH_AFTER, keep=False)
    contender.early_loss = contender.last_loss
    return contender


def alone(run: Run, model: GPT, weights: dict, source: list, precision: str, graph: bool) -> dict[str, Any]:
    """One of ours by itself."""
    contender = warmed_up(ours(run, model, weights, precision, graph), source)
    contender.turn(source, run.steps)
    result: dict[str, Any] = contender.summary(run)
    if contender.failures:
        result["no_graph"] = contender.failures[0]
    return result


def in_turns(run: Run, contenders: list[Contender], source: list) -> dict[str, Any]:
    """All of them, round by round; ratios of turns that stood side by side, above 1 where the first is faster."""
    for contender in contenders:
        contender.ms.clear()
        contender.host_ms.clear()
    for _ in range(run.rounds):
        for contender in contenders:
            contender.turn(source, run.turn)
    first = contenders[0]
    ratios = {c.name: statistics.median(theirs / mine for theirs, mine in zip(c.ms, first.ms)) for c in contenders[1:]}
    return {"contenders": {c.name: c.summary(run) for c in contenders}, "ratios": ratios}


def make_model(run: Run) -> tuple[GPT, dict[str, np.ndarray]]:
    """The model on the GPU, and its first weights on the host."""
    model = GPT(GPTConfig(bias=False, **run.config), rng=np.random.default_rng(0))
    weights = {name: array.copy() for name, array in model.state_dict().items()}
    return model.to("cuda"), weights
