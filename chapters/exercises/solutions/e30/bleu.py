"""30.1  BLEU of one text.

    p_n  = matched runs of n words / the candidate's runs of n words,   n = 1, 2, 3, 4
    BP   = 1 where the candidate is at least as long as the reference, else exp(1 - r / c)
    BLEU = BP · (p_1 · p_2 · p_3 · p_4)^(1/4)

with c the candidate's length and r the reference's, in words. A run is matched at most as often as it stands in the
reference. The score goes from 0 to 1; it is 0 where any p_n is 0, and for a candidate of fewer than four words.

`bleu(candidate, reference)`: two lists of words.
"""

import math
from collections import Counter


def runs(words, n):
    """How often each run of n words occurs."""
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(candidate, reference):
    # >>> a number
    product = 1.0
    for n in (1, 2, 3, 4):
        own, other = runs(candidate, n), runs(reference, n)
        matched = sum(min(count, other[run]) for run, count in own.items())
        if not matched:
            return 0.0
        product *= matched / own.total()
    penalty = math.exp(min(0.0, 1 - len(reference) / len(candidate)))
    return penalty * product**0.25
    # <<<
