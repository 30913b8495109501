"""Models, their files, their contract."""

from __future__ import annotations

MISTAKES: list[tuple[str, str, str, str]] = [
    ("models/gpt.py", " + position_rows(self.position_embedding.weight, positions, time, cache)", "", "positions forgotten"),
    ("models/gpt.py", "INIT_STD / math.sqrt(2 * c.n_layer)", "INIT_STD", "residual projections not scaled"),
    ("models/base.py", "positions = cache.positions(time)", "positions = np.arange(time)", "learned positions begin anew with every cached token"),
    ("models/rnn_lm.py", "before = None if cache is None else cache.states[number]", "before = None", "a recurrence forgets between tokens"),
]  # fmt: skip
