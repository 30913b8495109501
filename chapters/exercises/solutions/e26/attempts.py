"""26.2  Is one of k attempts right?

    pass_at_k(n, c, k)    -> a number from 0 to 1

n attempts were made, and c of them are right. Somebody picks k of the n, all choices being alike. How probable is it
that at least one of the k is right?

Of how many choices can one pick k from n? `math.comb(n, k)`; it is 0 where k is larger than n.

Raises ValueError where k is larger than n: one cannot pick more than there are.
"""

import math


def pass_at_k(n, c, k):
    # >>> a number from 0 to 1
    if k > n:
        raise ValueError(f"k = {k} attempts of only n = {n}")
    return 1 - math.comb(n - c, k) / math.comb(n, k)
    # <<<
