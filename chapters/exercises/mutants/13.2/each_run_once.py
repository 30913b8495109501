# expect: a word counts no more often
# means: Each run was counted once, however often the candidate has it.
from collections import Counter


def runs(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def clipped_matches(candidate, references, n):
    own = runs(candidate, n)
    matched = 0
    for run in own:
        most = max(runs(reference, n)[run] for reference in references)
        matched += most > 0
    return matched, len(own)
