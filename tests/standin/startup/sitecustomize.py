"""A Python that finds this folder on its path starts with the stand-ins in their places, and so do its children.

    PYTHONPATH=tests/standin/startup python chapters/09_attention.py --fast --device cuda

What shall be on the "GPU" has to be moved there: nothing is sent by itself. Where $TINYGRAD_LLM_STANDIN_REPORT names a
file, a line goes there at the end: how often each operation on tensors ran where, and what the "GPU" was asked to do.

A chapter repeats itself, and the stand-in is slow. So an operation runs there in the first round that has it with these
shapes and options, which is where something could be wrong; a round ends with an optimizer's step. After that NumPy
computes the same on the same memory: results stay right, and within a round alike are computed alike, so that a claim
of the same bits is still one. A trainer, which has a stream of its own and promises the same bits again, always runs
there. A kernel that is no operation's, such as the optimizer's, has its first calls, then its readable form.
"""

import atexit
import importlib
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, fields, is_dataclass
from dataclasses import replace as changed
from functools import wraps
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

from installed import install

install()

from cupy import ndarray  # noqa: E402
from cupy._array import wrap  # noqa: E402
from cupy._state import STATE  # noqa: E402
from cupy.cuda import Stream  # noqa: E402

from tinygrad_llm.autograd.sink import WRITTEN, Place, SoFar  # noqa: E402
from tinygrad_llm.backend import DeviceStream, cublas, fused  # noqa: E402
from tinygrad_llm.optim.optimizer import Optimizer  # noqa: E402

ROUNDS, KINDS = 1, 200
"""In how many rounds an operation runs on the "GPU" with the same shapes and options, and how many such kinds it has."""
KERNELS, KERNELS_A_SHAPE, ENTRIES = 120, 40, 1 << 17
"""How often a function has its kernel, in all and with one shape, and for how many entries at most."""

op, workers = (importlib.import_module(f"tinygrad_llm.{name}") for name in ("autograd.op", "train.workers"))
met: Counter = Counter()
ran: Counter = Counter()
rounds = Counter({"now": 0})


@dataclass
class Alike:
    """Calls with the same shapes and options: in how many rounds, the last of those, and whether NumPy computes them."""

    rounds: int = 0
    last: int | None = None
    by_numpy: bool = False


computed: dict[tuple, Alike] = {}


def fused_at_first(x, *parameters):
    """`fused` for the first calls of each function; always for a trainer."""
    kernels = fused(x, *parameters)
    if kernels is None or not Stream.current.null:
        return kernels
    logits = [x.size // p.shape[1] * p.shape[0] for p in parameters if p is not None and p is not x and p.ndim == 2]
    if max(x.size, *logits, 0) > ENTRIES:
        return None
    caller = sys._getframe(1).f_code.co_qualname
    met[caller, x.shape] += 1
    if met[caller, x.shape] > KERNELS_A_SHAPE or met[caller] == KERNELS:
        return None
    met[caller] += 1
    return kernels


def there_at_first(function):
    """An operation's function: counted, and after its first round computed by NumPy."""
    name = function.__name__.lstrip("_")

    @wraps(function)
    def counted(*arrays, **options):
        there = [a for a in arrays if type(a) is ndarray]
        ran["cuda" if there else "cpu", name] += 1
        given = (*arrays, *options.values())
        if not there or not Stream.current.null or STATE.recording or any(isinstance(x, DeviceStream) for x in given):
            return function(*arrays, **options)
        if not by_numpy((name, *map(described, given))):
            return function(*arrays, **options)
        result = function(*map(opened, arrays), **{key: opened(x) for key, x in options.items()})
        if not isinstance(result, tuple):
            return closed(result, there)
        out, vjp = result
        return closed(out, there), vjp and derivative(vjp)

    return counted


def by_numpy(alike):
    """Whether NumPy computes a call, from its operation's name, shapes and options: the same throughout a round."""
    known = computed.setdefault(alike, Alike())
    if known.last != rounds["now"]:
        met[alike[0]] += known.last is None
        known.last, known.rounds = rounds["now"], known.rounds + 1
        known.by_numpy = known.rounds > ROUNDS or met[alike[0]] > KINDS
    return known.by_numpy


def derivative(vjp):
    """The vjp that NumPy's arrays have, for arrays of the "GPU"."""

    def on_numpy(g, needs):
        places = [type(need)(opened(need.array)) if isinstance(need, Place | SoFar) else need for need in needs]
        for need, place in zip(needs, places):
            if isinstance(need, Place):
                place.fresh = need.fresh
        terms = vjp(opened(g), tuple(places))
        for need, place in zip(needs, places):
            if isinstance(need, Place):
                need.fresh = place.fresh
            if isinstance(need, SoFar):
                need.taken = place.taken
        return tuple(closed(t, [g]) for t in terms) if isinstance(terms, tuple) else closed(terms, [g])

    return on_numpy


def described(x):
    """What makes a call another one."""
    if isinstance(x, tuple | list):
        return tuple(map(described, x))
    return (x.shape, x.dtype.char) if hasattr(x, "dtype") else x if isinstance(x, int | str) else type(x)


def opened(x):
    """NumPy's array inside; packed weights, a dataclass of arrays, with those of NumPy."""
    if not is_dataclass(x) or isinstance(x, type):
        return x._a if type(x) is ndarray else x
    held = {field.name: getattr(x, field.name) for field in fields(x)}
    inside = {name: opened(value) for name, value in held.items()}
    return changed(x, **inside) if any(inside[name] is not held[name] for name in held) else x


def closed(x, sources):
    """NumPy's result as an array of the "GPU": the source itself, a view of it, or a new one."""
    if x is None or x is WRITTEN:
        return x
    for source in sources:
        if x is source._a:
            return source
    return wrap(x, *sources)


def report(path):
    """Adds the line."""
    line = {device: {name: count for (d, name), count in ran.items() if d == device} for device in ("cpu", "cuda")}
    line |= {"products": cublas.library().calls, "waits": STATE.waits(), "launches": STATE.launches()}
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def replace():
    """Puts these in their places, for the operations that there are and for those that a chapter makes."""
    operations = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("tinygrad_llm."):
            operations |= {id(x): x for x in vars(module).values() if hasattr(x, "array") and hasattr(x, "__closure__")}
        if name.startswith(("tinygrad_llm.ops.", "tinygrad_llm.backend.")) and vars(module).get("fused") is fused:
            module.fused = fused_at_first
    for operation in operations.values():
        held = dict(zip(operation.__code__.co_freevars, operation.__closure__))["function"]
        held.cell_contents = there_at_first(held.cell_contents)
    begin_step = Optimizer.begin_step
    Optimizer.begin_step = lambda *arguments, **more: rounds.update(["now"]) or begin_step(*arguments, **more)
    make = op._operation
    op._operation = lambda function, *options, **more: make(there_at_first(function), *options, **more)


replace()
workers.cores = lambda: 1  # for the products of the stand-in: BLAS on two threads waits more than it works here
if target := os.environ.get("TINYGRAD_LLM_STANDIN_REPORT"):
    atexit.register(report, target)
