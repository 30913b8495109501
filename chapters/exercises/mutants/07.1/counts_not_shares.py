# expect: a context that was seen
# means: These are the counts: they are not divided by their sum.
import numpy as np


def followers(tokens, n):
    counts = {}
    for i in range(len(tokens) - n):
        counts.setdefault(tuple(tokens[i : i + n]), np.zeros(1 + max(tokens)))[tokens[i + n]] += 1
    return counts


def predict(tables, context):
    for start in range(len(context) + 1):
        ending = tuple(context[start:])
        if len(ending) < len(tables) and ending in tables[len(ending)]:
            return tables[len(ending)][ending]
