"""A Python that finds this folder on its path starts with the stand-ins in their places, and so do its children.

    PYTHONPATH=tests/standin/startup python chapters/09_attention.py --fast --device cuda

What shall be on the "GPU" has to be moved there: nothing is sent by itself. Two things are added. Where
$TINYGRAD_LLM_STANDIN_REPORT names a file, a line goes there at the end: how often each operation on tensors ran where, and
what the "GPU" was asked to do. And since a kernel takes a thousand times as long here as there, an operation has its kernel
in its first calls only, then its readable form, on the same arrays of the "GPU".
"""

import atexit
import importlib
import json
import os
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

from installed import install

install()

from cupy._state import STATE  # noqa: E402
from cupy.cuda import Stream  # noqa: E402

from tinygrad_llm.backend import cublas, device_of, fused  # noqa: E402

CALLS, CALLS_A_SHAPE, ENTRIES = 60, 20, 1 << 17
"""How often an operation has its kernel, in all and with one shape, and for how many entries at most."""

op, workers = (importlib.import_module(f"tinygrad_llm.{name}") for name in ("autograd.op", "train.workers"))
box = op._box
met: Counter = Counter()
ran: Counter = Counter()


def fused_at_first(x, *parameters):
    """`fused` for the first calls of each operation; always for a trainer, which has a stream of its own: it promises
    the same bits again."""
    kernels = fused(x, *parameters)
    if kernels is None or not Stream.current.null:
        return kernels
    if x.size > ENTRIES:
        return None
    caller = sys._getframe(1).f_code.co_qualname
    met[caller, x.shape] += 1
    if met[caller, x.shape] > CALLS_A_SHAPE or met[caller] == CALLS:
        return None
    met[caller] += 1
    return kernels


def counted(name, out, *rest):
    """`_box`, which makes a tensor of each operation's result."""
    ran[device_of(out), name] += 1
    return box(name, out, *rest)


def report(path):
    """Adds the line."""
    line = {device: {name: count for (d, name), count in ran.items() if d == device} for device in ("cpu", "cuda")}
    line |= {"products": cublas.library().calls, "waits": STATE.waits(), "launches": STATE.launches()}
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


for name, module in list(sys.modules.items()):
    if name.startswith(("tinygrad_llm.ops.", "tinygrad_llm.backend.")) and vars(module).get("fused") is fused:
        module.fused = fused_at_first
op._box = counted
workers.cores = lambda: 1  # for the products of the stand-in: BLAS on two threads waits more than it works here
if target := os.environ.get("TINYGRAD_LLM_STANDIN_REPORT"):
    atexit.register(report, target)
