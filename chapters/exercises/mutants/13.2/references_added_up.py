# expect: of several references the one that has most
# means: The references' counts were added up: the largest one counts.
from collections import Counter


def runs(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def clipped_matches(candidate, references, n):
    own = runs(candidate, n)
    matched = 0
    for run, count in own.items():
        most = sum(runs(reference, n)[run] for reference in references)
        matched += min(count, most)
    return matched, own.total()
