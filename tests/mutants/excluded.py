"""Mutants that change nothing a caller can see, each kind with its reason. A rule is (file, words of the line, reason)."""

from __future__ import annotations

SPEED = "how the work is cut into pieces: any cut gives the same numbers"
TEXT = "what an error says beyond what the tests ask for; the type is tested"
ORDER = "the order of work that commutes"
SAME = "the same number by another way"

RULES: list[tuple[str, str, str]] = [
    ("ops/activation.py", "row_tiles", SPEED),
    ("ops/norm.py", "row_tiles", SPEED),
    ("ops/loss.py", "row_tiles", SPEED),
    ("ops/loss.py", "len(tiles) == 1", SPEED),
    ("ops/index.py", "rows <= ONE_HOT_BELOW", SPEED),
    ("ops/attention.py", "step = self.time if", SPEED),
    ("ops/attention.py", "row_bytes", SPEED),
    ("ops/attention.py", "max(1, step)", SPEED),
    ("ops/attention.py", "SMALL_SCORE", "when the shift is left out: with it the numbers are the same to rounding"),
    ("ops/attention.py", "SMALL_SUM", "when the shift is left out: with it the numbers are the same to rounding"),
    ("optim/flat.py", "CHUNK", SPEED),
    ("ops/attention.py", "if first < keys", "an empty slice is set to nothing"),
    ("ops/loss.py", "dw = product_gradient(needs[1]", "into the sink or beside it: the sum is the same"),
    ("autograd/scalar.py", "return self * -1.0", SAME),
    ("optim/adamw.py", "whole_a, whole_b", SPEED),
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
    ("autograd/op.py", "labels", TEXT),
    ("autograd/op.py", "place = ", TEXT),
    ("autograd/op.py", "return f", TEXT),
    ("autograd/tensor.py", "repr", TEXT),
    ("nn/module.py", "lines", TEXT),
    ("nn/layers.py", "std: float", "a default that its callers set"),
]


def reason(file: str, source: str) -> str | None:
    """Why mutants of this line are left out, or None."""
    return next((why for where, words, why in RULES if file.startswith(where) and words in source), None)
