"""Decoding, samplers, scores of what was written."""

from __future__ import annotations

MISTAKES: list[tuple[str, str, str, str]] = [
    ("generate/sampling.py", "before = np.cumsum(shares, 1) - shares", "before = np.cumsum(shares, 1)", "top-p drops the token that crosses p"),
    ("generate/sampling.py", "kept = above | (equal & (equal.cumsum(1) <= self.k - above.sum(1, keepdims=True)))", "kept = above | equal", "top-k keeps all ties"),
    ("generate/decode.py", "return self.block[self.used - 1, rows]", "return self.block[self.used - 1, : len(rows)]", "a row's draws depend on which others have ended"),
    ("generate/reader.py", "        cache.crop(lengths)\n", "", "padding is read as text"),
    ("generate/reader.py", "[self.texts[row][-kept - 1 : -1] for row in rows]", "[self.texts[row][-kept:] for row in rows]", "a refilled cache holds the next token twice"),
    ("generate/stop.py", "text[max(0, len(text) - self.longest + 1) :]", "\"\"", "a stop string across two tokens missed"),
    ("generate/cpu_attention.py", "SAFE[0] < sums[sums.argmin()] and ", "", "sums that have underflowed are used"),
    ("generate/cpu_attention.py", "and sums[sums.argmax()] < SAFE[1]", "", "sums that have overflowed are used"),
    ("generate/cpu_weights.py", "array[: layer.n_head * layer.head_size] *=", "array[:] *=", "keys and values are scaled as queries are"),
    ("generate/cpu_step.py", "cache), len(self.parts))", "cache), len(self.parts) - 1)", "the second thread's rows are left out"),
    ("generate/sampling.py", "shares = weights / weights.sum(1, keepdims=True)", "shares = weights / weights.sum()", "top-p of the whole batch"),
]  # fmt: skip
