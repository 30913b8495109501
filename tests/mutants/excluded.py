"""Mutants that change nothing a caller can see, each kind with its reason.

A rule is (file, words of the line, reason), or with a fourth entry, the kind of mutant that it speaks of.
"""

from __future__ import annotations

SPEED = "how the work is cut into pieces: any cut gives the same numbers"
TEXT = "what an error says beyond what the tests ask for; the type is tested"
ORDER = "the order of work that commutes"
SAME = "the same number by another way"

TYPED = "NumPy refuses it too, and the decorator of operations makes the same typed error of that"
UNASKED = "a gradient that nobody asked for is thrown away"
DEFAULT = "a default that all callers set"
ON_A_GPU = "of two devices, or of CuPy's bfloat16: tests/gpu and the suite on the stand-in hold it"

RULES: list[tuple[str, ...]] = [
    ("ops/attention_flash.py", "", "runs on a GPU alone: tests/ops/test_on_gpu.py holds it"),
    (
        "ops/attention.py",
        "way = BlockedAttention if",
        "both ways give the same numbers: tests/ops/test_attention_options.py",
    ),
    (
        "ops/attention_blocks.py",
        "swapaxes(-1, -2)",
        "of four axes the third from the front is the second from behind",
        "USub dropped",
    ),
    ("ops/attention_blocks.py", "if value == 0", "weights are never below 0: the minimum with 0 hides them as well"),
    ("ops/attention_blocks.py", "columns.append((start, min(stop, longest", SPEED),
    ("ops/", "reshape(ends, (-1", "NumPy takes any negative number for the size that it works out", "1 to 2"),
    ("ops/attention_blocks.py", "rows = self.groups * self.repeats", SPEED),
    ("ops/attention_blocks.py", "top[top == -math.inf] = 0", "any finite shift gives the same shares"),
    ("nn/block.py", "self.cross_attention_norm is not None", "both are given or neither", "and/or exchanged"),
    ("ops/activation.py", "kernels := fused", ON_A_GPU),
    ("ops/attention.py", "if kernels is not None and", ON_A_GPU),
    ("ops/attention.py", "kernels.flash_supports(", ON_A_GPU),
    ("ops/activation.py", "kernels.activation(", ON_A_GPU),
    ("ops/", "copy=False", SPEED, "truth exchanged"),
    ("ops/activation.py", "row_tiles", SPEED),
    ("ops/norm.py", "row_tiles", SPEED),
    ("ops/loss.py", "row_tiles", SPEED),
    ("ops/loss.py", "len(tiles) == 1", SPEED),
    ("ops/index.py", "rows <= ONE_HOT_BELOW", SPEED),
    ("ops/attention_blocks.py", "step = self.time if", SPEED),
    ("ops/attention_blocks.py", "row_bytes", SPEED),
    ("ops/attention_blocks.py", "max(1, step)", SPEED),
    (
        "ops/attention_blocks.py",
        "SMALL_SCORE",
        "when the shift is left out: with it the numbers are the same to rounding",
    ),
    (
        "ops/attention_blocks.py",
        "SMALL_SUM",
        "when the shift is left out: with it the numbers are the same to rounding",
    ),
    ("optim/flat.py", "CHUNK", SPEED),
    ("ops/attention_blocks.py", "if a < b", "an empty slice is set to nothing"),
    ("ops/attention_blocks.py", "recording", SPEED),
    ("ops/activation.py", "recording", SPEED),
    ("ops/norm.py", "FAR", "when the shift is left out: with it the numbers are the same to rounding"),
    ("backend/rows.py", "ROWS_AT_ONCE", SPEED),
    ("ops/loss.py", "dw = product_gradient(needs[1]", "into the sink or beside it: the sum is the same"),
    ("autograd/scalar.py", "return self * -1.0", SAME),
    ("optim/adamw.py", "(whole,) = scratch", SPEED),
    ("optim/sgd.py", "whole_a, whole_b", SPEED),
    ("ops/", "if needs[", "a gradient that nobody asked for is thrown away"),
    ("ops/", "lambda g, needs: (g * b if", "a gradient that nobody asked for is thrown away"),
    ("", "next_step", TEXT),
    ("", "raise ", TEXT),
    ("", "wanted = ", TEXT),
    ("", "got = ", TEXT),
    ("", "initial=", "the value of a maximum over nothing; what has no entries is refused before"),
    ("autograd/backward.py", "self.owned.discard", "a stale mark: the sum it spoke of has been taken"),
    ("autograd/backward.py", "node.vjp, node.parents, node.seen", "tested by the graph's death"),
    ("autograd/mode.py", "default=", SAME),
    ("autograd/gradcheck.py", "eps: float", SAME),
    ("autograd/op.py", "_described", TEXT),
    ("autograd/op.py", "_labels", TEXT),
    ("autograd/op.py", "first = next(", TEXT),
    (
        "autograd/op.py",
        "kept = rule.result",
        "NumPy has one object a dtype, and who has it does not come here",
        "IsNot to Is",
    ),
    ("autograd/op.py", "type(a) is np.ndarray:", ON_A_GPU),
    ("autograd/op.py", "to_device_of(a, leader)", ON_A_GPU),
    ("autograd/op.py", "leader = next(", ON_A_GPU),
    ("optim/", "fused(gradient).", ON_A_GPU),
    ("optim/clip.py", "if not scale >= 1", "to multiply by 1 changes nothing", "GtE to Gt"),
    ("autograd/op.py", "mark.on_host for mark", ON_A_GPU),
    ("autograd/op.py", "len(NAMESPACES) > 1", ON_A_GPU),
    ("autograd/op.py", "if leader is None", ON_A_GPU),
    ("autograd/backward.py", "is_half(dtype)", ON_A_GPU),
    ("autograd/op.py", "place = ", TEXT),
    ("autograd/op.py", "return f", TEXT),
    ("autograd/tensor.py", "repr", TEXT),
    ("nn/layers.py", "std: float", DEFAULT),
    ("", "reshape(-1", "NumPy takes any negative number for the size that it works out", "1 to 2"),
    ("ops/", ", -1, ", "NumPy takes any negative number for the size that it works out", "1 to 2"),
    ("ops/", "_check(", TYPED, "statement dropped"),
    ("ops/", "_not_empty(", TYPED),
    ("ops/softmax.py", "if not x.ndim or", TYPED),
    ("ops/matmul.py", "if not (a.ndim and b.ndim)", TYPED),
    ("ops/loss.py", "if logits.ndim else 0", TYPED),
    ("ops/einsum.py", "optimize=True", SPEED),
    ("ops/loss.py", "reuse=True", SPEED),
    ("ops/attention.py", "dq), dk, dv, False)", UNASKED),
    ("ops/recurrent.py", "if x.ndim != 3", TYPED),
    ("ops/recurrent.py", "if w_hh.ndim != 2", TYPED),
    ("ops/recurrent.py", "xp.zeros_like(c[0]), xp.zeros_like(c[0])", "all states have one shape", "0 to 1"),
    ("ops/recurrent.py", "dh = xp.zeros_like(states[0])", "all states have one shape", "0 to 1"),
    ("ops/composed.py", "swapaxes(-1, -2)", "the same axis of four, counted from the other end", "USub dropped"),
    ("ops/composed.py", "xp.tril(allowed", "the same axis of four, counted from the other end", "USub dropped"),
    ("ops/composed.py", "* 2, -1) for table", "the same axis of two, counted from the other end", "USub dropped"),
    (
        "ops/composed.py",
        ".where(counts, targets, 0)",
        "what is picked for an ignored target is thrown away",
        "0 to 1",
    ),
    ("ops/loss.py", "total = e.sum(-1", "the same axis of two, counted from the other end", "USub dropped"),
    ("ops/loss.py", "l_NV.mean(-1", "the same axis of two, counted from the other end", "USub dropped"),
    ("ops/loss.py", "weight = (g.reshape(-1, 1)", "NumPy works out the number of rows", "USub dropped"),
    ("ops/loss.py", "d_NV[rows, xp.where(counts", "ignored rows are set to 0 below; a number has no axes", "0 to 1"),
    ("ops/loss.py", "difference = xp.where(p > 0", "multiplied with p, which is 0 there", "0 to 1"),
    ("ops/loss.py", "logits >= 0", "at 0 both forms give 1/2", "GtE to Gt"),
    ("ops/dropout.py", "drawn >= p", "equal with probability 2^-24", "GtE to Gt"),
    (
        "ops/elementwise.py",
        "(b - 1 if b != 0 else 0)",
        "at 1 the exponent is 0 both ways; at 0 the factor b is 0",
        "0 to 1",
    ),
    ("ops/reduce.py", "def _first_extreme(", DEFAULT),
    ("ops/shape.py", "def _concat(", DEFAULT),
    ("ops/shape.py", "def _stack(", DEFAULT),
    ("ops/shape.py", "def _part(", DEFAULT),
    ("nn/layers.py", "return x if rng is None or self.p == 0", "the operation itself does nothing then"),
    ("optim/optimizer.py", "storage.version += 1", "any change of the number is noticed"),
    ("autograd/backward.py", "range(g.ndim - len(shape))", "a sum over no axis", "Gt to GtE"),
    ("autograd/backward.py", "self.owned.add(key)", "a new array instead of an addition in place"),
    ("autograd/backward.py", "[need and ((isinstance(p, Tensor)", UNASKED),
    ("autograd/gradcheck.py", "cotangent = ", "any random cotangent will do"),
    ("autograd/gradcheck.py", "default_rng(seed + 1)", "any random cotangent will do"),
    ("autograd/gradcheck.py", "<= atol + rtol", "equal to the last bit", "LtE to Lt"),
    ("autograd/op.py", "(parameters[0].name,)", TEXT),
    ("autograd/sink.py", "def product_gradient(", DEFAULT),
    ("autograd/sink.py", "place.fresh = False", "it was set to 0 just before: adding to it is writing it"),
    ("autograd/tensor.py", "self.version = 0", "any change of the number is noticed"),
]


def reason(file: str, source: str, what: str) -> str | None:
    """Why a mutant of this line is left out, or None."""
    for where, words, why, *kind in RULES:
        if file.startswith(where) and words in source and (not kind or kind[0] in what):
            return why
    return None
