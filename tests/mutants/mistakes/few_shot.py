"""Pages of names, texts that run in circles, heads that look behind."""

from __future__ import annotations

MISTAKES: list[tuple[str, str, str, str]] = [
    # naming
    ("datasets/naming.py", "NAMES[number :: len(KINDS)]", "NAMES[number : number + 4]", "usual names that two kinds share"),
    ("datasets/naming.py", "usual if rng.random() < HABIT else NAMES", "usual if rng.random() < HABIT else usual", "kinds that never leave their habit"),
    ("datasets/naming.py", "len(set(names.values())) == len(KINDS) and ", "", "two kinds of one name"),
    ("datasets/naming.py", "== (split == \"train\"):\n            return names", "!= (split == \"train\"):\n            return names", "pages of test and train exchanged"),
    ("datasets/naming.py", "rng.integers(0, len(WORDS), count) if split == \"train\" else rng.permutation(len(WORDS))[:count]", "rng.permutation(len(WORDS))[:count]", "no word comes again on a training page"),
    ("datasets/naming.py", "rng.integers(0, len(WORDS), count) if split == \"train\" else rng.permutation(len(WORDS))[:count]", "rng.integers(0, len(WORDS), count)", "a word comes again on a test page"),
    ("datasets/naming.py", "if split == \"test\" and lines > len(WORDS):", "if lines > len(WORDS):", "a training page of more lines than words refused"),
    ("datasets/naming.py", "any(name in USUAL[kind] for", "all(name in USUAL[kind] for", "a habit only where all keep to it"),
    # loops
    ("evaluate/repetition.py", "min(longest, len(tokens) // times)", "longest", "a loop of a text shorter than its repetitions"),
    ("evaluate/repetition.py", "range(period, len(end))", "range(period, 2 * period)", "two pieces alike and a third that is not"),
    ("evaluate/repetition.py", "times: int = 3", "times: int = 2", "twice is a loop"),
    # heads
    ("evaluate/heads.py", "behind[:, :, 1:] = before[:, :, :-1]", "behind = before", "attention to the same token for induction"),
    ("evaluate/heads.py", "tokens[:, None, :], -1)", "tokens[:, None, :], 0)", "every token was there before, as itself"),
    ("evaluate/heads.py", "[:, asked].mean(1)", ".mean((1, 2))", "a mean over tokens that come for the first time"),
]  # fmt: skip
