# expect: of several references the one that has most
# means: Only the first reference was looked at.
from collections import Counter


def runs(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def clipped_matches(candidate, references, n):
    own = runs(candidate, n)
    matched = 0
    for run, count in own.items():
        most = runs(references[0], n)[run]
        matched += min(count, most)
    return matched, own.total()
