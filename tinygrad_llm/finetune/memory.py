"""What tuning really takes in memory: a process of its own tunes a model for a step, and the system says what it held.

    python -m tinygrad_llm.finetune.memory --width 1024 --layers 4

For each method a fresh process warms up on a tiny model, so that the libraries have what they need, then builds the
model, and takes two steps. The figure is the largest resident set during the steps, less what the process held before
it built anything. Weights are drawn: what they are does not matter to the memory, nor what is learned.

It reads /proc/self/status, and sets the high-water mark back through /proc/self/clear_refs: Linux has both.
(`getrusage` would not do: a child's mark begins with its parent's.)
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_llm.errors import DeviceError
from tinygrad_llm.finetune.budget import METHODS, footprint
from tinygrad_llm.finetune.config import AdapterConfig
from tinygrad_llm.finetune.lora import LoraConfig
from tinygrad_llm.finetune.model import get_peft_model
from tinygrad_llm.models import Llama, LlamaConfig
from tinygrad_llm.nn import Linear, Module, Parameter, replace
from tinygrad_llm.optim import AdamW
from tinygrad_llm.quantize import NF4, Quantized, QuantizedLinear, Scales
from tinygrad_llm.train import fit

STATUS, MARK = Path("/proc/self/status"), Path("/proc/self/clear_refs")
BLOCK, GROUP = 64, 256
ROOT = Path(__file__).resolve().parents[2]


def measurable() -> bool:
    """Whether this system tells what a process held."""
    return STATUS.exists() and MARK.exists()


def measure(method: str, *, width: int = 1024, layers: int = 4, rank: int = 4, tokens: int = 32) -> dict[str, float]:
    """Bytes of a process that tunes: `held` by the steps, `counted` by `footprint`, and `before`, without a model.

    Raises DeviceError where the system does not tell, or the process died.
    """
    if not measurable():
        raise DeviceError("memory", f"{STATUS} and {MARK}, which Linux has", sys.platform)
    numbers = {"width": width, "layers": layers, "rank": rank, "tokens": tokens}
    command = [sys.executable, "-m", __name__ if __name__ != "__main__" else "tinygrad_llm.finetune.memory"]
    command += ["--of", method, *(str(part) for name, n in numbers.items() for part in (f"--{name}", n))]
    done = subprocess.run(command, env=_environment(), capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise DeviceError(f"memory of {method}", "a process that ends well", done.stderr[-300:] or done.returncode)
    counted = footprint(
        _config(width, layers, tokens), method, rank=rank, tokens=tokens, number_bytes=4, checkpointing=False
    )
    return json.loads(done.stdout.splitlines()[-1]) | {"counted": counted.total}


def _environment() -> dict[str, str]:
    """One thread, and for glibc: each array gets pages of its own, and gives them back when it is freed."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    ours = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "PYTHONPATH": os.pathsep.join(paths)}
    return os.environ | ours


def _config(width: int, layers: int, tokens: int) -> LlamaConfig:
    """A Llama of few words, so that its blocks are what is large."""
    return LlamaConfig(256, tokens, layers, max(1, width // 64), width, round(8 / 3 * width / 64) * 64)


def held(method: str, *, width: int, layers: int, rank: int, tokens: int) -> dict[str, float]:
    """What this process holds; see `measure`, which asks it of a fresh one."""
    _tune(_model(method, _config(64, 1, tokens), rank), tokens)
    gc.collect()
    before = resident("VmRSS")
    model = _model(method, _config(width, layers, tokens), rank)
    optimizer = AdamW(model.named_parameters(), 1e-4)
    gc.collect()
    MARK.write_text("5", encoding="ascii")  # the mark is now what is held now
    _tune(model, tokens, optimizer)
    return {"held": resident("VmHWM") - before, "before": before}


def resident(line: str) -> int:
    """Bytes of a line of /proc/self/status: VmRSS, what is held; VmHWM, the most that was held since the mark."""
    found = STATUS.read_text(encoding="ascii").split(f"{line}:")[1].split()
    return int(found[0]) * 1024


def _model(method: str, config: LlamaConfig, rank: int) -> Any:
    """The model as it is tuned, made layer by layer, so that nothing larger was ever there."""
    rng = np.random.default_rng(0)
    model = Llama(changed(config, n_layer=1), rng=rng)
    make = _packed if method == "qlora" else _drawn
    template = model.blocks[0]
    model.blocks = [
        replace(template, Linear, lambda _, layer: make(layer.weight.shape, rng)) for _ in range(config.n_layer)
    ]
    model.config = config
    if method == "full":
        return model
    return get_peft_model(model, _adapters(rank), rng=rng)


def _adapters(rank: int) -> AdapterConfig:
    return LoraConfig("blocks.**.*_proj", r=rank)


def _drawn(shape: tuple[int, int], rng: np.random.Generator) -> Linear:
    layer = Linear(1, 1, bias=False, rng=rng)
    layer.weight = Parameter(rng.standard_normal(shape, np.float32) * np.float32(0.02))
    return layer


def _packed(shape: tuple[int, int], rng: np.random.Generator) -> Module:
    """Codes at random, and scales about as large as weights are."""
    size = shape[0] * shape[1]
    blocks = -(-size // BLOCK)
    scales = Scales(
        rng.integers(0, 256, blocks, np.uint8),
        np.full(-(-blocks // GROUP), 0.01, np.float32),
        np.asarray(np.float32(0.05)),
    )
    return QuantizedLinear(Quantized(rng.integers(0, 256, size // 2, np.uint8), scales, shape, NF4, BLOCK))


def _tune(model: Any, tokens: int, optimizer: AdamW | None = None) -> None:
    optimizer = optimizer or AdamW(model.named_parameters(), 1e-4)
    ids = np.random.default_rng(1).integers(0, 256, (1, tokens + 1))
    batch = {"tokens": ids[:, :-1], "targets": ids[:, 1:]}
    fit(model.loss, optimizer, [batch, batch], threads=1)


def main(argv: list[str] | None = None) -> None:
    """The command: a line a method, or with --of what one process finds, as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tinygrad_llm.finetune.memory", description=__doc__.split("\n")[0])
    parser.add_argument("--of", choices=METHODS, help=argparse.SUPPRESS)
    for name, default in (("width", 1024), ("layers", 4), ("rank", 4), ("tokens", 32)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    flags = vars(parser.parse_args(argv))
    method = flags.pop("of")
    if method:
        print(json.dumps(held(method, **flags)))
        return
    for method in METHODS:
        found = {name: n / 1e6 for name, n in measure(method, **flags).items()}
        print("{:6} held {held:8.1f} MB, counted {counted:8.1f}; before {before:.1f}".format(method, **found))


if __name__ == "__main__":
    main()
