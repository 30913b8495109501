"""Attention as float64 computes it, how far a kernel may be from that, and problems to give to both.

The cases of the seven files attention_*.cu are made here too.

The bounds are no guesses. A kernel rounds to its element type in four places: the weights, the answer, the gradient of
the scores, and the gradients it writes. bfloat16 has 8 bits, so that each multiplies a number by something within
1 +- u, u = 2^-8. Sums are in float in any case, which adds little: 2^-20 for a few hundred terms. So u |P| |v| bounds
what rounding the weights does to the answer, and so on, element by element. The way back is compared given the answer
that the way forward wrote.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from kernel_cases import DTYPES, Case, Launch
from tinygrad_llm.backend.flash import flash_backward, flash_forward

SUMS = 2.0**-20
FORMS = {"float32": "float32", "bfloat16": "bfloat16", "hopper": "bfloat16"}
"""The forms of the kernels, and the element type of each."""
UNIT = {"float32": 0.0, "bfloat16": 2.0**-8}
RESULTS = ("out", "lse", "dq", "dk", "dv")
COUNTER = np.array([0x0123456789ABCDEF, 7], np.uint64)
CALL = 3


def sees(time: int, source: int, causal: bool, lengths=None, window: int | None = None) -> np.ndarray:
    """(B or 1, 1, T, S): whether query t of example b sees key s."""
    end = np.array([source] if lengths is None else lengths)[:, None, None, None]
    key, last = np.arange(source), np.arange(time)[:, None] + end - time
    seen = key < end if not causal else key <= last
    return np.broadcast_to(seen & (key > last - window) if window else seen, (len(end), 1, time, source))


def reference(q, k, v, g, written, seen, scale, mask=1.0, unit=0.0):
    """{name: (value, bound)} of out, lse, dq, dk, dv, in float64 from the formulas.

    `written` is the answer that the way back was given; `seen` says who sees whom; `mask` multiplies the weights. What
    nobody sees may be NaN.
    """
    q, k, v, g, written = (x.astype(np.float64) for x in (q, k, v, g, written))
    batch, groups, source, size = k.shape
    repeats = q.shape[1] // groups
    k, v = np.repeat(np.nan_to_num(k), repeats, 1), np.repeat(np.nan_to_num(v), repeats, 1)
    scores = np.where(seen, scale * q @ k.swapaxes(-1, -2), -np.inf)
    top = np.maximum(scores.max(-1, keepdims=True), -1e300)
    e = np.exp(scores - top)
    total = e.sum(-1, keepdims=True)
    p = e / np.where(total == 0, 1, total)
    with np.errstate(divide="ignore"):
        lse = np.where(total == 0, np.inf, top + np.log(total))[..., 0]
    kept = p * mask
    out, dp = kept @ v, (g @ v.swapaxes(-1, -2)) * mask
    ds = p * (dp - (g * written).sum(-1, keepdims=True))

    u = unit + SUMS
    bound_out = 2 * u * kept @ abs(v)
    terms = abs(g) @ abs(v).swapaxes(-1, -2) * mask + abs(g * written).sum(-1, keepdims=True)
    bound_ds = u * abs(ds) + SUMS * p * terms

    def over_repeats(x):
        return x.reshape(batch, groups, repeats, source, size).sum(2)

    dq, dk, dv = scale * ds @ k, scale * ds.swapaxes(-1, -2) @ q, kept.swapaxes(-1, -2) @ g
    bound_dq = scale * bound_ds @ abs(k) + u * abs(dq)
    bound_dk = over_repeats(scale * bound_ds.swapaxes(-1, -2) @ abs(q)) + u * abs(over_repeats(dk))
    bound_dv = over_repeats(2 * u * kept.swapaxes(-1, -2) @ abs(g))
    return {
        "out": (out, bound_out),
        "lse": (lse, np.full(lse.shape, 4e-6)),
        "dq": (dq, bound_dq),
        "dk": (over_repeats(dk), bound_dk),
        "dv": (over_repeats(dv), bound_dv),
    }


@dataclass(frozen=True)
class Problem:
    """Form, sizes and options of one call of attention.

    dtype: the form of the kernels: "hopper" is bfloat16 by the instructions that sm_90 alone has.
    layout: "heads" for four arrays (B, heads, positions, K); "packed" for views of one array as a linear layer makes it,
    which begins at a multiple of 16 bytes; "shifted" for the same an element later; "odd" for rows of odd length;
    "padded" for arrays by themselves whose rows begin at multiples of 16 bytes whatever K is.
    lengths: how many keys each example has; behind them k and v are NaN. window: of how many a query sees the last.
    """

    dtype: str
    batch: int
    heads: int
    groups: int
    time: int
    source: int
    size: int
    causal: bool
    p: float = 0.0
    layout: str = "heads"
    lengths: tuple[int, ...] | None = None
    window: int | None = None

    def __str__(self) -> str:
        sizes = f"B{self.batch}H{self.heads}G{self.groups}T{self.time}S{self.source}K{self.size}"
        options = "-causal" * self.causal + "-dropout" * (self.p > 0) + f"-{self.layout}"
        options += "" if self.lengths is None else "-lengths " + " ".join(map(str, self.lengths))
        return f"{self.dtype}-{sizes}{options}" + (f"-window {self.window}" if self.window else "")

    @property
    def scale(self) -> float:
        return 1 / math.sqrt(self.size)

    def arrays(self, seed: int = 0) -> dict[str, np.ndarray]:
        """The inputs, drawn; and what is to be written, NaN."""
        rng = np.random.default_rng(seed)
        counts = {"q": self.heads, "k": self.groups, "v": self.groups}
        made = (
            self._side_by_side(counts) | self._side_by_side({"out": self.heads}) | self._side_by_side({"g": self.heads})
        )
        made |= {"d" + name: x for name, x in self._side_by_side(counts).items()}
        for name in ("q", "k", "v", "g"):
            made[name][...] = rng.standard_normal(made[name].shape)
        for b, length in enumerate(self.lengths or ()):
            made["k"][b, :, length:] = made["v"][b, :, length:] = np.nan
        for name in ("lse", "delta"):
            made[name] = np.full((self.batch, self.heads, self.time), np.nan, np.float32)
        return made

    def _side_by_side(self, counts: dict[str, int]) -> dict[str, np.ndarray]:
        """Arrays (B, heads, positions, K), in one piece of memory where the layout says so."""
        lengths = {name: self.source if name in "kv" else self.time for name in counts}
        if self.layout in ("heads", "padded"):
            width = -(-self.size // 8) * 8 if self.layout == "padded" else self.size
            shapes = {name: (self.batch, count, lengths[name], width) for name, count in counts.items()}
            made = {name: np.full(shape, np.nan, DTYPES[FORMS[self.dtype]]) for name, shape in shapes.items()}
            return {name: x[..., : self.size] for name, x in made.items()}
        odd = self.layout == "odd"
        width = self.size * sum(counts.values()) + odd
        memory = np.full(self.batch * max(lengths.values()) * width + 16, np.nan, DTYPES[FORMS[self.dtype]])
        start = -(memory.ctypes.data // memory.itemsize) % (16 // memory.itemsize) + (self.layout == "shifted")
        whole = memory[start:][: self.batch * max(lengths.values()) * width].reshape(self.batch, -1, width)
        made, first = {}, 0
        for name, count in counts.items():
            part = whole[:, : lengths[name], first : first + count * self.size]
            first += count * self.size
            strides = (*part.strides[:2], self.size * part.itemsize, part.itemsize)
            shape = (self.batch, lengths[name], count, self.size)
            view = np.lib.stride_tricks.as_strided(part, shape, strides)
            made[name] = view.transpose(0, 2, 1, 3)
        return made

    def options(self) -> dict:
        lengths = None if self.lengths is None else np.array(self.lengths, np.int32)
        drawn = {"p": self.p, "counter": COUNTER, "call": CALL}
        return {"causal": self.causal, "scale": self.scale, "lengths": lengths, "window": self.window, **drawn}

    def run(self, launch, x: dict[str, np.ndarray]) -> None:
        """Forward, then backward, into x."""
        options = self.options() | {"hopper": self.dtype == "hopper"}
        flash_forward(launch, x["q"], x["k"], x["v"], x["out"], x["lse"], **options)
        gradients = x["dq"], x["dk"], x["dv"]
        inputs = x["q"], x["k"], x["v"], x["out"], x["lse"], x["g"]
        flash_backward(launch, *inputs, *gradients, delta=x["delta"], **options)

    def dropout_factors(self, launch) -> np.ndarray:
        """(B, H, T, S): 0 or 1 / (1 - p), as the kernels draw them."""
        shape = (self.batch, self.heads, self.time, self.source)
        mask = np.full(shape, np.nan, np.float32)
        sizes = map(np.int32, shape)
        launch(
            "attention_delta",
            "attention_dropout_mask",
            -(-mask.size // 128),
            128,
            (mask, *sizes, np.float32(self.p), COUNTER, np.int32(CALL)),
        )
        return mask

    def expected(self, x: dict[str, np.ndarray], mask: np.ndarray | float = 1.0) -> dict[str, tuple]:
        """The reference for these inputs; the way back is given the answer in x."""
        inputs = (x[name] for name in ("q", "k", "v", "g", "out"))
        seen = sees(self.time, self.source, self.causal, self.lengths, self.window)
        return reference(*inputs, seen, self.scale, mask, UNIT[FORMS[self.dtype]])

    def check(self, x: dict[str, np.ndarray], mask: np.ndarray | float = 1.0, names: Iterable[str] = RESULTS) -> None:
        """Each result within its bound of what float64 computes; AssertionError names the worst element."""
        expected = self.expected(x, mask)
        for name in names:
            (value, bound), found = expected[name], x[name].astype(np.float64)
            assert not np.isnan(found).any(), f"{name}: NaN in {np.isnan(found).sum()} places of {found.size}"
            with np.errstate(invalid="ignore"):
                error = np.where(found == value, 0, abs(found - value) / (bound + 1e-30))  # infinities are equal
            worst = np.unravel_index(error.argmax(), error.shape)
            assert error.max() <= 1, (
                f"{name}{list(map(int, worst))}: {found[worst]} instead of {value[worst]}, {error.max():.3g} times the bound"
            )


# ---- the table of cases ---------------------------------------------------------------------------------------------


def factors(problem: Problem) -> np.ndarray | float:
    """The factors of the weights under dropout, from the definition in attention_common.cuh. (B, H, T, S)"""
    if not problem.p:
        return 1.0
    b, h, t, s = np.ogrid[: problem.batch, : problem.heads, : problem.time, : problem.source]
    seed, step = map(int, COUNTER)
    counter = t >> 4 << 3 | t & 7, s >> 4 << 2 | s >> 1 & 3, b * problem.heads + h, np.array(CALL)
    words = philox([x.astype(np.uint64) for x in counter], [seed % 2**32, seed >> 32 ^ step])
    place = 4 * (t >> 3 & 1) + 2 * (s >> 3 & 1) + (s & 1)
    word = np.choose(place // 2, np.broadcast_arrays(*words))
    half = word >> (16 * (place % 2)).astype(np.uint64) & np.uint64(0xFFFF)
    return (half >= round(65536 * problem.p)) / (1 - problem.p)


def philox(counter: list, key: list[int]) -> list:
    """Philox 4x32-10 of arrays of 64-bit integers."""
    c, k = [np.asarray(x, np.uint64) for x in counter], list(key)
    low, shift = np.uint64(2**32 - 1), np.uint64(32)
    for _ in range(10):
        product0, product1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        key0, key1 = map(np.uint64, k)
        c = [(product1 >> shift) ^ c[1] ^ key0, product1 & low, (product0 >> shift) ^ c[3] ^ key1, product0 & low]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


def attention_case(file: str, problem: Problem) -> Case:
    """The launches of one file alone; what other files would have written is there already, from float64."""
    x, mask, launches = problem.arrays(), factors(problem), []
    if "forward" not in file:
        x["out"][...] = 0
        for name in ("out", "lse"):
            x[name][...] = problem.expected(x, mask)[name][0]
    delta = (x["out"].astype(np.float64) * x["g"].astype(np.float64)).sum(-1)
    if "backward" in file:
        x["delta"][...] = delta

    def record(wanted, kernel, grid, block, args, shared_bytes=0):
        if wanted == file:
            launches.append(Launch(kernel, grid, block, args, shared_bytes))

    problem.run(record, x)

    def check() -> None:
        if "delta" in file:
            np.testing.assert_allclose(x["delta"], delta, rtol=1e-5, atol=1e-5)
        else:
            problem.check(x, mask, RESULTS[:2] if "forward" in file else RESULTS[2:])

    return Case(launches, check)


def attention_cases(file: str) -> tuple[dict[str, Callable[[], Case]], list[str]]:
    """CASES and TINY of one file."""
    dtype = file.rpartition("_")[2]
    dtypes = [dtype] if dtype in FORMS else ["float32", "bfloat16"]
    found, tiny = {}, []
    for dtype in dtypes:
        for size in (20, 32, 64, 80, 128):
            for p in (0.0, 0.3):
                problem = Problem(dtype, 1, 2, 1, 36, 71, size, True, p)
                found[str(problem)] = partial(attention_case, file, problem)
        few = [(20, 0.3), (64, 0.0), (128, 0.3)]
        if dtype != "float32" and "delta" not in file:  # with dropout these are kernels of their own
            few += [(20, 0.0), (64, 0.3), (128, 0.0)]
        for size, p in few:
            problem = Problem(dtype, 1, 1, 1, 36, 71, size, True, p)
            found[str(problem)] = partial(attention_case, file, problem)
            tiny.append(str(problem))
        if dtype != "float32" and "delta" not in file:  # so many tiles that their places are used again
            problem = Problem(dtype, 1, 1, 1, 36 if "forward" in file else 140, 200, 64, False)
            found[str(problem)] = partial(attention_case, file, problem)
            tiny.append(str(problem))
        for problem in (
            Problem(dtype, 1, 1, 1, 3, 2, 7, False),
            Problem(dtype, 2, 4, 2, 140, 130, 64, True),
            Problem(dtype, 1, 2, 2, 130, 70, 16, False, 0.5),
            Problem(dtype, 3, 4, 2, 1, 150, 64, True, lengths=(150, 1, 67)),
            Problem(dtype, 2, 2, 1, 70, 140, 32, True, 0.3, lengths=(41, 135), window=20),
            Problem(dtype, 1, 2, 1, 140, 140, 64, True, window=33),
        ):
            found[str(problem)] = partial(attention_case, file, problem)
    return found, tiny
