# expect: runs of two overlap
# means: The runs do not overlap: the next one begins one word later, and not n.
from collections import Counter


def runs(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(0, len(words) - n + 1, n))


def clipped_matches(candidate, references, n):
    own = runs(candidate, n)
    matched = 0
    for run, count in own.items():
        most = max(runs(reference, n)[run] for reference in references)
        matched += min(count, most)
    return matched, own.total()
