# expect: a word counts no more often
# means: A run was accepted as often as the candidate has it, and not only as often as a reference does.
from collections import Counter


def runs(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def clipped_matches(candidate, references, n):
    own = runs(candidate, n)
    matched = 0
    for run, count in own.items():
        most = max(runs(reference, n)[run] for reference in references)
        matched += count if most else 0
    return matched, own.total()
