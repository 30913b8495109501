"""Mistakes in tests of bias, in goals, and in what is told of both."""

from __future__ import annotations

MISTAKES: list[tuple[str, str, str, str]] = [
    (
        "evaluate/association.py",
        "(targets @ a.T).mean(1) - (targets @ b.T).mean(1)",
        "(targets @ a.T).sum(1) - (targets @ b.T).sum(1)",
        "the longer list of words weighs more",
    ),
    (
        "evaluate/association.py",
        "(targets @ a.T).mean(1) - (targets @ b.T).mean(1)",
        "(targets @ b.T).mean(1) - (targets @ a.T).mean(1)",
        "pleasant and unpleasant exchanged",
    ),
    ("evaluate/association.py", "return found / lengths", "return found", "products instead of cosines"),
    (
        "evaluate/association.py",
        "scores.std(ddof=1)",
        "scores.std()",
        "an effect size by the deviation of all there are",
    ),
    (
        "evaluate/association.py",
        "float(first.mean() - second.mean()), float(scores",
        "float(second.mean() - first.mean()), float(scores",
        "the other group is liked more",
    ),
    (
        "evaluate/association.py",
        "least = first.sum() - ROUNDING * np.abs(scores).sum()",
        "least = first.sum() + ROUNDING * np.abs(scores).sum()",
        "a way that gives as much does not count",
    ),
    (
        "evaluate/association.py",
        "least = first.sum() - ROUNDING * np.abs(scores).sum()",
        "least = first.sum()",
        "rounding breaks ties",
    ),
    ("evaluate/association.py", "p = (1 + drawn) / (1 + most)", "p = drawn / most", "a p of 0 from drawn ways"),
    (
        "evaluate/association.py",
        "rng.permutation(len(scores))[:size]",
        "rng.permutation(size)",
        "every drawn way is the one that is there",
    ),
    ("evaluate/association.py", "exact = ways <= most", "exact = ways < most", "one way too many is drawn"),
    (
        "evaluate/association.py",
        "statistic = float(first.sum() - second.sum())",
        "statistic = float(first.mean() - second.mean())",
        "the statistic of means called that of sums",
    ),
    (
        "evaluate/association.py",
        "np.concatenate([first, second]), statistic",
        "np.concatenate([second, first]), statistic",
        "associations of the other group's names",
    ),
    ("evaluate/goals.py", "found.high if self.lower else found.low", "found.score", "chance is for the new version"),
    (
        "evaluate/goals.py",
        "found.high if self.lower else found.low",
        "found.low if self.lower else found.high",
        "the better end of an interval is judged",
    ),
    (
        "evaluate/goals.py",
        "worse <= self.bound if self.lower else worse >= self.bound",
        "worse < self.bound if self.lower else worse > self.bound",
        "a bound that is just kept is missed",
    ),
    ("evaluate/goals.py", "return all(goal.kept", "return any(goal.kept", "one goal that is kept releases"),
    (
        "evaluate/report.py",
        '"set-off" * (words == "missed")',
        '"set-off" * (words == "kept")',
        "what was kept is set off",
    ),
    ("evaluate/report.py", "max(row) - min(row)", "max(row) - row[0]", "between the most and the first name"),
    (
        "datasets/portraits.py",
        "else (words.PLEASANT, words.UNPLEASANT)",
        "else (words.UNPLEASANT, words.PLEASANT)",
        "the first kind is the unpleasant one",
    ),
    ("datasets/portraits.py", "else -0.5\n", "else 0.5\n", "a bias for both peoples"),
    (
        "datasets/portraits.py",
        '"is": said, "seen": said,',
        '"is": said, "seen": worked,',
        "a name's habits differ from one thing said of it to another",
    ),
    (
        "datasets/portraits.py",
        "options[not first]",
        'options[not first] if kind != "meeting" else options[rng.integers(2)]',
        "of company any words are said",
    ),
    ("datasets/portraits.py", "+ off[kind])", ")", "nobody has habits"),
    (
        "datasets/portraits.py",
        "rng.permutation(len(options))[:2]",
        "rng.integers(len(options), size=2)",
        "one word twice",
    ),
]
