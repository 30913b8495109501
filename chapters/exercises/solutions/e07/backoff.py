"""07.1  Counting, and backing off.

Two functions. Tokens are whole numbers.

    followers(tokens, n)        a dictionary: each context of n tokens that was followed by something, a tuple
                                -> an array (V,) of how often each token followed it, V = 1 + the largest token. The
                                context of 0 tokens is ().
    predict(tables, context)    tables[n] is followers(tokens, n). The shares (V,) of what followed the longest
                                ending of `context` that was seen: all of it if that was, else all but its oldest token,
                                and so on down to ().

A context may be longer than the longest that was counted.
"""

import numpy as np


def followers(tokens, n):
    # >>> {tuple of n tokens: counts (V,)}
    counts = {}
    for i in range(len(tokens) - n):
        context = tuple(tokens[i : i + n])
        counts.setdefault(context, np.zeros(1 + max(tokens)))[tokens[i + n]] += 1
    return counts
    # <<<


def predict(tables, context):
    # >>> shares (V,), from the longest ending that was seen
    for start in range(len(context) + 1):
        ending = tuple(context[start:])
        if len(ending) < len(tables) and ending in tables[len(ending)]:
            counts = tables[len(ending)][ending]
            return counts / counts.sum()
    # <<<
